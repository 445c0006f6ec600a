public import Base
import Storage

/// Shows that one entry is in a log, to anybody who has the log's public key.
public struct AuditProof: Sendable, Hashable {
    /// The entry's place.
    public let index: Int64
    /// The entry's hash.
    public let leaf: TreeHash
    /// How many entries the signed log has.
    public let size: Int64
    /// The hashes beside the way from the entry up to the root, the lowest first (RFC 6962, section 2.1.1).
    public let path: [TreeHash]
    /// The signed checkpoint that states size and root.
    public let checkpoint: String

    /// The root that the checkpoint states.
    public var root: TreeHash? { SignedNote(checkpoint).flatMap { Checkpoint(text: $0.text) }?.root }

    /// True when the hashes lead to the checkpoint's root; its signature is another matter, see ``NoteVerifier``.
    public var holds: Bool {
        guard let stated = SignedNote(checkpoint).flatMap({ Checkpoint(text: $0.text) }), stated.size == size else {
            return false
        }
        return TreeProof.verifyInclusion(of: leaf, at: index, size: size, root: stated.root, proof: path)
    }
}

/// Shows that a log has only grown between two of its signed checkpoints.
public struct AuditGrowth: Sendable, Hashable {
    /// The earlier signed checkpoint.
    public let earlier: String
    /// The newest signed checkpoint.
    public let newest: String
    /// The hashes that lead from the one root to the other (RFC 6962, section 2.1.2).
    public let path: [TreeHash]

    /// True when the hashes show that the newest log begins with the earlier one.
    public var holds: Bool {
        guard let old = SignedNote(earlier).flatMap({ Checkpoint(text: $0.text) }),
            let new = SignedNote(newest).flatMap({ Checkpoint(text: $0.text) })
        else { return false }
        return TreeProof.verifyConsistency(from: old.size, root: old.root, to: new.size, root: new.root, proof: path)
    }
}

extension AuditLog {
    /// The proof that the entry at `index` is in the log as the newest checkpoint signs it, from a few stored tiles.
    public func proof(of index: Int64, tenant: TenantID) async throws -> AuditProof {
        try await database.tenant(tenant).read { transaction in
            let newest = try Self.newestCheckpoint(in: transaction)
            guard let (size, note) = newest, (0..<size).contains(index) else {
                throw Refusal(
                    .notFound, "audit.entryUnknown", "There is no such entry, or no checkpoint has signed for it yet.")
            }
            let tiles = TreeTiles(of: tenant, in: transaction)
            return AuditProof(
                index: index, leaf: try tiles.node(TreeNode(level: 0, index: index)), size: size,
                path: try TreeProof.inclusion(of: index, size: size, node: tiles.node), checkpoint: note)
        }
    }

    /// The proof that the log has only grown since its checkpoint of `size` entries.
    public func consistency(from size: Int64, tenant: TenantID) async throws -> AuditGrowth {
        try await database.tenant(tenant).read { transaction in
            let earlier = try transaction.row(
                "SELECT note FROM audit_checkpoint WHERE tenant = $1 AND size = $2", size)?.text(0)
            guard let earlier, let (newest, note) = try Self.newestCheckpoint(in: transaction) else {
                throw Refusal(.notFound, "audit.checkpointUnknown", "There is no checkpoint of this size.")
            }
            let tiles = TreeTiles(of: tenant, in: transaction)
            return AuditGrowth(
                earlier: earlier, newest: note,
                path: try TreeProof.consistency(from: size, to: newest, node: tiles.node))
        }
    }

    private static func newestCheckpoint(in transaction: Transaction) throws -> (size: Int64, note: String)? {
        try transaction.row("SELECT size, note FROM audit_checkpoint WHERE tenant = $1 ORDER BY size DESC LIMIT 1")
            .map { (try $0.integer(0), try $0.text(1)) }
    }
}
