#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Writes a snapshot's file piece by piece; it has its name only once it is whole and on disk.
final class SnapshotWriter {
    private let path: String
    private var file: CInt
    private var buffer: [UInt8] = []
    private var hash = FNV1a()

    init(path: String) throws {
        self.path = path
        file = open(Self.unfinished(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("can not be created") }
        buffer.reserveCapacity(SnapshotFormat.bufferBytes + 4096)
        buffer += SnapshotFormat.heading
    }

    deinit {
        guard file >= 0 else { return }
        close(file)
        unlink(Self.unfinished(path))
    }

    func migrations(_ migrations: [SnapshotMigration]) {
        number(migrations.count)
        for migration in migrations {
            text(migration.part)
            number(migration.number)
            fixed(UInt64(bitPattern: migration.checksum))
        }
    }

    func beginTable(_ name: String, _ columns: [String]) throws {
        buffer.append(SnapshotFormat.table)
        text(name)
        number(columns.count)
        for column in columns { text(column) }
        try flushIfFull()
    }

    func row(_ row: Row) throws {
        buffer.append(SnapshotFormat.row)
        for value in row.values {
            switch value {
            case .null: tag(.null)
            case .integer(let integer):
                tag(.integer)
                variable(UInt64(bitPattern: integer << 1 ^ integer >> 63))
            case .real(let real):
                tag(.real)
                fixed(real.bitPattern)
            case .text(let string):
                tag(.text)
                text(string)
            case .blob(let bytes):
                tag(.blob)
                number(bytes.count)
                buffer += bytes
            }
        }
        try flushIfFull()
    }

    func endTable(rows: Int) throws {
        buffer.append(SnapshotFormat.tableEnd)
        number(rows)
        try flushIfFull()
    }

    /// Ends the file, puts it on disk and gives it its name.
    func finish() throws {
        buffer.append(SnapshotFormat.end)
        hash.add(buffer[...])
        let value = hash.value
        fixed(value)
        try write()
        guard fsync(file) == 0 else { throw Self.failure("can not be put on disk") }
        close(file)
        file = -1
        guard rename(Self.unfinished(path), path) == 0 else { throw Self.failure("can not be given its name") }
        try Self.syncDirectory(of: path)
    }

    private func tag(_ tag: SnapshotTag) { buffer.append(tag.rawValue) }

    private func number(_ number: Int) { variable(UInt64(number)) }

    private func text(_ text: String) {
        number(text.utf8.count)
        buffer += text.utf8
    }

    private func variable(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(truncatingIfNeeded: rest))
    }

    private func fixed(_ number: UInt64) {
        withUnsafeBytes(of: number.bigEndian) { buffer.append(contentsOf: $0) }
    }

    private func flushIfFull() throws {
        guard buffer.count >= SnapshotFormat.bufferBytes else { return }
        hash.add(buffer[...])
        try write()
    }

    private func write() throws {
        var done = 0
        while done < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                #if canImport(Glibc)
                    Glibc.write(file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                #else
                    Musl.write(file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                #endif
            }
            guard count > 0 || errno == EINTR else { throw Self.failure("can not be written") }
            done += max(count, 0)
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func unfinished(_ path: String) -> String { path + ".part" }

    private static func syncDirectory(of path: String) throws {
        let directory = open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("can not be put on disk") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("can not be put on disk") }
    }

    private static func failure(_ what: String) -> StorageError {
        let number = errno
        return StorageError(
            number == ENOSPC || number == EDQUOT ? .full : .unavailable,
            "the snapshot's file \(what): \(String(cString: strerror(number)))")
    }
}
