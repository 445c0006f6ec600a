import Base
import Storage

/// The stored tree: 256 hashes to a tile, and the root over a full tile is one hash of the level above.
///
/// The hashes of the newest, incomplete tile of leaves are in the entries' own rows, so that appending writes no tile
/// until 256 leaves are together; a checkpoint writes what there is, so that what is signed for lies in two places.
/// Incomplete tiles of the levels above are written with each of their hashes, once for 256 leaves.
struct TreeTiles {
    static let width: Int64 = 256
    private static let widthLevels = 8

    let tenant: TenantID
    let transaction: Transaction

    init(of tenant: TenantID, in transaction: Transaction) {
        self.tenant = tenant
        self.transaction = transaction.scoped(to: tenant)
    }

    /// Stores the tiles that the leaves from `start` on complete.
    func append(_ leaves: [TreeHash], at start: Int64) throws {
        let end = start + Int64(leaves.count)
        let firstTile = start / Self.width
        guard end / Self.width > firstTile else { return }
        var hashes = try start % Self.width == 0 ? [] : storedLeaves(firstTile * Self.width, start)
        var tile = firstTile
        for leaf in leaves {
            hashes.append(leaf)
            guard hashes.count == Int(Self.width) else { continue }
            try write(hashes, level: 0, position: tile)
            try add(Self.root(over: hashes[...]), level: 1, position: tile)
            hashes = []
            tile += 1
        }
    }

    /// Stores the incomplete tile of leaves at the end of a log of `size` entries.
    func writeIncomplete(size: Int64) throws {
        let tile = size / Self.width
        guard size % Self.width > 0 else { return }
        try write(storedLeaves(tile * Self.width, size), level: 0, position: tile)
    }

    /// The hashes of the leaves in one tile of a log of `size` entries.
    func leaves(ofTile tile: Int64, size: Int64) throws -> [TreeHash] {
        let wanted = Int(min(size - tile * Self.width, Self.width))
        let hashes = try stored(level: 0, position: tile)
        return hashes.count >= wanted
            ? Array(hashes.prefix(wanted)) : try storedLeaves(tile * Self.width, tile * Self.width + Int64(wanted))
    }

    /// Adds one hash to a level above the leaves, and to those above it when its tile is full.
    private func add(_ hash: TreeHash, level: Int, position: Int64) throws {
        let tile = position / Self.width
        var hashes = position % Self.width == 0 ? [] : try stored(level: level, position: tile)
        guard Int64(hashes.count) == position % Self.width else {
            throw StorageError(
                .corrupt, "a tile of the audit tree holds \(hashes.count) hashes where \(position) is next")
        }
        hashes.append(hash)
        try write(hashes, level: level, position: tile)
        if hashes.count == Int(Self.width) {
            try add(Self.root(over: hashes[...]), level: level + 1, position: tile)
        }
    }

    /// The root of a complete subtree, from at most one tile.
    func node(_ node: TreeNode) throws -> TreeHash {
        let within = node.level % Self.widthLevels
        let level = node.level / Self.widthLevels
        let first = node.index << Int64(within)
        let count = Int64(1) << Int64(within)
        let tile = first / Self.width
        let offset = Int(first % Self.width)
        var hashes = try stored(level: level, position: tile)
        if level == 0, hashes.count < offset + Int(count) {
            hashes = try storedLeaves(tile * Self.width, (tile + 1) * Self.width)
        }
        guard offset + Int(count) <= hashes.count else {
            throw StorageError(.corrupt, "the audit tree lacks level \(node.level), index \(node.index)")
        }
        return Self.root(over: hashes[offset..<offset + Int(count)])
    }

    /// The hashes in one tile, empty when it is not stored.
    func stored(level: Int, position: Int64) throws -> [TreeHash] {
        let row = try transaction.row(
            "SELECT hashes FROM audit_tile WHERE tenant = $1 AND level = $2 AND position = $3", level, position)
        return try row.map { Self.hashes(in: try $0.blob(0)) } ?? []
    }

    static func hashes(in blob: [UInt8]) -> [TreeHash] {
        stride(from: 0, to: blob.count, by: TreeHash.byteCount).compactMap {
            TreeHash(blob[$0..<min($0 + TreeHash.byteCount, blob.count)])
        }
    }

    /// The root over hashes that lie beside each other.
    static func root(over hashes: ArraySlice<TreeHash>) -> TreeHash {
        var frontier = TreeFrontier()
        for hash in hashes { frontier.append(hash) }
        return frontier.root
    }

    private func storedLeaves(_ from: Int64, _ to: Int64) throws -> [TreeHash] {
        try transaction.rows(
            "SELECT leaf FROM audit_entry WHERE tenant = $1 AND position >= $2 AND position < $3 ORDER BY position",
            from, to
        ).compactMap { TreeHash(try $0.blob(0)) }
    }

    private func write(_ hashes: [TreeHash], level: Int, position: Int64) throws {
        try transaction.execute(
            """
            INSERT INTO audit_tile (tenant, level, position, hashes) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant, level, position) DO UPDATE SET hashes = excluded.hashes
            """, level, position, hashes.flatMap(\.bytes))
    }
}
