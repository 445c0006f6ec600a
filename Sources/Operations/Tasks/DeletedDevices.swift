import Base
import Storage
import Synchronization

/// Devices that were deleted and whose open tasks are still to be ended. When the server stops in between, the tasks end
/// by their own deadlines.
final class DeletedDevices: Sendable {
    private let waiting = Mutex<[TenantID: [DeviceID]]>([:])

    func add(_ device: DeviceID, of tenant: TenantID) { waiting.withLock { $0[tenant, default: []].append(device) } }

    /// Some of those of one tenant, which are then no longer waiting.
    func take(_ limit: Int) -> (tenant: TenantID, devices: [DeviceID])? {
        waiting.withLock { waiting in
            guard let (tenant, devices) = waiting.first else { return nil }
            let rest = devices.dropFirst(limit)
            waiting[tenant] = rest.isEmpty ? nil : Array(rest)
            return (tenant, Array(devices.prefix(limit)))
        }
    }
}

extension Operations {
    /// Ends the open tasks of devices that are no more.
    func endTasksOfDeleted() async throws {
        while let (tenant, devices) = deleted.take(OperationLimits.dueAtOnce) {
            try await database.tenant(tenant).write { [board, bus, clock] transaction -> Void in
                var writer = TaskWriter(transaction, tenant: tenant, at: clock.now)
                for device in devices {
                    for table in ["auto_confirm", "last_install"] {
                        try transaction.execute("DELETE FROM \(table) WHERE tenant = $1 AND device = $2", device)
                    }
                    let open = try transaction.rows(
                        "SELECT \(TaskStore.columns) FROM task t WHERE t.tenant = $1 AND t.device = $2 AND t.state < 100",
                        device)
                    for row in open {
                        _ = try writer.step(TaskStore.read(row), .cancel(force: true), word: "deviceDeleted")
                    }
                }
                try writer.finish(board, bus)
            }
        }
    }
}
