import Base
import Logging

/// Moves records from the head into chunks when their hour is over, and cuts the log behind them.
///
/// Order makes it safe: chunks are committed before the head forgets, and the log is cut only behind what every head
/// has forgotten. A crash in between replays records that a chunk already holds; laid over each other they are one.
struct Flusher: Sendable {
    /// How long after its end an hour stays open for stragglers.
    static let grace = Duration.seconds(300)
    /// How long late records gather before they are written as an overlay.
    static let lateGrace = Duration.seconds(60)
    /// Bytes of records in memory above which open hours are written early.
    static let memoryBudget = 1 << 30
    /// Bytes of records of one device and hour that are written early, far below what one chunk can hold.
    static let largestBuffer = 4 << 20
    /// Device hours written in one transaction.
    static let batchSize = 500

    let log: TelemetryLog
    let head: Head
    let chunks: ChunkStore
    let series: SeriesTable
    let clock: WallClock
    let logger: Logger

    /// Writes what is due, or everything open when `all` is set, as at a graceful stop.
    func flush(all: Bool = false) async throws {
        while true {
            let sequence = log.lastSequence
            let now = clock.now
            let isTight = head.bytes > Self.memoryBudget
            let portions = head.portions(limit: Self.batchSize, lastSequence: sequence) { hour, since, bytes in
                all || Self.isDue(hour: hour, since: since, now: now) || isTight && bytes > 4096
                    || bytes > Self.largestBuffer
            }
            if portions.isEmpty { break }
            try await write(portions)
            for portion in portions { head.forget(portion, now: now.seconds) }
            if portions.count < Self.batchSize { break }
        }
        let sequence = log.lastSequence
        try log.discard(before: head.oldestSequence() ?? sequence + 1)
    }

    /// Whether the records of an hour, of which the first came at `since`, are to be written now.
    static func isDue(hour: UInt32, since: Int64, now: Timestamp) -> Bool {
        let end = Timestamp(microseconds: (Int64(hour) + 1) * 3_600_000_000)
        if now < end + grace { return false }
        // Records that came after the hour's grace are late: let a few gather.
        let arrived = Timestamp(microseconds: since * 1_000_000)
        return arrived < end + grace || now > arrived + lateGrace
    }

    private func write(_ portions: [Head.Portion]) async throws {
        var byDay: [Int64: [ChunkStore.NewChunk]] = [:]
        for portion in portions {
            guard let device = log.registry.device(inSlot: portion.slot),
                let columns = HourColumns(hour: portion.hour, records: portion.records)
            else {
                logger.error("records in memory are damaged and were dropped", metadata: ["slot": "\(portion.slot)"])
                continue
            }
            var renumbered: [UInt32: SeriesColumn] = [:]
            for (number, column) in columns.columns {
                guard let known = log.registry.series(number) else { continue }
                renumbered[try await series.number(of: known.series, unit: known.unit)] = column
            }
            let new = head.listSeries(Set(renumbered.keys), ofSlot: portion.slot)
            if !new.isEmpty {
                try await series.list(new, device: device.device, tenant: device.tenant, hour: portion.hour)
            }
            let bodies = try HourColumns(hour: portion.hour, columns: renumbered).encoded(
                tenant: device.tenant, device: device.device)
            byDay[ChunkStore.day(ofHour: portion.hour), default: []] += bodies.map {
                ChunkStore.NewChunk(tenant: device.tenant, device: device.device, hour: portion.hour, body: $0)
            }
        }
        for (day, chunks) in byDay.sorted(by: { $0.key < $1.key }) { try await self.chunks.write(chunks, day: day) }
    }
}
