import Base
import Storage
import Trust

/// The rows of edits, and of the devices that they have not come to; every call runs in a tenant's transaction.
enum EditStore {
    /// What is changed in all devices of an edit: sealed whole, because any of it may be a secret.
    static let sealedChange = SealedColumn(table: "desired_edit", rowColumns: ["id"], column: "change")
    /// What is changed in one device alone, sealed for the same reason.
    static let sealedTexts = SealedColumn(
        table: "desired_edit_device", rowColumns: ["edit", "device"], column: "texts")

    /// One device that an edit has not come to.
    struct Waiting: Sendable {
        var device: DeviceID
        /// Its place in the edit, from 1 on.
        var number: Int
        /// What is changed in it alone.
        var texts: [MemberPath: String]
    }

    private static let columns = "id, creator, creator_name, created, finished, total, done, refused, faults"

    /// Writes an edit that nobody sees or works on before it is ready.
    static func insert(
        _ edit: DesiredEdit, _ change: JSONValue, of tenant: TenantID, with ring: KeyRing,
        in transaction: Transaction
    ) throws {
        let sealed = try ring.seal(
            Array(change.canonical.utf8), at: sealedChange.place(tenant, row: edit.id), in: transaction)
        try transaction.execute(
            """
            INSERT INTO desired_edit
                (tenant, id, creator, creator_name, created, total, done, refused, faults, change, ready)
            VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '[]', $7, 0)
            """, edit.id, edit.creator, edit.creatorName, edit.created, Int64(edit.total), sealed)
    }

    /// Writes some devices of an edit that is not ready, in the order in which the table has them.
    static func insert(
        _ devices: ArraySlice<Waiting>, of edit: DesiredEdit.ID, of tenant: TenantID, with ring: KeyRing,
        in transaction: Transaction
    ) throws {
        try transaction.insert(
            into: "desired_edit_device", columns: ["edit", "device", "number", "texts"],
            rows: devices.map { one in
                var texts = SQLValue.null
                if !one.texts.isEmpty {
                    let members = one.texts.map { ($0.key.pointer, JSONValue.string($0.value)) }
                    let json = JSONValue.object(Dictionary(members) { first, _ in first })
                    texts = .blob(
                        try ring.seal(
                            Array(json.canonical.utf8), at: sealedTexts.place(tenant, row: edit, one.device),
                            in: transaction))
                }
                return [edit.sqlValue, one.device.sqlValue, .integer(Int64(one.number)), texts]
            })
    }

    /// Lets the worker have an edit.
    static func setReady(_ edit: DesiredEdit.ID, in transaction: Transaction) throws {
        try transaction.execute("UPDATE desired_edit SET ready = 1 WHERE tenant = $1 AND id = $2", edit)
    }

    /// The edits of all tenants that a stop left half made: those before `time` that never got ready.
    static func halfMade(
        before time: Timestamp, in transaction: Transaction
    ) throws -> [(tenant: TenantID, edit: DesiredEdit.ID)] {
        try transaction.acrossTenants.rows(
            "SELECT tenant, id FROM desired_edit WHERE ready = 0 AND created < $1", time
        ).map { (tenant: try $0.identifier(0), edit: try $0.identifier(1, as: DesiredEdit.ID.self)) }
    }

    /// Removes an edit that is not ready; one that got so all the same stays.
    static func remove(halfMade edit: DesiredEdit.ID, in transaction: Transaction) throws {
        let removed = try transaction.execute(
            "DELETE FROM desired_edit WHERE tenant = $1 AND id = $2 AND ready = 0", edit)
        guard removed > 0 else { return }
        try transaction.execute("DELETE FROM desired_edit_device WHERE tenant = $1 AND edit = $2", edit)
    }

    /// What an edit changes in all its devices.
    static func change(
        of edit: DesiredEdit.ID, of tenant: TenantID, with ring: KeyRing, in transaction: Transaction
    ) throws -> JSONValue {
        guard
            let sealed = try transaction.row("SELECT change FROM desired_edit WHERE tenant = $1 AND id = $2", edit)?
                .blobIfAny(0)
        else { return [:] }
        return try JSONValue(
            parsing: ring.open(sealed, at: sealedChange.place(tenant, row: edit), in: transaction))
    }

