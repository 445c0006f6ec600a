import Base
import Storage

/// The rows of devices' events.
enum EventStore {
    /// Writes events of one or many tenants.
    static func insert(_ rows: [(owner: Owner, event: KeptEvent)], in transaction: Transaction) throws {
        try transaction.insert(
            into: "device_event",
            columns: ["tenant", "device", "time", "sequence", "code", "severity", "text", "details"],
            rows: rows.map { owner, kept in
                [
                    owner.tenant.sqlValue, owner.device.sqlValue, kept.event.time.sqlValue, .integer(kept.sequence),
                    kept.event.code.sqlValue, .text(kept.event.severity.rawValue), kept.event.text.sqlValue,
                    .text(JSONValue.object(kept.event.details).canonical),
                ]
            })
    }

    /// A device's events from `from` until before `to`, the newest first, at most `limit`, behind the place of `after`.
    static func page(
        of device: DeviceID, from: Timestamp, to: Timestamp, after: EventPlace?, limit: Int,
        in transaction: Transaction
    ) throws -> [KeptEvent] {
        let start = EventPlace(time: to, sequence: .min)
        let place = after.map { $0.time < to ? $0 : start } ?? start
        return try transaction.rows(
            """
            SELECT time, sequence, code, severity, text, details FROM device_event
            WHERE tenant = $1 AND device = $2 AND time >= $3 AND time <= $4 AND (time < $4 OR sequence < $5)
            ORDER BY time DESC, sequence DESC LIMIT $6
            """, device, from, place.time, place.sequence, limit
        ).map(event)
    }

    /// Removes some thousand events of a tenant that were received before `cutoff`; how many there were.
    ///
    /// The last one to go is looked up first and the rest compared with it: PostgreSQL would join a list with the table.
    static func trim(before cutoff: Timestamp, in transaction: Transaction) throws -> Int {
        let last = try transaction.row(
            """
            SELECT sequence FROM device_event WHERE tenant = $1 AND sequence < $2
            ORDER BY sequence LIMIT 1 OFFSET \(FleetLimits.trimmedEvents - 1)
            """, cutoff)
        return try transaction.execute(
            "DELETE FROM device_event WHERE tenant = $1 AND sequence < $2",
            try last.map { try $0.integer(0) + 1 } ?? cutoff.microseconds)
    }

    /// The devices of a tenant that have more events than one device may keep.
    static func overfull(in transaction: Transaction) throws -> [DeviceID] {
        try transaction.rows(
            "SELECT device FROM device_event WHERE tenant = $1 GROUP BY device HAVING count(*) > $2",
            FleetLimits.eventsKept
        ).map { try $0.identifier(0) }
    }

    /// Removes some thousand of a device's oldest events beyond what one device may keep; how many there were.
    static func trim(_ device: DeviceID, in transaction: Transaction) throws -> Int {
        let row = try transaction.row("SELECT count(*) FROM device_event WHERE tenant = $1 AND device = $2", device)
        let excess = try min((row?.int(0) ?? 0) - FleetLimits.eventsKept, FleetLimits.trimmedEvents)
        guard excess > 0,
            let last = try transaction.row(
                """
                SELECT time, sequence FROM device_event WHERE tenant = $1 AND device = $2
                ORDER BY time, sequence LIMIT 1 OFFSET $3
                """, device, excess - 1)
        else { return 0 }
        return try transaction.execute(
            """
            DELETE FROM device_event
            WHERE tenant = $1 AND device = $2 AND time <= $3 AND (time < $3 OR sequence <= $4)
            """, device, last.timestamp(0), last.integer(1))
    }

    private static func event(_ row: Row) throws -> KeptEvent {
        guard let code = Name(try row.text(2)), let severity = DeviceEvent.Severity(rawValue: try row.text(3)) else {
            throw StorageError(.corrupt, "an event's row holds values that the program does not know")
        }
        return KeptEvent(
            event: DeviceEvent(
                code: code, severity: severity, text: try row.textIfAny(4),
                details: StoredDocument.object(try row.text(5)), time: try row.timestamp(0)),
            sequence: try row.integer(1))
    }
}

/// An event's place in its device's list.
struct EventPlace: Hashable {
    var time: Timestamp
    var sequence: Int64
}
