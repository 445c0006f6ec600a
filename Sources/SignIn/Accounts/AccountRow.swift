import Base
import Storage

/// Accounts between their table and memory. The password's hash leaves this file only for its check.
enum AccountRow {
    private static let columns = """
        tenant, principal, address, display_name, status, password, must_change, address_ranges, created, last_sign_in
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
        try tx.scoped(to: tenant).row(
            "SELECT \(columns) FROM account WHERE tenant = $1 AND principal = $2", principal
        ).map(read)
    }

    static func find(_ address: MailAddress, tenant: TenantID, in tx: Transaction) throws -> Stored? {
        try tx.scoped(to: tenant).row(
            "SELECT \(columns) FROM account WHERE tenant = $1 AND address = $2", address.text
        ).map(read)
    }

    /// The accounts of a realm with this address, two at most: more are as ambiguous.
    static func find(_ address: MailAddress, realm: Realm, in tx: Transaction) throws -> [Stored] {
        let side = realm == .platform ? "=" : "<>"
        return try tx.acrossTenants.rows(
            "SELECT \(columns) FROM account WHERE address = $1 AND tenant \(side) $2 ORDER BY tenant LIMIT 2",
            address.text, TenantID.platform
        ).map(read)
    }

    static func page(after address: String, limit: Int, tenant: TenantID, in tx: Transaction) throws -> [Account] {
        try tx.scoped(to: tenant).rows(
            "SELECT \(columns) FROM account WHERE tenant = $1 AND address > $2 ORDER BY address LIMIT $3", address,
            limit
        ).map { try read($0).account }
    }

    static func setStatus(_ status: Account.Status, of account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "UPDATE account SET status = $3 WHERE tenant = $1 AND principal = $2", account.principal, status.rawValue)
    }

    static func setPassword(
        _ hash: String, at time: Timestamp, mustChange: Bool = false, of account: Account, in tx: Transaction
    ) throws {
        try tx.scoped(to: account.tenant).execute(
            """
            UPDATE account SET password = $3, password_set = $4, must_change = $5 WHERE tenant = $1 AND principal = $2
            """, account.principal, hash, time, mustChange)
    }

    static func noteSignIn(of account: Account, at time: Timestamp, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "UPDATE account SET last_sign_in = $3 WHERE tenant = $1 AND principal = $2", account.principal, time)
    }

    static func setTraits(_ account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            """
            UPDATE account SET address = $3, display_name = $4, address_ranges = $5, must_change = $6
            WHERE tenant = $1 AND principal = $2
            """, account.principal, account.address.text, account.name, AddressRanges.text(account.addressRanges),
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
                name: try row.text(3), status: status, hasPassword: hash != nil,
                mustChangePassword: try row.bool(6), addressRanges: AddressRanges.read(try row.text(7)),
                created: try row.timestamp(8), lastSignIn: try row.timestampIfAny(9)),
            hash: hash)
    }
}
