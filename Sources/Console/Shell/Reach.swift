import Access
import Base
import Northbound
import Storage

extension ConsoleParts {
    /// The tenant in which somebody begins: their own, or one that lends them a role; nil when nobody gave them any.
    func home(of principal: Principal) async throws -> Tenant? {
        let access = access
        let places = try await database.platform.read { try access.tenants(openTo: principal, in: $0) }
        return places.first { $0.id == principal.tenant } ?? places.first
    }

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