    /// The next devices of an edit, which are taken off its list.
    static func take(
        _ edit: DesiredEdit.ID, _ limit: Int, of tenant: TenantID, with ring: KeyRing, in transaction: Transaction
    ) throws -> [Waiting] {
        let taken = try transaction.rows(
            """
            SELECT device, number, texts FROM desired_edit_device
            WHERE tenant = $1 AND edit = $2 ORDER BY device LIMIT \(limit)
            """, edit
        ).map { row in
            let device = try row.identifier(0, as: DeviceID.self)
            var texts: [MemberPath: String] = [:]
            if let sealed = try row.blobIfAny(2) {
                let bytes = try ring.open(
                    sealed, at: sealedTexts.place(tenant, row: edit, device), in: transaction)
                if case .object(let members) = try JSONValue(parsing: bytes) {
                    for (pointer, text) in members {
                        if let path = MemberPath(pointer: pointer) { texts[path] = text.string }
                    }
                }
            }
            return Waiting(device: device, number: try row.int(1), texts: texts)
        }
        if let last = taken.last {
            try transaction.execute(
                "DELETE FROM desired_edit_device WHERE tenant = $1 AND edit = $2 AND device <= $3", edit, last.device)
        }
        return taken
    }

    static func update(_ edit: DesiredEdit, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE desired_edit SET finished = $3, done = $4, refused = $5, faults = $6
            WHERE tenant = $1 AND id = $2
            """, edit.id, edit.finished, Int64(edit.done), Int64(edit.refused),
            DesiredEdit.json(edit.examples).canonical)
        // What is through keeps nothing that may be a secret.
        if edit.finished != nil {
            try transaction.execute("UPDATE desired_edit SET change = NULL WHERE tenant = $1 AND id = $2", edit.id)
        }
    }

    /// The edit that is under way the longest.
    static func open(in transaction: Transaction) throws -> DesiredEdit? {
        try transaction.row(
            """
            SELECT \(columns) FROM desired_edit
            WHERE tenant = $1 AND finished IS NULL AND ready = 1 ORDER BY id LIMIT 1
            """
        ).map(edit)
    }

    static func countOpen(in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM desired_edit WHERE tenant = $1 AND finished IS NULL")?.int(0) ?? 0
    }

    /// The tenants with edits under way.
    static func tenants(in transaction: Transaction) throws -> [TenantID] {
        try transaction.acrossTenants.rows(
            "SELECT DISTINCT tenant FROM desired_edit WHERE finished IS NULL AND ready = 1"
        ).map { try $0.identifier(0) }
    }

    static func find(_ id: DesiredEdit.ID, in transaction: Transaction) throws -> DesiredEdit? {
        try transaction.row("SELECT \(columns) FROM desired_edit WHERE tenant = $1 AND id = $2 AND ready = 1", id)
            .map(edit)
    }

    /// The newest edits, of one person or of all.
    static func list(of creator: PrincipalID?, in transaction: Transaction) throws -> [DesiredEdit] {
        var sql = SQLBuilder()
        let own = creator.map { " AND creator = \(sql.bind($0))" } ?? ""
        return try transaction.rows(
            """
            SELECT \(columns) FROM desired_edit WHERE tenant = $1 AND ready = 1\(own)
            ORDER BY id DESC LIMIT \(FleetLimits.keptEdits)
            """, arguments: sql.arguments
        ).map(edit)
    }

    /// Forgets the oldest edits that are through.
    static func prune(in transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM desired_edit WHERE tenant = $1 AND finished IS NOT NULL AND id NOT IN (
                SELECT e.id FROM desired_edit e WHERE e.tenant = $1 ORDER BY e.id DESC LIMIT \(FleetLimits.keptEdits - 1))
            """)
    }

    private static func edit(_ row: Row) throws -> DesiredEdit {
        var examples: [DesiredEdit.Refused] = []
        if case .array(let list)? = try? JSONValue(parsing: Array(try row.text(8).utf8)) {
            examples = list.map {
                .init(device: $0["device"]?.string ?? "", message: $0["message"]?.string ?? "")
            }
        }
        return DesiredEdit(
            id: try row.identifier(0), creator: try row.identifier(1), creatorName: try row.text(2),
            created: try row.timestamp(3), finished: try row.timestampIfAny(4), total: try row.int(5),
            done: try row.int(6), refused: try row.int(7), examples: examples)
    }
}
