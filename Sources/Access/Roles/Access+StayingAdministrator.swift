import Base
import Storage

extension Access {
    /// Makes a change, and refuses it when whoever makes it would lose rights of an administrator of the whole tenant by
    /// it: so somebody is left who can give back what was taken, whatever else the change takes and by whatever way.
    ///
    /// Whoever makes it may hold theirs only for a time. So what somebody holds there without an end is not taken from the
    /// last one either.
    @discardableResult
    func stayAdministrator<Value>(
        _ principal: Principal, of tenant: TenantID, in tx: Transaction, _ change: () throws -> Value
    ) throws -> Value {
        if principal.isLocalAdministrator { return try change() }
        func held() throws -> Set<Permission> {
            try permissions(of: principal, tenant: tenant, domain: nil, in: tx).filter(\.isAdministrative)
        }
        let (before, lasting) = (try held(), try lasting(tenant, in: tx))
        let value = try change()
        guard try before.isSubset(of: held()) else {
            throw Refusal(.conflict, "grant.own", "Nobody ends their own rights as administrator; ask another one.")
        }
        guard try lasting.isSubset(of: self.lasting(tenant, in: tx)) else {
            throw Refusal(
                .conflict, "grant.last",
                "Nobody else administers the whole tenant without an end: give that to another person first.")
        }
        return value
    }

    /// The rights of an administrator of the whole tenant that some person holds without an end.
    private func lasting(_ tenant: TenantID, in tx: Transaction) throws -> Set<Permission> {
        let rows = try tx.scoped(to: tenant).rows(
            """
            SELECT DISTINCT g.role, r.permissions FROM role_grant g
            LEFT JOIN custom_role r ON r.tenant = $1 AND r.id = g.role
            WHERE g.tenant = $1 AND g.domain = $2 AND g.expires IS NULL AND EXISTS (
                SELECT 1 FROM principal p WHERE p.tenant = $1 AND p.kind = $3 AND p.active = 1
                    AND p.id IN (
                        SELECT g.holder
                        UNION ALL
                        SELECT m.principal FROM user_group_member m WHERE m.tenant = $1 AND m.user_group = g.holder))
            """, rootDomain(of: tenant, in: tx), Principal.Kind.user.rawValue)
        return try rows.reduce(into: []) { all, row in
            all.formUnion(
                Self.permissions(of: try row.identifier(0), stored: try row.textIfAny(1)).filter(\.isAdministrative))
        }
    }
}
