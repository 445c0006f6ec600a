package import Base
import Crypto
import FoundationEssentials
import Glibc

/// Readings that wait for the server: on disk, sealed, in their order, and erased once the server has them.
///
/// A part is a file of sealed records, named by the number of its first record; what a power cut left half written at
/// its end is not a record yet. When the room is full the oldest part goes, and is counted.
package struct ReadingBuffer {
    private let directory: String
    private let room: Int64
    private let key: SymmetricKey
    private var next: UInt64
    private var current: (file: CInt, path: String, bytes: Int)?
    /// Bytes of all parts.
    package private(set) var bytes: Int64
    /// Records that went because the room was full, or that could not be read any more.
    package private(set) var lost: Int64 = 0

    /// The buffer in `state`, with room for so many bytes.
    package init(state: String, room: Int64) throws {
        directory = state + "/buffer"
        self.room = room
        try StateFile.makeDirectory(directory)
        let secretPath = state + "/secret"
        var secret = try StateFile.read(secretPath) ?? []
        if secret.count != 32 {
            secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            try StateFile.write(secret, to: secretPath)
        }
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array("tidegate-agent readings".utf8),
            outputByteCount: 32)
        bytes = 0
        next = 0
        for name in try parts() {
            bytes += size("\(directory)/\(name)")
            // Numbers are never used twice, even of records that can not be read.
            guard let first = UInt64(name) else { continue }
            next = max(next, first + UInt64(AgentLimits.partBytes))
        }
    }

    private func parts() throws -> [String] {
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
        let box = try AES.GCM.seal(plain, using: key, authenticating: Self.bytes(of: next))
        guard let sealed = box.combined else { throw FileFailure("a reading can not be sealed") }
        let record = Self.bytes(of: UInt64(sealed.count)).suffix(4) + Array(sealed)
        try makeRoom(for: Int64(record.count))
        let part = try part()
        try StateFile.append(Array(record), to: part.file, part.path)
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

    private mutating func makeRoom(for more: Int64) throws {
        while bytes + more > room, let oldest = try oldest() {
            lost += Int64(oldest.readings.count)
            try erase(oldest)
        }
    }

    /// One part with its readings.
    package struct Part {
        let path: String
        /// The readings, in the order in which they were kept.
        package let readings: [JSONValue]
    }

    /// The oldest part, nil when nothing waits; what comes from now on goes into another.
    package mutating func oldest() throws -> Part? {
        guard let name = try parts().first, let first = UInt64(name) else { return nil }
        let path = "\(directory)/\(name)"
        if let current, current.path == path { finish(current.file) }
        var rest = (try StateFile.read(path) ?? [])[...]
        var readings: [JSONValue] = []
        while rest.count >= 4 {
            let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard count <= rest.count, let box = try? AES.GCM.SealedBox(combined: Array(rest.prefix(count))),
                let plain = try? AES.GCM.open(
                    box, using: key, authenticating: Self.bytes(of: first + UInt64(readings.count))),
                let reading = try? JSONValue(parsing: Array(plain))
            else { break }
            readings.append(reading)
            rest = rest.dropFirst(count)
        }
        return Part(path: path, readings: readings)
    }

    /// Erases a part that the server has.
    package mutating func erase(_ part: Part) throws {
        let size = size(part.path)
        try StateFile.remove(part.path)
        bytes -= size
    }

    private static func bytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }
}
