public import Base

/// One value of a row or one argument of a statement.
public enum SQLValue: Hashable, Sendable {
    /// No value.
    case null
    /// A 64-bit integer: numbers, booleans (0 and 1) and times.
    case integer(Int64)
    /// A double.
    case real(Double)
    /// Text in UTF-8.
    case text(String)
    /// Bytes, such as an identifier or a sealed secret.
    case blob([UInt8])
}

/// A Swift value that can be a statement's argument.
public protocol SQLBindable {
    /// The value as the engines take it.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLBindable {
    /// Itself.
    public var sqlValue: SQLValue { self }
}

extension Int: SQLBindable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Int64: SQLBindable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(self) }
}

extension UInt32: SQLBindable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Bool: SQLBindable {
    /// 1 or 0.
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}

extension Double: SQLBindable {
    /// A double.
    public var sqlValue: SQLValue { .real(self) }
}

extension String: SQLBindable {
    /// Text.
    public var sqlValue: SQLValue { .text(self) }
}

extension [UInt8]: SQLBindable {
    /// A blob.
    public var sqlValue: SQLValue { .blob(self) }
}

extension Timestamp: SQLBindable {
    /// Its microseconds.
    public var sqlValue: SQLValue { .integer(microseconds) }
}

extension Identifier: SQLBindable {
    /// Its 16 bytes.
    public var sqlValue: SQLValue { .blob(bytes) }
}

extension Name: SQLBindable {
    /// Its text.
    public var sqlValue: SQLValue { .text(text) }
}

extension TenantSlug: SQLBindable {
    /// Its text.
    public var sqlValue: SQLValue { .text(text) }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    /// The wrapped value's, or null.
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension SQLValue {
    /// What a row's error message calls this sort of value.
    var sort: String {
        switch self {
        case .null: "null"
        case .integer: "integer"
        case .real: "real"
        case .text: "text"
        case .blob: "blob"
        }
    }

    /// Refuses what only one engine could store: text with a NUL (PostgreSQL takes none) and NaN (SQLite makes it null).
    func checkPortable() throws {
        switch self {
        case .text(let text):
            if text.utf8.contains(0) {
                throw StorageError(.constraint, "a text holds the NUL character, which can not be stored")
            }
        case .real(let number):
            if number.isNaN { throw StorageError(.constraint, "a number is NaN, which can not be stored") }
        case .null, .integer, .blob: break
        }
    }

    /// About how many bytes the value takes on the wire.
    var size: Int {
        switch self {
        case .null: 4
        case .integer, .real: 12
        case .text(let text): text.utf8.count + 4
        case .blob(let bytes): bytes.count + 4
        }
    }
}
