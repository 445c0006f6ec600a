package import Base
package import Storage

extension Access {
    /// Refuses unless `principal` holds all that another principal of the tenant holds: who could act as somebody else,
    /// by a link to a new password for example, would otherwise gain rights that nobody gave.
    package func requireCovering(
        _ other: PrincipalID, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        if principal.isLocalAdministrator { return }
        try requireOwn(principal, of: tenant)
        let info = try findPrincipal(other.text, in: tx.scoped(to: tenant))
        for holding in try given(to: info, tenant: tenant, in: tx) {
            try requireHolding(
                holding.permissions, until: holding.until, principal, tenant: tenant,
                at: place(of: holding.domain, holding.device, tenant: tenant, in: tx), in: tx)
        }
    }
}
