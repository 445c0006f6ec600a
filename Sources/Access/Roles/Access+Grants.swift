import Audit
public import Base
package import Storage

/// A role that a principal holds at a domain.
public struct Grant: Sendable, Hashable {
    /// The stable identifier.
    public let id: GrantID
    /// Who holds it.
    public let principal: PrincipalID
    /// Which role.
    public let role: RoleID
    /// Where, with everything below.
    public let domain: DomainID
    /// When it ends, if it does.
    public let expires: Timestamp?
    /// When it was made.
    public let created: Timestamp
}

extension Access {
    /// Grants a role to a principal of the tenant at a domain, nil naming the root.
    public func grant(
        role: String, to principalText: String, at domain: String? = nil, expires: Timestamp? = nil, tenant: TenantID,
        by principal: Principal
    ) async throws -> Grant {
        try await database.tenant(tenant).write { tx in
            let place = try self.domain(domain, tenant: tenant, in: tx)
            try authorize(principal, .principalManage, tenant: tenant, domain: place, in: tx)
            let holder = try findPrincipal(principalText, in: tx)
            return try makeGrant(
                try self.role(role, tenant: tenant, in: tx), to: holder.id, at: place, expires: expires, tenant: tenant,
                by: principal, in: tx)
        }
    }

    /// The grants of a tenant, of one principal when it is named.
    public func grants(of principalText: String? = nil, tenant: TenantID, by principal: Principal) async throws
        -> [Grant]
    {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            let columns = "SELECT id, principal, role, domain, expires, created FROM role_grant WHERE tenant = $1"
            if let principalText {
                return try tx.rows("\(columns) AND principal = $2 ORDER BY id", findPrincipal(principalText, in: tx).id)
                    .map(Self.readGrant)
            }
            return try tx.rows("\(columns) ORDER BY id LIMIT $2", AccessLimits.page).map(Self.readGrant)
        }
    }

    /// Ends a grant at once.
    public func endGrant(_ id: GrantID, tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { tx in
            guard
                let row = try tx.row(
                    "SELECT id, principal, role, domain, expires, created FROM role_grant WHERE tenant = $1 AND id = $2",
                    id)
            else {
                try authorize(principal, .principalRead, tenant: tenant, in: tx)
                throw Self.unknown("grant")
            }
            let grant = try Self.readGrant(row)
            try authorize(principal, .principalManage, tenant: tenant, domain: grant.domain, in: tx)
            try tx.execute("DELETE FROM role_grant WHERE tenant = $1 AND id = $2", id)
            try record(
                .grantEnded, tenant, by: principal, "grant", id.text, domain: grant.domain,
                details: ["principal": .string(grant.principal.text), "role": .string(grant.role.text)], in: tx)
        }
    }

    /// Grants a role in the caller's transaction; refuses what `principal` does not hold itself.
    package func makeGrant(
        _ role: Role, to holder: PrincipalID, at domain: DomainID, expires: Timestamp?, tenant: TenantID,
        by principal: Principal, in tx: Transaction
    ) throws -> Grant {
        let scoped = tx.scoped(to: tenant)
        try requireHolding(
            role.permissions.union([.principalManage]), until: expires, principal, tenant: tenant, domain: domain,
            in: tx)
        let count =
            try scoped.row("SELECT count(*) FROM role_grant WHERE tenant = $1 AND principal = $2", holder)?.int(0) ?? 0
        guard count < AccessLimits.grantsPerPrincipal else {
            throw Refusal(
                .limited, "grant.tooMany", "A principal has at most \(AccessLimits.grantsPerPrincipal) grants.")
        }
        let now = clock.now
        if let expires, expires <= now {
            throw Refusal(.invalid, "grant.expired", "A grant must end in the future.")
        }
        let grant = Grant(
            id: GrantID(now: now), principal: holder, role: role.id, domain: domain, expires: expires, created: now)
        try scoped.execute(
            """
            INSERT INTO role_grant (tenant, id, principal, role, domain, expires, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, grant.id, holder, role.id, domain, expires, now)
        try record(
            .granted, tenant, by: principal, "grant", grant.id.text, domain: domain,
            details: [
                "principal": .string(holder.text), "role": .string(role.name.text),
                "expires": expires.map { .string($0.rfc3339) } ?? .null,
            ], in: tx)
        return grant
    }

    private static func readGrant(_ row: Row) throws -> Grant {
        Grant(
            id: try row.identifier(0), principal: try row.identifier(1), role: try row.identifier(2),
            domain: try row.identifier(3), expires: try row.timestampIfAny(4), created: try row.timestamp(5))
    }
}
