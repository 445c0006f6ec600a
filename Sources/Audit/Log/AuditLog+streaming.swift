public import Base
public import Storage

/// How far a log reaches.
public struct AuditReach: Sendable, Hashable {
    /// The number of entries that have their place.
    public var size: Int64
    /// How many of them the newest checkpoint signs.
    public var signedSize: Int64
    /// The first entry that retention has left.
    public var keptFrom: Int64
}

/// A signed checkpoint as it is kept.
public struct KeptCheckpoint: Sendable, Hashable {
    /// How many entries it signs.
    public var size: Int64
    /// When it was made.
    public var made: Timestamp
    /// The signed note.
    public var note: String
}

/// For those who pass a log on, entry by entry; whether they may is decided by their caller, and it is no reading that
/// the log itself records.
extension AuditLog {
    /// How far the tenant's log reaches now.
    public func reach(of tenant: TenantID, in transaction: Transaction) throws -> AuditReach {
        guard let head = try LogHead.read(tenant, in: transaction) else {
            return AuditReach(size: 0, signedSize: 0, keptFrom: 0)
        }
        return AuditReach(size: head.size, signedSize: head.signedSize, keptFrom: head.keptFrom)
    }

    /// The entries of a tenant's log from a position on, the oldest first.
    public func entries(
        of tenant: TenantID, from position: Int64, limit: Int, in transaction: Transaction
    ) throws -> [RecordedEntry] {
        let scoped = transaction.scoped(to: tenant)
        return try scoped.rows(
            """
            SELECT position, \(AuditLeaf.columnList) FROM audit_entry WHERE tenant = $1 AND position >= $2
            ORDER BY position LIMIT $3
            """, position, limit
        ).map { row in
            try RecordedEntry(
                AuditLeaf(row, from: 1, tenant: tenant), at: row.integer(0), keyRing: keyRing, in: scoped)
        }
    }

    /// The checkpoints of a tenant's log that sign more than `size` entries and at most `bound`, the smallest first.
    public func checkpoints(
        of tenant: TenantID, after size: Int64, upTo bound: Int64, limit: Int, in transaction: Transaction
    ) throws -> [KeptCheckpoint] {
        try transaction.scoped(to: tenant).rows(
            """
            SELECT size, made_at, note FROM audit_checkpoint WHERE tenant = $1 AND size > $2 AND size <= $3
            ORDER BY size LIMIT $4
            """, size, bound, limit
        ).map { KeptCheckpoint(size: try $0.integer(0), made: try $0.timestamp(1), note: try $0.text(2)) }
    }
}
