import Audit
import Base
import Storage

extension Access {
    /// Writes into a tenant's log what somebody of the platform's staff is about to do there, reading included, by the
    /// share that lets them in; nothing for everybody else. Whoever serves people calls it before the act.
    public func noteStaff(
        _ principal: Principal, in tenant: Tenant, operation: String, object: String
    ) async throws {
        guard principal.tenant == .platform, tenant.id != .platform, !principal.isLocalAdministrator else { return }
        try await database.tenant(tenant.id).write { tx in
            try record(
                .staffActed, tenant.id, by: principal, "operation", operation, details: ["path": .string(object)],
                in: tx)
        }
    }
}
