import Access
import Base
import Northbound
import Watch

/// One alert rule, to be changed, switched off or deleted.
struct AlertRulePage: PageView {
    static let template = "alert-rule"
    static let menu: MenuItem? = .alerts

    let title: String
    let badge: Badge
    let form: AlertRuleForm
    let delete: String
    let list: String
    let rules: String
}

extension AlertRulePage {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, sent: FormFields? = nil, fault: String? = nil
    ) async throws {
        let rule = try await console.rule(visit)
        list = "\(visit.home)/alerts"
        rules = "\(list)/rules"
        let here = "\(rules)/\(rule.id.text)"
        title = rule.name.text
        badge = rule.isActive ? .good("In use") : .off("Not in use")
        delete = "\(here)/delete"
        form = try await AlertRuleForm(
            console, visit, rule, sent: sent, action: here, verb: "Save the rule", fault: fault)
    }

    /// Puts the rule in the place of what it was.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let rule = try await console.rule(visit)
        do {
            _ = try await console.watch.changeRule(
                rule.id.text, to: AlertRuleForm.draft(visit.form), in: visit.tenant.id, by: visit.principal)
            return .seeOther("\(visit.home)/alerts/rules", done: .saved)
        } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) {
            return .again(
                try await AlertRulePage(console, visit, sent: visit.form, fault: AlertRuleForm.words(refusal)))
        }
    }

    /// The question before it is deleted.
    static func askDelete(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let rule = try await console.rule(visit)
        let here = "\(visit.home)/alerts/rules/\(rule.id.text)"
        return .show(
            AlertRuleConfirmPage(
                title: "Delete the rule \(rule.name)?",
                effect: "Nobody whom it told is told when these alerts are over. To stop it for a time, switch it off.",
                address: "\(here)/delete", act: "delete", verb: "Delete", back: here))
    }

    static func delete(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let rule = try await console.rule(visit)
        try await console.watch.deleteRule(rule.id.text, in: visit.tenant.id, by: visit.principal)
        return .seeOther("\(visit.home)/alerts/rules", done: .removed)
    }
}

/// The question before an alert rule is deleted.
struct AlertRuleConfirmPage: PageView {
    static let template = "confirm"
    static let menu: MenuItem? = .alerts

    let title: String
    let effect: String
    let address: String
    let act: String
    let verb: String
    let back: String
    /// Nobody is asked why.
    var reason: ConfirmPage.Reason?
}

extension ConsoleParts {
    /// The alert rule in the path, for who may manage it.
    fileprivate func rule(_ visit: TenantVisit) async throws -> AlertRule {
        try await watch.rule(visit.path("alertRule"), in: visit.tenant.id, by: visit.principal)
    }
}
