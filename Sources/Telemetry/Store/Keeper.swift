import Base
import Logging

/// Keeps the store tidy in the background: folds overlays into one chunk, and ends what is older than its retention.
struct Keeper: Sendable {
    /// Device hours of a day folded in one round.
    static let foldsPerRound = 500
    /// Summaries outlive the readings they sum up by this factor.
    static let summaryFactor: Int64 = 10

    let chunks: ChunkStore
    let summaries: SummaryStore
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
            folded = try whole.encoded(tenant: place.tenant, device: place.device)
        } catch {
            tell(of: error, at: place)
            return false
        }
        guard folded.count < parts.count else { return false }
        try await chunks.replace(parts, with: folded, at: place)
        return true
    }

    /// Whether chunks surely fit into fewer: an hour of more series or points than one chunk holds stays as it is.
    private static func mayFold(_ chunks: [Chunk]) -> Bool {
        let summaries = chunks.flatMap(\.summaries)
        return summaries.count <= ChunkLimits.columns
            && summaries.reduce(0) { $0 + $1.count } <= ChunkLimits.points
    }

    /// Ends the raw readings of days before `retention` ago, after their summaries are kept.
    func retire(retention: Duration) async throws {
        let today = (clock.now.seconds).flooredDivision(by: 86_400)
        let first = (clock.now - retention).seconds.flooredDivision(by: 86_400)
        for day in chunks.knownDays where day < first {
            try await summarise(day: day, tenant: nil)
            try await chunks.drop(day: day)
            logger.info("raw readings ended by retention", metadata: ["day": "\(ChunkStore.name(ofDay: day))"])
        }
        try await summaries.end(before: today - (today - first) * Self.summaryFactor)
    }

    /// Ends one tenant's raw readings of days before `day`, after their summaries are kept.
    func retire(tenant: TenantID, before day: Int64) async throws {
        for known in chunks.knownDays where known < day {
            try await summarise(day: known, tenant: tenant)
            try await chunks.remove(tenant: tenant, device: nil, day: known)
        }
    }

    /// Sums up what a day's chunks hold that no summary has yet; doing it again changes nothing.
    private func summarise(day: Int64, tenant: TenantID?) async throws {
        try await chunks.forEachBatch(day: day, size: 200, tenant: tenant) { batch in
            for (tenant, rows) in Dictionary(grouping: batch, by: \.tenant) {
                let devices = Dictionary(grouping: rows, by: \.device)
                var summed = try await summaries.summaries(tenant: tenant, day: day, devices: Array(devices.keys))
                for (device, rows) in devices {
                    var summary = summed.removeValue(forKey: device) ?? DaySummary()
                    let new = rows.map(\.part).filter { $0.written > summary.through }
                    guard let written = new.map(\.written).max() else { continue }
                    chunks.covered(through: written)
                    summary.add(hours(of: new, tenant: tenant, device: device), writtenThrough: written)
                    summed[device] = summary
                }
                try await summaries.keep(summed, tenant: tenant, day: day)
            }
        }
    }

    /// The columns of some parts, each hour's laid over each other.
    private func hours(of parts: [ChunkStore.Part], tenant: TenantID, device: DeviceID) -> [HourColumns] {
        var hours: [UInt32: HourColumns] = [:]
        for part in parts {
            do throws(ChunkFault) {
                let chunk = try part.chunk(tenant: tenant, device: device)
                hours[part.hour, default: HourColumns(hour: part.hour, columns: [:])].overlay(
                    try HourColumns(chunk: chunk, hour: part.hour))
            } catch {
                tell(of: error, at: ChunkPlace(tenant: tenant, device: device, hour: part.hour))
            }
        }
        return Array(hours.values)
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
}
