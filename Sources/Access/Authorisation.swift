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
        noteDenial(principal, permission, tenant: tenant, domain: domain)
        // A domain is answered like one that is absent; the caller who meant a device or a share says so of that.
        guard mayKnow else { throw domain == nil ? Self.notHere : Self.unknown("domain") }
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
            guard try visibleDomains(principal, permission, tenant: tenant.id, in: tx) != .roots([]) else {
                noteDenial(principal, permission, tenant: tenant.id, domain: nil)
                throw Self.unknown("tenant")
            }
            return tenant
        }
    }

    /// In the log of the principal's own tenant: what strangers try is no business of a tenant that they can not see,
    /// and gives them no way to write into its log.
    func noteDenial(_ principal: Principal, _ permission: Permission, tenant: TenantID, domain: DomainID?) {
        audit.deny(
            .init(
                .denied, tenant: principal.tenant, domain: tenant == principal.tenant ? domain : nil,
                actor: principal.actor, object: .init(kind: "permission", id: permission.rawValue), outcome: .denied,
                details: ["tenant": .string(tenant.text)]))
    }

    /// Every permission that the principal holds in a domain of a tenant, nil naming the root.
    func permissions(
        of principal: Principal, tenant: TenantID, domain: DomainID?, in tx: Transaction
    ) throws -> Set<Permission> {
        if principal.isLocalAdministrator { return Set(Permission.allCases) }
        let domain = try domain ?? rootDomain(of: tenant, in: tx)
        return try holdings(of: principal, in: tenant, above: domain, tx).reduce(into: []) {
            $0.formUnion($1.permissions)
        }
    }

    private func isAllowed(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, domain: DomainID?, in tx: Transaction
    ) throws -> Bool {
        if principal.isLocalAdministrator { return true }
        if permission.isPlatformOnly, tenant != .platform { return false }
        var place: DomainID?
        if domain != nil || (permission != .tenantRead && permission != .modelRead) {
            place = try domain ?? rootDomain(of: tenant, in: tx)
        }
        return try holdings(of: principal, in: tenant, above: place, tx).contains {
            $0.permissions.contains(permission)
        }
    }
}
