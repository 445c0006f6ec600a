import Base
import Storage

extension Access {
    /// Makes a change, and refuses it when whoever makes it would lose rights of an administrator of the whole tenant by
    /// it: so somebody is left who can give back what was taken, whatever else the change takes and by whatever way.
    @discardableResult
    func stayAdministrator<Value>(
        _ principal: Principal, of tenant: TenantID, in tx: Transaction, _ change: () throws -> Value
    ) throws -> Value {
        if principal.isLocalAdministrator { return try change() }
        func held() throws -> Set<Permission> {
            try permissions(of: principal, tenant: tenant, domain: nil, in: tx).filter(\.isAdministrative)
        }
        let before = try held()
        let value = try change()
        guard try before.isSubset(of: held()) else {
            throw Refusal(.conflict, "grant.own", "Nobody ends their own rights as administrator; ask another one.")
        }
        return value
    }
}
