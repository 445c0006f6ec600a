import Base

/// What is known about connections but not yet written: one shard of it, without clock, lock or database.
struct PresenceTable {
    /// One device's line.
    struct Line {
        var tenant: TenantID
        var sessions: [PresenceSession]
        var lastSeen: Timestamp
        var connected: Timestamp
        var disconnected: Timestamp?
        var transport: String
        var address: String
        /// Connections that the database does not count yet.
        var uncounted: Int64
        /// Whether something other than `lastSeen` differs from the database.
        var isChanged: Bool
        /// The `lastSeen` that the database has.
        var writtenSeen: Timestamp

        /// When the device was last heard, on connections that have ended or that last.
        var seen: Timestamp { sessions.reduce(lastSeen) { max($0, $1.lastSeen) } }
    }

    private(set) var lines: [DeviceID: Line] = [:]

    /// Notes a connection; true when it is the device's only one.
    mutating func connect(_ session: PresenceSession) -> Bool {
        let isFirst = lines[session.device]?.sessions.isEmpty ?? true
        var line =
            lines[session.device]
            ?? Line(
                tenant: session.tenant, sessions: [], lastSeen: session.connected, connected: session.connected,
                disconnected: nil, transport: "", address: "", uncounted: 0, isChanged: true,
                writtenSeen: Timestamp(microseconds: 0))
        line.sessions.append(session)
        line.connected = session.connected
        line.transport = session.transport
        line.address = session.address
        line.uncounted += 1
        line.isChanged = true
        lines[session.device] = line
        return isFirst
    }

    /// Notes a connection's end; nil when it had ended before, else whether it was the last one.
    mutating func disconnect(_ session: PresenceSession, at time: Timestamp) -> Bool? {
        guard var line = lines[session.device], let index = line.sessions.firstIndex(where: { $0 === session })
        else { return nil }
        line.lastSeen = max(line.lastSeen, session.lastSeen)
        line.sessions.remove(at: index)
        if line.sessions.isEmpty { line.disconnected = time }
        line.isChanged = true
        lines[session.device] = line
        return line.sessions.isEmpty
    }

    /// Takes a device's line away, for a device that is gone.
    mutating func forget(_ device: DeviceID) { lines[device] = nil }

    /// What must be written: every line that changed, and those that were heard `precision` after what is written.
    /// The lines count as written until ``restore(_:)`` says otherwise.
    mutating func takeUnwritten(precision: Duration) -> [PresenceRow] {
        var rows: [PresenceRow] = []
        var gone: [DeviceID] = []
        for (device, line) in lines {
            let seen = line.seen
            if line.isChanged || seen - line.writtenSeen >= precision {
                rows.append(PresenceRow(device: device, line: line, seen: seen))
            } else if line.sessions.isEmpty {
                // Written by an earlier batch, and nothing since: the database knows all.
                gone.append(device)
            }
        }
        for device in gone { lines[device] = nil }
        for row in rows {
            lines[row.device]?.isChanged = false
            lines[row.device]?.uncounted = 0
            lines[row.device]?.writtenSeen = row.lastSeen
        }
        return rows
    }

    /// Takes back a row that could not be written, so that the next batch holds it.
    mutating func restore(_ row: PresenceRow) {
        lines[row.device]?.isChanged = true
        lines[row.device]?.uncounted += row.uncounted
    }
}

/// One row of a batch.
struct PresenceRow: Sendable {
    var tenant: TenantID
    var device: DeviceID
    var isOnline: Bool
    var lastSeen: Timestamp
    var connected: Timestamp
    var disconnected: Timestamp?
    var uncounted: Int64
    var transport: String
    var address: String

    init(device: DeviceID, line: PresenceTable.Line, seen: Timestamp) {
        tenant = line.tenant
        self.device = device
        isOnline = !line.sessions.isEmpty
        lastSeen = seen
        connected = line.connected
        disconnected = line.disconnected
        uncounted = line.uncounted
        transport = line.transport
        address = line.address
    }
}
