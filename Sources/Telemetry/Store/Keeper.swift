import Base
import Logging
import Storage

/// Keeps the store tidy in the background: folds overlays into one chunk, and ends what is older than its retention.
struct Keeper: Sendable {
    /// Device hours folded in one round.
    static let foldsPerRound = 500
    /// Summaries outlive the readings they sum up by this factor.
    static let summaryFactor: Int64 = 10

    let chunks: ChunkStore
    let clock: WallClock
    let logger: Logger

    /// Folds the parts of device hours that late data has split, for days that changed no more than `days` ago.
    func fold(days: [Int64]) async throws {
        for day in days {
            for (tenant, device, hour) in try await chunks.overlaid(day: day, limit: Self.foldsPerRound) {
                let parts = try await chunks.parts(tenant: tenant, device: device, hours: hour...hour)
                guard var whole = try parts.first.map({ try HourColumns(hour: hour, encoded: $0.body) }) else { continue }
                for part in parts.dropFirst() { whole.overlay(try HourColumns(hour: hour, encoded: part.body)) }
                try await chunks.replace(
                    parts.map(\.part),
                    with: ChunkStore.NewChunk(tenant: tenant, device: device, hour: hour, body: try whole.encoded()))
            }
        }
    }

    /// Ends the raw readings of days before `retention` ago, after their summaries are kept.
    func retire(retention: Duration) async throws {
        let today = (clock.now.seconds).flooredDivision(by: 86_400)
        let first = (clock.now - retention).seconds.flooredDivision(by: 86_400)
        for day in chunks.knownDays where day < first {
            try await summarise(day: day)
            try await chunks.drop(day: day)
            logger.info("raw readings ended by retention", metadata: ["day": "\(ChunkStore.name(ofDay: day))"])
        }
        let kept = today - (today - first) * Self.summaryFactor
        try await chunks.database.platform.write { tx in
            try tx.acrossTenants.execute("DELETE FROM day_summary WHERE day < $1", kept)
        }
    }

    private func summarise(day: Int64) async throws {
        let database = chunks.database
        try await chunks.forEachBatch(day: day, size: 200) { batch in
            var byDevice: [TenantID: [DeviceID: [UInt32: HourColumns]]] = [:]
            for (tenant, device, part) in batch {
                let columns = try HourColumns(hour: part.hour, encoded: part.body)
                if byDevice[tenant]?[device]?[part.hour] == nil {
                    byDevice[tenant, default: [:]][device, default: [:]][part.hour] = columns
                } else {
                    byDevice[tenant]?[device]?[part.hour]?.overlay(columns)
                }
            }
            for (tenant, devices) in byDevice {
                let rows = devices.map { device, hours in (device, DaySummary(hours: Array(hours.values)).encoded()) }
                try await database.tenant(tenant).write { tx in
                    for (device, body) in rows {
                        try tx.execute(
                            """
                            INSERT INTO day_summary (tenant, device, day, body) VALUES ($1, $2, $3, $4)
                            ON CONFLICT (tenant, device, day) DO UPDATE SET body = excluded.body
                            """, device, day, body)
                    }
                }
            }
        }
    }
}
