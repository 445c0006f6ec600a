import Base
package import Storage

extension AuditLog {
    /// The newest entry of this code about each of some objects of one kind, in a tenant's transaction; for a caller
    /// who has read the log and recorded it.
    package func newest(
        _ code: AuditCode, about ids: [String], kind: String, in transaction: Transaction
    ) throws -> [String: RecordedEntry] {
        guard let tenant = transaction.tenant else { return [:] }
        var found: [String: RecordedEntry] = [:]
        for id in Set(ids) {
            let row = try transaction.row(
                """
                SELECT position, \(AuditLeaf.columnList) FROM audit_entry
                WHERE tenant = $1 AND object_kind = $2 AND object_id = $3 AND code = $4
                ORDER BY time DESC, position DESC LIMIT 1
                """, kind, id, code.text)
            found[id] = try row.map {
                try RecordedEntry(
                    AuditLeaf($0, from: 1, tenant: tenant), at: $0.integer(0), keyRing: keyRing, in: transaction)
            }
        }
        return found
    }
}
