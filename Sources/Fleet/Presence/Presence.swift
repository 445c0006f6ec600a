public import Base
public import Bus
public import Logging
public import ServiceLifecycle
public import Storage
import Synchronization

/// Who is connected: kept in memory, written in batches, never for each message.
///
/// A crash loses at most one batch of connects and disconnects. While a device stays connected its `last_seen` is
/// written only when it is a minute older than what is in memory, because a hundred thousand devices that report every
/// few seconds would otherwise cost a hundred thousand updates every few seconds.
public final class Presence: Service, Sendable {
    private let shards: [Shard]
    private let database: Database
    private let bus: Bus
    private let clock: WallClock
    private let logger: Logger
    private let interval: Duration
    private let precision: Duration

    private final class Shard: Sendable {
        let table = Mutex(PresenceTable())
    }

    /// Presence that is written to `database` every `interval`.
    public init(
        database: Database, bus: Bus, clock: WallClock = .system, logger: Logger = Logger(label: "tidegate.fleet"),
        interval: Duration = .seconds(5), precision: Duration = .seconds(60)
    ) {
        self.database = database
        self.bus = bus
        self.clock = clock
        self.logger = logger
        self.interval = interval
        self.precision = precision
        shards = (0..<16).map { _ in Shard() }
    }

    private func shard(of device: DeviceID) -> Shard { shards[Int(device.low % UInt64(shards.count))] }

    /// Notes that a device has connected by this protocol (`mqtt`, `https`, …); keep what comes back with the
    /// connection, tell it when the device is heard, and hand it to ``disconnected(_:reason:)`` at the end.
    public func connected(_ device: AdmittedDevice, via transport: String, address: String?) -> PresenceSession {
        let session = PresenceSession(
            tenant: device.tenant, device: device.device, connected: clock.now, transport: Self.bounded(transport),
            address: Self.bounded(address ?? ""))
        let isFirst = shard(of: device.device).table.withLock { $0.connect(session) }
        if isFirst { bus.publish(DeviceOnline(tenant: device.tenant, device: device.device, time: session.connected)) }
        return session
    }

    /// Notes that a connection has ended; a second call for the same one does nothing.
    public func disconnected(_ session: PresenceSession, reason: DeviceOffline.Reason) {
        let now = clock.now
        let wasLast = shard(of: session.device).table.withLock { $0.disconnect(session, at: now) }
        if wasLast == true {
            bus.publish(DeviceOffline(tenant: session.tenant, device: session.device, time: now, reason: reason))
        }
    }

    /// What memory knows about a device beyond `stored`, which is what the database has.
    public func state(of device: DeviceID, stored: PresenceState) -> PresenceState {
        guard let line = shard(of: device).table.withLock({ $0.lines[device] }) else { return stored }
        return PresenceState(
            isOnline: !line.sessions.isEmpty, lastSeen: max(line.seen, stored.lastSeen ?? line.seen),
            connected: line.connected, disconnected: line.disconnected ?? stored.disconnected,
            connections: stored.connections + line.uncounted, transport: line.transport, address: line.address)
    }

    /// Whether a device has a connection that stays open while it has nothing to say, and when it was last heard on
    /// connections that are still in memory.
    func contact(of device: DeviceID) -> (isHeld: Bool, seen: Timestamp?) {
        shard(of: device).table.withLock { table in
            guard let line = table.lines[device] else { return (false, nil) }
            return (line.sessions.contains { $0.transport == Self.heldTransport }, line.seen)
        }
    }

    /// The protocol whose connections are kept alive by the client's own pings.
    private static let heldTransport = "mqtt"

    /// How many devices have a connection now.
    public var onlineCount: Int {
        shards.reduce(0) { count, shard in
            count + shard.table.withLock { table in table.lines.reduce(0) { $0 + ($1.value.sessions.isEmpty ? 0 : 1) } }
        }
    }

    /// Forgets a device that was deleted.
    func forget(_ device: DeviceID) { shard(of: device).table.withLock { $0.forget(device) } }

    private static func bounded(_ text: String) -> String {
        text.utf8.count <= FleetLimits.addressBytes
            ? text : String(decoding: Array(text.utf8.prefix(FleetLimits.addressBytes)), as: UTF8.self)
    }

    // MARK: - Writing

    /// Marks everybody offline, since no connection outlives the server; call it before the listeners open.
    public func start() async throws {
        try await database.platform.write { transaction in
            try transaction.acrossTenants.execute(
                "UPDATE device_presence SET online = 0, disconnected = last_seen WHERE online = 1")
        }
    }

    /// Writes what has changed since the last time.
    public func flush() async throws {
        // In the order of the table's key: at random places each row would cost a page, four times the work.
        var rows = shards.flatMap { shard in shard.table.withLock { $0.takeUnwritten(precision: precision) } }
            .sorted { ($0.tenant, $0.device) < ($1.tenant, $1.device) }[...]
        do {
            while !rows.isEmpty {
                // In parts, so that others get the database's write lock in between.
                let batch = Array(rows.prefix(FleetLimits.presenceRows * 10))
                try await database.platform.write { try PresenceWriter.write(batch, in: $0.acrossTenants) }
                rows = rows.dropFirst(batch.count)
            }
        } catch {
            for row in rows { shard(of: row.device).table.withLock { $0.restore(row) } }
            throw error
        }
    }

    /// Writes a batch every interval until the server stops, and a last one then.
    public func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await cancelWhenGracefulShutdown { [interval] in try await Task.sleep(for: interval) }
            await flushOrLog()
        }
    }

    private func flushOrLog() async {
        do {
            try await flush()
        } catch {
            // What was not written stays in memory for the next batch.
            logger.error("presence not written", metadata: ["error": "\(error)"])
        }
    }
}
