public import Access
import Audit
public import Base
import Delivery
import Fleet
import Storage

extension Watch {
    /// The rules of the domains whose alerts the caller may see, in the order of their names.
    public func rules(in tenant: TenantID, by principal: Principal) async throws -> [AlertRule] {
        try await database.tenant(tenant).read { [self] transaction in
            let scope = try access.visibleDomains(principal, .alertRead, tenant: tenant, in: transaction)
            let rules = try RuleStore.all(in: transaction)
            guard case .roots(let roots) = scope else { return rules }
            if roots.isEmpty { throw Self.unknownRule }
            let tree = try Self.tree(in: transaction)
            return rules.filter { rule in tree.line(of: rule.domain).contains { roots.contains($0) } }
        }
    }

    /// The rule of this name or identifier.
    public func rule(_ reference: String, in tenant: TenantID, by principal: Principal) async throws -> AlertRule {
        try await database.tenant(tenant).read { [self] transaction in
            try rule(reference, in: tenant, by: principal, .alertRead, transaction)
        }
    }

    /// Makes a rule.
    public func createRule(
        _ draft: AlertRuleDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> AlertRule {
        let now = clock.now
        return try await database.tenant(tenant).write { [self] transaction in
            let rule = try rule(of: draft, in: tenant, by: principal, at: now, as: nil, transaction)
            let count = try transaction.row("SELECT count(*) FROM alert_rule WHERE tenant = $1")?.int(0) ?? 0
            guard count < WatchLimits.rules else {
                throw Refusal(.tooLarge, "alertRule.tooMany", "A tenant has at most \(WatchLimits.rules) alert rules.")
            }
            try write(rule, .alertRuleCreated, in: tenant, by: principal, transaction)
            return rule
        }
    }

    /// Puts a rule in the place of what it was.
    public func changeRule(
        _ reference: String, to draft: AlertRuleDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> AlertRule {
        let now = clock.now
        return try await database.tenant(tenant).write { [self] transaction in
            let old = try rule(reference, in: tenant, by: principal, .alertRuleManage, transaction)
            let rule = try rule(of: draft, in: tenant, by: principal, at: now, as: old, transaction)
            try write(rule, .alertRuleChanged, in: tenant, by: principal, transaction)
            return rule
        }
    }

    /// Deletes a rule; nobody whom it told is told of the end of what it told.
    public func deleteRule(_ reference: String, in tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { [self] transaction -> Void in
            let old = try rule(reference, in: tenant, by: principal, .alertRuleManage, transaction)
            try transaction.execute("DELETE FROM alert_rule WHERE tenant = $1 AND id = $2", old.id)
            try transaction.execute("DELETE FROM alert_told WHERE tenant = $1 AND rule = $2", old.id)
            try transaction.execute("DELETE FROM alert_owed WHERE tenant = $1 AND rule = $2", old.id)
            try record(.alertRuleDeleted, old, in: tenant, by: principal, transaction)
        }
    }

    // MARK: - Parts

    static let unknownRule = Refusal(
        .notFound, "alertRule.unknown", "There is no such alert rule, or it is not for you.")

    private func rule(
        _ reference: String, in tenant: TenantID, by principal: Principal, _ permission: Permission,
        _ transaction: Transaction
    ) throws -> AlertRule {
        guard let rule = try RuleStore.find(reference, in: transaction) else { throw Self.unknownRule }
        do {
            try access.authorize(principal, permission, tenant: tenant, domain: rule.domain, in: transaction)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            throw Self.unknownRule
        }
        return rule
    }

    /// The rule that a draft describes, in the place of `old` when there is one.
    private func rule(
        of draft: AlertRuleDraft, in tenant: TenantID, by principal: Principal, at now: Timestamp, as old: AlertRule?,
        _ transaction: Transaction
    ) throws -> AlertRule {
        var faults = draft.faults
        let domain = try access.domain(draft.domain, tenant: tenant, in: transaction)
        try access.authorize(principal, .alertRuleManage, tenant: tenant, domain: domain, in: transaction)
        var receivers: [AlertReceiver] = []
        for (index, receiver) in draft.receivers.prefix(WatchLimits.receivers).enumerated() {
            do {
                receivers.append(try self.receiver(receiver, of: tenant, in: transaction))
            } catch {
                faults.append(.init(place: "/receivers/\(index)", message: error.message))
            }
        }
        guard faults.isEmpty else { throw Refusal.faulty("alertRule.invalid", "The alert rule", faults) }
        if let other = try RuleStore.find(draft.name.text, in: transaction), other.id != old?.id {
            throw Refusal(.conflict, "alertRule.exists", "There is an alert rule of this name already.")
        }
        return AlertRule(
            id: old?.id ?? AlertRuleID(now: now), name: draft.name, domain: domain, conditions: draft.conditions,
            severity: draft.severity, wait: draft.wait, tellsBack: draft.tellsBack, receivers: receivers,
            isActive: draft.isActive, created: old?.created ?? now, changed: now)
    }

    private func receiver(
        _ receiver: AlertRuleDraft.Receiver, of tenant: TenantID, in transaction: Transaction
    ) throws(Refusal) -> AlertReceiver {
        func wrong(_ message: String) -> Refusal { Refusal(.invalid, "alertRule.invalid", message) }
        switch (receiver.role, receiver.mail, receiver.sms, receiver.webhook) {
        case (let name?, nil, nil, nil):
            guard let role = try? access.role(name, tenant: tenant, in: transaction) else {
                throw wrong("there is no such role")
            }
            return .role(role.name.text)
        case (nil, let text?, nil, nil):
            guard let address = MailAddress(text) else { throw wrong("must be a mail address, in ASCII") }
            return .mail(address)
        case (nil, nil, let text?, nil):
            guard let number = PhoneNumber(text) else { throw wrong("must be a number such as +4930123456") }
            return .sms(number)
        case (nil, nil, nil, let text?):
            guard let outlet = try? delivery.outlet(text, in: transaction), outlet.kind == .webhook else {
                throw wrong("there is no such webhook")
            }
            return .webhook(outlet.id)
        default: throw wrong("must be one of role, mail, sms and webhook")
        }
    }

    private func write(
        _ rule: AlertRule, _ code: AuditCode, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws {
        try RuleStore.put(rule, in: transaction)
        try record(code, rule, in: tenant, by: principal, transaction)
    }

    private func record(
        _ code: AuditCode, _ rule: AlertRule, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, domain: rule.domain, actor: principal.actor(in: tenant),
                object: AuditObject(kind: "alertRule", id: rule.id.text), details: ["rule": rule.json]),
            in: transaction)
        transaction.afterCommit { [self] in changedRules(of: tenant) }
    }
}
