import Base
import Storage

/// The rows of models; every call runs in a tenant's transaction.
enum ModelStore {
    private static let columns = "id, name, version, document, created, changed"

    static func find(_ id: ModelID, in transaction: Transaction) throws -> Model? {
        try transaction.row("SELECT \(columns) FROM model WHERE tenant = $1 AND id = $2", id).map { try model($0) }
    }

    /// The model that `text` names, by name or identifier.
    static func find(_ text: String, in transaction: Transaction) throws -> Model? {
        if let id = ModelID(text: text) { return try find(id, in: transaction) }
        guard let name = Name(text) else { return nil }
        return try transaction.row("SELECT \(columns) FROM model WHERE tenant = $1 AND name = $2", name)
            .map { try model($0) }
    }

    static func all(in transaction: Transaction) throws -> [Model] {
        try transaction.rows("SELECT \(columns) FROM model WHERE tenant = $1 ORDER BY name").map { try model($0) }
    }

    /// Every tenant's models.
    static func everywhere(in transaction: Transaction) throws -> [Model] {
        try transaction.acrossTenants.rows("SELECT \(columns) FROM model").map { try model($0) }
    }

    static func count(in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM model WHERE tenant = $1").map { try $0.int(0) } ?? 0
    }

    /// Writes a model's new version, and keeps a bounded number of earlier ones.
    static func write(_ model: Model, isNew: Bool, in transaction: Transaction) throws {
        let document = model.document.json.canonical
        if isNew {
            try transaction.execute(
                """
                INSERT INTO model (tenant, id, name, version, document, hardware, created, changed)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """, model.id, model.name, model.version, document, model.hardware, model.created, model.changed)
        } else {
            try transaction.execute(
                """
                UPDATE model SET name = $3, version = $4, document = $5, hardware = $6, changed = $7
                WHERE tenant = $1 AND id = $2
                """, model.id, model.name, model.version, document, model.hardware, model.changed)
        }
        try transaction.execute(
            "INSERT INTO model_version (tenant, model, version, document, changed) VALUES ($1, $2, $3, $4, $5)",
            model.id, model.version, document, model.changed)
        try transaction.execute(
            "DELETE FROM model_version WHERE tenant = $1 AND model = $2 AND version <= $3", model.id,
            model.version - FleetLimits.modelVersions)
    }

    static func delete(_ id: ModelID, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM model_version WHERE tenant = $1 AND model = $2", id)
        try transaction.execute("DELETE FROM model WHERE tenant = $1 AND id = $2", id)
    }

    /// The document of an earlier version, if it is kept.
    static func document(_ id: ModelID, version: Int, in transaction: Transaction) throws -> ModelDocument? {
        try transaction.row(
            "SELECT document FROM model_version WHERE tenant = $1 AND model = $2 AND version = $3", id, version
        ).map { try document($0.text(0)) }
    }

    private static func model(_ row: Row) throws -> Model {
        guard let name = Name(try row.text(1)) else {
            throw StorageError(.corrupt, "a model's row holds a name that the program does not accept")
        }
        return Model(
            id: try row.identifier(0), name: name, version: try row.int(2), document: try document(row.text(3)),
            created: try row.timestamp(4), changed: try row.timestamp(5))
    }

    private static func document(_ text: String) throws -> ModelDocument {
        do {
            let limits = JSONLimits(bytes: FleetLimits.modelBytes * 2)
            return try ModelDocument(json: try JSONValue(parsing: Array(text.utf8), limits: limits))
        } catch {
            throw StorageError(.corrupt, "a model's document can not be read", cause: error)
        }
    }
}
