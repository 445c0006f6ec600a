#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Reads a snapshot's file piece by piece. The bytes come from outside: every length meets a limit before its use.
final class SnapshotReader {
    private let file: CInt
    private var buffer: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: SnapshotFormat.bufferBytes)
    private var position = 0
    private var hash = FNV1a()
    /// Rows of the present table so far.
    private var rows: UInt64 = 0
    /// The schema that the rows belong to.
    private(set) var migrations: [SnapshotMigration] = []

    init(path: String) throws {
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw StorageError(
                .unavailable, "the snapshot's file can not be opened: \(String(cString: strerror(errno)))")
        }
        guard try take(SnapshotFormat.heading.count) == SnapshotFormat.heading[...] else {
            throw damage("it is no snapshot, or one of a later form")
        }
        for _ in 0..<(try number(upTo: StorageLimits.snapshotEntries)) {
            migrations.append(
                SnapshotMigration(
                    part: try name(), number: try number(upTo: StorageLimits.snapshotEntries),
                    checksum: Int64(bitPattern: try fixed())))
        }
    }

    deinit { close(file) }

    /// The next table's name and columns, or nil after the last, when the whole file has proved undamaged.
    func nextTable() throws -> (name: String, columns: [String])? {
        switch try byte() {
        case SnapshotFormat.table:
            let table = try name()
            let columns = try (0..<number(upTo: StorageLimits.snapshotColumns)).map { _ in try name() }
            return (table, columns)
        case SnapshotFormat.end:
            hash.add(buffer[..<position])
            buffer.removeFirst(position)
            position = 0
            let expected = hash.value
            guard try fixed() == expected else { throw damage("its hash is wrong") }
            guard position == buffer.count, try !fill() else { throw damage("something follows its end") }
            return nil
        default: throw damage("an unknown record")
        }
    }

    /// The next row of the present table, or nil after its last.
    func nextRow(width: Int) throws -> [SQLValue]? {
        switch try byte() {
        case SnapshotFormat.row:
            rows += 1
            var row: [SQLValue] = []
            row.reserveCapacity(width)
            for _ in 0..<width { row.append(try value()) }
            return row
        case SnapshotFormat.tableEnd:
            guard try variable() == rows else { throw damage("a table's number of rows is wrong") }
            rows = 0
            return nil
        default: throw damage("an unknown record")
        }
    }

    private func value() throws -> SQLValue {
        switch SnapshotTag(rawValue: try byte()) {
        case .null: return .null
        case .integer:
            let coded = try variable()
            return .integer(Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1))
        case .real: return .real(Double(bitPattern: try fixed()))
        case .text: return .text(try text(upTo: StorageLimits.snapshotValueBytes))
        case .blob: return .blob(Array(try take(number(upTo: StorageLimits.snapshotValueBytes))))
        case nil: throw damage("an unknown sort of value")
        }
    }

    private func name() throws -> String { try text(upTo: StorageLimits.snapshotNameBytes) }

    private func text(upTo limit: Int) throws -> String {
        guard let text = String(validating: try take(number(upTo: limit)), as: UTF8.self) else {
            throw damage("a text is not UTF-8")
        }
        return text
    }

    private func number(upTo limit: Int) throws -> Int {
        guard let number = Int(exactly: try variable()), number <= limit else { throw damage("a number is too high") }
        return number
    }

    private func variable() throws -> UInt64 {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = UInt64(try byte())
            guard shift < 63 || byte <= 1 else { break }
            number |= (byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        throw damage("a number is too long")
    }

    private func fixed() throws -> UInt64 { try take(8).reduce(0) { $0 << 8 | UInt64($1) } }

    private func byte() throws -> UInt8 {
        if position == buffer.count, try !fill() { throw damage("it ends too early") }
        defer { position += 1 }
        return buffer[position]
    }

    private func take(_ count: Int) throws -> ArraySlice<UInt8> {
        while buffer.count - position < count {
            guard try fill() else { throw damage("it ends too early") }
        }
        defer { position += count }
        return buffer[position..<position + count]
    }

    /// Reads more and says whether there was any; what was consumed goes into the hash.
    private func fill() throws -> Bool {
        if position > 0 {
            hash.add(buffer[..<position])
            buffer.removeFirst(position)
            position = 0
        }
        var count = 0
        repeat {
            count = chunk.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        } while count < 0 && errno == EINTR
        guard count >= 0 else {
            throw StorageError(.unavailable, "the snapshot's file can not be read: \(String(cString: strerror(errno)))")
        }
        buffer += chunk[..<count]
        return count > 0
    }

    private func damage(_ what: String) -> StorageError {
        StorageError(.corrupt, "the snapshot is damaged: \(what)")
    }
}
