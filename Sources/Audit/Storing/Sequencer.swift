import Base
import Storage

/// Gives pending entries their places in the tree.
///
/// One transaction reads them, appends them and deletes them, so a crash at any moment leaves them either all pending
/// or all placed. Actions only ever insert a pending row; the head's row, which would let through one action at a
/// time, is touched here alone.
enum Sequencer {
    /// Moves up to `limit` of the tenant's pending entries, oldest first, and answers how many.
    static func move(_ tenant: TenantID, limit: Int, in transaction: Transaction) throws -> Int {
        let scoped = transaction.scoped(to: tenant)
        let rows = try scoped.rows(
            "SELECT \(AuditLeaf.columnList) FROM audit_pending WHERE tenant = $1 ORDER BY time, id LIMIT $2", limit)
        guard let last = rows.last else { return 0 }
        var head = try LogHead.claim(tenant, in: transaction)
        let start = head.size
        var hashes: [TreeHash] = []
        var values: [[SQLValue]] = []
        hashes.reserveCapacity(rows.count)
        values.reserveCapacity(rows.count)
        for row in rows {
            let hash = TreeHash.leaf(try AuditLeaf(row, from: 0, tenant: tenant).bytes)
            values.append([.integer(head.size), .blob(hash.bytes)] + row.values)
            hashes.append(hash)
            head.frontier.append(hash)
        }
        // Before the new rows are there: the tiles read the older leaves of an incomplete tile from the entries.
        try TreeTiles(of: tenant, in: transaction).append(hashes, at: start)
        try scoped.insert(into: "audit_entry", columns: ["position", "leaf"] + AuditLeaf.columns, rows: values)
        try scoped.execute(
            "DELETE FROM audit_pending WHERE tenant = $1 AND (time, id) <= ($2, $3)",
            last.timestamp(0), last.blob(1))
        try head.write(tenant, in: transaction)
        return rows.count
    }

    /// The tenants that have pending entries.
    static func waiting(in transaction: Transaction) throws -> [TenantID] {
        try transaction.acrossTenants.rows("SELECT DISTINCT tenant FROM audit_pending")
            .map { try $0.identifier(0) }
    }
}
