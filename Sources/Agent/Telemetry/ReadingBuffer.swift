package import Base
import Crypto
import FoundationEssentials
import Glibc

/// Readings that wait for the server: on disk, sealed, in their order, and erased once the server has them.
///
/// A part is a file of sealed records, named by the number of its first record; what a power cut left half written at
/// its end is not a record yet. When the room is full the oldest part goes, and is counted. Where it is wanted so, parts
/// that the server has are set aside for a while, and can be brought back to be sent again.
package struct ReadingBuffer {
    private let directory: String
    /// Where parts are that the server has.
    private let history: String
    private let room: Int64
    /// For how many seconds such parts are kept.
    private let kept: Int64
    private let key: SymmetricKey
    private var next: UInt64
    private var current: (file: CInt, path: String, bytes: Int)?
    /// Bytes of all parts.
    package private(set) var bytes: Int64
    /// Records that went because the room was full, or that could not be read any more.
    package private(set) var lost: Int64 = 0

    /// The buffer in `state`, with room for so many bytes; what the server has stays for `kept` seconds.
    package init(state: String, room: Int64, kept: Int64 = 0) throws {
        directory = state + "/buffer"
        history = state + "/sent"
        self.room = room
        self.kept = kept
        try StateFile.makeDirectory(directory)
        try StateFile.makeDirectory(history)
        let secretPath = state + "/secret"
        var secret = try StateFile.read(secretPath) ?? []
        if secret.isEmpty {
            secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            try StateFile.write(secret, to: secretPath)
        }
        // Another one in its place would make all that waits unreadable.
        guard secret.count == 32 else { throw FileFailure("\(secretPath): is damaged") }
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array("tidegate-agent readings".utf8),
            outputByteCount: 32)
        bytes = 0
        next = 0
        for place in [directory, history] {
            for name in try Self.parts(in: place) {
                bytes += size("\(place)/\(name)")
                // Numbers are never used twice, even of records that can not be read.
                guard let first = UInt64(name) else { continue }
                next = max(next, first + UInt64(AgentLimits.partBytes))
            }
        }
    }

    private static func parts(in directory: String) throws -> [String] {
        try StateFile.names(in: directory).filter { $0.utf8.count == 20 && UInt64($0) != nil }
    }

    private func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Keeps one reading; on disk when it returns.
    package mutating func append(_ reading: JSONValue) throws { try append(contentsOf: [reading]) }

    /// Keeps readings, in their order; all are on disk when it returns.
    package mutating func append(contentsOf readings: [JSONValue]) throws {
        for reading in readings { try write(reading) }
        if let current { try synchronise(current.file, current.path) }
    }

    private func synchronise(_ file: CInt, _ path: String) throws {
        guard fdatasync(file) == 0 else { throw FileFailure("keep", path) }
    }

    private mutating func write(_ reading: JSONValue) throws {
        let plain = Array(reading.canonical.utf8)
        guard plain.count <= AgentLimits.payloadBytes else { throw FileFailure("a reading is too large") }
        let record = try SealedRecords.seal(plain, number: next, key: key)
        try makeRoom(for: Int64(record.count))
        let part = try part()
        do {
            try StateFile.append(record, to: part.file, part.path)
        } catch {
            cutOff(part.file, part.path)
            throw error
        }
        bytes += Int64(record.count)
        next += 1
        current?.bytes += record.count
        if let current, current.bytes >= AgentLimits.partBytes {
            try synchronise(current.file, current.path)
            finish(current.file)
        }
    }

    private mutating func part() throws -> (file: CInt, path: String) {
        if let current { return (current.file, current.path) }
        let name = String(next)
        let path = "\(directory)/\(String(repeating: "0", count: 20 - name.utf8.count))\(name)"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileFailure("write", path) }
        current = (file, path, 0)
        return (file, path)
    }

    private mutating func finish(_ file: CInt) {
        close(file)
        current = nil
    }

    /// Takes away what was written of half a record, behind which nothing could be read; the next one begins a part.
    private mutating func cutOff(_ file: CInt, _ path: String) {
        let whole = current?.bytes ?? 0
        if whole == 0 { unlink(path) } else { _ = ftruncate(file, off_t(whole)) }
        finish(file)
    }

    private mutating func makeRoom(for more: Int64) throws {
        guard bytes + more > room else { return }
        for name in try Self.parts(in: history) where bytes + more > room { try remove("\(history)/\(name)") }
        while bytes + more > room, let oldest = try oldest() {
            lost += Int64(oldest.readings.count) + oldest.lost
            try remove(oldest.path)
        }
    }

    /// One part with its readings.
    package struct Part {
        let path: String
        /// The readings, in the order in which they were kept.
        package let readings: [JSONValue]
        /// How many beside them can not be read any more.
        let lost: Int64
    }

    /// The oldest part, nil when nothing waits; what comes from now on goes into another. Parts at `done` do not count.
    package mutating func oldest(except done: Set<String> = []) throws -> Part? {
        for name in try Self.parts(in: directory) {
            let path = "\(directory)/\(name)"
            if done.contains(path) { continue }
            if let current, current.path == path { finish(current.file) }
            let part = try? part(at: path, name)
            if let part, !part.readings.isEmpty || part.lost == 0 { return part }
            // A bad spot on the disk must not hold up what came later; what can not be read is not erased.
            let size = size(path)
            guard rename(path, path + ".bad") == 0 else { throw FileFailure("read", path) }
            bytes -= size
            lost += part?.lost ?? 1
        }
        return nil
    }

    private func part(at path: String, _ name: String) throws -> Part {
        let records = SealedRecords(try StateFile.read(path) ?? [], first: UInt64(name) ?? 0, key: key)
        return Part(path: path, readings: records.readings, lost: records.lost)
    }

    /// Erases a part that the server has, or sets it aside, and erases what was kept for long enough.
    package mutating func erase(_ part: Part) throws {
        defer { lost += part.lost }
        guard kept > 0 else { return try remove(part.path) }
        let aside = "\(history)/\(part.path.split(separator: "/").last ?? "")"
        guard rename(part.path, aside) == 0 else { throw FileFailure("set aside", part.path) }
        // Its own time, not that of its last reading: after a day offline it is kept as long.
        _ = utimensat(AT_FDCWD, aside, nil, 0)
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        for name in try Self.parts(in: history) {
            var status = stat()
            let path = "\(history)/\(name)"
            guard stat(path, &status) == 0, Int64(now.tv_sec) - Int64(status.st_mtim.tv_sec) > kept else { continue }
            try remove(path)
        }
    }

    private mutating func remove(_ path: String) throws {
        let size = size(path)
        try StateFile.remove(path)
        bytes -= size
    }

    /// Brings back what the server had, if it was measured in this time (milliseconds since 1970) and, where series are
    /// named, is of one of them; whole parts, so more comes with it. How many readings will be sent again.
    package mutating func bringBack(_ range: ClosedRange<Int64>, series: Set<String>) throws -> Int {
        var count = 0
        for name in try Self.parts(in: history) {
            let path = "\(history)/\(name)"
            guard let readings = try? part(at: path, name).readings else { continue }
            let isWanted = readings.contains { reading in
                guard let time = reading["ts"]?.integer, range.contains(time) else { return false }
                guard !series.isEmpty, case .object(let values)? = reading["values"] else { return true }
                return values.keys.contains(where: series.contains)
            }
            guard isWanted else { continue }
            guard rename(path, "\(directory)/\(name)") == 0 else { throw FileFailure("bring back", path) }
            count += readings.count
        }
        return count
    }
}
