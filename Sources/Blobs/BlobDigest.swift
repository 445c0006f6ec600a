import Base

/// The SHA-256 of a blob (FIPS 180-4), by which it is named.
public struct BlobDigest: Hashable, Sendable {
    /// The 32 bytes.
    public let bytes: [UInt8]
    /// The 64 lower-case hexadecimal digits.
    public var text: String { bytes.hex }

    /// The digest with these bytes, nil unless they are 32.
    public init?(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// The digest that 64 hexadecimal digits spell.
    public init?(text: some StringProtocol) {
        guard text.utf8.count == 64, let bytes = [UInt8](hex: text) else { return nil }
        self.init(bytes: bytes)
    }
}

/// What was learnt of a blob while it was read once from end to end.
public struct BlobSummary: Hashable, Sendable {
    /// Its name.
    public let digest: BlobDigest
    /// The SHA-1 that old update clients compare; nothing trusts it.
    public let sha1: [UInt8]
    /// The MD5 that old update clients compare; nothing trusts it.
    public let md5: [UInt8]
    /// Its length in bytes.
    public let size: Int64
    /// Its first bytes, at most ``BlobLimits/headBytes``.
    public let head: [UInt8]
}

/// Every bound of blobs.
public enum BlobLimits {
    /// Bytes of the beginning that a summary shows.
    public static let headBytes = 64 << 10
    /// Bytes that are read at once from a file.
    static let readBytes = 1 << 20
}
