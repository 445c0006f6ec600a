import Base
import Crypto
public import Storage

/// The SHA-256 of a certificate's DER: the credential's identity in the database, in memory and in logs.
public struct Fingerprint: Hashable, Sendable {
    // Four words instead of an array: a table of 100,000 of them is one allocation, and a look-up follows no pointer.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The fingerprint of the certificate with this DER encoding.
    public init(ofCertificate der: some Sequence<UInt8>) {
        var hash = SHA256()
        if der.withContiguousStorageIfAvailable({ hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }) == nil {
            hash.update(data: Array(der))
        }
        self.init(hash.finalize())
    }

    /// The fingerprint stored in `bytes`, or nil unless there are exactly 32.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init(bytes)
    }

    /// The fingerprint written as 64 hexadecimal digits, or nil when the text is anything else.
    public init?(text: some StringProtocol) {
        guard text.utf8.count == 64, let bytes = [UInt8](hex: text) else { return nil }
        self.init(bytes)
    }

    private init(_ bytes: some Sequence<UInt8>) {
        var iterator = bytes.makeIterator()
        func word() -> UInt64 {
            var word: UInt64 = 0
            for _ in 0..<8 { word = word << 8 | UInt64(iterator.next() ?? 0) }
            return word
        }
        words = (word(), word(), word(), word())
    }

    /// The 32 bytes as they are stored.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for word in [words.0, words.1, words.2, words.3] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return bytes
    }

    /// The 64 lower-case hexadecimal digits used in addresses, JSON and logs.
    public var text: String { bytes.hex }

    /// Equal when all 256 bits are.
    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    /// Hashes a half of the value, which is a hash already.
    public func hash(into hasher: inout Hasher) {
        // The value is itself a hash, and nobody but our own CA can choose what is in the table.
        hasher.combine(words.0)
        hasher.combine(words.3)
    }
}

extension Fingerprint: CustomStringConvertible {
    /// The hexadecimal text.
    public var description: String { text }
}

extension Fingerprint: SQLBindable {
    /// The 32 bytes, as the database keeps them.
    public var sqlValue: SQLValue { .blob(bytes) }
}
