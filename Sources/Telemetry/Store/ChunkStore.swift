import Base
import Storage
import Synchronization

/// Chunks in their day partitions, and the numbers by which they name series.
///
/// A row is written once and never changed: records that come after their hour was written go into a further part of
/// the same device and hour, which queries lay over the earlier ones and the merger folds in later.
final class ChunkStore: Sendable {
    /// One chunk to be written.
    struct NewChunk: Sendable {
        var tenant: TenantID
        var device: DeviceID
        var hour: UInt32
        var body: [UInt8]
    }

    /// One stored part and whose it is.
    struct StoredPart: Sendable {
        var tenant: TenantID
        var device: DeviceID
        var part: Part
    }

    /// One stored part.
    struct Part: Sendable {
        var hour: UInt32
        var part: Int64
        /// The second in which it was written.
        var written: Int64
        var body: [UInt8]

        /// The body, opened as the chunk of this device's hour.
        func chunk(tenant: TenantID, device: DeviceID) throws(ChunkFault) -> Chunk {
            try Chunk(body, at: ChunkPlace(tenant: tenant, device: device, hour: hour))
        }
    }

    let database: Database
    private let clock: WallClock
    private let days = Mutex<Set<Int64>>([])
    private let earliest = Mutex<Int64>(0)

    init(database: Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Learns which partitions exist; called once at the start.
    func open() async throws {
        let known = try await database.platform.read { tx in
            try tx.rows("SELECT day FROM telemetry_day").map { try $0.integer(0) }
        }
        days.withLock { $0 = Set(known) }
    }

    /// The days that have a partition, oldest first.
    var knownDays: [Int64] { days.withLock { $0.sorted() } }

    /// The day, counted from the epoch, that an hour belongs to.
    static func day(ofHour hour: UInt32) -> Int64 { Int64(hour) / 24 }

    /// Writes chunks of one day in one transaction, each as the next part of its device and hour.
    func write(_ chunks: [NewChunk], day: Int64) async throws {
        let partition = try await partition(ofDay: day)
        let written = stamp()
        try await partition.platform.write { tx in
            for chunk in chunks {
                try Self.insert(
                    chunk.body, device: chunk.device, hour: chunk.hour, written: written,
                    in: tx.scoped(to: chunk.tenant))
            }
        }
    }

    /// The second in which a chunk is written: one that no summary covers yet.
    private func stamp() -> Int64 { earliest.withLock { max($0, clock.now.seconds) } }

    /// Notes that summaries cover what was written up to `written`; what follows is later, whatever the clock says.
    func covered(through written: Int64) { earliest.withLock { $0 = max($0, written + 1) } }

    /// The parts of a device's hours, in the order in which they are laid over each other.
    func parts(tenant: TenantID, device: DeviceID, hours: ClosedRange<UInt32>) async throws -> [Part] {
        var found: [Part] = []
        for day in Self.day(ofHour: hours.lowerBound)...Self.day(ofHour: hours.upperBound) {
            guard days.withLock({ $0.contains(day) }) else { continue }
            let partition = try await partition(ofDay: day)
            found += try await partition.tenant(tenant).read { tx in
                try tx.rows(
                    """
                    SELECT hour, part, written, body FROM chunk
                    WHERE tenant = $1 AND device = $2 AND hour BETWEEN $3 AND $4 ORDER BY hour, part
                    """, device, Int64(hours.lowerBound), Int64(hours.upperBound)
                ).map { try Part($0, from: 0) }
            }
        }
        return found
    }

    /// Replaces parts of a device's hour by chunks that hold the same, as the next parts, in one transaction.
    func replace(_ parts: [Part], with bodies: [[UInt8]], at place: ChunkPlace) async throws {
        let partition = try await partition(ofDay: Self.day(ofHour: place.hour))
        let written = parts.map(\.written).max() ?? stamp()
        try await partition.tenant(place.tenant).write { tx in
            for body in bodies {
                try Self.insert(body, device: place.device, hour: place.hour, written: written, in: tx)
            }
            for part in parts {
                try tx.execute(
                    "DELETE FROM chunk WHERE tenant = $1 AND device = $2 AND hour = $3 AND part = $4", place.device,
                    Int64(place.hour), part.part)
            }
        }
    }

    private static func insert(
        _ body: [UInt8], device: DeviceID, hour: UInt32, written: Int64, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO chunk (tenant, device, hour, part, written, body)
            SELECT $1, $2, $3, COALESCE(MAX(part), -1) + 1, $4, $5 FROM chunk
            WHERE tenant = $1 AND device = $2 AND hour = $3
            """, device, Int64(hour), written, body)
    }

    /// Device hours of a day that have more than one part, in order, behind `after`.
    func overlaid(day: Int64, after: ChunkPlace?, limit: Int) async throws -> [ChunkPlace] {
        let partition = try await partition(ofDay: day)
        return try await partition.platform.read { tx in
            try tx.acrossTenants.rows(
                """
                SELECT tenant, device, hour FROM chunk
                WHERE hour BETWEEN $1 AND $2 AND (tenant, device, hour) > ($3, $4, $5)
                GROUP BY tenant, device, hour HAVING COUNT(*) > 1 ORDER BY tenant, device, hour LIMIT $6
                """, day * 24, day * 24 + 23, after?.tenant.bytes ?? [], after?.device.bytes ?? [],
                Int64(after?.hour ?? 0), limit
            ).map {
                ChunkPlace(
                    tenant: try $0.identifier(0), device: try $0.identifier(1),
                    hour: UInt32(clamping: try $0.integer(2)))
            }
        }
    }

    /// Hands every chunk of a day, or only a tenant's, to `body`, those of up to `size` devices at a time, ordered by
    /// tenant, device, hour and part.
    func forEachBatch(
        day: Int64, size: Int, tenant only: TenantID? = nil, _ body: ([StoredPart]) async throws -> Void
    ) async throws {
        let partition = try await partition(ofDay: day)
        var after: (tenant: [UInt8], device: [UInt8]) = (only?.bytes ?? [], [])
        while true {
            let (tenant, device) = after
            let batch = try await partition.platform.read { tx in
                try tx.acrossTenants.rows(
                    """
                    SELECT c.tenant, c.device, c.hour, c.part, c.written, c.body FROM chunk c
                    JOIN (SELECT DISTINCT tenant, device FROM chunk
                          WHERE hour BETWEEN $1 AND $2 AND (tenant > $3 OR (tenant = $3 AND device > $4))
                              AND (tenant = $5 OR $6 = 1)
                          ORDER BY tenant, device LIMIT $7) d ON d.tenant = c.tenant AND d.device = c.device
                    WHERE c.hour BETWEEN $1 AND $2 ORDER BY c.tenant, c.device, c.hour, c.part
                    """, day * 24, day * 24 + 23, tenant, device, only?.bytes ?? [], only == nil, size
                ).map {
                    StoredPart(tenant: try $0.identifier(0), device: try $0.identifier(1), part: try Part($0, from: 2))
                }
            }
            guard let last = batch.last else { return }
            try await body(batch)
            after = (last.tenant.bytes, last.device.bytes)
        }
    }

    /// Removes a day with all its chunks.
    func drop(day: Int64) async throws {
        if database.kind == .sqlite {
            try await database.dropPartition(named: Self.name(ofDay: day))
        } else {
            let partition = try await partition(ofDay: day)
            try await partition.platform.write { tx in
                try tx.acrossTenants.execute("DELETE FROM chunk WHERE hour BETWEEN $1 AND $2", day * 24, day * 24 + 23)
            }
        }
        try await database.platform.write { tx in try tx.execute("DELETE FROM telemetry_day WHERE day = $1", day) }
        _ = days.withLock { $0.remove(day) }
    }

    /// Removes a tenant's chunks of a day, or only a device's.
    func remove(tenant: TenantID, device: DeviceID?, day: Int64) async throws {
        let partition = try await partition(ofDay: day)
        try await partition.tenant(tenant).write { tx in
            if let device {
                try tx.execute(
                    "DELETE FROM chunk WHERE tenant = $1 AND device = $2 AND hour BETWEEN $3 AND $4", device, day * 24,
                    day * 24 + 23)
            } else {
                try tx.execute(
                    "DELETE FROM chunk WHERE tenant = $1 AND hour BETWEEN $2 AND $3", day * 24, day * 24 + 23)
            }
        }
    }

    /// The partition of a day, made on first use.
    private func partition(ofDay day: Int64) async throws -> Database {
        if !days.withLock({ $0.contains(day) }) {
            try await database.platform.write { tx in
                try tx.execute("INSERT INTO telemetry_day (day) VALUES ($1) ON CONFLICT (day) DO NOTHING", day)
            }
            _ = days.withLock { $0.insert(day) }
        }
        return try await database.partition(named: Self.name(ofDay: day), [TelemetrySchema.partition])
    }

    /// The partition's name: the date, such as `2026-11-21`.
    static func name(ofDay day: Int64) -> String {
        String(Timestamp(microseconds: day * 86_400_000_000).rfc3339.prefix(10))
    }
}

extension ChunkStore.Part {
    /// The part in a row that selects hour, part, written and body from this column on.
    fileprivate init(_ row: Row, from column: Int) throws {
        self.init(
            hour: UInt32(clamping: try row.integer(column)), part: try row.integer(column + 1),
            written: try row.integer(column + 2), body: try row.blob(column + 3))
    }
}
