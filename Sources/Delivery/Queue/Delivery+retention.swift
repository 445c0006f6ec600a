public import Base
import Storage
import Synchronization

extension Delivery {
    /// Forgets deliveries that were made longer ago than the retention, whatever their state; call it about hourly.
    public func trim() async throws {
        let before = clock.now - settings.retention
        while try await database.platform.write({ transaction in
            let across = transaction.acrossTenants
            let old = try across.rows(
                "SELECT tenant, id FROM delivery WHERE created_at < $1 ORDER BY created_at LIMIT $2", before,
                DeliveryLimits.removedRows)
            for row in old {
                try transaction.scoped(to: row.identifier(0)).execute(
                    "DELETE FROM delivery WHERE tenant = $1 AND id = $2", row.blob(1))
            }
            return old.count == DeliveryLimits.removedRows
        }) {}
    }

    /// Removes everything that a deleted tenant had here.
    public func purge(_ tenant: TenantID) async throws {
        for table in DeliverySchema.tables {
            let key = table == "audit_stream" ? "outlet" : "id"
            while try await database.tenant(tenant).write({ transaction in
                try transaction.execute(
                    """
                    DELETE FROM \(table) WHERE tenant = $1 AND \(key) IN (
                        SELECT \(key) FROM \(table) WHERE tenant = $1 LIMIT \(DeliveryLimits.removedRows))
                    """) > 0
            }) {}
        }
        breakers.withLock { breakers in breakers = breakers.filter { $0.key.tenant != tenant } }
    }
}
