import Audit
public import Base
package import Storage
import Trust

extension Access {
    /// Creates a tenant with its root domain, key and issuing CA.
    public func createTenant(
        _ slug: TenantSlug, name: String? = nil, plan: Name? = nil, demo: Bool = false, timeZone: String? = nil,
        by principal: Principal
    ) async throws -> Tenant {
        try await database.platform.write { tx in
            try createTenant(slug, name: name, plan: plan, demo: demo, timeZone: timeZone, by: principal, in: tx)
        }
    }

    /// Creates a tenant with its root domain, key and issuing CA in the caller's transaction.
    package func createTenant(
        _ slug: TenantSlug, name: String? = nil, plan: Name? = nil, demo: Bool = false, timeZone: String? = nil,
        by principal: Principal, in tx: Transaction
    ) throws -> Tenant {
        let name = try Self.displayName(name ?? slug.text, at: "/name")
        let zone = try timeZone.map { try TimeZoneName.checked($0) }
        let now = clock.now
        try authorize(principal, .platformManage, tenant: .platform, in: tx)
        guard try TenantRow.find(slug, in: tx) == nil else {
            throw Refusal(.conflict, "tenant.exists", "There is a tenant \(slug) already; choose another slug.")
        }
        let tenant = Tenant(
            id: TenantID(now: now), slug: slug, name: name, status: .active, plan: try planID(plan, in: tx),
            rootDomain: DomainID(now: now), created: now, demo: demo, timeZone: zone)
        try makeTenant(tenant, in: tx)
        for log in [TenantID.platform, tenant.id] {
            try record(
                .tenantCreated, log, by: principal, "tenant", tenant.id.text,
                details: ["slug": .string(slug.text), "demo": .bool(demo)], in: tx)
        }
        return tenant
    }

    /// The tenants, ordered by slug, after `slug`; for those who run the platform.
    public func tenants(after slug: String = "", limit: Int = 100, by principal: Principal) async throws -> [Tenant] {
        try await database.platform.read { tx in
            try authorize(principal, .platformManage, tenant: .platform, in: tx)
            return try TenantRow.page(after: slug, limit: min(max(limit, 1), AccessLimits.page), in: tx)
        }
    }

    /// The tenant with this slug, which the caller may see.
    public func tenant(_ slug: TenantSlug, by principal: Principal) async throws -> Tenant {
        try await database.platform.read { tx in try visibleTenant(slug, for: principal, in: tx) }
    }

    /// Changes a tenant's name, time zone or plan.
    public func changeTenant(
        _ slug: TenantSlug, name: String? = nil, timeZone: String? = nil, plan: Name? = nil, by principal: Principal
    ) async throws -> Tenant {
        let name = try name.map { try Self.displayName($0, at: "/name") }
        let zone = try timeZone.map { try TimeZoneName.checked($0) }
        return try await database.platform.write { tx in
            let old = try visibleTenant(slug, for: principal, in: tx)
            if name != nil || zone != nil { try authorize(principal, .tenantManage, tenant: old.id, in: tx) }
            // A tenant must not raise its own quotas.
            if plan != nil { try authorize(principal, .planManage, tenant: .platform, in: tx) }
            let new = Tenant(
                id: old.id, slug: old.slug, name: name ?? old.name, status: old.status,
                plan: try plan == nil ? old.plan : planID(plan, in: tx), rootDomain: old.rootDomain,
                created: old.created, demo: old.demo, timeZone: zone ?? old.timeZone)
            try TenantRow.update(new, in: tx)
            if new.timeZone != old.timeZone { try zoneChanges.tell(new, in: tx) }
            // The plan is the platform's business, so its log tells it too.
            for log in Set(plan == nil ? [old.id] : [old.id, .platform]).sorted() {
                try record(
                    .tenantChanged, log, by: principal, "tenant", old.id.text,
                    details: [
                        "name": .string(new.name), "plan": .string(new.plan.text),
                        "timeZone": new.timeZone.map { .string($0.text) } ?? .null,
                    ], in: tx)
            }
            tx.afterCommit { [directory] in directory.put(new) }
            return new
        }
    }

    /// Suspends a tenant: its devices and principals are refused at once.
    public func suspendTenant(_ slug: TenantSlug, by principal: Principal) async throws -> Tenant {
        try await setStatus(.suspended, of: slug, from: .active, code: .tenantSuspended, by: principal)
    }

    /// Resumes a suspended tenant.
    public func resumeTenant(_ slug: TenantSlug, by principal: Principal) async throws -> Tenant {
        try await setStatus(.active, of: slug, from: .suspended, code: .tenantResumed, by: principal)
    }

