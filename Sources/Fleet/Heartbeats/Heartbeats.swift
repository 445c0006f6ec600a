import Access
public import Base
import Bus
import Logging
public import ServiceLifecycle
import Storage
import Synchronization

/// When each device shall call next, and who has missed it: in memory, without a write or a scan for a call.
///
/// Whoever becomes late or silent, or comes back, is written in batches once a second and told on the bus after that.
/// Deadlines follow a steady clock, so that a change of the time of day makes nobody late; they begin anew when the
/// server starts, or was away itself. Locks are taken in this order: policies, directory or presence, shard.
public final class Heartbeats: Service, Sendable {
    final class Shard: Sendable {
        let state: Mutex<HeartbeatShard>
        init(at now: UInt32) { state = Mutex(HeartbeatShard(at: now)) }
    }

    struct Tenants {
        var policies: [TenantID: HeartbeatPolicies] = [:]
        /// The mark from before the transaction that read a tenant's policies.
        var read: [TenantID: UInt64] = [:]
        /// Tenants whose policies or tree may have changed.
        var doubted: Set<TenantID> = []
    }

    struct Turn {
        var last: UInt32?
        var away: Set<TenantID> = []
    }

    let shards: [Shard]
    let tenants = Mutex(Tenants())
    private let turns = Mutex(Turn())
    let directory: DeviceDirectory
    let served: TenantDirectory
    let presence: Presence
    let database: Database
    let bus: Bus
    let clock: WallClock
    private let steady: @Sendable () -> Duration
    private let logger: Logger
    /// How often devices became late, became silent and came back.
    let counters = (late: Counter(), silent: Counter(), back: Counter())

    /// Heartbeats of the devices in this directory; `steady` is how long the server has run.
    init(
        database: Database, bus: Bus, directory: DeviceDirectory, served: TenantDirectory, presence: Presence,
        clock: WallClock, steady: (@Sendable () -> Duration)? = nil,
        logger: Logger = Logger(label: "tidegate.fleet")
    ) {
        (self.database, self.bus, self.directory, self.served) = (database, bus, directory, served)
        (self.presence, self.clock, self.logger) = (presence, clock, logger)
        let origin = ContinuousClock.now
        self.steady = steady ?? { ContinuousClock.now - origin }
        let now = Self.second(self.steady())
        shards = (0..<16).map { _ in Shard(at: now) }
    }

    /// The second of a time since the start; the first is 1, so that there is one before it.
    private static func second(_ time: Duration) -> UInt32 { UInt32(clamping: time.components.seconds) &+ 1 }

    var second: UInt32 { Self.second(steady()) }

    func shard(of device: DeviceID) -> Shard { shards[Int(device.low % UInt64(shards.count))] }

    // MARK: - Calls

    /// How many seconds a device that calls now shall wait before it calls again, by its policy and with its jitter;
    /// from 1 to 86,399, which every client understands.
    public func pause(of device: AdmittedDevice, isBusy: Bool, at now: Timestamp) -> Int64 {
        pause(of: device.device, isBusy: isBusy, at: now)
    }

    /// The same for a device by its identifier.
    public func pause(of device: DeviceID, isBusy: Bool, at now: Timestamp) -> Int64 {
        let random = Self.scattered(device.low ^ UInt64(bitPattern: now.microseconds))
        let pause = shard(of: device).state.withLock {
            $0.pause(of: device, isBusy: isBusy, at: now, random: random)
        }
        if let pause { return pause }
        var usual = HeartbeatSchedule(.builtIn, zone: nil)
        return usual.pause(isBusy: isBusy, at: now, random: random)
    }

    /// Notes that a device has called: with each poll, and whatever else shows that it is there.
    public func called(_ device: DeviceID, at time: Timestamp) {
        let now = second
        shard(of: device).state.withLock { $0.called(device, at: now, time) }
    }

