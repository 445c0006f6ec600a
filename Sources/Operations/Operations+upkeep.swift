public import Base
import Blobs
import Storage

extension Operations {
    /// Removes what a deleted tenant left.
    public func purge(_ tenant: TenantID) async throws {
        let handle = database.tenant(tenant)
        let devices = try await handle.read { transaction in
            try transaction.rows("SELECT DISTINCT device FROM task WHERE tenant = $1 AND state < 100").map {
                try $0.identifier(0, as: DeviceID.self)
            }
        }
        for device in devices { board.forget(device) }
        try await handle.write { transaction -> Void in
            let tables =
                CampaignsSchema.tables + OperationsSchema.tables + LinesSchema.tables + ReleasesSchema.tables
                + MaintenanceSchema.tables
            for table in tables {
                try transaction.execute("DELETE FROM \(table) WHERE tenant = $1")
            }
        }
        try await database.platform.write { transaction -> Void in
            // Those of which it was the other side.
            try transaction.acrossTenants.execute("DELETE FROM release_line WHERE taker = $1", tenant)
        }
        try await blobs.purge(tenant)
        releases.drop(tenant)
        bandwidth.forget(tenant)
        sequences.forget(tenant)
        campaigns.forget(tenant)
    }

    /// Removes operations that have been over for longer than they are kept, with their tasks and history.
    public func trim() async throws {
        try await loadHolds()
        try await trimMaintenanceKeys()
        try await trimCampaigns()
        let cutoff = clock.now - .seconds(OperationLimits.keptDays * 86_400)
        while true {
            let old = try await database.platform.read { transaction in
                try transaction.acrossTenants.rows(
                    """
                    SELECT tenant, id FROM operation o WHERE finished < $1 AND NOT EXISTS (
                        SELECT 1 FROM campaign_group g WHERE g.tenant = o.tenant AND g.operation = o.id)
                    ORDER BY finished, tenant, id LIMIT \(OperationLimits.removedAtOnce)
                    """, cutoff
                ).map {
                    (tenant: try $0.identifier(0, as: TenantID.self), id: try $0.identifier(1, as: OperationID.self))
                }
            }
            for operation in old { try await remove(operation.id, in: operation.tenant) }
            if old.count < OperationLimits.removedAtOnce { return }
        }
    }

    /// Removes an operation, its tasks some thousand at a time and the operation itself last.
    func remove(_ id: OperationID, in tenant: TenantID) async throws {
        let handle = database.tenant(tenant)
        while true {
            let removed = try await handle.write { transaction in
                let some = """
                    FROM task WHERE tenant = $1 AND operation = $2 ORDER BY id
                    LIMIT \(OperationLimits.tasksAtOnce)
                    """
                let tasks = "SELECT id \(some)"
                try transaction.execute(
                    """
                    DELETE FROM last_install WHERE tenant = $1 AND device IN (SELECT device \(some))
                    AND number IN (SELECT number \(some))
                    """, id)
                for table in ["task_status", "task_attempt"] {
                    try transaction.execute("DELETE FROM \(table) WHERE tenant = $1 AND task IN (\(tasks))", id)
                }
                return try transaction.execute("DELETE FROM task WHERE tenant = $1 AND id IN (\(tasks))", id)
            }
            if removed < OperationLimits.tasksAtOnce { break }
        }
        try await handle.write { transaction -> Void in
            try transaction.execute("DELETE FROM operation_count WHERE tenant = $1 AND operation = $2", id)
            try transaction.execute("DELETE FROM rollback_grant WHERE tenant = $1 AND operation = $2", id)
            try transaction.execute("DELETE FROM operation WHERE tenant = $1 AND id = $2", id)
        }
    }
}
