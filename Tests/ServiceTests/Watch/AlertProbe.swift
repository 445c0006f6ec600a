import Access
import Base
import Storage

@testable import Watch

extension NorthboundFixture {
    /// An open alert of a tenant, about its root.
    func alert(of tenant: TenantID) async throws -> String {
        let now = world.time.now
        return try await world.database.tenant(tenant).write { [access = world.access] transaction in
            let root = try access.domain(nil, tenant: tenant, in: transaction)
            let alert = OpenAlert(
                id: AlertID(now: now), subject: .contact(root), domain: root, title: "", opened: now,
                silentSince: now, devices: 1, missing: 1, silent: 1)
            try AlertStore.put(alert, severity: .warning, silenced: nil, in: transaction)
            return alert.id.text
        }
    }
}
