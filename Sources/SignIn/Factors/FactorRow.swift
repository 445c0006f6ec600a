import Base
import Storage

/// Factors between their table and memory.
struct FactorRow {
    var id: FactorID
    var principal: PrincipalID
    var method: FactorMethod
    var name: String
    var created: Timestamp
    /// When the first code or signature came; until then it proves nobody.
    var confirmed: Timestamp?
    var lastUsed: Timestamp?
    /// The last step whose code was used, or the passkey's own count of signatures.
    var counter: Int64
    /// Sealed: the secret of an authenticator program, or a telephone's number.
    var secret: [UInt8]?
    /// The passkey's identifier, given by its authenticator.
    var credential: [UInt8]?
    /// The passkey's public key in COSE.
    var publicKey: [UInt8]?
    /// How a browser reaches the passkey, words joined by spaces.
    var transports: String?
    /// Whether its authenticator may copy the passkey elsewhere; that never changes.
    var isBackupEligible = false

    private static let columns = """
        id, principal, method, name, created, confirmed, last_used, counter, secret, credential, public_key, transports,
        backup_eligible
        """

    func insert(tenant: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO factor (tenant, \(Self.columns))
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """, id, principal, method.rawValue, name, created, confirmed, lastUsed, counter, secret, credential,
            publicKey, transports, isBackupEligible)
    }

    static func find(_ id: FactorID, tenant: TenantID, in tx: Transaction) throws -> FactorRow? {
        try tx.scoped(to: tenant).row("SELECT \(columns) FROM factor WHERE tenant = $1 AND id = $2", id).map(read)
    }

    /// The factors of an account, the oldest first, those that were never confirmed included.
    static func all(of principal: PrincipalID, tenant: TenantID, in tx: Transaction) throws -> [FactorRow] {
        try tx.scoped(to: tenant).rows(
            "SELECT \(columns) FROM factor WHERE tenant = $1 AND principal = $2 ORDER BY id", principal
        ).map(read)
    }

    static func confirmed(of principal: PrincipalID, tenant: TenantID, in tx: Transaction) throws -> [FactorRow] {
        try all(of: principal, tenant: tenant, in: tx).filter { $0.confirmed != nil }
    }

    /// The kinds of confirmed factors of each of these principals.
    static func methods(
        of principals: [PrincipalID], tenant: TenantID, in tx: Transaction
    ) throws -> [PrincipalID: Set<FactorMethod>] {
        guard !principals.isEmpty else { return [:] }
        let places = principals.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
        let rows = try tx.scoped(to: tenant).rows(
            """
            SELECT DISTINCT principal, method FROM factor
            WHERE tenant = $1 AND confirmed IS NOT NULL AND principal IN (\(places))
            """, arguments: principals)
        var methods: [PrincipalID: Set<FactorMethod>] = [:]
        for row in rows {
            if let method = FactorMethod(rawValue: try row.text(1)) {
                methods[try row.identifier(0), default: []].insert(method)
            }
        }
        return methods
    }

    static func remove(_ id: FactorID, tenant: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute("DELETE FROM factor WHERE tenant = $1 AND id = $2", id)
    }

    static func rename(_ id: FactorID, to name: String, tenant: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute("UPDATE factor SET name = $3 WHERE tenant = $1 AND id = $2", id, name)
    }

    /// Notes a use, the first of which confirms; false when the counter has not grown.
    static func use(
        _ id: FactorID, counter: Int64, at time: Timestamp, tenant: TenantID, in tx: Transaction
    ) throws -> Bool {
        try tx.scoped(to: tenant).execute(
            """
            UPDATE factor SET counter = $3, last_used = $4, confirmed = COALESCE(confirmed, $4)
            WHERE tenant = $1 AND id = $2 AND (counter < $3 OR (counter = 0 AND $3 = 0))
            """, id, counter, time) == 1
    }

    /// What people are shown of it.
    func factor(numberEnd: String?) -> Factor {
        Factor(id: id, method: method, name: name, created: created, lastUsed: lastUsed, numberEnd: numberEnd)
    }

    private static func read(_ row: Row) throws -> FactorRow {
        guard let method = FactorMethod(rawValue: try row.text(2)) else {
            throw StorageError(.corrupt, "a factor's row is not readable")
        }
        return FactorRow(
            id: try row.identifier(0), principal: try row.identifier(1), method: method, name: try row.text(3),
            created: try row.timestamp(4), confirmed: try row.timestampIfAny(5), lastUsed: try row.timestampIfAny(6),
            counter: try row.integer(7), secret: try row.blobIfAny(8), credential: try row.blobIfAny(9),
            publicKey: try row.blobIfAny(10), transports: try row.textIfAny(11), isBackupEligible: try row.bool(12))
    }
}
