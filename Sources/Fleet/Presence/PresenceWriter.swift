import Base
import Storage

/// Writes rows of presence, hundreds in one statement.
enum PresenceWriter {
    /// Sizes of statements, so that few different texts are prepared.
    private static let sizes = [FleetLimits.presenceRows, FleetLimits.presenceRows / 10, 1]

    static func write(_ rows: [PresenceRow], in transaction: Transaction) throws {
        var rest = rows[...]
        for size in sizes {
            guard rest.count >= size else { continue }
            let sql = statement(size)
            while rest.count >= size {
                var arguments: [any SQLBindable] = []
                arguments.reserveCapacity(size * 9)
                for row in rest.prefix(size) {
                    arguments += [
                        row.tenant, row.device, row.isOnline, row.lastSeen, row.connected,
                        row.disconnected ?? Timestamp(microseconds: 0), row.uncounted, row.transport, row.address,
                    ]
                }
                try transaction.execute(sql, arguments: arguments)
                rest = rest.dropFirst(size)
            }
        }
    }

    /// Updates only: a device that was deleted meanwhile must not come back.
    private static func statement(_ count: Int) -> String {
        let rows = (0..<count).map { row in
            "(" + (1...9).map { "$\(row * 9 + $0)" }.joined(separator: ", ") + ")"
        }
        return """
            UPDATE device_presence SET
                online = v.column3,
                last_seen = CASE WHEN v.column4 > last_seen THEN v.column4 ELSE last_seen END,
                connected = v.column5,
                disconnected = CASE WHEN v.column6 > 0 THEN v.column6 ELSE disconnected END,
                connections = connections + v.column7,
                protocol = v.column8,
                address = v.column9
            FROM (VALUES \(rows.joined(separator: ", "))) AS v
            WHERE device_presence.tenant = v.column1 AND device_presence.device = v.column2
            """
    }
}
