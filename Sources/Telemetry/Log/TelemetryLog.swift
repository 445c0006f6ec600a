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
    /// The time between two attempts while the disk is full.
    static let spaceInterval = DispatchTimeInterval.seconds(1)
    /// Bytes that must fit on the disk before a log that found it full goes on.
    static let spaceBytes = 1 << 20
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
    private let marked = Atomic<UInt64>(0)
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

    /// Why nothing can be written now, if so; a full disk passes, anything else lasts until the next start.
    public var failure: LogError? { queue.withLock { $0.failure } }

    /// An appender for one event loop.
    public func appender(for eventLoop: any EventLoop) -> LoopAppender {
        LoopAppender(eventLoop: eventLoop, log: self)
    }

    /// Reads registry and segments that an earlier run left and gives each group of frames to `take` that chunks do not
    /// surely hold already.
    ///
    /// A torn end, from a crash in the middle of a write, was never acknowledged and is cut off; damage in front of
    /// good groups is reported and skipped.
    func replay(_ take: (_ sequence: UInt64, _ frames: UnsafeRawBufferPointer) -> Void) throws {
        if let bytes = try LogFile.contents(of: registryPath) {
            let good = registry.load(bytes)
            if good < bytes.count {
                // Cutting off entries that records use would give their numbers to others.
                guard LogRegistry.isUnfinished(bytes[good...]) else {
                    throw LogError(operation: "read at offset \(good) of", path: registryPath, code: 0)
                }
                logger.warning(
                    "cut a torn end off the telemetry registry", metadata: ["bytes": "\(bytes.count - good)"])
            }
            _ = try LogFile(appendingTo: registryPath, at: good)
        }
        let first = try LogMark.read(in: directory) ?? 0
        var found: [Segment] = []
        // Without segments the numbers still go on behind the mark, or it would hide new groups.
        var last = max(first, 1) - 1
        for name in try LogFile.names(in: directory) {
            guard let named = Self.firstSequence(named: name) else { continue }
            let path = "\(directory)/\(name)"
            guard let bytes = try LogFile.contents(of: path) else { continue }
            bytes.withUnsafeBytes { raw in
                LogGroup.forEach(in: raw) { finding in
                    switch finding {
                    case .group(let sequence, _, let frames):
                        last = max(last, sequence)
                        if sequence >= first { take(sequence, UnsafeRawBufferPointer(rebasing: raw[frames])) }
                    case .unfinished(let place):
                        tell("skipped the unfinished end of a telemetry segment", name, place)
                    case .damage(let place):
                        // What can not be read stays where it is: the next segment gets another name.
                        last = max(last, named)
                        tell("skipped damage in a telemetry segment", name, place)
                    }
                }
            }
            found.append(Segment(path: path, firstSequence: named))
        }
        segments.withLock { $0 = found }
        marked.store(first, ordering: .relaxed)
        committedSequence.store(last, ordering: .releasing)
    }

    private func tell(_ what: Logger.Message, _ segment: String, _ place: Range<Int>) {
        logger.warning(
            what, metadata: ["segment": "\(segment)", "offset": "\(place.lowerBound)", "bytes": "\(place.count)"])
    }

    /// The sequence of the first group in a segment of this name; nil when it is none.
    static func firstSequence(named name: String) -> UInt64? {
        guard name.hasPrefix("log-"), name.hasSuffix(".seg") else { return nil }
        return UInt64(name.dropFirst(4).dropLast(4), radix: 16)
    }

    /// Starts the writer; `take` gets each group on the writer's thread after it is on disk and before anybody is
    /// told so.
    func start(_ take: @escaping @Sendable (_ sequence: UInt64, _ frames: UnsafeRawBufferPointer) -> Void) throws {
        let registryLength = try LogFile.contents(of: registryPath)?.count ?? 0
        let registryFile = try LogFile(appendingTo: registryPath, at: registryLength)
        let segment = try beginSegment(at: lastSequence + 1)
        let files = Mutex<WriterFiles?>(
            WriterFiles(registry: registryFile, segment: segment, goodRegistry: registryLength))
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

    /// Notes that chunks hold the groups before `sequence`, and removes the segments that hold no other.
    func discard(before sequence: UInt64) throws {
        if sequence > marked.load(ordering: .relaxed) {
            try LogMark.write(sequence, in: directory)
            marked.store(sequence, ordering: .relaxed)
        }
        let obsolete = segments.withLock { segments in
            var obsolete: [Segment] = []
            while segments.count > 1, segments[1].firstSequence <= sequence { obsolete.append(segments.removeFirst()) }
            return obsolete
        }
        try Self.remove(obsolete)
    }

    /// Removes all segments, once the writer has stopped and chunks hold everything.
    func discardAll() throws {
        try Self.remove(
            segments.withLock { segments in
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
        if failed { appender.eventLoop.execute { appender.failed(through: ticket) } }
    }

    // MARK: The writer's thread

    private struct WriterFiles: ~Copyable {
        var registry: LogFile
        var segment: LogFile
        /// How far both are known to be on the disk.
        var goodRegistry: Int
        var goodSegment = 0
    }

    private var registryPath: String { "\(directory)/\(LogRegistry.fileName)" }

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
                fail(error, batches)
                guard error.isFullDisk, awaitSpace(&files) else { return }
                continue
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
            do throws(LogError) {
                try files.registry.append(definitions)
                try files.registry.synchronise()
            } catch {
                registry.putBack(definitions)
                throw error
            }
            files.goodRegistry = files.registry.length
        }
        if files.segment.length > Self.segmentLength {
            files.segment = try beginSegment(at: sequence)
            files.goodSegment = 0
        }
        let sum = group.withUnsafeBytes { Checksum.of($0, continuing: LogGroup.checksumSeed(sequence)) }
        try files.segment.append(LogGroup.header(sequence: sequence, length: group.count, checksum: sum))
        try files.segment.append(group)
        try files.segment.synchronise()
        files.goodSegment = files.segment.length
    }

    /// Tells each loop once how far its hand-overs have come.
    private func answer(_ batches: [Batch]) {
        for (appender, ticket) in Self.newest(batches) {
            appender.eventLoop.execute { appender.committed(through: ticket) }
        }
    }

    private static func newest(_ batches: [Batch]) -> [(appender: LoopAppender, ticket: UInt64)] {
        var newest: [(appender: LoopAppender, ticket: UInt64)] = []
        for batch in batches {
            if let index = newest.firstIndex(where: { $0.appender === batch.appender }) {
                newest[index].ticket = batch.ticket
            } else {
                newest.append((batch.appender, batch.ticket))
            }
        }
        return newest
    }

    /// After a failed write nothing may be acknowledged: what is on disk is unknown until it is cut off, or until the
    /// next start.
    private func fail(_ error: LogError, _ batches: [Batch]) {
        logger.critical(
            "the telemetry log can not be written; no reading is acknowledged", metadata: ["error": "\(error)"])
        let open = queue.withLock { queue in
            queue.failure = error
            queue.writerSleeps = true
            defer { queue.batches = [] }
            return batches + queue.batches
        }
        for (appender, ticket) in Self.newest(open) {
            appender.eventLoop.execute { appender.failed(through: ticket) }
        }
    }

    /// Waits until a full disk takes writes again and goes on in a new segment, what was half written cut off; false
    /// when the log is to stop before.
    private func awaitSpace(_ files: inout WriterFiles) -> Bool {
        while !queue.withLock({ $0.isStopping }) {
            _ = wake.wait(timeout: .now() + Self.spaceInterval)
            do throws(LogError) {
                try LogFile.probe(directory, bytes: Self.spaceBytes)
                files.registry = try LogFile(appendingTo: registryPath, at: files.goodRegistry)
                _ = try LogFile(appendingTo: files.segment.path, at: files.goodSegment)
                files.segment = try beginSegment(at: lastSequence + 1)
                files.goodSegment = 0
            } catch {
                continue
            }
            queue.withLock { $0.failure = nil }
            logger.notice("the telemetry log is written again; readings are acknowledged")
            return true
        }
        return false
    }
}
