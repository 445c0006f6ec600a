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

    /// Folds the parts of device hours that late data has split.
    func fold(days: [Int64]) async throws {
        for day in days {
            var after: ChunkPlace?
            var folded = 0
            repeat {
                let places = try await chunks.overlaid(day: day, after: after, limit: Self.foldsPerRound)
                for place in places where folded < Self.foldsPerRound { folded += try await fold(place) ? 1 : 0 }
                after = places.count < Self.foldsPerRound ? nil : places.last
            } while after != nil && folded < Self.foldsPerRound
        }
    }

    /// Folds one device's hour; false when that makes no fewer chunks of it, or one of them is damaged.
    private func fold(_ place: ChunkPlace) async throws -> Bool {
        let parts = try await chunks.parts(
            tenant: place.tenant, device: place.device, hours: place.hour...place.hour)
        let folded: [[UInt8]]
        do throws(ChunkFault) {
            let opened = try parts.map { part throws(ChunkFault) in
                try part.chunk(tenant: place.tenant, device: place.device)
            }
            guard Self.mayFold(opened) else { return false }
            var whole = HourColumns(hour: place.hour, columns: [:])
            for chunk in opened { whole.overlay(try HourColumns(chunk: chunk, hour: place.hour)) }
            let bodies = try whole.encoded(tenant: place.tenant, device: place.device)
            guard bodies.count < parts.count else { return false }
            folded = bodies
        } catch {
            tell(of: error, at: place)
            return false
        }
        try await chunks.replace(parts.map(\.part), with: folded, at: place)
        return true
    }

    /// Whether chunks surely fit into fewer: an hour of more series or points than one chunk holds stays as it is.
    private static func mayFold(_ chunks: [Chunk]) -> Bool {
        let summaries = chunks.flatMap(\.summaries)
        return summaries.count <= ChunkLimits.columns
            && summaries.reduce(0) { $0 + $1.count } <= ChunkLimits.points
    }

    /// One device's damage must neither stop the others' upkeep nor go unseen.
    private func tell(of fault: ChunkFault, at place: ChunkPlace) {
        logger.error(
            "a stored chunk can not be read; `tidegate verify telemetry` names all such",
            metadata: [
                "tenant": "\(place.tenant)", "device": "\(place.device)", "hour": "\(place.hour)",
                "fault": "\(fault.rawValue)",
            ])
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
                let columns: HourColumns
                do throws(ChunkFault) {
                    columns = try HourColumns(chunk: part.chunk(tenant: tenant, device: device), hour: part.hour)
                } catch {
                    tell(of: error, at: ChunkPlace(tenant: tenant, device: device, hour: part.hour))
                    continue
                }
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
