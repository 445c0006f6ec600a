import Access
import Base

/// A part of the devices with their deadlines, without clock, lock or database. Time is in seconds since the server began.
struct HeartbeatShard {
    /// What a device's connections say about it.
    struct Contact {
        /// Whether a connection is open that counts as calling all the time.
        var isHeld: Bool
        /// How many seconds ago it was heard, if it was.
        var heard: Int64?
    }

    /// What changed of a device and is not written yet.
    struct Change: Sendable {
        var tenant: TenantID
        var state: HeartbeatState
        var since: Timestamp
        var timesLate: Int64 = 0
        var timesSilent: Int64 = 0
        /// Whether it called again after it was late or silent.
        var cameBack = false
    }

    /// A schedule that lines share.
    private struct Shared {
        var key: Key
        var schedule: HeartbeatSchedule
        var uses: Int
    }

    private struct Key: Hashable {
        var policy: HeartbeatPolicy
        var zone: TimeZoneName?
    }

    private var lines = HeartbeatLines()
    private var wheel: HeartbeatWheel
    private var schedules: [Shared] = []
    private var numbers: [Key: UInt32] = [:]
    private var unused: [UInt32] = []
    private(set) var changes: [DeviceID: Change] = [:]
    /// What was taken last to be written, until the next is: who read the database before has not seen it.
    private(set) var taken: [DeviceID: Change] = [:]
    /// How many devices are late and silent now.
    private(set) var late = 0
    private(set) var silent = 0

    init(at now: UInt32) { wheel = HeartbeatWheel(at: now) }

    /// How many devices there are.
    var count: Int { lines.count }

    /// How a device stands; nil when it is not here or exempt.
    func state(of device: DeviceID) -> HeartbeatState? {
        guard let row = lines.row(of: device), !isExempt(row) else { return nil }
        return lines[row].state
    }

    /// How many seconds after its last call a device may become late; nil when it is not here.
    func wave(of device: DeviceID) -> Int64? {
        lines.row(of: device).map { schedules[Int(lines[$0].schedule)].schedule.wave }
    }

    /// How many seconds a device shall wait before it calls again; nil when it is not here.
    mutating func pause(of device: DeviceID, isBusy: Bool, at wall: Timestamp, random: UInt64) -> Int64? {
        guard let row = lines.row(of: device) else { return nil }
        return schedules[Int(lines[row].schedule)].schedule.pause(isBusy: isBusy, at: wall, random: random)
    }

    // MARK: - Devices come and go

    /// Puts a device under a policy. What it was told before still counts: its next call is not expected earlier.
    mutating func put(
        _ device: DeviceID, of tenant: TenantID, under policy: HeartbeatPolicy, zone: TimeZoneName?,
        state: HeartbeatState = .calling, at now: UInt32, _ wall: Timestamp
    ) {
        let number = number(of: Key(policy: policy, zone: policy.quietHours == nil ? nil : zone))
        if let row = lines.row(of: device) {
            let old = lines[row].schedule
            let wasExempt = isExempt(row)
            schedules[Int(number)].uses += 1
            lines[row].schedule = number
            release(old)
            guard old != number else { return }
            if policy.isExempt { settle(row, .calling, isBack: false, at: wall) }
            if wasExempt { heard(row, at: now, wall) }
            place(row, at: now, wall)
            return
        }
        let row = lines.insert(
            HeartbeatLines.Line(device: device, tenant: tenant, schedule: number, expected: now))
        schedules[Int(number)].uses += 1
        if !policy.isExempt {
            lines[row].state = state
            count(state, 1)
        }
        heard(row, at: now, wall)
        place(row, at: now, wall)
    }

    /// Takes a device out: nobody expects it to call.
    mutating func remove(_ device: DeviceID, isGone: Bool, at wall: Timestamp) {
        if let row = lines.row(of: device) {
            settle(row, .calling, isBack: false, at: wall)
            wheel.remove(row, from: &lines)
            release(lines[row].schedule)
            lines.remove(row)
        }
        if isGone { (changes[device], taken[device]) = (nil, nil) }
    }

    /// Takes every device of a tenant out, which is gone.
    mutating func remove(_ tenant: TenantID, at wall: Timestamp) {
        for row in lines.used where lines[row].tenant == tenant {
            remove(lines[row].device, isGone: true, at: wall)
        }
        changes = changes.filter { $0.value.tenant != tenant }
        taken = taken.filter { $0.value.tenant != tenant }
    }

    // MARK: - Calls

    /// A device called.
    mutating func called(_ device: DeviceID, at now: UInt32, _ wall: Timestamp) {
        guard let row = lines.row(of: device) else { return }
        called(row, at: now, wall)
    }

    private mutating func called(_ row: UInt32, at now: UInt32, _ wall: Timestamp) {
        heard(row, at: now, wall)
        if lines[row].state != .calling { settle(row, .calling, isBack: true, at: wall) }
        // A line that lies too early is only looked at once too often; quiet hours make this no earlier.
        let schedule = schedules[Int(lines[row].schedule)].schedule
        guard !schedule.policy.isExempt else { return }
        let allowance = (schedule.policy.lateAfter - 1) * schedule.step + FleetLimits.heartbeatGrace
        if Self.later(lines[row].expected, by: allowance) < lines[row].place { place(row, at: now, wall) }
    }

    /// Expects the next call after one at this moment.
    private mutating func heard(_ row: UInt32, at now: UInt32, _ wall: Timestamp) {
        let seconds = schedules[Int(lines[row].schedule)].schedule.next(after: wall)
        lines[row].expected = Self.later(now, by: seconds)
    }

