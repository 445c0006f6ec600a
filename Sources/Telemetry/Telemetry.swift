public import Base
public import Logging
public import NIOCore
public import ServiceLifecycle
public import Storage

/// Readings from acceptance to answer: log, head, chunks, queries and live values, put together.
public final class Telemetry: Service, Sendable {
    /// How long raw readings are kept.
    public struct Retention: Sendable {
        /// Raw readings older than this end; their hourly summaries stay ten times as long.
        public var raw: Duration

        /// Keeps raw readings this long.
        public init(raw: Duration) {
            self.raw = raw
        }
    }

    /// The time between two looks for hours that are over.
    static let flushInterval = Duration.seconds(5)
    /// The time between two rounds of folding and retention.
    static let keepInterval = Duration.seconds(600)

    /// Answers queries.
    public let reader: TelemetryReader
    /// Shows values as they come.
    public let live: LiveFeed
    private let log: TelemetryLog
    private let head: Head
    private let chunks: ChunkStore
    private let summaries: SummaryStore
    private let flusher: Flusher
    private let keeper: Keeper
    private let retention: Retention
    private let clock: WallClock
    private let logger: Logger
    /// Whoever changes what is stored passes here: writing, folding and ending chunks never meet.
    private let gate = Gate()

    /// Telemetry whose log lies in `directory`, which exists, and whose chunks lie in `database`; call `open` first.
    public init(database: Database, directory: String, retention: Retention, clock: WallClock, logger: Logger) {
        let registry = LogRegistry()
        log = TelemetryLog(directory: directory, registry: registry, logger: logger)
        head = Head(clock: clock)
        chunks = ChunkStore(database: database, clock: clock)
        summaries = SummaryStore(database: database)
        let table = SeriesTable(database: database)
        live = LiveFeed(registry: registry)
        reader = TelemetryReader(
            registry: registry, head: head, chunks: chunks, summaries: summaries, table: table)
        flusher = Flusher(log: log, head: head, chunks: chunks, series: table, clock: clock, logger: logger)
        keeper = Keeper(chunks: chunks, summaries: summaries, clock: clock, logger: logger)
        self.retention = retention
        self.clock = clock
        self.logger = logger
    }

    /// Replays what the log holds and starts its writer; readings are accepted and found from here on.
    public func open() async throws {
        try await chunks.open()
        let now = clock.now.seconds
        try log.replay { sequence, frames in
            let isWhole = LogFrame.forEach(in: frames) { slot, hour, records in
                head.take(slot: slot, hour: hour, records: records, sequence: sequence, now: now)
            }
            if !isWhole { logger.error("a telemetry group is damaged", metadata: ["sequence": "\(sequence)"]) }
        }
        try log.start { [head, live, clock] sequence, frames in
            let now = clock.now.seconds
            _ = LogFrame.forEach(in: frames) { slot, hour, records in
                head.take(slot: slot, hour: hour, records: records, sequence: sequence, now: now)
                live.publish(slot: slot, hour: hour, records: records)
            }
        }
    }

    /// Writes chunks of finished hours, folds overlays and ends what is too old, until cancelled.
    public func run() async throws {
        var nextKeep = ContinuousClock.now + Self.flushInterval
        while !Task.isCancelled {
            do {
                try await gate.pass { try await flusher.flush() }
                if ContinuousClock.now >= nextKeep {
                    try await keep()
                    nextKeep = .now + Self.keepInterval
                }
            } catch is CancellationError {
                break
            } catch {
                // What is not written stays in memory and in the log; the next round tries again.
                logger.error("stored telemetry could not be tended", metadata: ["error": "\(error)"])
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.flushInterval) }
            if Task.isShuttingDownGracefully { break }
        }
    }

    /// Ends watching, stops the log's writer after what is queued, and writes everything open into chunks, so that the
    /// next start has nothing to replay.
    public func close() async throws {
        live.close()
        log.stop()
        try await flush()
        // Records that could not be written stay in the head, and then the log is what keeps them.
        if head.bytes == 0 { try log.discardAll() }
    }

    /// Writes every open hour into chunks now, as a backup does before it copies.
    public func flush() async throws {
        try await gate.pass { try await flusher.flush(all: true) }
    }

    /// Retires and folds once, now, as the background does every ten minutes.
    public func keep() async throws {
        try await gate.pass {
            // Retired first: what a crash left half retired must not be folded with newer readings.
            try await keeper.retire(retention: retention.raw)
            try await keeper.fold(days: chunks.knownDays)
        }
    }

    /// An end of the log for one event loop; make one for each loop and keep it.
    public func appender(for eventLoop: any EventLoop) -> LoopAppender { log.appender(for: eventLoop) }

    /// A lane for the devices of a tenant with these rules, to be used on the appender's loop only; make one for each
    /// and keep it.
    public func lane(tenant: TenantID, rules: SeriesRules, appender: LoopAppender) -> IngestLane {
        IngestLane(rules: rules, tenant: tenant, registry: log.registry, appender: appender, clock: clock)
    }

    /// The way in for a device's readings on a lane of its tenant.
    public func ingest(_ device: DeviceID, on lane: IngestLane) -> DeviceIngest {
        DeviceIngest(slot: log.registry.slot(of: device, tenant: lane.tenant), lane: lane)
    }

    /// Why readings can not be accepted any more, when they can not.
    public var failure: String? { log.failure?.description }

    /// Bytes of records that are only in log and memory yet.
    public var openBytes: Int { head.bytes }

    /// Bytes written to the log since the start.
    public var bytesLogged: UInt64 { log.bytesWritten }

    /// Ends a tenant's raw readings of whole days older than this; their hourly summaries stay.
    public func retire(tenant: TenantID, olderThan age: Duration) async throws {
        let day = (clock.now - age).seconds.flooredDivision(by: 86_400)
        try await gate.pass { try await keeper.retire(tenant: tenant, before: day) }
    }

    /// Removes the readings of a device or a whole tenant that chunks and summaries hold.
    public func remove(tenant: TenantID, device: DeviceID?) async throws {
        try await gate.pass {
            for day in chunks.knownDays { try await chunks.remove(tenant: tenant, device: device, day: day) }
            try await summaries.remove(tenant: tenant, device: device)
        }
    }
}
