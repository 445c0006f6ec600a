package import Base
package import Storage

extension Access {
    /// A principal of a tenant with everything that they hold now.
    package struct Reviewed: Sendable {
        /// Who.
        package let principal: PrincipalInfo
        /// Each role that they hold, and where, by what and until when.
        package let reach: [Reach]
    }

    /// Whether somebody may review who holds what: reports and principals, both of the whole tenant.
    package func mayReview(_ principal: Principal, tenant: TenantID, in tx: Transaction) throws -> Bool {
        try visibleDomains(principal, .reportRead, tenant: tenant, in: tx) == .all
            && visibleDomains(principal, .principalRead, tenant: tenant, in: tx) == .all
    }

    /// The principals of a tenant by name, after `name`, for a caller who may review all of them.
    package func review(
        tenant: TenantID, after name: String, limit: Int, by principal: Principal, in tx: Transaction
    ) throws -> [Reviewed] {
        try requireReview(principal, tenant: tenant, in: tx)
        let people = try tx.rows(
            """
            SELECT id, kind, name, active, created FROM principal
            WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3
            """, name, limit
        ).map(Self.readPrincipal)
        return try people.map { person in
            var query = ReachQuery(now: clock.now)
            return Reviewed(principal: person, reach: try query.rows(at: nil, of: person.id, in: tx))
        }
    }

    /// What people of other tenants hold by shares, for a caller who may review all of them.
    package func reviewForeign(tenant: TenantID, by principal: Principal, in tx: Transaction) throws -> [Reach] {
        try requireReview(principal, tenant: tenant, in: tx)
        var query = ReachQuery(now: clock.now)
        return try query.rows(at: nil, of: nil, isForeign: true, in: tx)
    }

    /// Who holds what at a domain, there or from above, for a caller who may review all of them.
    package func review(
        domain: String, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> [Reach] {
        try requireReview(principal, tenant: tenant, in: tx)
        return try reach(at: place(domain: domain, device: nil, tenant: tenant, in: tx), tenant: tenant, in: tx)
    }

    private func requireReview(_ principal: Principal, tenant: TenantID, in tx: Transaction) throws {
        try authorize(principal, .reportRead, tenant: tenant, in: tx)
        try authorize(principal, .principalRead, tenant: tenant, in: tx)
    }
}
