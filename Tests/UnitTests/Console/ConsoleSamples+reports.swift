import Base

@testable import Console

extension ConsoleSamples {
    private static let tab = DevicesPage.Chip(label: "Versions", address: "/", isOn: true)
    private static let role = AccessReport.Role(who: "Ada", role: "admin", place: "Plant", until: moment)

    static let reports: [any PageView] = [
        FailuresReport(
            summary: "1 device", tabs: [tab], csv: "/c", mails: "/m", states: [tab], sorts: [tab],
            rows: [
                .init(
                    name: "m", address: "/", badge: .good("Online"), last: moment, reason: "x", lost: "1", refused: "2",
                    total: "3", connections: "4", seen: moment)
            ], hasRows: true, isEmpty: true, isNothingFound: true, address: "/r", next: "/n", first: "/f"),
        VersionsReport(
            tabs: [tab], csv: "/c", mails: "/m",
            components: [
                .init(
                    name: "system", summary: "1 version on 1 device", devices: "/d",
                    versions: [.init(version: "1.2", count: "1", share: "100 %", address: "/d")],
                    more: "3 versions more are")
            ], moreComponents: "2 components more are", isEmpty: true),
        AccessReport(
            tabs: [tab], csv: "/c", mails: "/m", address: "/a", domains: [.init(value: "a", label: "A", isOn: true)],
            hasDomains: true, domainPath: .init(path: "plant"), fault: "No.",
            people: [
                .init(
                    name: "Ada", account: "/u", mail: "a@b", badge: .good("Active"), lastSignIn: moment,
                    factors: "password",
                    roles: [role], hasRoles: true)
            ], hasPeople: true,
            sections: [.init(heading: "At Plant", roles: [role], hasRoles: true, more: "3 more")],
            next: "/n", first: "/f"),
        ReportMailsPage(
            list: "/r", address: "/m", canOrder: true,
            rows: [
                .init(
                    id: "1", report: "Versions", period: "every day", who: "a@b", next: moment, sent: moment,
                    failure: "No.")
            ], hasRows: true, isEmpty: true, reports: [.init(value: "a", label: "A", isOn: true)],
            periods: [.init(value: "a", label: "A", isOn: true)], mayOrderForOthers: true, recipient: "a@b",
            fault: "No.", leaves: true, when: "At six."),
    ]
}
