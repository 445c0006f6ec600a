/// The right edge of a growing tree: the roots of the complete subtrees that its size splits into, largest first.
///
/// It is all that appending and the root need, so that neither reads the tree: one hash per bit set in the size.
struct TreeFrontier: Hashable, Sendable {
    private(set) var size: Int64 = 0
    private(set) var roots: [TreeHash] = []

    init() {}

    /// The frontier stored as `bytes` for a tree of `size` leaves, or nil when the two do not fit.
    init?(size: Int64, bytes: [UInt8]) {
        guard size >= 0, bytes.count == size.nonzeroBitCount * TreeHash.byteCount else { return nil }
        self.size = size
        roots = stride(from: 0, to: bytes.count, by: TreeHash.byteCount).compactMap {
            TreeHash(bytes[$0..<$0 + TreeHash.byteCount])
        }
    }

    var bytes: [UInt8] { roots.flatMap(\.bytes) }

    /// Adds a leaf: two complete subtrees of one size become one, like a carry in binary counting.
    mutating func append(_ leaf: TreeHash) {
        var hash = leaf
        var rest = size
        while rest & 1 == 1, let left = roots.popLast() {
            hash = .node(left, hash)
            rest >>= 1
        }
        roots.append(hash)
        size += 1
    }

    /// The tree's root (RFC 6962, section 2.1).
    var root: TreeHash {
        guard var hash = roots.last else { return .empty }
        for left in roots.dropLast().reversed() { hash = .node(left, hash) }
        return hash
    }
}
