import Base
import Storage
import Trust

/// The rows of edits, and of the devices that they have not come to; every call runs in a tenant's transaction.
enum EditStore {
    /// What is to be changed in one device: sealed whole, because any of it may be a secret.
    static let sealed = SealedColumn(
        table: "desired_edit_device", rowColumns: ["edit", "device"], column: "change")

    private static let columns = "id, creator, creator_name, created, finished, total, done, refused, faults"

    /// Writes an edit, its devices in the order in which the table has them.
    static func insert(
        _ edit: DesiredEdit, _ devices: [(id: DeviceID, change: JSONValue)], of tenant: TenantID, with ring: KeyRing,
        in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO desired_edit (tenant, id, creator, creator_name, created, total, done, refused, faults)
            VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '[]')
            """, edit.id, edit.creator, edit.creatorName, edit.created, Int64(edit.total))
        try transaction.insert(
            into: "desired_edit_device", columns: ["edit", "device", "change"],
            rows: devices.sorted { $0.id < $1.id }.map { device in
                [
                    edit.id.sqlValue, device.id.sqlValue,
                    .blob(
                        try ring.seal(
                            Array(device.change.canonical.utf8),
                            at: sealed.place(tenant, row: edit.id, device.id), in: transaction)),
                ]
            })
    }

    /// The next devices of an edit, which are taken off its list.
    static func take(
        _ edit: DesiredEdit.ID, _ limit: Int, of tenant: TenantID, with ring: KeyRing, in transaction: Transaction
    ) throws -> [(id: DeviceID, change: JSONValue)] {
        let taken = try transaction.rows(
            """
            SELECT device, change FROM desired_edit_device WHERE tenant = $1 AND edit = $2 ORDER BY device LIMIT \(limit)
            """, edit
        ).map { row in
            let device = try row.identifier(0, as: DeviceID.self)
            let change = try ring.open(row.blob(1), at: sealed.place(tenant, row: edit, device), in: transaction)
            return (id: device, change: try JSONValue(parsing: change))
        }
        if let last = taken.last {
            try transaction.execute(
                "DELETE FROM desired_edit_device WHERE tenant = $1 AND edit = $2 AND device <= $3", edit, last.id)
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
    }

    /// The edit that is under way the longest.
    static func open(in transaction: Transaction) throws -> DesiredEdit? {
        try transaction.row(
            "SELECT \(columns) FROM desired_edit WHERE tenant = $1 AND finished IS NULL ORDER BY id LIMIT 1"
        ).map(edit)
    }

    static func countOpen(in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM desired_edit WHERE tenant = $1 AND finished IS NULL")?.int(0) ?? 0
    }

    /// The tenants with edits under way.
    static func tenants(in transaction: Transaction) throws -> [TenantID] {
        try transaction.acrossTenants.rows("SELECT DISTINCT tenant FROM desired_edit WHERE finished IS NULL").map {
            try $0.identifier(0)
        }
    }

    static func find(_ id: DesiredEdit.ID, in transaction: Transaction) throws -> DesiredEdit? {
        try transaction.row("SELECT \(columns) FROM desired_edit WHERE tenant = $1 AND id = $2", id).map(edit)
    }

    /// The newest edits, of one person or of all.
    static func list(of creator: PrincipalID?, in transaction: Transaction) throws -> [DesiredEdit] {
        var sql = SQLBuilder()
        let own = creator.map { " AND creator = \(sql.bind($0))" } ?? ""
        return try transaction.rows(
            "SELECT \(columns) FROM desired_edit WHERE tenant = $1\(own) ORDER BY id DESC LIMIT \(FleetLimits.keptEdits)",
            arguments: sql.arguments
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