    /// Bits that look random (SplitMix64): spreading calls needs no secret, and this needs no lock.
    private static func scattered(_ seed: UInt64) -> UInt64 {
        var bits = seed &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    // MARK: - What is known

    /// What memory knows about a device beyond `stored`, which is what the database has.
    func standing(of device: DeviceID, stored: HeartbeatStanding) -> HeartbeatStanding {
        shard(of: device).state.withLock { shard in
            var standing = stored
            // It was read either before that was written or after.
            if let change = shard.taken[device], (stored.state, stored.since) != (change.state, change.since) {
                standing.add(change)
            }
            if let change = shard.changes[device] { standing.add(change) }
            standing.state = shard.state(of: device)
            return standing
        }
    }

    /// How many devices are late and silent now.
    public var missing: (late: Int, silent: Int) {
        shards.reduce((0, 0)) { sum, shard in
            shard.state.withLock { (sum.0 + $0.late, sum.1 + $0.silent) }
        }
    }

    /// Shows who misses calls among the server's metrics.
    public func register(in metrics: Metrics) {
        metrics.gauge("tidegate_heartbeat_late", "Devices that are late now.") { [self] in Double(missing.late) }
        metrics.gauge("tidegate_heartbeat_silent", "Devices that are silent now.") { [self] in Double(missing.silent) }
        metrics.counter("tidegate_heartbeat_late_total", "How often devices became late.") { [counters] in
            Double(counters.late.value)
        }
        metrics.counter("tidegate_heartbeat_silent_total", "How often devices became silent.") { [counters] in
            Double(counters.silent.value)
        }
        metrics.counter("tidegate_heartbeat_back_total", "How often late or silent devices called again.") {
            [counters] in Double(counters.back.value)
        }
    }

    // MARK: - Turning

    /// Lets deadlines come, once a second, until the server stops.
    public func run() async throws {
        turns.withLock { $0.last = nil }
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            await attempt { try await turn() }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
        await attempt { try await flush() }
    }

    private func attempt(_ act: () async throws -> Void) async {
        do {
            try await act()
        } catch {
            // What was not written stays in memory for the next turn.
            logger.error("heartbeats not written", metadata: ["error": "\(error)"])
        }
    }

    /// Looks at whose time is up, and writes and tells what changed.
    func turn() async throws {
        try await reloadDoubted()
        let (now, wall) = (second, clock.now)
        let away = Set(served.tenants.filter { $0.status != .active }.map(\.id))
        let (isNew, returned) = turns.withLock { turn in
            let gap = turn.last.map { Int64(now) - Int64($0) } ?? .max
            let returned = turn.away.subtracting(away)
            turn = Turn(last: now, away: away)
            return (gap > FleetLimits.heartbeatStall, returned)
        }
        for shard in shards {
            shard.state.withLock { state in
                if isNew { state.forgive(at: now, wall) }
                for tenant in returned { state.forgive(tenant, at: now, wall) }
            }
            let due = shard.state.withLock { $0.due(at: now) }
            if due.isEmpty { continue }
            let contacts = due.map { device in
                let contact = presence.contact(of: device)
                let heard = contact.seen.map { max((wall - $0).components.seconds, 0) }
                let tenant = directory.tenant(of: device)
                let isServed = tenant.map { !away.contains($0) } ?? false
                return (device, HeartbeatShard.Contact(isHeld: contact.isHeld, heard: heard), isServed)
            }
            shard.state.withLock { state in
                for (device, contact, isServed) in contacts {
                    state.look(at: device, contact, isServed: isServed, at: now, wall)
                }
            }
        }
        try await flush()
    }

    /// Writes what changed since the last time, and tells it then.
    func flush() async throws {
        var changes = shards.flatMap { shard in
            shard.state.withLock { $0.takeChanges() }.map { (device: $0.key, change: $0.value) }
        }
        if changes.isEmpty { return }
        // In the order of the table's key: at random places each row would cost a page.
        changes.sort { ($0.change.tenant, $0.device) < ($1.change.tenant, $1.device) }
        var rest = changes[...]
        do {
            while !rest.isEmpty {
                // In parts, so that others get the database's write lock in between.
                let batch = Array(rest.prefix(FleetLimits.presenceRows * 10))
                try await database.platform.write { try HeartbeatStore.write(batch, in: $0.acrossTenants) }
                rest = rest.dropFirst(batch.count)
                tell(batch)
            }
        } catch {
            for (device, change) in rest {
                shard(of: device).state.withLock { $0.restore(device, change) }
            }
            throw error
        }
    }

    /// Tells what has been written, each kind of each tenant in one event.
    private func tell(_ changes: [HeartbeatChange]) {
        var rest = changes[...]
        while let tenant = rest.first?.change.tenant {
            let own = rest.prefix { $0.change.tenant == tenant }
            rest = rest.dropFirst(own.count)
            let time = own.reduce(own[own.startIndex].change.since) { max($0, $1.change.since) }
            let late = own.filter { $0.change.timesLate > 0 }.map(\.device)
            let silent = own.filter { $0.change.timesSilent > 0 }.map(\.device)
            let back = own.filter { $0.change.cameBack && $0.change.state == .calling }.map(\.device)
            // They called and have missed calls again since.
            let gone = own.filter { $0.change.cameBack && $0.change.state != .calling }.map(\.device)
            let excused = own.filter { !$0.change.cameBack && $0.change.state == .calling }.map(\.device)
            counters.late.add(late.count)
            counters.silent.add(silent.count)
            counters.back.add(back.count + gone.count)
            if !gone.isEmpty { bus.publish(DevicesBack(tenant: tenant, devices: gone, time: time)) }
            if !late.isEmpty { bus.publish(DevicesLate(tenant: tenant, devices: late, time: time)) }
            if !silent.isEmpty { bus.publish(DevicesSilent(tenant: tenant, devices: silent, time: time)) }
            if !back.isEmpty { bus.publish(DevicesBack(tenant: tenant, devices: back, time: time)) }
            if !excused.isEmpty { bus.publish(DevicesExcused(tenant: tenant, devices: excused, time: time)) }
        }
    }
}