    /// The server was away, or a tenant was: whoever called while it was could not be heard.
    mutating func forgive(_ tenant: TenantID? = nil, at now: UInt32, _ wall: Timestamp) {
        for row in lines.used where tenant == nil || lines[row].tenant == tenant {
            // Who was told a longer pause under an earlier policy keeps it.
            let told = lines[row].expected
            heard(row, at: now, wall)
            lines[row].expected = max(lines[row].expected, told)
            place(row, at: now, wall)
        }
    }

    // MARK: - Deadlines

    /// The devices whose time may be up; each is then given to ``look(at:_:at:_:)``.
    mutating func due(at now: UInt32) -> [DeviceID] {
        wheel.take(until: now, from: &lines).map { lines[$0].device }
    }

    /// Decides about a device whose time may be up.
    mutating func look(
        at device: DeviceID, _ contact: Contact, isServed: Bool, at now: UInt32, _ wall: Timestamp
    ) {
        guard let row = lines.row(of: device) else { return }
        if contact.isHeld || !isServed {
            if isServed { called(row, at: now, wall) } else { heard(row, at: now, wall) }
        } else if let heard = contact.heard {
            let moment = UInt32(clamping: Int64(now) - heard)
            let seconds = schedules[Int(lines[row].schedule)].schedule.next(after: wall - .seconds(heard))
            let expected = Self.later(moment, by: seconds)
            if expected > lines[row].expected {
                lines[row].expected = expected
                if lines[row].state != .calling { settle(row, .calling, isBack: true, at: wall) }
            }
        }
        place(row, at: now, wall)
        guard !isExempt(row), isServed else { return }
        while lines[row].due <= now {
            switch lines[row].state {
            case .calling: settle(row, .late, isBack: false, at: wall)
            case .late: settle(row, .silent, isBack: false, at: wall)
            case .silent: break
            }
            place(row, at: now, wall)
        }
    }

    /// Puts a line where its state would change next.
    private mutating func place(_ row: UInt32, at now: UInt32, _ wall: Timestamp) {
        let line = lines[row]
        let policy = schedules[Int(line.schedule)].schedule.policy
        let missed: Int64
        switch line.state {
        case _ where policy.isExempt:
            wheel.remove(row, from: &lines)
            return
        case .calling: missed = policy.lateAfter
        case .late: missed = policy.silentAfter
        case .silent:
            let step = schedules[Int(line.schedule)].schedule.step
            lines[row].due = Self.later(now, by: max(step, FleetLimits.heartbeatLook))
            wheel.place(row, at: lines[row].due, in: &lines)
            return
        }
        let expected = wall + .seconds(Int64(line.expected) - Int64(now))
        let allowance = schedules[Int(line.schedule)].schedule.allowance(for: missed, after: expected)
        lines[row].due = Self.later(line.expected, by: allowance + FleetLimits.heartbeatGrace)
        wheel.place(row, at: lines[row].due, in: &lines)
    }

    // MARK: - Changes

    /// Notes a new state.
    private mutating func settle(_ row: UInt32, _ state: HeartbeatState, isBack: Bool, at wall: Timestamp) {
        let line = lines[row]
        guard line.state != state else { return }
        count(line.state, -1)
        count(state, 1)
        lines[row].state = state
        var change = changes[line.device] ?? Change(tenant: line.tenant, state: state, since: wall)
        change.state = state
        change.since = wall
        switch state {
        case .late: change.timesLate += 1
        case .silent: change.timesSilent += 1
        case .calling: change.cameBack = change.cameBack || isBack
        }
        changes[line.device] = change
    }

    private mutating func count(_ state: HeartbeatState, _ number: Int) {
        switch state {
        case .calling: break
        case .late: late += number
        case .silent: silent += number
        }
    }

    /// Takes what changed, to be written.
    mutating func takeChanges() -> [DeviceID: Change] {
        taken = changes
        changes = [:]
        return taken
    }

    /// Takes back what could not be written.
    mutating func restore(_ device: DeviceID, _ old: Change) {
        taken[device] = nil
        guard var newer = changes[device] else {
            changes[device] = old
            return
        }
        newer.timesLate += old.timesLate
        newer.timesSilent += old.timesSilent
        newer.cameBack = newer.cameBack || old.cameBack
        changes[device] = newer
    }

    // MARK: - Schedules

    private func isExempt(_ row: UInt32) -> Bool { schedules[Int(lines[row].schedule)].schedule.policy.isExempt }

    /// The number of a schedule, which is new when no line has it.
    private mutating func number(of key: Key) -> UInt32 {
        if let number = numbers[key] { return number }
        let shared = Shared(key: key, schedule: HeartbeatSchedule(key.policy, zone: key.zone), uses: 0)
        let number: UInt32
        if let free = unused.popLast() {
            number = free
            schedules[Int(free)] = shared
        } else {
            number = UInt32(truncatingIfNeeded: schedules.count)
            schedules.append(shared)
        }
        numbers[key] = number
        return number
    }

    private mutating func release(_ number: UInt32) {
        schedules[Int(number)].uses -= 1
        guard schedules[Int(number)].uses == 0 else { return }
        numbers[schedules[Int(number)].key] = nil
        unused.append(number)
    }

    /// So many seconds later, held at the end of what a line can hold.
    private static func later(_ second: UInt32, by seconds: Int64) -> UInt32 {
        UInt32(clamping: min(Int64(second) + max(seconds, 0), Int64(UInt32.max) / 2))
    }
}
