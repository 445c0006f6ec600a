import Audit
public import Base
public import Storage

/// The part of a tenant's tree in which somebody may do something.
public enum DomainScope: Sendable, Hashable {
    /// Everywhere.
    case all
    /// In these domains and all below them; nowhere when empty.
    case roots(Set<DomainID>)
}

extension Access {
    /// Decides whether `principal` may do this in `domain` of `tenant`, nil naming the whole tenant; throws otherwise.
    ///
    /// Deny by default. Rights come from grants in the principal's own tenant and from accepted shares in others; both
    /// inherit downward. Who may not even see the object is told that there is none. Tenants and models belong to no
    /// domain: seeing them takes the permission anywhere in the tenant.
    public func authorize(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, domain: DomainID? = nil, in tx: Transaction
    ) throws {
        if try isAllowed(principal, permission, tenant: tenant, domain: domain, in: tx) { return }
        var mayKnow = false
        if permission != permission.revealing {
            mayKnow = try isAllowed(principal, permission.revealing, tenant: tenant, domain: domain, in: tx)
        }
        audit.deny(
            .init(
                .denied, tenant: tenant, domain: domain, actor: principal.actor(in: tenant),
                object: .init(kind: "permission", id: permission.rawValue), outcome: .denied))
        guard mayKnow else { throw Refusal(.notFound, "not.found", "There is no such thing, or it is not for you.") }
        throw Refusal(
            .forbidden, "access.forbidden",
            "You may see this but not do that; it takes the permission \(permission.rawValue).")
    }

    /// Where in `tenant` the principal may do this.
    public func visibleDomains(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, in tx: Transaction
    ) throws -> DomainScope {
        if principal.isLocalAdministrator { return .all }
        let held = try holdings(of: principal, in: tenant, tx)
        let domains = Set(held.filter { $0.permissions.contains(permission) }.map(\.domain))
        let root = try rootDomain(of: tenant, in: tx)
        return domains.contains(root) ? .all : .roots(domains)
    }

    /// The tenant of this slug, for a caller who holds the permission somewhere in it.
    public func admit(_ principal: Principal, _ permission: Permission, to slug: TenantSlug) async throws -> Tenant {
        try await database.platform.read { tx in
            guard let tenant = try TenantRow.find(slug, in: tx), tenant.status != .deleting,
                tenant.status == .active || principal.tenant == .platform
            else { throw Self.unknown("tenant") }
            switch try visibleDomains(principal, permission, tenant: tenant.id, in: tx) {
            case .all: return tenant
            case .roots(let roots) where !roots.isEmpty: return tenant
            case .roots: throw Self.unknown("tenant")
            }
        }
    }

    /// Every permission that the principal holds in a domain of a tenant, nil naming the root.
    func permissions(
        of principal: Principal, tenant: TenantID, domain: DomainID?, in tx: Transaction
    ) throws -> Set<Permission> {
        if principal.isLocalAdministrator { return Set(Permission.allCases) }
        let held = try holdings(of: principal, in: tenant, tx)
        if held.isEmpty { return [] }
        let line = Set(try ancestors(of: try domain ?? rootDomain(of: tenant, in: tx), tenant: tenant, in: tx))
        let sum = held.filter { line.contains($0.domain) }.reduce(into: Set<Permission>()) { $0.formUnion($1.permissions) }
        return tenant == .platform ? sum : sum.filter { !$0.isPlatformOnly }
    }

    private func isAllowed(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, domain: DomainID?, in tx: Transaction
    ) throws -> Bool {
        if principal.isLocalAdministrator { return true }
        if permission.isPlatformOnly, tenant != .platform { return false }
        let held = try holdings(of: principal, in: tenant, tx).filter { $0.permissions.contains(permission) }
        if held.isEmpty { return false }
        if domain == nil, permission == .tenantRead || permission == .modelRead { return true }
        let line = Set(try ancestors(of: try domain ?? rootDomain(of: tenant, in: tx), tenant: tenant, in: tx))
        return held.contains { line.contains($0.domain) }
    }

    /// A role at a domain that counts now.
    private struct Holding {
        var domain: DomainID
        var permissions: Set<Permission>
    }

    private func holdings(of principal: Principal, in tenant: TenantID, _ tx: Transaction) throws -> [Holding] {
        let now = clock.now
        let scoped = tx.scoped(to: tenant)
        if principal.tenant == tenant {
            return try scoped.rows(
                """
                SELECT domain, role FROM role_grant
                WHERE tenant = $1 AND principal = $2 AND (expires IS NULL OR expires > $3)
                """, principal.id, now
            ).map {
                Holding(
                    domain: try $0.identifier(0),
                    permissions: try permissions(ofRole: try $0.identifier(1), tenant: tenant, in: tx))
            }
        }
        let shares = try scoped.rows(
            """
            SELECT domain, role, grantee_principal, grantee_role FROM share
            WHERE tenant = $1 AND grantee = $2 AND status = 'accepted' AND ends > $3
            """, principal.tenant, now)
        if shares.isEmpty { return [] }
        let own = Set(
            try tx.scoped(to: principal.tenant).rows(
                """
                SELECT role FROM role_grant
                WHERE tenant = $1 AND principal = $2 AND (expires IS NULL OR expires > $3)
                """, principal.id, now
            ).map { try $0.identifier(0) as RoleID })
        return try shares.compactMap { row in
            let named: PrincipalID? = try row.identifierIfAny(2)
            let role: RoleID? = try row.identifierIfAny(3)
            guard named == principal.id || role.map(own.contains) == true else { return nil }
            return Holding(
                domain: try row.identifier(0),
                permissions: try permissions(ofRole: try row.identifier(1), tenant: tenant, in: tx))
        }
    }

    func permissions(ofRole role: RoleID, tenant: TenantID, in tx: Transaction) throws -> Set<Permission> {
        if let builtIn = Role.builtIn.first(where: { $0.id == role }) {
            return tenant == .platform ? builtIn.permissions : builtIn.permissions.filter { !$0.isPlatformOnly }
        }
        return try RoleRow.find(role, tenant: tenant, in: tx)?.permissions ?? []
    }
}
