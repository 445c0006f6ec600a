public import Base
import Storage
import Trust

/// A device's access token without its secret: the weaker credential, and shown as such.
public struct AccessTokenRecord: Hashable, Sendable {
    /// The token's identifier.
    public let id: CredentialID
    /// When it was created.
    public let created: Timestamp

    /// The token as JSON, with its rank.
    public var json: JSONValue {
        ["id": .string(id.text), "rank": "access-token", "created": .string(created.rfc3339)]
    }
}

/// An access token that was just created.
public struct AccessToken: Sendable {
    /// What the database keeps of it.
    public let record: AccessTokenRecord
    /// The secret, shown this once: 32 hexadecimal digits, because firmware that needs it often has room for no more.
    public let text: String
}

/// The rows of access tokens; only their hashes are kept.
enum AccessTokens {
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }.hex
    }

    static func list(of device: DeviceID, in transaction: Transaction) throws -> [AccessTokenRecord] {
        try transaction.rows(
            "SELECT id, created FROM device_access_token WHERE tenant = $1 AND device = $2 ORDER BY created, id", device
        ).map { AccessTokenRecord(id: try $0.identifier(0), created: try $0.timestamp(1)) }
    }

    static func insert(
        _ record: AccessTokenRecord, hash: [UInt8], for device: DeviceID, in transaction: Transaction
    ) throws {
        try transaction.execute(
            "INSERT INTO device_access_token (tenant, id, device, hash, created) VALUES ($1, $2, $3, $4, $5)",
            record.id,
            device, hash, record.created)
    }

    /// Deletes one token and answers its hash; nil when the device has none such.
    static func delete(_ id: CredentialID, of device: DeviceID, in transaction: Transaction) throws -> Fingerprint? {
        try transaction.row(
            "DELETE FROM device_access_token WHERE tenant = $1 AND id = $2 AND device = $3 RETURNING hash", id, device
        ).flatMap { Fingerprint(bytes: try $0.blob(0)) }
    }

    /// Deletes all tokens of a device and answers their hashes.
    static func deleteAll(of device: DeviceID, in transaction: Transaction) throws -> [Fingerprint] {
        try transaction.rows(
            "DELETE FROM device_access_token WHERE tenant = $1 AND device = $2 RETURNING hash", device
        ).compactMap { Fingerprint(bytes: try $0.blob(0)) }
    }
}
