import Base
import Storage
import Trust

/// The rows of devices' documents.
enum DocumentStore {
    /// A device's document, in a tenant's transaction.
    static func find(
        _ kind: DeviceDocument.Kind, of device: DeviceID, in transaction: Transaction
    ) throws -> DeviceDocument {
        let row = try transaction.row(
            "SELECT version, document, changed FROM device_document WHERE tenant = $1 AND device = $2 AND kind = $3",
            device, kind.rawValue)
        return try row.map { try document(kind, $0, from: 0) } ?? .unwritten(kind)
    }

    /// Both documents of each of these devices that is still there, read across tenants in few statements; what is
    /// secret stays sealed.
    static func load(_ devices: [Owner], in transaction: Transaction) throws -> [DeviceID: StoredDocuments] {
        var found: [DeviceID: StoredDocuments] = [:]
        try Batch.each(devices) { part, values in
            try transaction.forEach(
                // The order of the joins is fixed, because SQLite would rather read all devices than trust the list.
                """
                SELECT d.id, r.version, r.document, r.changed, w.version, w.document, w.changed, w.secrets, w.drift,
                    w.faults
                FROM (VALUES \(values)) AS v
                CROSS JOIN device AS d
                LEFT JOIN device_document AS r ON r.tenant = d.tenant AND r.device = d.id AND r.kind = 'reported'
                LEFT JOIN device_document AS w ON w.tenant = d.tenant AND w.device = d.id AND w.kind = 'desired'
                WHERE d.tenant = v.column1 AND d.id = v.column2
                """, arguments: part.flatMap { [$0.tenant, $0.device] as [any SQLBindable] }
            ) { row in
                found[try row.identifier(0)] = StoredDocuments(
                    documents: DeviceDocuments(
                        reported: try row.isNull(1) ? .unwritten(.reported) : document(.reported, row, from: 1),
                        desired: try row.isNull(4) ? .unwritten(.desired) : document(.desired, row, from: 4)),
                    sealed: try row.blobIfAny(7), drift: try row.integerIfAny(8), faults: try row.textIfAny(9))
            }
        }
        return found
    }

    /// Writes documents of one or many tenants over the ones before; in the order of the table's key, because at
    /// random places each row would cost a page.
    static func write(_ rows: [(document: DeviceDocument, owner: Owner)], in transaction: Transaction) throws {
        try Batch.each(rows, columns: 6) { part, values in
            try transaction.execute(
                """
                INSERT INTO device_document (tenant, device, kind, version, document, changed) VALUES \(values)
                ON CONFLICT (tenant, device, kind) DO UPDATE
                SET version = excluded.version, document = excluded.document, changed = excluded.changed
                """,
                arguments: part.flatMap { row in
                    [
                        row.owner.tenant, row.owner.device, row.document.kind.rawValue, row.document.version,
                        JSONValue.object(row.document.members).canonical,
                        row.document.changed ?? Timestamp(microseconds: 0),
                    ] as [any SQLBindable]
                })
        }
    }

    /// Empties what a device has reported, because another unit stands in its place; the version goes on.
    static func clearReported(of device: DeviceID, at time: Timestamp, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE device_document SET version = version + 1, document = '{}', changed = $3
            WHERE tenant = $1 AND device = $2 AND kind = 'reported'
            """, device, time)
        try transaction.execute(
            "UPDATE device_document SET drift = NULL WHERE tenant = $1 AND device = $2 AND kind = 'desired'", device)
    }

    private static func document(_ kind: DeviceDocument.Kind, _ row: Row, from column: Int) throws -> DeviceDocument {
        DeviceDocument(
            kind: kind, version: try row.integer(column), members: StoredDocument.object(try row.text(column + 1)),
            changed: try row.timestamp(column + 2))
    }
}

/// Whose document or event a row is.
struct Owner: Hashable, Comparable {
    var tenant: TenantID
    var device: DeviceID

    static func < (left: Self, right: Self) -> Bool { (left.tenant, left.device) < (right.tenant, right.device) }
}

/// Splits rows into parts of few sizes, so that few different statements are prepared.
enum Batch {
    private static let sizes = [64, 8, 1]

    static func each<Item>(
        _ items: [Item], columns: Int = 2, _ act: (ArraySlice<Item>, _ values: String) throws -> Void
    ) throws {
        var rest = items[...]
        for size in sizes {
            while rest.count >= size {
                let values = (0..<size).map { row in
                    "(" + (1...columns).map { "$\(row * columns + $0)" }.joined(separator: ", ") + ")"
                }
                try act(rest.prefix(size), values.joined(separator: ", "))
                rest = rest.dropFirst(size)
            }
        }
    }
}
