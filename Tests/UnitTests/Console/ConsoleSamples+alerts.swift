import Base

@testable import Console

extension ConsoleSamples {
    private static let chip = DevicesPage.Chip(label: "Open", address: "/a", isOn: true)
    private static let choice = DevicesPage.Choice(value: "silent", label: "Silent", isOn: true)

    static let alerts: [any PageView] = [
        AlertsPage(
            states: [chip], conditions: [chip],
            rows: [
                .init(
                    summary: "Berlin: 1 device is silent", address: "/x", condition: "Silent",
                    badge: .warning("Warning"),
                    opened: moment, count: "1", word: "Ada: soon")
            ], hasRows: true, isEmpty: true, isNothingFound: true, rules: "/r", address: "/a", next: "/2", first: "/1"),
        AlertDetailsPage(
            title: "Berlin: 1 device is silent", badge: .warning("Warning"), condition: "Silent", place: "Berlin",
            opened: moment, silentSince: moment, ends: moment, closed: moment, told: "1 receiver was told",
            word: "Ada: soon", more: "and 2 more", devices: [.init(device: "m", deviceAddress: "/d")],
            hasDevices: true, further: .init(label: "See the devices", address: "/l"), canAcknowledge: true,
            canSilence: true, isSilenced: true, fault: "No.", address: "/x", list: "/a"),
        AlertRulesPage(
            rows: [.init(name: "all", badge: .good("In use"), what: "Silent", whom: "ops@example.com")],
            hasRows: true, canManage: true, conditions: [choice], places: [choice], severities: [choice], name: "n",
            wait: "60", role: "operator", mail: "m", sms: "s", webhook: "w", fault: "No.", address: "/r", list: "/a"),
    ]
}
