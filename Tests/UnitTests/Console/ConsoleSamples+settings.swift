import Base
import SignIn

@testable import Access
@testable import Console

extension ConsoleSamples {
    private static let tab = SettingsTab(label: "Users", note: "Who.", address: "/u", isOn: true)
    private static let act = SettingsAct(
        verb: "End", goes: "/g", posts: "/p", value: "end", look: "danger", about: "it", seen: "s")
    private static let cell = SettingsCell(
        words: "Ada", link: "/a", code: "00", mark: .good("Active"), at: moment, tags: ["admin"], aside: "at Berlin",
        caption: "Role")
    private static let row = SettingsList.Row(name: cell, cells: [cell], rowActs: [act])
    private static let input = SettingsForm.Input(type: "text", value: "v", isRequired: true, longest: 9)
    private static let options = SettingsForm.Options(options: [.init(value: "a", label: "A", isOn: true)])

    private static let domains: [Domain] = {
        let top = DomainID(high: 1, low: 1)
        return [
            Domain(id: top, parent: nil, name: "acme", created: Timestamp(microseconds: 0)),
            Domain(id: DomainID(high: 1, low: 2), parent: top, name: "plant", created: Timestamp(microseconds: 0)),
        ]
    }()

    private static let place = SettingsPlace(
        tabs: [tab], part: SettingsCrumb(place: "Users", way: "/u"), first: "/f")

    /// The views of the settings.
    static let settings: [any PageView] = [
        SettingsIndex(tabs: [tab]),
        SettingsList(
            place, "Users", "All.", heads: ["Name", "Role"], rows: [row], nothing: "None.", acts: [act],
            facts: [.init("Mail", cell)], filters: [.init(choice: "All", leads: "/", isChosen: true)], next: "/n"),
        SettingsRecord(
            place, "Ada", lead: "ada@example.com", state: .good("Active"), acts: [act],
            panels: [
                {
                    var panel = SettingsRecord.Panel(
                        "a", "Account", explains: "So.", facts: [.init("Made", cell)], lines: [row], acts: [act],
                        table: .init(columns: ["Port", "Role"], tableRows: [row]), text: "block")
                    panel.none = "None."
                    return panel
                }()
            ]),
        {
            var form = SettingsForm(
                place, "Invite", effect: "They come.", action: "/a",
                fields: [
                    .init(
                        id: "a", label: "A", hint: "h", wrong: "w", input: input, area: input, options: options,
                        radios: options,
                        groups: .init(groups: [
                            .init(legend: "L", boxes: [.init(value: "a", label: "A", meaning: "m", isOn: true)])
                        ]),
                        rules: GroupRuleLines(
                            [GroupRule(group: "g", role: "viewer", domain: "a")], roles: [.viewer],
                            domains: DomainNames(domains)))
                ], verb: "Invite", back: "/b", crumb: .init(place: "Ada", way: "/u"), hidden: [("a", "b")],
                told: ["One gains."])
            form.fault = "No."
            form.faults = [.init(place: "a", message: "is wrong")]
            return form
        }(),
        SecretPage(
            place, "Link", "Take it.", secret: "s", label: "Link",
            until: Timestamp(microseconds: 1_800_000_000_000_000), told: ["Once."], back: "/b"),
    ]
}
