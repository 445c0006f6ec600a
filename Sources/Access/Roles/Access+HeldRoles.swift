package import Base
package import Storage

extension Access {
    /// The roles that a principal holds now, anywhere in its own tenant, by itself or by a user group.
    package func heldRoles(of principal: PrincipalID, tenant: TenantID, in tx: Transaction) throws -> Set<RoleID> {
        Set(
            try tx.scoped(to: tenant).rows(
                """
                SELECT role FROM role_grant
                WHERE tenant = $1 AND (expires IS NULL OR expires > $3) AND (holder = $2 OR holder IN (
                    SELECT user_group FROM user_group_member WHERE tenant = $1 AND principal = $2))
                """, principal, clock.now
            ).map { try $0.identifier(0) })
    }
}
