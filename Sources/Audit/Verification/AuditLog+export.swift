public import Base
import Storage
import Trust

extension AuditLog {
    /// Writes a tenant's whole log as a bundle that can be checked offline, and answers how many entries it holds.
    ///
    /// `write` takes the bundle piece by piece. Exporting is itself recorded, in the log and so in the bundle. The
    /// caller has checked that `reader` may export the log.
    @discardableResult
    public func export(
        tenant: TenantID, reader: Actor, to write: ([UInt8]) async throws -> Void
    ) async throws -> Int64 {
        try await database.tenant(tenant).write { transaction in
            try self.record(
                AuditEntry(
                    .auditExported, tenant: tenant, actor: reader, object: AuditObject(kind: "audit", id: tenant.text)),
                in: transaction)
        }
        try await sequence(search: true)
        try await checkpoint(tenant)
        let exported = clock.now
        let (head, checkpoints) = try await database.tenant(tenant).read { transaction in
            let head = try LogHead.read(tenant, in: transaction)
            let checkpoints = try transaction.rows(
                "SELECT made_at, note FROM audit_checkpoint WHERE tenant = $1 ORDER BY size"
            ).map { BundleLine.checkpoint(time: try $0.timestamp(0), note: try $0.text(1)) }
            let size = head?.signedSize ?? 0
            let header = BundleLine.header(
                tenant: tenant, size: size, keptFrom: head?.keptFrom ?? 0,
                keys: try LogSigner.verifiers(of: tenant, in: transaction), exported: exported)
            return ((header: header, size: size), checkpoints)
        }
        // Keys and checkpoints come first, so that a reader can judge each entry as it comes.
        try await write(Self.bytes([head.header] + checkpoints))
        var from: Int64 = 0
        while from < head.size {
            let (start, to) = (from, min(from + Self.exportEntries, head.size))
            let keyRing = keyRing
            let lines = try await database.tenant(tenant).read { transaction in
                try Self.lines(start, to, tenant: tenant, keyRing: keyRing, in: transaction)
            }
            try await write(Self.bytes(lines))
            from = to
        }
        try await write(Self.bytes([.end(entries: head.size)]))
        return head.size
    }

    private static let exportEntries: Int64 = TreeTiles.width * 4

    private static func bytes(_ lines: [BundleLine]) -> [UInt8] { lines.flatMap { Array($0.text.utf8) + [0x0A] } }

    private static func lines(
        _ from: Int64, _ to: Int64, tenant: TenantID, keyRing: KeyRing, in transaction: Transaction
    ) throws -> [BundleLine] {
        var leaves: [Int64: AuditLeaf] = [:]
        let rows = try transaction.rows(
            """
            SELECT position, \(AuditLeaf.columnList) FROM audit_entry
            WHERE tenant = $1 AND position >= $2 AND position < $3
            """, from, to)
        for row in rows {
            leaves[try row.integer(0)] = try AuditLeaf(row, from: 1, tenant: tenant)
        }
        let tiles = TreeTiles(of: tenant, in: transaction)
        var lines: [BundleLine] = []
        for tile in stride(from: from, to: to, by: Int(TreeTiles.width)) {
            let position = tile / TreeTiles.width
            lines.append(.tile(position: position, hashes: try tiles.leaves(ofTile: position, size: to)))
            for index in tile..<min(tile + TreeTiles.width, to) {
                guard let leaf = leaves[index] else { continue }
                lines.append(.entry(index: index, leaf: leaf, opened: opened(leaf, keyRing: keyRing, in: transaction)))
            }
        }
        return lines
    }

    private static func opened(_ leaf: AuditLeaf, keyRing: KeyRing, in transaction: Transaction) -> PersonalPart? {
        guard let sealed = leaf.sealed else { return nil }
        let place = AuditSchema.personalColumn.place(leaf.tenant, row: leaf.id)
        // A shredded part can not be opened; the bundle then proves the rest.
        return (try? keyRing.open(sealed, at: place, in: transaction)).flatMap { PersonalPart(parsing: $0) }
    }
}
