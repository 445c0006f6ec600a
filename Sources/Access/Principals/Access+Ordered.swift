package import Base
package import Storage

extension Access {
    /// Somebody who has ordered something that the server does for them later, with the rights that they hold then; nil
    /// when they, or their tenant, are not active any more.
    package func orderer(_ id: PrincipalID, of tenant: TenantID, in tx: Transaction) throws -> Principal? {
        guard directory.tenant(tenant)?.status == .active,
            let row = try tx.scoped(to: tenant).row(
                "SELECT id, kind, name, active, created FROM principal WHERE tenant = $1 AND id = $2", id)
        else { return nil }
        let info = try Self.readPrincipal(row)
        guard info.isActive else { return nil }
        return Principal(
            id: info.id, kind: info.kind, tenant: tenant, name: info.name, credential: nil, address: nil)
    }
}
