import Base
import Storage

/// The one row of a log that changes: how far it has come.
struct LogHead {
    var frontier = TreeFrontier()
    /// The first entry whose body retention has left.
    var keptFrom: Int64 = 0
    /// The size that the newest checkpoint signs.
    var signedSize: Int64 = 0
    /// The size of the newest checkpoint that the platform's log holds, and when it was entered there.
    var anchoredSize: Int64 = 0
    var anchoredAt = Timestamp(microseconds: 0)

    var size: Int64 { frontier.size }

    private static let columns = "size, frontier, kept_from, signed_size, anchored_size, anchored_at"

    private init(_ row: Row) throws {
        guard let frontier = TreeFrontier(size: try row.integer(0), bytes: try row.blob(1)) else {
            throw StorageError(.corrupt, "the head of an audit log does not fit its size")
        }
        self.frontier = frontier
        keptFrom = try row.integer(2)
        signedSize = try row.integer(3)
        anchoredSize = try row.integer(4)
        anchoredAt = try row.timestamp(5)
    }

    /// The head of a tenant's log, or nil when it has none yet.
    static func read(_ tenant: TenantID, in transaction: Transaction) throws -> LogHead? {
        try transaction.scoped(to: tenant).row("SELECT \(columns) FROM audit_head WHERE tenant = $1")
            .map(LogHead.init)
    }

    /// The head, claimed for this transaction: a second node that wants it waits or begins again.
    static func claim(_ tenant: TenantID, in transaction: Transaction) throws -> LogHead {
        let row = try transaction.scoped(to: tenant).row(
            """
            INSERT INTO audit_head
                (tenant, turn, size, frontier, kept_from, signed_size, anchored_size, anchored_at)
            VALUES ($1, 1, 0, $2, 0, 0, 0, 0)
            ON CONFLICT (tenant) DO UPDATE SET turn = audit_head.turn + 1
            RETURNING \(columns)
            """, [UInt8]())
        guard let row else { throw StorageError(.corrupt, "the head of an audit log could not be claimed") }
        return try LogHead(row)
    }

    func write(_ tenant: TenantID, in transaction: Transaction) throws {
        try transaction.scoped(to: tenant).execute(
            """
            UPDATE audit_head SET size = $2, frontier = $3, kept_from = $4, signed_size = $5, anchored_size = $6,
                anchored_at = $7
            WHERE tenant = $1
            """, frontier.size, frontier.bytes, keptFrom, signedSize, anchoredSize, anchoredAt)
    }
}
