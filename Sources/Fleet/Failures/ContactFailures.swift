import Base
import Storage
import Synchronization

/// In which way contact with a device failed.
public enum ContactFailure: String, CaseIterable, Sendable {
    /// Its last connection broke without a goodbye.
    case lost
    /// Its credential or enrolment token was refused.
    case refused
}

/// Counts how often contact with devices failed: in memory, a line for each device, written in batches.
///
/// A crash loses what was not written yet. What comes while the memory is full is not counted for devices that have no
/// line there, which takes that many devices to fail within a minute.
final class ContactFailures: Sendable {
    struct Line {
        var tenant: TenantID
        var lost: Int64 = 0
        var refused: Int64 = 0
        var last: Timestamp
        var kind: ContactFailure
        var reason: String
    }

    private let lines = Mutex<[DeviceID: Line]>([:])

    func note(_ kind: ContactFailure, _ reason: String, _ device: DeviceID, of tenant: TenantID, at time: Timestamp) {
        lines.withLock { lines in
            guard lines[device] != nil || lines.count < FleetLimits.waitingFailures else { return }
            var line = lines[device] ?? Line(tenant: tenant, last: time, kind: kind, reason: reason)
            switch kind {
            case .lost: line.lost &+= 1
            case .refused: line.refused &+= 1
            }
            (line.last, line.kind, line.reason) = (time, kind, reason)
            lines[device] = line
        }
    }

    /// Writes what was counted since the last time, at most so many batches of it; what can not be written waits.
    func flush(to database: Database, batches: Int = .max) async throws {
        for _ in 0..<batches {
            let batch = take()
            if batch.isEmpty { return }
            do {
                try await database.platform.write { transaction in
                    for (device, line) in batch {
                        try Self.write(device, line, in: transaction.scoped(to: line.tenant))
                    }
                }
            } catch {
                restore(batch)
                throw error
            }
        }
    }

    /// Some of the lines, in the order in which every transaction writes them.
    private func take() -> [(key: DeviceID, value: Line)] {
        let taken = lines.withLock { lines in
            let some = Array(lines.prefix(FleetLimits.failureRows))
            for (device, _) in some { lines[device] = nil }
            return some
        }
        return taken.sorted { ($0.value.tenant, $0.key) < ($1.value.tenant, $1.key) }
    }

    private func restore(_ unwritten: [(key: DeviceID, value: Line)]) {
        lines.withLock { lines in
            for (device, line) in unwritten {
                guard var newer = lines[device] else {
                    lines[device] = line
                    continue
                }
                newer.lost &+= line.lost
                newer.refused &+= line.refused
                lines[device] = newer
            }
        }
    }

    /// Only for a device that is still there: one that was deleted must not leave a line.
    private static func write(_ device: DeviceID, _ line: Line, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO device_failure (tenant, device, lost, refused, total, last, kind, reason)
            SELECT $1, d.id, $3, $4, $8, $5, $6, $7 FROM device d WHERE d.tenant = $1 AND d.id = $2
            ON CONFLICT (tenant, device) DO UPDATE SET lost = device_failure.lost + excluded.lost,
                refused = device_failure.refused + excluded.refused, total = device_failure.total + excluded.total,
                last = excluded.last, kind = excluded.kind, reason = excluded.reason
            """, device, line.lost, line.refused, line.last, line.kind.rawValue, line.reason,
            line.lost + line.refused)
    }
}
