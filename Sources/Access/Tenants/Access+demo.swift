import Audit
import Base
import Storage

extension Access {
    /// The demonstration's tenant, while there is one.
    public var demo: Tenant? { directory.tenants.first { $0.demo && $0.slug.text == Self.demoSlug } }

    private static let demoSlug = "demo"

    /// Makes the demonstration's tenant, unless there is one.
    public func makeDemo(timeZone: String? = nil) async throws -> Tenant {
        if let demo { return demo }
        guard let slug = TenantSlug(Self.demoSlug) else { throw Self.unknown("tenant") }
        do {
            return try await createTenant(
                slug, name: "Demo", demo: true, timeZone: timeZone, by: .localAdministrator)
        } catch let refusal as Refusal where refusal.code == "tenant.exists" {
            throw Refusal(
                .conflict, "demo.taken",
                "There is a tenant `demo` that is none, or the last one is still being removed: try again in a minute.")
        }
    }

    /// Whether somebody of this tenant may begin the demonstration, as a first visitor does: it costs the whole server
    /// something, so that it is offered while theirs is the only organisation.
    public func offersDemo(_ tenant: Tenant, to principal: Principal) async throws -> Bool {
        try await database.platform.read { tx in
            guard try permissions(of: principal, tenant: tenant.id, domain: nil, in: tx).contains(.tenantManage) else {
                return false
            }
            return try isDemoOpen(to: tenant, in: tx)
        }
    }

    /// Begins the demonstration: a tenant of its own with simulated devices, shared with the owners and administrators
    /// of the tenant at hand.
    public func beginDemo(for tenant: Tenant, by principal: Principal) async throws -> Tenant {
        try await database.platform.read { tx in
            for permission in [Permission.tenantManage, .shareManage] {
                try authorize(principal, permission, tenant: tenant.id, in: tx)
            }
            try proof.require(principal, for: .rights, in: tx)
            guard try isDemoOpen(to: tenant, in: tx) else {
                throw Refusal(
                    .conflict, "demo.notOffered",
                    "The demo fleet can be begun once, and while there is only one organisation here.")
            }
        }
        let demo = try await makeDemo(timeZone: tenant.timeZone?.text)
        let ends = clock.now + .seconds(AccessLimits.shareDays * 86_400)
        for holder in [Role.owner, .admin] {
            let share = try await offerShare(
                role: Role.admin.name.text, to: tenant.slug, holder: holder.name.text, ends: ends, tenant: demo.id,
                by: .localAdministrator)
            _ = try await acceptShare(share.id, reason: "the demo fleet", tenant: tenant.id, by: principal)
        }
        try await database.tenant(tenant.id).write { tx in
            try record(.demoBegun, tenant.id, by: principal, "tenant", demo.id.text, in: tx)
        }
        return demo
    }

    /// Removes the demonstration with all that it has; whoever lives in it can not, because their account would go with
    /// it.
    public func removeDemo(by principal: Principal) async throws {
        guard let demo else { throw Self.unknown("tenant") }
        try await database.platform.write { tx in
            try authorize(principal, .tenantManage, tenant: demo.id, in: tx)
            guard principal.tenant != demo.id else {
                throw Refusal(
                    .conflict, "demo.own",
                    "Your own account is in the demo and would go with it. The server's operator removes it: "
                        + "tidegate admin tenant delete demo --confirm demo")
            }
            try proof.require(principal, for: .tenants, in: tx)
            try record(.demoRemoved, principal.tenant, by: principal, "tenant", demo.id.text, in: tx)
        }
        try await deleteTenant(demo.slug, by: .localAdministrator)
    }

    /// A demonstration in which people have accounts is theirs, and nobody else's to take.
    private func isDemoOpen(to tenant: Tenant, in tx: Transaction) throws -> Bool {
        let others = directory.tenants.filter { $0.id != .platform && !$0.demo && $0.status != .deleting }
        guard others.map(\.id) == [tenant.id], tenant.status == .active else { return false }
        guard let demo else { return true }
        let (people, shares) = (
            try tx.scoped(to: demo.id).row("SELECT 1 FROM principal WHERE tenant = $1 AND kind = 'user' LIMIT 1"),
            try tx.scoped(to: demo.id).row(
                "SELECT 1 FROM share WHERE tenant = $1 AND status IN ('offered', 'accepted') LIMIT 1")
        )
        return people == nil && shares == nil
    }
}
