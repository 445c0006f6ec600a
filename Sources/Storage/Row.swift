public import Base

/// One row of a result: values by column index, converted on request.
///
/// A null or another type than the asked one throws, because it means that program and schema disagree.
public struct Row: Hashable, Sendable {
    /// The values in the order of the statement's columns.
    public let values: [SQLValue]

    /// A row of these values.
    public init(_ values: [SQLValue]) {
        self.values = values
    }

    /// The number of columns.
    public var count: Int { values.count }

    /// The value of a column, whatever it is.
    public func value(_ index: Int) throws -> SQLValue {
        guard values.indices.contains(index) else {
            throw StorageError(.misuse, "column \(index) asked of a row with \(values.count) columns")
        }
        return values[index]
    }

    /// Whether the column is null; a column that does not exist counts as null.
    public func isNull(_ index: Int) -> Bool {
        values.indices.contains(index) ? values[index] == .null : true
    }

    /// The integer in a column, or nil when it is null.
    public func integerIfAny(_ index: Int) throws -> Int64? {
        switch try value(index) {
        case .null: nil
        case .integer(let integer): integer
        case let other: throw mismatch(index, other, "integer")
        }
    }

    /// The number in a column, whole or not, or nil when it is null.
    public func realIfAny(_ index: Int) throws -> Double? {
        switch try value(index) {
        case .null: nil
        case .real(let real): real
        case .integer(let integer): Double(integer)
        case let other: throw mismatch(index, other, "real")
        }
    }

    /// The text in a column, or nil when it is null.
    public func textIfAny(_ index: Int) throws -> String? {
        switch try value(index) {
        case .null: nil
        case .text(let text): text
        case let other: throw mismatch(index, other, "text")
        }
    }

    /// The bytes in a column, or nil when it is null.
    public func blobIfAny(_ index: Int) throws -> [UInt8]? {
        switch try value(index) {
        case .null: nil
        case .blob(let bytes): bytes
        case let other: throw mismatch(index, other, "blob")
        }
    }

    /// The time in a column, or nil when it is null.
    public func timestampIfAny(_ index: Int) throws -> Timestamp? {
        try integerIfAny(index).map { Timestamp(microseconds: $0) }
    }

    /// The identifier in a column, or nil when it is null.
    public func identifierIfAny<Kind>(_ index: Int, as type: Identifier<Kind>.Type = Identifier<Kind>.self) throws
        -> Identifier<Kind>?
    {
        guard let bytes = try blobIfAny(index) else { return nil }
        guard bytes.count == 16 else {
            throw StorageError(.corrupt, "column \(index) holds \(bytes.count) bytes where an identifier has 16")
        }
        // Not by Identifier's own initialiser for any collection, which would run unspecialised here: a microsecond more
        // for each identifier of a start-up load.
        return bytes.withUnsafeBytes { bytes in
            Identifier(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// The integer in a column.
    public func integer(_ index: Int) throws -> Int64 { try required(integerIfAny(index), index, "integer") }

    /// The integer in a column as an `Int`.
    public func int(_ index: Int) throws -> Int { Int(try integer(index)) }

    /// The boolean in a column, stored as 0 or 1.
    public func bool(_ index: Int) throws -> Bool { try integer(index) != 0 }

    /// The number in a column, whole or not.
    public func real(_ index: Int) throws -> Double { try required(realIfAny(index), index, "real") }

    /// The text in a column.
    public func text(_ index: Int) throws -> String { try required(textIfAny(index), index, "text") }

    /// The bytes in a column.
    public func blob(_ index: Int) throws -> [UInt8] { try required(blobIfAny(index), index, "blob") }

    /// The time in a column.
    public func timestamp(_ index: Int) throws -> Timestamp { try required(timestampIfAny(index), index, "time") }

    /// The identifier in a column.
    public func identifier<Kind>(_ index: Int, as type: Identifier<Kind>.Type = Identifier<Kind>.self) throws
        -> Identifier<Kind>
    {
        try required(identifierIfAny(index, as: type), index, "identifier")
    }

    private func required<Value>(_ value: Value?, _ index: Int, _ wanted: String) throws -> Value {
        guard let value else { throw mismatch(index, .null, wanted) }
        return value
    }

    private func mismatch(_ index: Int, _ found: SQLValue, _ wanted: String) -> StorageError {
        StorageError(.misuse, "column \(index) holds \(found.sort) where \(wanted) was asked for")
    }
}
