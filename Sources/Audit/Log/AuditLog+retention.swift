public import Base
import Storage

extension AuditLog {
    /// Drops the bodies of entries older than `cutoff` and answers how many; their hashes and every proof stay.
    ///
    /// Only whole tiles go, and only what a checkpoint has signed. Each step is recorded in the log itself, which is
    /// how verification tells retention from deletion.
    @discardableResult
    public func trim(_ tenant: TenantID, olderThan cutoff: Timestamp) async throws -> Int64 {
        var dropped: Int64 = 0
        while true {
            let step = try await database.tenant(tenant).write { transaction -> Int64 in
                guard var head = try LogHead.read(tenant, in: transaction) else { return 0 }
                let bound = min(head.signedSize, head.keptFrom + Int64(Limits.trimmedRows))
                let firstKept =
                    try transaction.row(
                        """
                        SELECT min(position) FROM audit_entry
                        WHERE tenant = $1 AND position >= $2 AND position < $3 AND time >= $4
                        """, head.keptFrom, bound, cutoff)?.integerIfAny(0) ?? bound
                let end = firstKept / TreeTiles.width * TreeTiles.width
                guard end > head.keptFrom else { return 0 }
                head = try LogHead.claim(tenant, in: transaction)
                try transaction.execute("DELETE FROM audit_entry WHERE tenant = $1 AND position < $2", end)
                // A declared restoration explains checkpoints that others hold, so it stays for good.
                try transaction.execute(
                    "DELETE FROM audit_checkpoint WHERE tenant = $1 AND size < $2 AND note NOT LIKE $3", end,
                    "%\nrestored %")
                let count = end - head.keptFrom
                head.keptFrom = end
                try head.write(tenant, in: transaction)
                try self.record(
                    AuditEntry(
                        .auditTrimmed, tenant: tenant, actor: .system("retention"),
                        object: AuditObject(kind: "audit", id: String(end))), in: transaction)
                return count
            }
            guard step > 0 else { return dropped }
            dropped += step
        }
    }
}
