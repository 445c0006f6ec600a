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

/// The devices to which somebody may do something.
public enum DeviceScope: Sendable, Hashable {
    /// All of the tenant.
    case all
    /// Those that live in these domains and all below them, and these single ones; none when both are empty.
    case some(domains: Set<DomainID>, devices: Set<DeviceID>)
}

extension Access {
    /// Decides whether `principal` may do this in `domain` of `tenant`, nil naming the whole tenant; throws otherwise.
    /// When it is about one device, name it with the domain that it lives in: rights can be given at a single device.
    ///
    /// Deny by default. Rights come from grants in the principal's own tenant and from accepted shares in others; both
    /// inherit downward. Who may not even see the object is told that there is none. Tenants and models belong to no
    /// domain: seeing them takes the permission anywhere in the tenant.
    public func authorize(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, domain: DomainID? = nil,
        device: DeviceID? = nil, in tx: Transaction
    ) throws {
        if try isAllowed(principal, permission, tenant: tenant, domain: domain, device: device, in: tx) { return }
        var mayKnow = false
        if permission != permission.revealing {
            mayKnow = try isAllowed(
                principal, permission.revealing, tenant: tenant, domain: domain, device: device, in: tx)
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
        let domains = Set(held.filter { $0.permissions.contains(permission) }.compactMap(\.domain))
        let root = try rootDomain(of: tenant, in: tx)
        return domains.contains(root) ? .all : .roots(domains)
    }

    /// To which devices of `tenant` the principal may do this, by its domains and by single devices.
    public func visibleDevices(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, in tx: Transaction
    ) throws -> DeviceScope {
        if principal.isLocalAdministrator { return .all }
        return scope(of: try holdings(of: principal, in: tenant, tx), permission, try rootDomain(of: tenant, in: tx))
    }

    func scope(of held: [Holding], _ permission: Permission, _ root: DomainID) -> DeviceScope {
        let allowing = held.filter { $0.permissions.contains(permission) }
        let domains = Set(allowing.compactMap(\.domain))
        return domains.contains(root) ? .all : .some(domains: domains, devices: Set(allowing.compactMap(\.device)))
    }

    /// The tenant of this slug, for a caller who holds the permission somewhere in it.
    public func admit(_ principal: Principal, _ permission: Permission, to slug: TenantSlug) async throws -> Tenant {
        // Most requests are decided here, without the database.
        if let tenant = directory.tenant(slug), tenant.status == .active, !principal.isLocalAdministrator,
            rememberedHoldings(of: principal, in: tenant.id)?.contains(where: { $0.permissions.contains(permission) })
                == true
        {
            return tenant
        }
        return try await database.platform.read { tx in
            guard let tenant = try TenantRow.find(slug, in: tx), tenant.status != .deleting,
                tenant.status == .active || principal.tenant == .platform
            else { throw Self.unknown("tenant") }
            guard try holdsSomewhere(principal, permission, tenant.id, in: tx) else {
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

    func holdsSomewhere(
        _ principal: Principal, _ permission: Permission, _ tenant: TenantID, in tx: Transaction
    ) throws -> Bool {
        if principal.isLocalAdministrator { return true }
        return try holdings(of: principal, in: tenant, tx).contains { $0.permissions.contains(permission) }
    }

    /// Every permission that the principal holds in a domain of a tenant, nil naming the root.
    func permissions(
        of principal: Principal, tenant: TenantID, domain: DomainID?, in tx: Transaction
    ) throws -> Set<Permission> {
        let place = GrantPlace(domain: try domain ?? rootDomain(of: tenant, in: tx))
        return try permissions(of: principal, tenant: tenant, at: place, in: tx)
    }

    /// Every permission that the principal holds at a place.
    package func permissions(
        of principal: Principal, tenant: TenantID, at place: GrantPlace, in tx: Transaction
    ) throws -> Set<Permission> {
        if principal.isLocalAdministrator { return Set(Permission.allCases) }
        return try holdings(of: principal, in: tenant, at: place, tx).reduce(into: []) {
            $0.formUnion($1.permissions)
        }
    }

    /// Whether `principal` may do this; nobody is told and nothing is noted.
    package func isAllowed(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, domain: DomainID?, device: DeviceID?,
        in tx: Transaction
    ) throws -> Bool {
        if principal.isLocalAdministrator { return true }
        if permission.isPlatformOnly, tenant != .platform { return false }
        var place: GrantPlace?
        if domain != nil || (permission != .tenantRead && permission != .modelRead) {
            place = GrantPlace(domain: try domain ?? rootDomain(of: tenant, in: tx), device: device)
        }
        return try holdings(of: principal, in: tenant, at: place, tx).contains {
            $0.permissions.contains(permission)
        }
    }
}
