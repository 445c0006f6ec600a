import Storage

/// The word that devices may go back to an earlier release: it stands with the operation that takes them there, and in
/// every task of it that is signed.
enum RollbackGrant {
    static func give(_ operation: OperationID, in transaction: Transaction) throws {
        try transaction.execute("INSERT INTO rollback_grant (tenant, operation) VALUES ($1, $2)", operation)
    }

    static func has(_ operation: OperationID, in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT 1 FROM rollback_grant WHERE tenant = $1 AND operation = $2", operation) != nil
    }
}
