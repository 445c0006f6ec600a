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
        let name: String
        let badge: Badge
        let what: String
        let whom: String
    }

    let title = "Alert rules"
    let rows: [Row]
    let hasRows: Bool
    let canManage: Bool
    let conditions: [DevicesPage.Choice]
    let places: [DevicesPage.Choice]
    let severities: [DevicesPage.Choice]
    let name: String
    let wait: String
    let role: String
    let mail: String
    let sms: String
    let webhook: String
    let fault: String?
    let address: String
    let list: String
}

extension AlertRulesPage {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: FormFields = FormFields(), fault: String? = nil
    ) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let rules = try await console.watch.rules(in: tenant, by: principal)
        let names = DomainNames((try? await console.access.domains(tenant: tenant, by: principal)) ?? [])
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        rows = rules.map { rule in
            let what = AlertCondition.allCases.filter(rule.conditions.contains).map(\.label).joined(separator: ", ")
            let place = names.label(rule.domain).map { " at \($0)" } ?? ""
            return Row(
                name: rule.name.text, badge: rule.isActive ? .good("In use") : .off("Not in use"),
                what:
                    "\(what)\(place), after \(rule.wait.formatted) s\(rule.severity.map { ", \($0.name) at least" } ?? "")",
                whom: rule.receivers.map(\.words).joined(separator: ", "))
        }
        hasRows = !rows.isEmpty
        canManage = held.contains(.alertRuleManage)
        let ticked =
            form.has("conditions")
            ? form.texts("conditions") : ["silent", "taskFailed", "certificateExpiring", "campaignPaused"]
        conditions = AlertCondition.allCases.map {
            .init(value: $0.rawValue, label: $0.label, isOn: ticked.contains($0.rawValue))
        }
        let place = form.text("domain")
        places = names.choices.map { .init(value: $0.id.text, label: $0.label, isOn: $0.id.text == place) }
        let severity = form.text("severity")
        severities = AlertSeverity.allCases.map {
            .init(value: $0.name, label: $0.name, isOn: $0.name == severity)
        }
        name = form.text("name") ?? ""
        wait = form.text("wait") ?? "\(WatchLimits.usualWait)"
        role = form.text("role") ?? ""
        mail = form.text("mail") ?? ""
        sms = form.text("sms") ?? ""
        webhook = form.text("webhook") ?? ""
        self.fault = fault
        list = "\(visit.home)/alerts"
        address = "\(list)/rules"
    }

    /// Takes a new rule, or ends one.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (tenant, principal, form) = (visit.tenant.id, visit.principal, visit.form)
        do {
            if form.text("act") == "remove" {
                try await console.watch.deleteRule(form.text("rule") ?? "", in: tenant, by: principal)
                return .seeOther("\(visit.home)/alerts/rules", done: .removed)
            }
            guard let name = form.text("name").flatMap({ Name($0) }) else {
                return .again(
                    try await AlertRulesPage(
                        console, visit, form,
                        fault: "A name has letters, digits and ._:- and begins with one of the first two."))
            }
            func each(_ field: String) -> [String] {
                (form.text(field) ?? "").split { $0 == "," || $0 == ";" || $0.isWhitespace }.map(String.init)
            }
            var draft = AlertRuleDraft(name: name, domain: form.text("domain"))
            draft.conditions = Set(form.texts("conditions").compactMap(AlertCondition.init(rawValue:)))
            draft.severity = form.text("severity").flatMap { AlertSeverity(name: $0) }
            draft.wait = form.text("wait").map { Int64($0) ?? -1 } ?? WatchLimits.usualWait
            draft.receivers =
                each("role").map { .init(role: $0) } + each("mail").map { .init(mail: $0) }
                + each("sms").map { .init(sms: $0) } + each("webhook").map { .init(webhook: $0) }
            _ = try await console.watch.createRule(draft, in: tenant, by: principal)
            return .seeOther("\(visit.home)/alerts/rules", done: .created)
        } catch let refusal as Refusal where [.invalid, .conflict, .tooLarge].contains(refusal.kind) {
            let places = refusal.faults.map { "\($0.place.dropFirst()) \($0.message)" }
            return .again(
                try await AlertRulesPage(
                    console, visit, form, fault: ([refusal.message] + places).joined(separator: "; ")))
        }
    }
}

extension AlertReceiver {
    /// The receiver as pages name it.
    var words: String {
        switch self {
        case .role(let name): "everybody with the role \(name)"
        case .mail(let address): address.text
        case .sms(let number): number.text
        case .webhook: "a webhook"
        }
    }
}

extension Int64 {
    fileprivate var formatted: String { Int(self).grouped }
}
