import Access
import Base
import SignIn

/// What a form asks of the groups of a directory: a line for each, some empty ones for more.
struct GroupRuleLines: Sendable {
    /// One group with the role that it is worth.
    struct Line: Sendable {
        let number: Int
        let group: String
        let worths: [SettingsForm.Option]
        let place: String
    }

    /// Domains that are offered while somebody types.
    let places: [String]
    let lines: [Line]

    /// Lines beyond those that are filled in.
    private static let spare = 3
    /// Lines of one form; more are the API's matter.
    static let most = 500

    init(_ rules: [GroupRule], roles: [Role], domains: DomainNames) {
        let names = Dictionary(roles.map { ($0.id.text, $0.name.text) }, uniquingKeysWith: { $1 })
        let paths = Dictionary(domains.choices.map { ($0.id.text, $0.path) }, uniquingKeysWith: { $1 })
        places = domains.choices.filter { $0.path != $0.id.text }.prefix(ConsoleLimits.offeredNames).map(\.path)
        let empty = GroupRule(group: "", role: "")
        let shown = rules + Array(repeating: empty, count: min(Self.spare, max(0, Self.most - rules.count)))
        lines = shown.enumerated().map { index, rule in
            let role = names[rule.role] ?? rule.role
            var worths = [SettingsForm.Option(value: "", label: "No role", isOn: role.isEmpty)]
            worths += roles.map { .init(value: $0.name.text, label: $0.name.text, isOn: $0.name.text == role) }
            // A role that is gone must not turn into another one by saving.
            if !role.isEmpty, !roles.contains(where: { $0.name.text == role }) {
                worths.append(.init(value: role, label: "\(role) (is gone)", isOn: true))
            }
            let place = rule.domain.map { paths[$0] ?? $0 } ?? ""
            return Line(number: index + 1, group: rule.group, worths: worths, place: place)
        }
    }

    /// The rules that a form describes; lines without a group are left out.
    static func rules(_ form: FormFields) throws -> [GroupRule] {
        var rules: [GroupRule] = []
        for number in 1...(most + spare) {
            guard form.has("group-\(number)") else { break }
            let (group, role) = (form.text("group-\(number)"), form.text("role-\(number)"))
            guard let group else {
                guard role == nil else { throw fault("Line \(number) has a role and no group.") }
                continue
            }
            guard let role else { throw fault("\(group) has no role.") }
            rules.append(GroupRule(group: group, role: role, domain: form.text("domain-\(number)")))
        }
        return rules
    }

    /// The same, as far as it goes, to show the form again.
    static func typed(_ form: FormFields) -> [GroupRule] {
        (1...(most + spare)).prefix { form.has("group-\($0)") }.compactMap { number in
            let rule = GroupRule(
                group: form.exact("group-\(number)"), role: form.exact("role-\(number)"),
                domain: form.text("domain-\(number)"))
            return rule.group.isEmpty && rule.role.isEmpty ? nil : rule
        }
    }

    private static func fault(_ words: String) -> Refusal {
        Refusal(
            .invalid, "directory.invalid", words,
            faults: [.init(place: "groups", message: "needs a group and a role on each line")])
    }
}
