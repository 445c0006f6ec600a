import Access
import Base
import Northbound
import Storage

extension ConsoleParts {
    /// What a principal holds anywhere in a tenant, and which tenants they may go to.
    func reach(of principal: Principal, in tenant: Tenant) async throws -> (Set<Permission>, [Tenant]) {
        let access = access
        return try await database.platform.read { tx in
            let held = try access.permissions(of: principal, anywhereIn: tenant.id, in: tx)
            let places = try access.tenants(openTo: principal, in: tx)
            return (held, places.sorted { $0.name < $1.name })
        }
    }
}
