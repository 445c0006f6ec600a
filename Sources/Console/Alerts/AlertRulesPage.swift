import Access
import Base
import Delivery
import Northbound
import Watch

/// Who is told of which alerts.
struct AlertRulesPage: PageView {
    static let template = "alert-rules"
    static let menu: MenuItem? = .alerts

    struct Row: Sendable {
        let rule: String
        let badge: Badge
        let what: String
        let whom: String
        /// Where it is changed; nil for who may not.
        let ruleAddress: String?
    }

    let title = "Alert rules"
    let rows: [Row]
    let hasRows: Bool
    /// The form of a new rule; nil for who may make none.
    let form: AlertRuleForm?
    let list: String
}

extension AlertRulesPage {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, sent: FormFields? = nil, fault: String? = nil
    ) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let rules = try await console.watch.rules(in: tenant, by: principal)
        let names = DomainNames((try? await console.access.domains(tenant: tenant, by: principal)) ?? [])
        let outlets = Dictionary(
            try await console.delivery.outlets(of: tenant).map { ($0.id, $0.name.text) }, uniquingKeysWith: { $1 })
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let canManage = held.contains(.alertRuleManage)
        list = "\(visit.home)/alerts"
        let here = "\(list)/rules"
        rows = rules.map { rule in
            let what = AlertCondition.allCases.filter(rule.conditions.contains).map(\.label).joined(separator: ", ")
            let place = names.label(rule.domain).map { " at \($0)" } ?? ""
            let severity = rule.severity.map { ", at least \($0.label.lowercased())" } ?? ""
            return Row(
                rule: rule.name.text, badge: rule.isActive ? .good("In use") : .off("Not in use"),
                what: "\(what)\(place), after \(Int(rule.wait).counted("second", "seconds"))\(severity)",
                whom: rule.receivers.map { $0.words(outlets) }.joined(separator: ", "),
                ruleAddress: canManage ? "\(here)/\(rule.id.text)" : nil)
        }
        hasRows = !rows.isEmpty
        form =
            canManage
            ? try await AlertRuleForm(console, visit, sent: sent, action: here, verb: "Add the rule", fault: fault)
            : nil
    }

    /// Takes a new rule.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        do {
            _ = try await console.watch.createRule(
                AlertRuleForm.draft(visit.form), in: visit.tenant.id, by: visit.principal)
            return .seeOther("\(visit.home)/alerts/rules", done: .created)
        } catch let refusal as Refusal where [.invalid, .conflict, .tooLarge].contains(refusal.kind) {
            return .again(
                try await AlertRulesPage(console, visit, sent: visit.form, fault: AlertRuleForm.words(refusal)))
        }
    }
}

extension AlertReceiver {
    /// The receiver as pages name it, with the names of outlets.
    func words(_ outlets: [OutletID: String]) -> String {
        switch self {
        case .role(let name): "everybody with the role \(name)"
        case .mail(let address): address.text
        case .sms(let number): number.text
        case .webhook(let outlet): outlets[outlet].map { "webhook \($0)" } ?? "a webhook that is gone"
        }
    }
}
