public import Base
import Storage

/// One entry with everything that speaks for it.
public struct AuditEvidence: Sendable, Hashable {
    /// How far an entry is proved.
    public enum Standing: String, Sendable {
        /// A signed checkpoint leads to exactly this content.
        case proved
        /// The content is what was hashed, and the next checkpoint will sign for it.
        case unsigned
        /// The content, or what should prove it, is not what it was.
        case broken
    }

    /// The entry.
    public var entry: RecordedEntry
    /// The hash of its content as it stands now.
    public var hash: TreeHash
    /// How far it is proved.
    public var standing: Standing
    /// The proof by the newest checkpoint, when that signs for the entry.
    public var proof: AuditProof?
    /// When that checkpoint was made.
    public var signed: Timestamp?
    /// The place of the entry before, when its content is there.
    public var older: Int64?
    /// The place of the entry after.
    public var newer: Int64?
}

extension AuditLog {
    /// One entry by its place, with its proof; reading it is itself recorded, before anything is read.
    ///
    /// The caller has checked that `reader` may read the log.
    public func evidence(of index: Int64, tenant: TenantID, reader: Actor) async throws -> AuditEvidence {
        try await database.tenant(tenant).write { transaction in
            try self.record(
                AuditEntry(
                    .auditRead, tenant: tenant, actor: reader, object: AuditObject(kind: "audit", id: tenant.text),
                    details: ["index": .integer(index)]), in: transaction)
        }
        try await sequence(search: false)
        let keyRing = keyRing
        return try await database.tenant(tenant).read { transaction in
            let head = try LogHead.read(tenant, in: transaction)
            let row = try transaction.row(
                "SELECT \(AuditLeaf.columnList), leaf FROM audit_entry WHERE tenant = $1 AND position = $2", index)
            guard let head, let row else {
                if let head, (0..<head.keptFrom).contains(index) {
                    throw Refusal(
                        .notFound, "audit.entryTrimmed",
                        "Retention has dropped what this entry said; its hash stays and proves what came after it.")
                }
                throw Refusal(.notFound, "audit.entryUnknown", "There is no such entry.")
            }
            let leaf = try AuditLeaf(row, from: 0, tenant: tenant)
            let hash = TreeHash.leaf(leaf.bytes)
            var evidence = AuditEvidence(
                entry: try RecordedEntry(leaf, at: index, keyRing: keyRing, in: transaction), hash: hash,
                standing: TreeHash(try row.blob(AuditLeaf.columns.count)) == hash ? .unsigned : .broken,
                older: index > head.keptFrom ? index - 1 : nil, newer: index + 1 < head.size ? index + 1 : nil)
            let newest = try transaction.row(
                "SELECT size, made_at, note FROM audit_checkpoint WHERE tenant = $1 ORDER BY size DESC LIMIT 1")
            guard let newest, case let size = try newest.integer(0), index < size else { return evidence }
            let tiles = TreeTiles(of: tenant, in: transaction)
            let proof = AuditProof(
                index: index, leaf: try tiles.node(TreeNode(level: 0, index: index)), size: size,
                path: try TreeProof.inclusion(of: index, size: size, node: tiles.node), checkpoint: try newest.text(2))
            evidence.proof = proof
            evidence.signed = try newest.timestamp(1)
            let keys = try LogSigner.verifiers(of: tenant, in: transaction)
            let isSigned = SignedNote(proof.checkpoint).map { note in keys.contains { $0.verifies(note) } } ?? false
            evidence.standing = proof.leaf == hash && proof.holds && isSigned ? .proved : .broken
            return evidence
        }
    }
}
