import Base
import Dispatch
public import Logging
public import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The durable log of accepted records: append-only segments written by one thread in groups.
///
/// Loops hand over what one turn brought (`LoopAppender`); the writer thread writes everything that has gathered,
/// synchronises once, lets the head take it and then answers each loop. When idle it writes at once; under load it
/// starts groups `groupInterval` apart, which costs the least processor time per message.
public final class TelemetryLog: Sendable {
    /// The time between the starts of two groups under load.
    public static let groupInterval = Duration.milliseconds(3)
    /// A new segment is begun after this many bytes.
    public static let segmentLength = 64 << 20
    /// What one loop may have waiting for the disk before its connections stop reading.
    static let maximumBytesInFlightPerLoop = 16 << 20

    private struct Batch {
        var frames: [UInt8]
        var ticket: UInt64
        var appender: LoopAppender
    }

    private struct Queue {
        var batches: [Batch] = []
        var writerSleeps = false
        var isStopping = false
        var failure: LogError?
    }

    /// A finished or current segment file.
    struct Segment: Sendable {
        var path: String
        var firstSequence: UInt64
    }

    /// Numbers for devices and series.
    public let registry: LogRegistry
    private let directory: String
    private let logger: Logger
    private let queue = Mutex(Queue())
    private let segments = Mutex<[Segment]>([])
    private let committedSequence = Atomic<UInt64>(0)
    private let committedBytes = Atomic<UInt64>(0)
    private let wake = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)

    /// A log in `directory`, which exists; call `replay`, then `start`.
    public init(directory: String, registry: LogRegistry, logger: Logger) {
        self.directory = directory
        self.registry = registry
        self.logger = logger
    }

    /// The sequence of the newest group on disk.
    public var lastSequence: UInt64 { committedSequence.load(ordering: .acquiring) }

    /// Bytes written since the start.
    public var bytesWritten: UInt64 { committedBytes.load(ordering: .relaxed) }

    /// The error that stopped the writer, if one did.
    public var failure: LogError? { queue.withLock { $0.failure } }

    /// An appender for one event loop.
    public func appender(for eventLoop: any EventLoop) -> LoopAppender {
        LoopAppender(eventLoop: eventLoop, log: self)
    }

    /// Reads registry and segments that an earlier run left and gives each group of frames to `take`.
    ///
    /// A torn end, from a crash in the middle of a write, was never acknowledged and is cut off; damage in front of
    /// good groups is reported and skipped.
    func replay(_ take: (_ sequence: UInt64, _ frames: UnsafeRawBufferPointer) -> Void) throws {
        if let bytes = try LogFile.contents(of: registryPath) {
            let good = registry.load(bytes)
            if good < bytes.count {
                logger.warning("cut a torn end off the telemetry registry", metadata: ["bytes": "\(bytes.count - good)"])
            }
            var file = try LogFile(appendingTo: registryPath, at: good)
            try file.append(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let names = try LogFile.names(in: directory).filter { $0.hasPrefix("log-") && $0.hasSuffix(".seg") }
        var found: [Segment] = []
        var last: UInt64 = 0
        for name in names {
            guard let first = UInt64(name.dropFirst(4).dropLast(4), radix: 16) else { continue }
            let path = "\(directory)/\(name)"
            guard let bytes = try LogFile.contents(of: path) else { continue }
            let good = LogGroup.forEach(in: bytes) { sequence, frames in
                take(sequence, frames)
                last = max(last, sequence)
            }
            if good < bytes.count {
                logger.warning(
                    "skipped the unreadable end of a telemetry segment",
                    metadata: ["segment": "\(name)", "bytes": "\(bytes.count - good)"])
            }
            found.append(Segment(path: path, firstSequence: first))
        }
        segments.withLock { $0 = found }
        committedSequence.store(last, ordering: .releasing)
    }

    /// Starts the writer; `take` gets each group on the writer's thread after it is on disk and before anybody is
    /// told so.
    func start(_ take: @escaping @Sendable (_ sequence: UInt64, _ frames: UnsafeRawBufferPointer) -> Void) throws {
        let registryLength = try LogFile.contents(of: registryPath)?.count ?? 0
        let registryFile = try LogFile(appendingTo: registryPath, at: registryLength)
        let segment = try beginSegment(at: lastSequence + 1)
        let files = Mutex<WriterFiles?>(WriterFiles(registry: registryFile, segment: segment))
        let thread = DispatchQueue(label: "tidegate.telemetry.log", qos: .userInitiated)
        thread.async { [self] in
            guard let files = files.withLock({ $0.take() }) else { return }
            write(files, take)
            stopped.signal()
        }
    }

    /// Writes what is queued, then ends the writer.
    func stop() {
        let mustWake = queue.withLock { queue in
            queue.isStopping = true
            return queue.writerSleeps
        }
        if mustWake { wake.signal() }
        stopped.wait()
    }

    /// Removes whole segments whose groups are all older than `sequence`.
    func discard(before sequence: UInt64) throws {
        let obsolete = segments.withLock { segments in
            var obsolete: [Segment] = []
            while segments.count > 1, segments[1].firstSequence <= sequence { obsolete.append(segments.removeFirst()) }
            return obsolete
        }
        try Self.remove(obsolete)
    }

    /// Removes all segments, once the writer has stopped and chunks hold everything.
    func discardAll() throws {
        try Self.remove(segments.withLock { segments in
            defer { segments = [] }
            return segments
        })
    }

    private static func remove(_ segments: [Segment]) throws {
        for segment in segments {
            guard unlink(segment.path) == 0 || errno == ENOENT else {
                throw LogError(operation: "remove", path: segment.path, code: errno)
            }
        }
    }

    func submit(_ frames: [UInt8], ticket: UInt64, from appender: LoopAppender) {
        let (mustWake, failed) = queue.withLock { queue in
            if queue.failure != nil || queue.isStopping { return (false, true) }
            queue.batches.append(Batch(frames: frames, ticket: ticket, appender: appender))
            defer { queue.writerSleeps = false }
            return (queue.writerSleeps, false)
        }
        if mustWake { wake.signal() }
        if failed { appender.eventLoop.execute { appender.failed() } }
    }

    // MARK: The writer's thread

    private struct WriterFiles: ~Copyable {
        var registry: LogFile
        var segment: LogFile
    }

    private var registryPath: String { "\(directory)/registry.log" }

    private func beginSegment(at sequence: UInt64) throws(LogError) -> LogFile {
        let digits = String(sequence, radix: 16)
        let path = "\(directory)/log-\(String(repeating: "0", count: 16 - digits.count))\(digits).seg"
        let file = try LogFile(appendingTo: path, at: 0)
        try LogFile.synchroniseDirectory(directory)
        segments.withLock { segments in
            segments.removeAll { $0.path == path }
            segments.append(Segment(path: path, firstSequence: sequence))
        }
        return file
    }

    private func write(
        _ opened: consuming WriterFiles, _ take: (_ sequence: UInt64, _ frames: UnsafeRawBufferPointer) -> Void
    ) {
        var files = opened
        let clock = ContinuousClock()
        var group: [UInt8] = []
        while let batches = nextBatches() {
            let began = clock.now
            let sequence = lastSequence + 1
            group.removeAll(keepingCapacity: true)
            for batch in batches { group.append(contentsOf: batch.frames) }
            do {
                try commit(group, sequence: sequence, to: &files)
            } catch {
                return fail(error, batches)
            }
            group.withUnsafeBytes { take(sequence, $0) }
            committedSequence.store(sequence, ordering: .releasing)
            committedBytes.add(UInt64(group.count), ordering: .relaxed)
            answer(batches)
            let rest = Self.groupInterval - (clock.now - began)
            if rest > .zero { usleep(UInt32(clamping: rest.microseconds)) }
        }
    }

    /// Everything that has gathered, waiting for the first; nil when the log is stopped and empty.
    private func nextBatches() -> [Batch]? {
        while true {
            let (batches, isStopping) = queue.withLock { queue in
                let batches = queue.batches
                queue.batches = []
                queue.writerSleeps = batches.isEmpty && !queue.isStopping
                return (batches, queue.isStopping)
            }
            if !batches.isEmpty { return batches }
            if isStopping { return nil }
            wake.wait()
        }
    }

    private func commit(_ group: [UInt8], sequence: UInt64, to files: inout WriterFiles) throws(LogError) {
        let definitions = registry.takeUnwritten()
        if !definitions.isEmpty {
            try append(definitions, to: &files.registry)
            try files.registry.synchronise()
        }
        if files.segment.length > Self.segmentLength { files.segment = try beginSegment(at: sequence) }
        let sum = group.withUnsafeBytes { Checksum.of($0, continuing: LogGroup.checksumSeed(sequence)) }
        try append(LogGroup.header(sequence: sequence, length: group.count, checksum: sum), to: &files.segment)
        try append(group, to: &files.segment)
        try files.segment.synchronise()
    }

    private func append(_ bytes: [UInt8], to file: inout LogFile) throws(LogError) {
        var failure: LogError?
        bytes.withUnsafeBytes { raw in
            do throws(LogError) { try file.append(raw) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Tells each loop once how far its hand-overs have come.
    private func answer(_ batches: [Batch]) {
        var newest: [(appender: LoopAppender, ticket: UInt64)] = []
        for batch in batches {
            if let index = newest.firstIndex(where: { $0.appender === batch.appender }) {
                newest[index].ticket = batch.ticket
            } else {
                newest.append((batch.appender, batch.ticket))
            }
        }
        for (appender, ticket) in newest { appender.eventLoop.execute { appender.committed(through: ticket) } }
    }

    /// After a failed write nothing may be acknowledged any more: what is on disk is unknown until the next start.
    private func fail(_ error: LogError, _ batches: [Batch]) {
        logger.critical("the telemetry log can not be written", metadata: ["error": "\(error)"])
        let open = queue.withLock { queue in
            queue.failure = error
            defer { queue.batches = [] }
            return batches + queue.batches
        }
        for batch in open { batch.appender.eventLoop.execute { batch.appender.failed() } }
    }
}
