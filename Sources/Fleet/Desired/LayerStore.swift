import Base
import Storage
import Trust

/// The rows of layers; every call runs in a tenant's transaction.
enum LayerStore {
    /// The secrets of a layer, apart from what may be shown.
    static let sealed = SealedColumn(table: "desired_layer", rowColumns: ["kind", "place"], column: "secrets")

    private static let columns = "place, version, document, secrets, changed"

    /// Whether anything is desired anywhere in the tenant.
    static func isUsed(in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT 1 FROM desired_layer WHERE tenant = $1 LIMIT 1") != nil
    }

    static func find(_ place: LayerPlace, with ring: KeyRing, in transaction: Transaction) throws -> DesiredLayer {
        let row = try transaction.row(
            "SELECT \(columns) FROM desired_layer WHERE tenant = $1 AND kind = $2 AND place = $3", place.kind,
            place.bytes)
        return try row.map { try layer(place, $0, with: ring, in: transaction) } ?? .unwritten(place)
    }

    /// Every model's and domain's layer of the tenant.
    static func shared(with ring: KeyRing, in transaction: Transaction) throws -> [LayerPlace: DesiredLayer] {
        var found: [LayerPlace: DesiredLayer] = [:]
        for row in try transaction.rows(
            "SELECT \(columns), kind FROM desired_layer WHERE tenant = $1 AND kind IN ('model', 'domain')")
        {
            let place: LayerPlace =
                try row.text(5) == "model" ? .model(row.identifier(0)) : .domain(row.identifier(0))
            found[place] = try layer(place, row, with: ring, in: transaction)
        }
        return found
    }

    /// The own layers of those of these devices that have one.
    static func own(
        of devices: [DeviceID], with ring: KeyRing, in transaction: Transaction
    ) throws -> [DeviceID: DesiredLayer] {
        guard !devices.isEmpty else { return [:] }
        var sql = SQLBuilder()
        let list = devices.map { sql.bind($0) }.joined(separator: ", ")
        var found: [DeviceID: DesiredLayer] = [:]
        for row in try transaction.rows(
            "SELECT \(columns) FROM desired_layer WHERE tenant = $1 AND kind = 'device' AND place IN (\(list))",
            arguments: sql.arguments)
        {
            let device = try row.identifier(0, as: DeviceID.self)
            found[device] = try layer(.device(device), row, with: ring, in: transaction)
        }
        return found
    }

    static func write(
        _ layers: [DesiredLayer], of tenant: TenantID, with ring: KeyRing, in transaction: Transaction
    ) throws {
        for layer in layers {
            let place = layer.place
            let secrets = try layer.content.secretBytes.map {
                try ring.seal($0, at: sealed.place(tenant, row: place.kind, place.bytes), in: transaction)
            }
            try transaction.execute(
                """
                INSERT INTO desired_layer (tenant, kind, place, version, document, secrets, changed)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (tenant, kind, place) DO UPDATE SET version = excluded.version,
                    document = excluded.document, secrets = excluded.secrets, changed = excluded.changed
                """, place.kind, place.bytes, layer.version, JSONValue.object(layer.members).canonical, secrets,
                layer.changed)
        }
    }

    static func delete(_ place: LayerPlace, in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM desired_layer WHERE tenant = $1 AND kind = $2 AND place = $3", place.kind, place.bytes)
    }

    private static func layer(
        _ place: LayerPlace, _ row: Row, with ring: KeyRing, in transaction: Transaction
    ) throws -> DesiredLayer {
        var secrets: [MemberPath: JSONValue] = [:]
        if let tenant = transaction.tenant, let bytes = try row.blobIfAny(3) {
            secrets = try DesiredContent.secrets(
                ring.open(bytes, at: sealed.place(tenant, row: place.kind, place.bytes), in: transaction))
        }
        return DesiredLayer(
            place: place, version: try row.integer(1), changed: try row.timestamp(4),
            content: DesiredContent(members: StoredDocument.object(try row.text(2)), secrets: secrets))
    }
}
