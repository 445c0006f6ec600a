import Base
import Storage
import Trust

/// A device's documents as its rows have them.
struct StoredDocuments {
    var documents: DeviceDocuments
    /// The secrets of the desired document, sealed.
    var sealed: [UInt8]?
    /// How many members the device reports otherwise.
    var drift: Int64?
    /// Why a newer desired document was not given out, as JSON.
    var faults: String?

    /// Opens the secrets of the desired document, for its device.
    mutating func open(_ owner: Owner, with ring: KeyRing, in transaction: Transaction) throws {
        guard let sealed else { return }
        documents.desired.secrets = try DesiredContent.secrets(
            ring.open(
                sealed, at: DocumentStore.sealed.place(owner.tenant, row: owner.device, "desired"), in: transaction))
    }
}

/// A device's desired document with its secrets, and what is known of it.
struct DesiredRow: Hashable {
    var owner: Owner
    var documents: DeviceDocuments
    var drift: Int64?
    /// Why a newer document was not given out.
    var faults: [Refusal.Fault]
}

extension DocumentStore {
    /// The secrets of a desired document, apart from what may be shown.
    static let sealed = SealedColumn(table: "device_document", rowColumns: ["device", "kind"], column: "secrets")

    /// The desired documents of those of these devices that are still there, with their secrets; across tenants.
    static func loadDesired(
        _ owners: [Owner], with ring: KeyRing, in transaction: Transaction
    ) throws -> [DeviceID: DesiredRow] {
        let stored = try load(owners, in: transaction)
        var rows: [DeviceID: DesiredRow] = [:]
        for owner in owners {
            guard var one = stored[owner.device] else { continue }
            try one.open(owner, with: ring, in: transaction)
            rows[owner.device] = DesiredRow(
                owner: owner, documents: one.documents, drift: one.drift, faults: Self.faults(one.faults))
        }
        return rows
    }

    /// Writes desired documents with their secrets over the ones before; across tenants.
    static func writeDesired(_ rows: [DesiredRow], with ring: KeyRing, in transaction: Transaction) throws {
        let rows = rows.sorted { $0.owner < $1.owner }
        try Batch.each(rows, columns: 9) { part, values in
            var arguments: [any SQLBindable] = []
            for row in part {
                let (owner, document) = (row.owner, row.documents.desired)
                let secrets = try document.content.secretBytes.map {
                    try ring.seal($0, at: sealed.place(owner.tenant, row: owner.device, "desired"), in: transaction)
                }
                arguments += [
                    owner.tenant, owner.device, document.kind.rawValue, document.version,
                    JSONValue.object(document.members).canonical, document.changed ?? Timestamp(microseconds: 0),
                    secrets, row.drift, Self.text(row.faults),
                ]
            }
            try transaction.execute(
                """
                INSERT INTO device_document
                    (tenant, device, kind, version, document, changed, secrets, drift, faults) VALUES \(values)
                ON CONFLICT (tenant, device, kind) DO UPDATE
                SET version = excluded.version, document = excluded.document, changed = excluded.changed,
                    secrets = excluded.secrets, drift = excluded.drift, faults = excluded.faults
                """, arguments: arguments)
        }
    }

    /// Writes how many members a device reports otherwise than desired; across tenants.
    static func write(drift: Int64?, of owner: Owner, in transaction: Transaction) throws {
        try transaction.execute(
            "UPDATE device_document SET drift = $3 WHERE tenant = $1 AND device = $2 AND kind = 'desired'",
            owner.tenant, owner.device, drift)
    }

    static func faults(_ text: String?) -> [Refusal.Fault] {
        guard let text, case .array(let list)? = try? JSONValue(parsing: Array(text.utf8)) else { return [] }
        return list.compactMap { fault in
            guard let place = fault["place"]?.string, let message = fault["message"]?.string else { return nil }
            return Refusal.Fault(place: place, message: message)
        }
    }

    private static func text(_ faults: [Refusal.Fault]) -> String? {
        guard !faults.isEmpty else { return nil }
        return JSONValue.array(faults.map { ["place": .string($0.place), "message": .string($0.message)] }).canonical
    }
}
