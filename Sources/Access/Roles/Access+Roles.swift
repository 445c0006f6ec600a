import Audit
public import Base
package import Storage

extension Access {
    /// The roles of a tenant: those that the program brings, then its own by name.
    public func roles(tenant: TenantID, by principal: Principal) async throws -> [Role] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            let builtIn = tenant == .platform ? Role.builtIn : Role.builtIn.filter { $0 != .platformAdmin }
            return builtIn + (try RoleRow.all(tenant: tenant, in: tx))
        }
    }

    /// Creates or changes a role of the tenant's own; nobody puts in what they do not hold themselves.
    public func putRole(
        _ name: Name, permissions: Set<Permission>, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Role {
        try await database.tenant(tenant).write { tx in
            try putRole(
                name, permissions: permissions, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func putRole(
        _ name: Name, permissions: Set<Permission>, authority: Authority, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws -> Role {
        try authorize(principal, .principalManage, tenant: tenant, in: tx)
        guard !Role.builtIn.contains(where: { $0.name == name }) else {
            throw Refusal(.conflict, "role.builtIn", "\(name) is a role of the program; choose another name.")
        }
        try requireProof(authority, by: principal, in: tx)
        let old = try RoleRow.find(name.text, tenant: tenant, in: tx)
        // Who changes a role changes it for all its holders, so both what goes in and what was in counts.
        try requireHolding(
            permissions.union(old?.permissions ?? []), principal, tenant: tenant, in: tx)
        try require(authority, of: .rolePut, tenant: tenant, by: principal, in: tx)
        if old == nil {
            let count = try tx.row("SELECT count(*) FROM custom_role WHERE tenant = $1")?.int(0) ?? 0
            guard count < AccessLimits.roles else {
                throw Refusal(
                    .limited, "role.tooMany", "A tenant has at most \(AccessLimits.roles) roles of its own.")
            }
        }
        let role = Role(
            id: old?.id ?? RoleID(now: clock.now), name: name, permissions: permissions, isBuiltIn: false)
        try stayAdministrator(principal, of: tenant, in: tx) { try RoleRow.put(role, tenant: tenant, in: tx) }
        rightsChanged(tenant, in: tx)
        try record(
            .roleChanged, tenant, by: principal, "role", role.id.text,
            details: authority.told([
                "name": .string(name.text),
                "permissions": .array(permissions.map(\.rawValue).sorted().map(JSONValue.string)),
            ]), in: tx)
        return role
    }

    /// Deletes a role of the tenant's own, with its grants and shares.
    public func deleteRole(
        _ text: String, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try deleteRole(text, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func deleteRole(
        _ text: String, authority: Authority, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        try authorize(principal, .principalManage, tenant: tenant, in: tx)
        let role = try self.role(text, tenant: tenant, in: tx)
        guard !role.isBuiltIn else {
            throw Refusal(.conflict, "role.builtIn", "\(role.name) is a role of the program.")
        }
        try requireProof(authority, by: principal, in: tx)
        // Who deletes a role takes it from all its holders, so they hold what is in it.
        try requireHolding(role.permissions, until: clock.now, principal, tenant: tenant, in: tx)
        try require(authority, of: .roleDelete, tenant: tenant, by: principal, in: tx)
        try stayAdministrator(principal, of: tenant, in: tx) {
            try tx.execute("DELETE FROM role_grant WHERE tenant = $1 AND role = $2", role.id)
        }
        try endShares("role", role.id, tenant: tenant, by: principal, in: tx)
        try tx.execute("DELETE FROM custom_role WHERE tenant = $1 AND id = $2", role.id)
        rightsChanged(tenant, in: tx)
        try record(
            .roleDeleted, tenant, by: principal, "role", role.id.text,
            details: authority.told(["name": .string(role.name.text)]), in: tx)
    }

    /// The role that a name or identifier names in a tenant.
    package func role(_ text: String, tenant: TenantID, in tx: Transaction) throws -> Role {
        let builtIn = Role.builtIn.first { $0.name.text == text || $0.id.text == text }
        if let builtIn, tenant == .platform || builtIn != .platformAdmin { return builtIn }
        let own =
            try RoleID(text: text).flatMap { try RoleRow.find($0, tenant: tenant, in: tx) }
            ?? RoleRow.find(text, tenant: tenant, in: tx)
        guard let own else {
            throw Refusal(
                .invalid, "role.unknown", "There is no role \(text) here.",
                faults: [Refusal.Fault(place: "/role", message: "there is no such role")])
        }
        return own
    }

    /// The role with this identifier, of the program or the tenant's own.
    func findRole(_ id: RoleID, tenant: TenantID, in tx: Transaction) throws -> Role? {
        try Role.builtIn.first { $0.id == id } ?? RoleRow.find(id, tenant: tenant, in: tx)
    }

    /// Nobody gives what they lack, nor for longer than they have it; what was lent by a share is not given on at all.
    package func requireHolding(
        _ permissions: Set<Permission>, until end: Timestamp? = nil, _ principal: Principal, tenant: TenantID,
        at place: GrantPlace? = nil, in tx: Transaction
    ) throws {
        if principal.isLocalAdministrator { return }
        try requireOwn(principal, of: tenant)
        let here = try place ?? GrantPlace(domain: rootDomain(of: tenant, in: tx))
        let held = try holdings(of: principal, in: tenant, at: here, tx).filter { holding in
            guard let until = holding.until else { return true }
            return end.map { $0 <= until } ?? false
        }
        let own = held.reduce(into: Set<Permission>()) { $0.formUnion($1.permissions) }
        let lacking = permissions.filter { tenant == .platform || !$0.isPlatformOnly }.subtracting(own)
        guard lacking.isEmpty else {
            let words = lacking.map(\.rawValue).sorted().joined(separator: ", ")
            throw Refusal(
                .forbidden, "access.beyondOwn",
                "You can not give what you do not hold there, nor for longer than you hold it: \(words).")
        }
    }
}