    /// Deletes a tenant for good: nobody of it is let in any more, and its keys are destroyed, so that what backups hold
    /// can not be read either. ``deletedTenants()`` names it until ``forgetTenant(_:)`` has removed its rows.
    ///
    /// It is safe to call again, when the server stopped in between.
    public func deleteTenant(_ slug: TenantSlug, by principal: Principal) async throws {
        let id = try await database.platform.write { tx in
            try authorize(principal, .platformManage, tenant: .platform, in: tx)
            guard let tenant = try TenantRow.find(slug, in: tx), tenant.id != .platform else {
                throw Self.unknown("tenant")
            }
            guard tenant.status != .deleting else { return tenant.id }
            try proof.require(principal, for: .tenants, in: tx)
            try tx.execute("UPDATE tenant SET status = 'deleting' WHERE id = $1", tenant.id)
            for log in [TenantID.platform, tenant.id] {
                try record(
                    .tenantDeleted, log, by: principal, "tenant", tenant.id.text, details: ["slug": .string(slug.text)],
                    in: tx)
            }
            tx.afterCommit { [directory, tenantEnded] in
                directory.remove(tenant.id)
                tenantEnded(tenant.id)
            }
            rightsChanged(tenant.id, in: tx)
            return tenant.id
        }
        try await shred(id)
    }

    /// Removes a deleted tenant's rights and then its row, so that its slug is free again; call it when the other parts
    /// have removed what they hold. Its audit log stays, without its personal parts, until retention takes it.
    public func forgetTenant(_ id: TenantID) async throws {
        guard try await deletedTenants().contains(id) else { return }
        try await shred(id)
        for table in [
            "role_grant", "share", "custom_role", "principal", "domain", "user_group", "move", "grant_change",
            "pending_change",
        ] {
            try await removeRows(
                "DELETE FROM \(table) WHERE tenant = $1 AND id IN (SELECT id FROM \(table) WHERE tenant = $1 LIMIT $2)",
                id)
        }
        try await removeRows(
            """
            DELETE FROM user_group_member WHERE tenant = $1 AND principal IN (
                SELECT principal FROM user_group_member WHERE tenant = $1 LIMIT $2)
            """, id)
        try await database.tenant(id).write { _ = try $0.execute("DELETE FROM approval_policy WHERE tenant = $1") }
        try await removeRows(
            "DELETE FROM credential WHERE owner = $1 AND id IN (SELECT id FROM credential WHERE owner = $1 LIMIT $2)",
            id)
        try await database.platform.write { tx in
            let received = try tx.acrossTenants.rows(
                "SELECT tenant, id FROM share WHERE grantee = $1 AND status IN ('offered', 'accepted')", id)
            for row in received {
                try tx.scoped(to: row.identifier(0)).execute(
                    "UPDATE share SET status = 'ended', ended = $3 WHERE tenant = $1 AND id = $2", row.blob(1),
                    clock.now)
            }
            try tx.execute("DELETE FROM tenant WHERE id = $1 AND status = 'deleting'", id)
            rightsChanged(id, in: tx)
        }
    }

    /// Destroys a deleted tenant's keys, after the last checkpoint that its log's key can sign.
    private func shred(_ id: TenantID) async throws {
        try await audit.conclude(id)
        try await database.platform.write { tx in
            let hasKey = try tx.scoped(to: id).row("SELECT 1 FROM tenant_key WHERE tenant = $1 LIMIT 1") != nil
            guard hasKey else { return }
            try keyRing.destroyTenantKeys(id, in: tx)
            try record(.tenantShredded, .platform, by: .localAdministrator, "tenant", id.text, in: tx)
        }
    }

    /// In small transactions, so that the others' work is not held up.
    private func removeRows(_ sql: String, _ id: TenantID) async throws {
        while try await database.tenant(id).write({ try $0.execute(sql, AccessLimits.removedRows) }) > 0 {}
    }

    /// The plans, by name.
    public func plans(by principal: Principal) async throws -> [Plan] {
        try await database.platform.read { tx in
            try authorize(principal, .planManage, tenant: .platform, in: tx)
            return try PlanRow.all(in: tx)
        }
    }

