public import Base
public import Storage

/// A column that holds sealed values, declared by the part that owns its table, so that a rotation can find them.
public struct SealedColumn: Sendable, Hashable {
    /// What a rotation may do with the values.
    public enum Rotation: Sendable, Hashable {
        /// Seal them again with the new key.
        case resealed
        /// Leave them as they are, for example because a hash covers their bytes: the old key lives as long as they.
        case kept
    }

    /// The tenant table.
    public let table: String
    /// The columns that name a row, without the tenant, in the order in which ``Place`` has them.
    public let rowColumns: [String]
    /// The column with the sealed values; it may be null.
    public let column: String
    /// What a rotation does here.
    public let rotation: Rotation

    /// The column of a tenant table whose rows the columns `rowColumns` name.
    public init(table: String, rowColumns: [String], column: String, rotation: Rotation = .resealed) {
        self.table = table
        self.rowColumns = rowColumns
        self.column = column
        self.rotation = rotation
    }

    /// The place of the value in one row, named by the values of the row's columns.
    public func place(_ tenant: TenantID, row: any SQLBindable...) -> Place {
        Place(tenant: tenant, table: table, row: row, column: column)
    }

    /// Whether the tenant of `transaction` still has a value here that a key older than `version` sealed.
    func holdsValues(olderThan version: UInt32, in transaction: Transaction) throws -> Bool {
        try transaction.row(
            "SELECT 1 FROM \(table) WHERE tenant = $1 AND \(column) < $2 LIMIT 1",
            Envelope.prefix(ofVersion: version)) != nil
    }

    /// Seals up to `limit` values of one tenant again that a key older than `version` sealed; how many it were.
    func reseal(
        tenant: TenantID, olderThan version: UInt32, limit: Int, with ring: KeyRing, in transaction: Transaction
    ) throws -> Int {
        let rows = try transaction.rows(
            """
            SELECT \(rowColumns.joined(separator: ", ")), \(column) FROM \(table)
            WHERE tenant = $1 AND \(column) < $2 LIMIT \(limit)
            """, Envelope.prefix(ofVersion: version))
        let conditions = rowColumns.enumerated().map { "\($1) = $\($0 + 3)" }.joined(separator: " AND ")
        for row in rows {
            let names = try rowColumns.indices.map { try row.value($0) }
            let place = Place(tenant: tenant, table: table, row: names, column: column)
            let plaintext = try ring.open(row.blob(rowColumns.count), at: place, in: transaction)
            let sealed = try ring.seal(plaintext, at: place, in: transaction)
            try transaction.execute(
                "UPDATE \(table) SET \(column) = $2 WHERE tenant = $1 AND \(conditions)",
                arguments: [sealed] + names)
        }
        return rows.count
    }
}
