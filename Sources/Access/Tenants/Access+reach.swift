public import Base
public import Storage

extension Access {
    /// Every permission that the principal holds anywhere in a tenant: what a menu may show.
    public func permissions(
        of principal: Principal, anywhereIn tenant: TenantID, in tx: Transaction
    ) throws -> Set<Permission> {
        if principal.isLocalAdministrator { return Set(Permission.allCases) }
        return try holdings(of: principal, in: tenant, tx).reduce(into: []) { $0.formUnion($1.permissions) }
    }

    /// The tenants in which the principal holds something: its own, and those that lend it a role.
    public func tenants(openTo principal: Principal, in tx: Transaction) throws -> [Tenant] {
        let lenders = try tx.acrossTenants.rows(
            "SELECT DISTINCT tenant FROM share WHERE grantee = $1 AND status = 'accepted' AND ends > $2",
            principal.tenant, clock.now)
        let ids = [principal.tenant] + (try lenders.map { try $0.identifier(0) as TenantID })
        return try ids.compactMap { id in
            guard let tenant = directory.tenant(id), tenant.status == .active,
                try !holdings(of: principal, in: id, tx).isEmpty
            else { return nil }
            return tenant
        }
    }
}
