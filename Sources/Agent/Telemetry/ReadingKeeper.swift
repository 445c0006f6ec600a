package import Base

/// Keeps readings until the server has them: on disk, and in memory for as long as the disk takes none.
///
/// A disk that is full, read-only or broken costs what the memory has no room for, and never the agent.
package struct ReadingKeeper {
    /// Some readings, to be sent together.
    package struct Part {
        /// The readings, in the order in which they were kept.
        package let readings: [JSONValue]
        fileprivate let file: ReadingBuffer.Part?
        /// The number of the first one, of those in memory.
        fileprivate let first: Int
    }

    private let state: String
    private let room: Int64
    private let kept: Int64
    private var disk: ReadingBuffer?
    private var memory: [(reading: JSONValue, bytes: Int)] = []
    private var memoryBytes = 0
    /// The number of the first reading in memory.
    private var first = 0
    private var failed: ContinuousClock.Instant?
    /// Parts that the server has and the disk did not let go.
    private var done: Set<String> = []
    private var earlierLost: Int64 = 0
    /// Why the disk takes no readings now; nil when it does.
    package private(set) var fault: String?

    /// A keeper in `state`, with room for so many bytes; what the server has stays for `kept` seconds.
    package init(state: String, room: Int64, kept: Int64 = 0) {
        (self.state, self.room, self.kept) = (state, room, kept)
        mend()
    }

    /// Bytes of all that waits.
    package var bytes: Int64 { (disk?.bytes ?? 0) + Int64(memoryBytes) }

    /// Readings that went because there was no room, or that could not be read any more.
    package var lost: Int64 { earlierLost + (disk?.lost ?? 0) }

    /// Keeps readings, in their order.
    package mutating func append(_ readings: [JSONValue]) {
        let good = readings.filter { $0.canonical.utf8.count <= AgentLimits.payloadBytes }
        earlierLost += Int64(readings.count - good.count)
        mend()
        guard disk != nil, memory.isEmpty else { return hold(good) }
        do {
            try disk?.append(contentsOf: good)
        } catch {
            fail(error)
            // Some of them may be on disk as well; the server lays the same over itself.
            hold(good)
        }
    }

    /// What is to be sent next, nil when nothing waits.
    package mutating func oldest() -> Part? {
        mend()
        do {
            if let part = try disk?.oldest(except: done) { return Part(readings: part.readings, file: part, first: 0) }
        } catch {
            fail(error)
        }
        var (some, bytes): ([JSONValue], Int) = ([], 0)
        for (reading, size) in memory {
            if bytes + size > AgentLimits.partBytes { break }
            some.append(reading)
            bytes += size
        }
        return some.isEmpty ? nil : Part(readings: some, file: nil, first: first)
    }

    /// Counts readings that are not kept.
    package mutating func giveUp(_ count: Int) { earlierLost += Int64(count) }

    /// Forgets what the server has; `lost` of it the server will never take.
    package mutating func erase(_ part: Part, lost: Int = 0) {
        giveUp(lost)
        guard let file = part.file else { return drop(part.first + part.readings.count - first) }
        do {
            try disk?.erase(file)
        } catch {
            done.insert(file.path)
            fail(error)
        }
    }

    /// Brings back what the server had, as the buffer on disk does.
    package mutating func bringBack(_ range: ClosedRange<Int64>, series: Set<String>) throws -> Int {
        if let fault { throw FileFailure(fault) }
        done = []
        return try disk?.bringBack(range, series: series) ?? 0
    }

    // MARK: - Memory

    private mutating func hold(_ readings: [JSONValue]) {
        for reading in readings {
            let bytes = reading.canonical.utf8.count + 1
            memory.append((reading, bytes))
            memoryBytes += bytes
        }
        var excess = 0
        var over = memoryBytes - AgentLimits.memoryBytes
        while over > 0, excess < memory.count {
            over -= memory[excess].bytes
            excess += 1
        }
        earlierLost += Int64(excess)
        drop(excess)
    }

    private mutating func drop(_ count: Int) {
        let count = min(max(count, 0), memory.count)
        memoryBytes -= memory.prefix(count).reduce(0) { $0 + $1.bytes }
        memory.removeFirst(count)
        first += count
    }

    // MARK: - Disk

    private mutating func fail(_ error: any Error) {
        fault = "\(error)"
        failed = .now
        earlierLost += disk?.lost ?? 0
        disk = nil
    }

    /// Tries the disk again, not too often, and puts what memory has behind what the disk has.
    private mutating func mend() {
        guard disk == nil, failed.map({ .now - $0 >= AgentLimits.diskPause }) ?? true else { return }
        do {
            var buffer = try ReadingBuffer(state: state, room: room, kept: kept)
            try buffer.append(contentsOf: memory.map(\.reading))
            disk = buffer
            drop(memory.count)
            (fault, failed) = (nil, nil)
        } catch {
            fail(error)
        }
    }
}
