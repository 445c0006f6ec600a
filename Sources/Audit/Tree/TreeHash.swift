import Base
import Crypto

/// A SHA-256 value of the tree: of a leaf or of two nodes (RFC 6962, section 2.1).
public struct TreeHash: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The hash with these bytes, or nil unless there are 32.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    private init(_ digest: SHA256.Digest) { bytes = Array(digest) }

    /// How many bytes a hash has.
    public static let byteCount = 32

    /// The root of a tree without leaves.
    public static let empty = TreeHash(SHA256.hash(data: [UInt8]()))

    /// The hash of a leaf's content.
    ///
    /// The first byte differs from a node's, so that no content can pose as a subtree.
    public static func leaf(_ content: some Sequence<UInt8>) -> TreeHash {
        TreeHash(SHA256.hash(data: [0x00] + content))
    }

    /// The hash of the node above these two.
    public static func node(_ left: TreeHash, _ right: TreeHash) -> TreeHash {
        var content: [UInt8] = []
        content.reserveCapacity(1 + 2 * byteCount)
        content.append(0x01)
        content += left.bytes
        content += right.bytes
        return TreeHash(SHA256.hash(data: content))
    }

    /// The 64 hexadecimal digits.
    public var description: String { bytes.hex }
}
