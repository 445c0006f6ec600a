public import Base
import Storage
import Synchronization

extension Watch {
    /// Removes closed alerts that are kept no longer.
    public func trim() async throws {
        let cutoff = clock.now - .seconds(WatchLimits.keptDays * 86_400)
        while true {
            let removed = try await database.platform.write { transaction in
                let old = try transaction.acrossTenants.rows(
                    "SELECT tenant, id FROM alert WHERE closed < $1 ORDER BY closed LIMIT \(WatchLimits.toldAtOnce)",
                    cutoff)
                for row in old {
                    let scoped = transaction.scoped(to: try row.identifier(0))
                    let id = try row.identifier(1, as: AlertID.self)
                    for (table, column) in [
                        ("alert_owed", "alert"), ("alert_told", "alert"), ("alert_device", "alert"), ("alert", "id"),
                    ] {
                        try scoped.execute("DELETE FROM \(table) WHERE tenant = $1 AND \(column) = $2", id)
                    }
                }
                return old.count
            }
            if removed < WatchLimits.toldAtOnce { return }
        }
    }

    /// Removes what a deleted tenant left.
    public func purge(_ tenant: TenantID) async throws {
        try await database.tenant(tenant).write { transaction -> Void in
            for table in WatchSchema.tables { try transaction.execute("DELETE FROM \(table) WHERE tenant = $1") }
        }
        inbox.withLock { _ = $0.gone.insert(tenant) }
    }
}
