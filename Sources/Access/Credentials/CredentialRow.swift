import Base
import Storage

/// Credentials between their table and memory; permissions and address ranges are words joined by spaces.
enum CredentialRow {
    static let columns =
        "id, kind, principal, name, permissions, addresses, created, expires, idle, last_used, revoked, address, agent"

    static func read(_ row: Row) throws -> CredentialInfo {
        guard let kind = Credential.Kind(rawValue: try row.text(1)) else {
            throw StorageError(.corrupt, "a credential's row is not readable")
        }
        return CredentialInfo(
            id: try row.identifier(0), kind: kind, principal: try row.identifier(2), name: try row.text(3),
            permissions: try row.textIfAny(4).map(RoleRow.permissions), addresses: try ranges(try row.textIfAny(5)),
            created: try row.timestamp(6), expires: try row.timestampIfAny(7),
            idle: try row.integerIfAny(8).map { .microseconds($0) }, lastUsed: try row.timestampIfAny(9),
            revoked: try row.timestampIfAny(10), address: try row.textIfAny(11), agent: try row.textIfAny(12))
    }

    static func insert(_ info: CredentialInfo, hash: [UInt8], tenant: TenantID, in tx: Transaction) throws {
        let ranges = info.addresses.map(\.description).joined(separator: " ")
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO credential (owner, hash, \(columns))
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """, hash, info.id, info.kind.rawValue, info.principal, info.name, info.permissions.map(RoleRow.words),
            info.addresses.isEmpty ? nil as String? : ranges, info.created, info.expires,
            info.idle.map { $0.components.seconds * 1_000_000 + $0.components.attoseconds / 1_000_000_000_000 },
            info.lastUsed, info.revoked, info.address, info.agent)
    }

    /// A range that can not be read must not open what it closed.
    private static func ranges(_ text: String?) throws -> [AddressRange] {
        try (text ?? "").split(separator: " ").map { word in
            guard let range = AddressRange(String(word)) else {
                throw StorageError(.corrupt, "a credential's address range is not readable")
            }
            return range
        }
    }
}
