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
            rows: [
                .init(
                    rule: "all", badge: .good("In use"), what: "Silent", whom: "ops@example.com", ruleAddress: "/r/1")
            ], hasRows: true, form: form, list: "/a"),
        AlertRulePage(
            title: "all", badge: .good("In use"), form: form, delete: "/r/1/delete", list: "/a", rules: "/r"),
        AlertRuleConfirmPage(
            title: "Delete the rule all?", effect: "Gone.", address: "/r/1/delete", act: "delete", verb: "Delete",
            back: "/r/1", reason: .init(typed: "x", fault: "No.")),
    ]

    private static let form = AlertRuleForm(
        action: "/r", verb: "Save", fault: "No.", name: "n", conditions: [choice], places: [choice], wait: "60",
        severities: [choice], role: "operator", mail: "m", sms: "s", webhook: "w", webhooks: ["w"], tellsBack: true,
        isActive: true)
}
