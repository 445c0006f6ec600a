import Access
public import Base
import Bus
import Storage
import Synchronization

/// Heartbeats of many devices over a database of their own, without a server around them, for the benchmark.
@_spi(Benchmarks)
public final class HeartbeatBench: Sendable {
    /// How long the bench's server has run.
    private final class Age: Sendable {
        private let seconds = Mutex<Int64>(0)
        var time: Duration { .seconds(seconds.withLock { $0 }) }
        var clock: WallClock { WallClock { [self] in Timestamp(microseconds: 1_800_000_000_000_000) + time } }
        func pass(_ more: Int64) { seconds.withLock { $0 += more } }
    }

    /// The devices.
    public let devices: [DeviceID]
    private let heartbeats: Heartbeats
    private let database: Database
    private let age = Age()
    private let told = Counter()

    /// So many devices that call every five minutes and have called now, over a SQLite file.
    public init(path: String, devices count: Int) async throws {
        let (clock, age) = (age.clock, age)
        let (tenant, domain) = (TenantID(now: clock.now), DomainID(now: clock.now))
        let devices = (0..<count).map { _ in DeviceID(now: clock.now) }.sorted()
        let tenants = TenantDirectory()
        let directory = DeviceDirectory(tenants: tenants, clock: clock)
        let bus = Bus()
        database = try await Database.open(.sqlite(path: path))
        try await database.migrate([FleetSchema.part])
        let drafts = devices.compactMap { id in
            Name("d-\(id)").map { name in
                Device(
                    id: id, name: name, domain: domain, model: nil, status: .active, capabilities: [], identifiers: [],
                    labels: [:], attributes: [:], components: [:], location: nil, place: nil, created: clock.now,
                    enrolled: clock.now, changed: clock.now, revision: 1)
            }
        }
        try await database.tenant(tenant).write { try DeviceStore.insert(drafts, in: $0) }
        directory.change { table in for device in drafts { table.put(device.entry(of: tenant)) } }
        heartbeats = Heartbeats(
            database: database, bus: bus, directory: directory, served: tenants,
            presence: Presence(database: database, bus: bus, clock: clock), clock: clock, steady: { age.time })
        self.devices = devices
        heartbeats.put(directory.active(of: tenant), of: tenant, HeartbeatPolicies())
        bus.subscribe(to: DevicesLate.self) { [told] in told.add($0.devices.count) }
        try await heartbeats.turn()
    }

    /// What a poll costs: the pause that the device is told, and the note that it called.
    public func poll(_ device: DeviceID) -> Int64 {
        let now = age.clock.now
        heartbeats.called(device, at: now)
        return heartbeats.pause(of: device, isBusy: false, at: now)
    }

    /// Lets the time pass until nobody is late yet, but everybody is within the next turn.
    public func passUntilLate() async throws {
        for _ in 0..<132 {
            age.pass(5)
            try await heartbeats.turn()
        }
        age.pass(5)
    }

    /// One turn, with what it finds on disk and told; answers how many became late so far.
    public func turn() async throws -> Int {
        try await heartbeats.turn()
        return Int(told.value)
    }

    /// Closes the database.
    public func close() async { await database.close() }
}
