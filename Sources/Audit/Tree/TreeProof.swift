/// Where a complete subtree stands: `index` counts the subtrees of 2^`level` leaves from the left.
struct TreeNode: Hashable, Sendable {
    var level: Int
    var index: Int64
}

/// Which nodes prove something about a tree, and whether given ones do (RFC 6962, sections 2.1.1 to 2.1.4, in the
/// iterative form of RFC 9162).
enum TreeProof {
    /// The proof that the leaf at `index` is in the tree of `size` leaves; `node` looks up a complete subtree's root.
    static func inclusion(
        of index: Int64, size: Int64, node: (TreeNode) throws -> TreeHash
    ) throws -> [TreeHash] {
        var proof: [TreeHash] = []
        var (start, end) = (Int64(0), size)
        var path: [(Int64, Int64)] = []
        while end - start > 1 {
            let split = start + largestPowerOfTwo(below: end - start)
            if index < split {
                path.append((split, end))
                end = split
            } else {
                path.append((start, split))
                start = split
            }
        }
        for (from, to) in path.reversed() { proof.append(try root(of: from, to, node)) }
        return proof
    }

    /// The proof that the tree of `size` leaves begins with the tree of its first `earlier` ones.
    static func consistency(
        from earlier: Int64, to size: Int64, node: (TreeNode) throws -> TreeHash
    ) throws -> [TreeHash] {
        guard earlier > 0, earlier < size else { return [] }
        var path: [(Int64, Int64)] = []
        var (start, end) = (Int64(0), size)
        while end != earlier {
            let split = start + largestPowerOfTwo(below: end - start)
            if earlier <= split {
                path.append((split, end))
                end = split
            } else {
                path.append((start, split))
                start = split
            }
        }
        // The earlier tree's own root is known to the reader when it is one complete subtree from the left edge.
        if start > 0 { path.append((start, end)) }
        return try path.reversed().map { try root(of: $0.0, $0.1, node) }
    }

    /// True when `proof` shows that `leaf` is at `index` in the tree of `size` leaves with this root.
    static func verifyInclusion(
        of leaf: TreeHash, at index: Int64, size: Int64, root: TreeHash, proof: [TreeHash]
    ) -> Bool {
        guard index >= 0, index < size else { return false }
        var (position, last, hash) = (index, size - 1, leaf)
        for sibling in proof {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                hash = .node(sibling, hash)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                hash = .node(hash, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// True when `proof` shows that the tree with `root` begins with the tree with `earlierRoot`.
    static func verifyConsistency(
        from earlier: Int64, root earlierRoot: TreeHash, to size: Int64, root: TreeHash, proof: [TreeHash]
    ) -> Bool {
        guard earlier >= 0, earlier <= size else { return false }
        if earlier == size { return proof.isEmpty && earlierRoot == root }
        if earlier == 0 { return proof.isEmpty && earlierRoot == .empty }
        var nodes = proof[...]
        if earlier & (earlier - 1) == 0 { nodes = ([earlierRoot] + proof)[...] }
        guard var old = nodes.popFirst() else { return false }
        var new = old
        var (position, last) = (earlier - 1, size - 1)
        while position & 1 == 1 {
            position >>= 1
            last >>= 1
        }
        for sibling in nodes {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                old = .node(sibling, old)
                new = .node(sibling, new)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                new = .node(new, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && old == earlierRoot && new == root
    }

    /// The root over the leaves `start..<end`, where `start` is a multiple of a power of two that is not smaller
    /// than the stretch: a run of complete subtrees.
    private static func root(of start: Int64, _ end: Int64, _ node: (TreeNode) throws -> TreeHash) throws -> TreeHash {
        var subtrees: [TreeHash] = []
        var position = start
        while position < end {
            let level = 63 - (end - position).leadingZeroBitCount
            subtrees.append(try node(TreeNode(level: level, index: position >> Int64(level))))
            position += 1 << Int64(level)
        }
        guard var hash = subtrees.popLast() else { return .empty }
        while let left = subtrees.popLast() { hash = .node(left, hash) }
        return hash
    }

    private static func largestPowerOfTwo(below size: Int64) -> Int64 {
        1 << Int64(63 - (size - 1).leadingZeroBitCount)
    }
}
