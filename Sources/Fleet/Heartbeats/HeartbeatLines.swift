import Base

/// The devices of one shard that are let in, by identifier: a chained hash table over rows that never move.
struct HeartbeatLines {
    /// No row.
    static let none = UInt32.max

    /// One device.
    struct Line {
        let device: DeviceID
        let tenant: TenantID
        /// The schedule, by its number in the shard.
        var schedule: UInt32
        /// The second by which the next call is expected.
        var expected: UInt32
        /// The second at which the state changes unless the device calls.
        var due: UInt32
        /// The second in whose slot of the wheel the line lies.
        var place = HeartbeatLines.none
        /// Its neighbours in that slot.
        var before = HeartbeatLines.none
        var after = HeartbeatLines.none
        /// The next line with the same hash, or the next free row.
        fileprivate var next = HeartbeatLines.none
        var state = HeartbeatState.calling
        /// Whether the row is in use.
        fileprivate(set) var isUsed = true

        /// A device whose next call is expected by this second.
        init(device: DeviceID, tenant: TenantID, schedule: UInt32, expected: UInt32) {
            (self.device, self.tenant, self.schedule) = (device, tenant, schedule)
            (self.expected, due) = (expected, expected)
        }
    }

    private var rows: [Line] = []
    private var heads: [UInt32] = []
    private var free = HeartbeatLines.none
    private(set) var count = 0

    subscript(row: UInt32) -> Line {
        get { rows[Int(row)] }
        _modify { yield &rows[Int(row)] }
    }

    /// The rows in use.
    var used: [UInt32] { rows.indices.filter { rows[$0].isUsed }.map { UInt32(truncatingIfNeeded: $0) } }

    func row(of device: DeviceID) -> UInt32? {
        guard !heads.isEmpty else { return nil }
        var row = heads[head(of: device)]
        while row != Self.none {
            if rows[Int(row)].device == device { return row }
            row = rows[Int(row)].next
        }
        return nil
    }

    /// Adds a device that is not here.
    mutating func insert(_ line: Line) -> UInt32 {
        if count >= heads.count { grow() }
        let row: UInt32
        if free != Self.none {
            row = free
            free = rows[Int(row)].next
            rows[Int(row)] = line
        } else {
            row = UInt32(truncatingIfNeeded: rows.count)
            rows.append(line)
        }
        let head = head(of: line.device)
        rows[Int(row)].next = heads[head]
        heads[head] = row
        count += 1
        return row
    }

    mutating func remove(_ row: UInt32) {
        let (head, following) = (head(of: rows[Int(row)].device), rows[Int(row)].next)
        if heads[head] == row {
            heads[head] = following
        } else {
            var before = heads[head]
            while rows[Int(before)].next != row { before = rows[Int(before)].next }
            rows[Int(before)].next = following
        }
        rows[Int(row)].isUsed = false
        rows[Int(row)].next = free
        free = row
        count -= 1
    }

    /// The server gives identifiers their random bits, so these are as good as a hash. The lowest choose the shard.
    private func head(of device: DeviceID) -> Int { Int(truncatingIfNeeded: device.low >> 8) & (heads.count - 1) }

    private mutating func grow() {
        heads = Array(repeating: Self.none, count: max(64, heads.count * 2))
        for index in rows.indices where rows[index].isUsed {
            let head = head(of: rows[index].device)
            rows[index].next = heads[head]
            heads[head] = UInt32(truncatingIfNeeded: index)
        }
    }
}

/// A wheel of one slot for each second, in which each line lies where it must be looked at next.
///
/// What lies beyond its rim waits in the last slot. Lines are linked, so that moving one costs nothing and the wheel
/// takes no memory of its own.
struct HeartbeatWheel {
    private static let slots: UInt32 = 1024
    private var heads = Array(repeating: HeartbeatLines.none, count: Int(slots))
    /// The last second that was taken.
    private(set) var taken: UInt32

    init(at now: UInt32) { taken = now }

    /// Puts a line where it is found at this second, or earlier when that is beyond the rim.
    mutating func place(_ row: UInt32, at second: UInt32, in lines: inout HeartbeatLines) {
        remove(row, from: &lines)
        let place = min(max(second, taken + 1), taken + Self.slots - 1)
        let slot = Int(place % Self.slots)
        let following = heads[slot]
        lines[row].place = place
        lines[row].before = HeartbeatLines.none
        lines[row].after = following
        if following != HeartbeatLines.none { lines[following].before = row }
        heads[slot] = row
    }

    mutating func remove(_ row: UInt32, from lines: inout HeartbeatLines) {
        let line = lines[row]
        guard line.place != HeartbeatLines.none else { return }
        if line.before == HeartbeatLines.none {
            heads[Int(line.place % Self.slots)] = line.after
        } else {
            lines[line.before].after = line.after
        }
        if line.after != HeartbeatLines.none { lines[line.after].before = line.before }
        lines[row].place = HeartbeatLines.none
    }

    /// Takes out what must be looked at by this second.
    mutating func take(until now: UInt32, from lines: inout HeartbeatLines) -> [UInt32] {
        var rows: [UInt32] = []
        // After more than a round every slot is due once.
        let last = min(max(now, taken), taken + Self.slots)
        while taken < last {
            taken += 1
            let slot = Int(taken % Self.slots)
            var row = heads[slot]
            heads[slot] = HeartbeatLines.none
            while row != HeartbeatLines.none {
                rows.append(row)
                lines[row].place = HeartbeatLines.none
                row = lines[row].after
            }
        }
        taken = max(taken, now)
        return rows
    }
}
