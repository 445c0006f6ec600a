import CPostgres

/// A column of values for one parameter of a bulk insert.
enum PostgresColumn {
    case integers([Int64?])
    case reals([Double?])
    case texts([String?])
    case blobs([[UInt8]?])
}

/// The object identifiers of the types that the dialect uses; PostgreSQL fixes them for good.
enum PostgresType {
    static let bool: Oid = 16
    static let blob: Oid = 17
    static let name: Oid = 19
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let oid: Oid = 26
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let unknown: Oid = 705
    static let bpchar: Oid = 1042
    static let varchar: Oid = 1043
    static let numeric: Oid = 1700
    static let blobArray: Oid = 1001
    static let textArray: Oid = 1009
    static let int8Array: Oid = 1016
    static let float8Array: Oid = 1022
}

/// A statement's arguments in PostgreSQL's binary form, in buffers that are used again.
struct PostgresArguments {
    /// The type of each argument; zero lets the server infer a null's.
    private(set) var types: [Oid] = []
    private var bytes: [UInt8] = []
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    mutating func set(_ values: [SQLValue]) {
        reset()
        for value in values {
            switch value {
            case .null: finish(0, from: nil)
            case .integer(let integer): add(PostgresType.int8) { $0.addBigEndian(integer) }
            case .real(let real): add(PostgresType.float8) { $0.addBigEndian(real.bitPattern) }
            case .text(let text): add(PostgresType.text) { $0 += text.utf8 }
            case .blob(let blob): add(PostgresType.blob) { $0 += blob }
            }
        }
    }

    mutating func set(_ columns: [PostgresColumn]) {
        reset()
        for column in columns {
            switch column {
            case .integers(let values):
                add(PostgresType.int8Array) { bytes in
                    bytes.addArray(values, PostgresType.int8) { $0.addBigEndian($1) }
                }
            case .reals(let values):
                add(PostgresType.float8Array) { bytes in
                    bytes.addArray(values, PostgresType.float8) { $0.addBigEndian($1.bitPattern) }
                }
            case .texts(let values):
                add(PostgresType.textArray) { bytes in bytes.addArray(values, PostgresType.text) { $0 += $1.utf8 } }
            case .blobs(let values):
                add(PostgresType.blobArray) { bytes in bytes.addArray(values, PostgresType.blob) { $0 += $1 } }
            }
        }
    }

    private mutating func reset() {
        types.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: bytes.count <= 4 * StorageLimits.insertBytes)
        starts.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
    }

    private mutating func add(_ type: Oid, _ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        write(&bytes)
        finish(type, from: start)
    }

    private mutating func finish(_ type: Oid, from start: Int?) {
        types.append(type)
        starts.append(start)
        lengths.append(Int32(clamping: start.map { bytes.count - $0 } ?? 0))
        formats.append(1)
    }

    /// Calls `body` with what libpq takes: count, addresses, lengths and formats.
    func withPointers<Value>(
        _ body: (Int32, [UnsafePointer<CChar>?], [Int32], [Int32]) -> Value
    ) -> Value {
        guard !bytes.isEmpty else {
            // An empty text is no null: it needs an address too.
            return [CChar(0)].withUnsafeBufferPointer { empty in
                body(Int32(types.count), starts.map { $0 == nil ? nil : empty.baseAddress }, lengths, formats)
            }
        }
        return bytes.withUnsafeBytes { raw in
            let base = raw.assumingMemoryBound(to: CChar.self).baseAddress
            let pointers = starts.map { start in start.flatMap { start in base.map { $0 + start } } }
            return body(Int32(types.count), pointers, lengths, formats)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func addBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// A one-dimensional array of PostgreSQL's: heading, then each element behind its length, -1 for null.
    fileprivate mutating func addArray<Value>(
        _ values: [Value?], _ type: Oid, _ write: (inout [UInt8], Value) -> Void
    ) {
        addBigEndian(Int32(1))
        addBigEndian(Int32(values.contains { $0 == nil } ? 1 : 0))
        addBigEndian(type)
        addBigEndian(Int32(clamping: values.count))
        addBigEndian(Int32(1))
        for value in values {
            guard let value else {
                addBigEndian(Int32(-1))
                continue
            }
            let place = count
            addBigEndian(Int32(0))
            write(&self, value)
            let length = Int32(clamping: count - place - 4).bigEndian
            Swift.withUnsafeBytes(of: length) { bytes in
                for (index, byte) in bytes.enumerated() { self[place + index] = byte }
            }
        }
    }
}
