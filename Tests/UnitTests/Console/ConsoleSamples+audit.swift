import Base

@testable import Console

extension ConsoleSamples {
    private static let choice = DevicesPage.Choice(value: "a", label: "A", isOn: true)
    private static let fact = DeviceView.Fact("Size", "1", time: moment, tags: ["x"])

    static let audit: [any PageView] = [
        AuditListPage(
            summary: "Who did what", address: "/a", chips: [.init(label: "All", address: "/", isOn: true)],
            conditions: [.init(label: "By Ada", address: "/")], hasConditions: true,
            parts: [.init(label: "device", all: choice, codes: [choice])], people: ["ada"], who: "ada", device: "m",
            from: "2026-11-21", to: "2026-11-22", carried: [.init(name: "outcome", value: "denied")], fault: "No.",
            rows: [
                .init(
                    meaning: "A device was registered", code: "device.registered", address: "/1", badge: .good("Done"),
                    start: moment, end: moment, duration: "1 s", who: "Ada", company: "Acme", subject: "m",
                    from: "192.0.2.1")
            ], hasRows: true, isNothingFound: true, searchedTo: moment, next: "/n", first: "/f", sessionsAddress: "/s",
            verifyAddress: "/v", canExport: true, csvAddress: "/c", bundleAddress: "/b"),
        AuditEntryPage(
            title: "A device was registered", code: "device.registered", list: "/a", badge: .good("Done"),
            facts: [fact], details: [fact], hasDetails: true, isShredded: true,
            ways: [.init(label: "All by Ada", address: "/")], place: "1", hash: "00", standing: .good("Proved"),
            standingText: "Proved.",
            proof: .init(size: "2", root: "00", time: moment, note: "note", path: ["00"], hasPath: true), older: "/0",
            newer: "/2"),
        AuditSessionsPage(
            list: "/a", address: "/s", who: "ada", people: ["ada"],
            rows: [
                .init(
                    who: "Ada", address: "/1", badge: .good("Open"), start: moment, end: moment, duration: "1 s",
                    ending: "signed out", from: "192.0.2.1", factors: "passkey", agent: "x", acts: "/w")
            ], hasRows: true, isNothingFound: true, next: "/n", first: "/f"),
        VerificationPage(
            list: "/a", address: "/v", bundleAddress: "/b", canExport: true, canStart: true, verb: "Verify now",
            progress: .init(text: "1 of 2", done: 1, size: 2), fault: "No.",
            result: .init(
                badge: .good("Intact"), sentence: "All.", facts: [fact],
                damages: [
                    .init(
                        place: "Entry 1", address: "/1", kind: "Changed", message: "It was.", code: "x", time: moment)
                ], hasDamages: true, further: "and 1 further"),
            earlier: .init(badge: .good("Intact"), who: "Ada", time: moment, address: "/1")),
    ]
}
