import Access
import Base
import Delivery
import Northbound
import Watch

/// The form of an alert rule: of which alerts, where and how soon, and who is told.
struct AlertRuleForm: Sendable {
    let action: String
    let verb: String
    let fault: String?
    let name: String
    let conditions: [DevicesPage.Choice]
    let places: [DevicesPage.Choice]
    let wait: String
    let severities: [DevicesPage.Choice]
    let role: String
    let mail: String
    let sms: String
    let webhook: String
    /// The webhooks that there are, to choose from.
    let webhooks: [String]
    let tellsBack: Bool
    let isActive: Bool
}

extension AlertRuleForm {
    /// The form as it was sent, or as `rule` is, or of a new rule.
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ rule: AlertRule? = nil, sent: FormFields? = nil,
        action: String, verb: String, fault: String? = nil
    ) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let names = DomainNames((try? await console.access.domains(tenant: tenant, by: principal)) ?? [])
        let outlets = try await console.delivery.outlets(of: tenant).filter { $0.kind == .webhook }
        self.action = action
        self.verb = verb
        self.fault = fault
        let ticked =
            sent.map { Set($0.texts("conditions")) }
            ?? Set((rule?.conditions ?? AlertRuleDraft.usualConditions).map(\.rawValue))
        conditions = AlertCondition.allCases.map {
            .init(value: $0.rawValue, label: $0.label, isOn: ticked.contains($0.rawValue))
        }
        let place = sent.map { $0.text("domain") } ?? rule?.domain.text
        places = names.choices.map { .init(value: $0.id.text, label: $0.label, isOn: $0.id.text == place) }
        let severity = sent.map { $0.text("severity") } ?? rule?.severity?.name
        severities = AlertSeverity.allCases.map {
            .init(value: $0.name, label: $0.label, isOn: $0.name == severity)
        }
        name = sent.map { $0.text("name") ?? "" } ?? rule?.name.text ?? ""
        wait = sent.map { $0.text("wait") ?? "" } ?? "\(rule?.wait ?? WatchLimits.usualWait)"
        func all(_ field: String, _ text: (AlertReceiver) -> String?) -> String {
            sent.map { $0.text(field) ?? "" } ?? (rule?.receivers ?? []).compactMap(text).joined(separator: ", ")
        }
        role = all("role") { if case .role(let name) = $0 { name } else { nil } }
        mail = all("mail") { if case .mail(let address) = $0 { address.text } else { nil } }
        sms = all("sms") { if case .sms(let number) = $0 { number.text } else { nil } }
        webhook = all("webhook") { receiver in
            guard case .webhook(let id) = receiver else { return nil }
            return outlets.first { $0.id == id }?.name.text ?? id.text
        }
        webhooks = outlets.map(\.name.text)
        tellsBack = sent.map { $0.has("back") } ?? rule?.tellsBack ?? true
        isActive = sent.map { $0.has("active") } ?? rule?.isActive ?? true
    }

    /// The rule that a sent form describes.
    static func draft(_ form: FormFields) throws(Refusal) -> AlertRuleDraft {
        guard let name = form.text("name").flatMap({ Name($0) }) else {
            throw Refusal(
                .invalid, "alertRule.invalid",
                "A name has letters, digits and ._:- and begins with one of the first two.")
        }
        func each(_ field: String) -> [String] {
            (form.text(field) ?? "").split { $0 == "," || $0 == ";" || $0.isWhitespace }.map(String.init)
        }
        var draft = AlertRuleDraft(name: name, domain: form.text("domain"))
        draft.conditions = Set(form.texts("conditions").compactMap(AlertCondition.init(rawValue:)))
        draft.severity = form.text("severity").flatMap { AlertSeverity(name: $0) }
        draft.wait = form.text("wait").map { Int64($0) ?? -1 } ?? WatchLimits.usualWait
        draft.tellsBack = form.has("back")
        draft.isActive = form.has("active")
        draft.receivers =
            each("role").map { .init(role: $0) } + each("mail").map { .init(mail: $0) }
            + each("sms").map { .init(sms: $0) } + each("webhook").map { .init(webhook: $0) }
        return draft
    }

    /// What is wrong with the form, in one line.
    static func words(_ refusal: Refusal) -> String {
        ([refusal.message] + refusal.faults.map { "\($0.place.dropFirst()) \($0.message)" }).joined(separator: "; ")
    }
}
