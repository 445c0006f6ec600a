package import Base
package import Storage

extension Access {
    /// The names of the roles that these principals hold now, anywhere in their own tenant, by themselves or by a user
    /// group, in alphabetical order.
    package func roleNames(
        of principals: [PrincipalID], tenant: TenantID, in tx: Transaction
    ) throws -> [PrincipalID: [String]] {
        guard !principals.isEmpty else { return [:] }
        let scoped = tx.scoped(to: tenant)
        let places = principals.indices.map { "$\($0 + 3)" }.joined(separator: ", ")
        let rows = try scoped.rows(
            """
            SELECT holder, role FROM role_grant
            WHERE tenant = $1 AND (expires IS NULL OR expires > $2) AND holder IN (\(places))
            UNION
            SELECT m.principal, g.role FROM user_group_member m
            JOIN role_grant g ON g.tenant = $1 AND g.holder = m.user_group
            WHERE m.tenant = $1 AND (g.expires IS NULL OR g.expires > $2) AND m.principal IN (\(places))
            """, arguments: [clock.now] + principals)
        let own = try RoleRow.all(tenant: tenant, in: tx)
        let names = Dictionary((Role.builtIn + own).map { ($0.id, $0.name.text) }, uniquingKeysWith: { $1 })
        var held: [PrincipalID: Set<String>] = [:]
        for row in rows {
            let role: RoleID = try row.identifier(1)
            if let name = names[role] { held[try row.identifier(0), default: []].insert(name) }
        }
        return held.mapValues { $0.sorted() }
    }
}