    /// Creates or changes the plan with this plan's name; every figure must be positive.
    public func putPlan(_ plan: Plan, by principal: Principal) async throws -> Plan {
        let faults = Plan.figures.filter { plan[keyPath: $0.value] < 1 }.map {
            Refusal.Fault(place: "/\($0.name)", message: "must be at least 1; there is no unlimited")
        }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "plan.figures", "Each figure of a plan is at least 1.", faults: faults)
        }
        return try await database.platform.write { tx in
            try authorize(principal, .planManage, tenant: .platform, in: tx)
            var kept = Plan(id: try PlanRow.find(plan.name, in: tx)?.id ?? PlanID(now: clock.now), name: plan.name)
            for figure in Plan.figures { kept[keyPath: figure.value] = plan[keyPath: figure.value] }
            let new = kept
            try PlanRow.insert(new, in: tx)
            try record(.planChanged, .platform, by: principal, "plan", new.id.text, in: tx)
            tx.afterCommit { [directory] in directory.put(new) }
            return new
        }
    }

    // MARK: - Inner steps

    /// The tenant's rows, key and CA, in the caller's transaction.
    func makeTenant(_ tenant: Tenant, in tx: Transaction) throws {
        try TenantRow.insert(tenant, in: tx)
        try keyRing.createTenantKey(tenant.id, in: tx)
        try tx.scoped(to: tenant.id).execute(
            "INSERT INTO domain (tenant, id, parent, name, created) VALUES ($1, $2, NULL, $3, $4)", tenant.rootDomain,
            tenant.slug.text, tenant.created)
        // The platform has no devices of its own and so no issuing CA.
        let anchor = tenant.id == .platform ? nil : try issuing.create(tenant.id, slug: tenant.slug, in: tx)
        tx.afterCommit { [directory, anchorAdded] in
            directory.put(tenant)
            if let anchor { anchorAdded(anchor) }
        }
    }

    func visibleTenant(_ slug: TenantSlug, for principal: Principal, in tx: Transaction) throws -> Tenant {
        guard let tenant = try TenantRow.find(slug, in: tx), tenant.status != .deleting else {
            throw Self.unknown("tenant")
        }
        // Whoever runs the platform knows which tenants there are, but not what is in them.
        let isSeen =
            try holdsSomewhere(principal, .tenantRead, tenant.id, in: tx)
            || permissions(of: principal, tenant: .platform, domain: nil, in: tx).contains(.platformManage)
        guard isSeen else {
            noteDenial(principal, .tenantRead, tenant: tenant.id, domain: nil)
            throw Self.unknown("tenant")
        }
        return tenant
    }

    private func setStatus(
        _ status: Tenant.Status, of slug: TenantSlug, from expected: Tenant.Status, code: AuditCode,
        by principal: Principal
    ) async throws -> Tenant {
        try await database.platform.write { tx in
            try authorize(principal, .platformManage, tenant: .platform, in: tx)
            guard let old = try TenantRow.find(slug, in: tx), old.id != .platform else { throw Self.unknown("tenant") }
            guard old.status == expected || old.status == status else {
                throw Refusal(.conflict, "tenant.status", "The tenant is \(old.status.rawValue).")
            }
            let new = Tenant(
                id: old.id, slug: old.slug, name: old.name, status: status, plan: old.plan, rootDomain: old.rootDomain,
                created: old.created, demo: old.demo, timeZone: old.timeZone)
            try TenantRow.update(new, in: tx)
            if status != .active {
                // A tenant that is resumed begins with new sign-ins.
                try tx.scoped(to: old.id).execute(
                    """
                    UPDATE credential SET revoked = $2
                    WHERE owner = $1 AND kind IN ('session', 'access') AND revoked IS NULL
                    """, clock.now)
                try rules.end(nil, of: old.id, except: nil, in: tx)
            }
            for log in [TenantID.platform, old.id] {
                try record(code, log, by: principal, "tenant", old.id.text, in: tx)
            }
            tx.afterCommit { [directory, tenantEnded] in
                directory.put(new)
                if status != .active { tenantEnded(new.id) }
            }
            rightsChanged(new.id, in: tx)
            return new
        }
    }

    private func planID(_ name: Name?, in tx: Transaction) throws -> PlanID {
        guard let name else { return Plan.standardID }
        guard let plan = try PlanRow.find(name, in: tx) else {
            throw Refusal(
                .invalid, "plan.unknown", "There is no plan \(name).",
                faults: [Refusal.Fault(place: "/plan", message: "there is no such plan")])
        }
        return plan.id
    }
}

extension Access {
    /// The tenants that were deleted and of which rows may be left.
    public func deletedTenants() async throws -> [TenantID] {
        try await database.platform.read { tx in
            try tx.rows("SELECT id FROM tenant WHERE status = 'deleting'").map { try $0.identifier(0) }
        }
    }
}
