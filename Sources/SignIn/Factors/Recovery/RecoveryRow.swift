import Base
import Storage

/// Recovery codes in their table: hashes, each good for one use.
enum RecoveryRow {
    /// How many of an account's codes are left.
    static func left(_ account: Account, in tx: Transaction) throws -> Int {
        try tx.scoped(to: account.tenant).row(
            "SELECT count(*) FROM recovery_code WHERE tenant = $1 AND principal = $2 AND used IS NULL",
            account.principal)?.int(0) ?? 0
    }

    /// Uses a code up; false when there is none such left.
    static func use(_ hash: [UInt8], of account: Account, at time: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.scoped(to: account.tenant).execute(
            """
            UPDATE recovery_code SET used = $4 WHERE tenant = $1 AND principal = $2 AND hash = $3 AND used IS NULL
            """, account.principal, hash, time) == 1
    }

    /// Whether a code was used up.
    static func wasUsed(_ hash: [UInt8], of account: Account, in tx: Transaction) throws -> Bool {
        try tx.scoped(to: account.tenant).row(
            """
            SELECT 1 FROM recovery_code WHERE tenant = $1 AND principal = $2 AND hash = $3 AND used IS NOT NULL
            """, account.principal, hash) != nil
    }

    /// Replaces an account's codes.
    static func replace(_ codes: [String], of account: Account, at time: Timestamp, in tx: Transaction) throws {
        try remove(of: account, in: tx)
        for hash in codes.compactMap(RecoveryCode.hash) {
            try tx.scoped(to: account.tenant).execute(
                "INSERT INTO recovery_code (tenant, principal, hash, made) VALUES ($1, $2, $3, $4)",
                account.principal, hash, time)
        }
    }

    /// Ends an account's codes.
    static func remove(of account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "DELETE FROM recovery_code WHERE tenant = $1 AND principal = $2", account.principal)
    }
}
