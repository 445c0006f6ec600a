import Base
import Storage
import Trust

/// Update keys between their table and memory; every call runs in a tenant's transaction.
enum UpdateKeyStore {
    private static let columns = "name, pem, creator_name, created"

    static func all(in transaction: Transaction) throws -> [NamedUpdateKey] {
        try transaction.rows("SELECT \(columns) FROM update_key WHERE tenant = $1 ORDER BY name").map(read)
    }

    static func find(_ name: String, in transaction: Transaction) throws -> NamedUpdateKey? {
        try transaction.row("SELECT \(columns) FROM update_key WHERE tenant = $1 AND name = $2", name).map(read)
    }

    static func put(_ key: NamedUpdateKey, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO update_key (tenant, name, pem, creator_name, created) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant, name) DO UPDATE SET pem = excluded.pem, creator_name = excluded.creator_name,
                created = excluded.created
            """, key.name, key.key.pem, key.creatorName, key.created)
    }

    static func delete(_ name: String, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM update_key WHERE tenant = $1 AND name = $2", name)
    }

    private static func read(_ row: Row) throws -> NamedUpdateKey {
        guard let name = Name(try row.text(0)), let key = try? UpdateKey(pem: try row.text(1)) else {
            throw StorageError(.corrupt, "an update key's row is not readable")
        }
        return NamedUpdateKey(
            name: name, key: key, creatorName: try row.text(2), created: try row.timestamp(3))
    }
}
