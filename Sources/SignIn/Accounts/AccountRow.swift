import Base
import Storage

/// Accounts between their table and memory. The password's hash leaves this file only for its check.
///
/// Whether an account is disabled is known of its principal, so that there is one truth about it.
enum AccountRow {
    private static let select = """
        SELECT a.tenant, a.principal, a.address, a.display_name, a.status, a.password, a.must_change, a.address_ranges,
            a.created, a.last_sign_in, p.active
        FROM account a JOIN principal p ON p.tenant = a.tenant AND p.id = a.principal
        """

    /// An account and the hash of its password.
    struct Stored {
        var account: Account
        var hash: String?
    }

    static func insert(_ account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            """
            INSERT INTO account
                (tenant, principal, address, display_name, status, must_change, address_ranges, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """, account.principal, account.address.text, account.name, account.status.rawValue,
            account.mustChangePassword, AddressRanges.text(account.addressRanges), account.created)
    }

    static func find(_ principal: PrincipalID, tenant: TenantID, in tx: Transaction) throws -> Stored? {
        try tx.scoped(to: tenant).row("\(select) WHERE a.tenant = $1 AND a.principal = $2", principal).map(read)
    }

    static func find(_ address: String, tenant: TenantID, in tx: Transaction) throws -> Stored? {
        try tx.scoped(to: tenant).row("\(select) WHERE a.tenant = $1 AND a.address = $2", address).map(read)
    }

    /// The accounts of a realm with this address, two at most: more are as ambiguous.
    static func find(_ address: String, realm: Realm, in tx: Transaction) throws -> [Stored] {
        let side = realm == .platform ? "=" : "<>"
        return try tx.acrossTenants.rows(
            "\(select) WHERE a.address = $1 AND a.tenant \(side) $2 ORDER BY a.tenant LIMIT 2", address,
            TenantID.platform
        ).map(read)
    }

    static func page(after address: String, limit: Int, tenant: TenantID, in tx: Transaction) throws -> [Account] {
        try tx.scoped(to: tenant).rows(
            "\(select) WHERE a.tenant = $1 AND a.address > $2 ORDER BY a.address LIMIT $3", address, limit
        ).map { try read($0).account }
    }

    /// Whether anybody can sign in to anything but the platform.
    static func isAnyActive(in tx: Transaction) throws -> Bool {
        try tx.acrossTenants.row(
            "SELECT 1 FROM account WHERE status = 'active' AND tenant <> $1 LIMIT 1", TenantID.platform) != nil
    }

    static func activate(_ account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "UPDATE account SET status = 'active', display_name = $3 WHERE tenant = $1 AND principal = $2",
            account.principal, account.name)
    }

    static func setPassword(_ hash: String, at time: Timestamp, of account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            """
            UPDATE account SET password = $3, password_set = $4, must_change = 0 WHERE tenant = $1 AND principal = $2
            """, account.principal, hash, time)
    }

    /// The same password at another cost.
    static func replaceHash(_ hash: String, of account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "UPDATE account SET password = $3 WHERE tenant = $1 AND principal = $2", account.principal, hash)
    }

    static func noteSignIn(of account: Account, at time: Timestamp, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "UPDATE account SET last_sign_in = $3 WHERE tenant = $1 AND principal = $2", account.principal, time)
    }

    static func setTraits(_ account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            """
            UPDATE account SET display_name = $3, address_ranges = $4, must_change = $5
            WHERE tenant = $1 AND principal = $2
            """, account.principal, account.name, AddressRanges.text(account.addressRanges),
            account.mustChangePassword)
    }

    private static func read(_ row: Row) throws -> Stored {
        guard let address = MailAddress(try row.text(2)), let status = Account.Status(rawValue: try row.text(4)) else {
            throw StorageError(.corrupt, "an account's row is not readable")
        }
        let hash = try row.textIfAny(5)
        return Stored(
            account: Account(
                tenant: try row.identifier(0), principal: try row.identifier(1), address: address,
                name: try row.text(3), status: try row.bool(10) ? status : .disabled, hasPassword: hash != nil,
                mustChangePassword: try row.bool(6), addressRanges: try AddressRanges.read(try row.text(7)),
                created: try row.timestamp(8), lastSignIn: try row.timestampIfAny(9)),
            hash: hash)
    }
}
