/// A transaction on one PostgreSQL connection.
final class PostgresSession: MaintenanceSession {
    private let connection: PostgresConnection
    private let uniqueKeys: UniqueKeys
    /// Rows that this transaction has inserted in bulk, by table.
    private var loaded: [String: Int] = [:]

    init(_ connection: PostgresConnection, _ uniqueKeys: UniqueKeys) {
        self.connection = connection
        self.uniqueKeys = uniqueKeys
    }

    func run(
        _ statement: SQLStatement, _ values: [SQLValue], _ scope: Scope, isStream: Bool, _ receive: (Row) throws -> Void
    ) throws -> Int {
        try connection.run(statement.text, values, scope, isKept: statement.isKept, isStream: isStream, receive)
    }

    /// One statement takes a whole piece: an array for each column, unnested into rows, so that any number of rows has
    /// the same text and plan. (COPY would be faster still, but the server refuses it where row security applies.)
    func insert(into table: String, _ columns: [String], _ rows: [[SQLValue]], _ scope: Scope) throws {
        loaded[table, default: 0] += rows.count
        var first = 0
        while first < rows.count {
            var size = 0
            var end = first
            while end < rows.count, end - first < StorageLimits.insertRows, size < StorageLimits.insertBytes {
                for value in rows[end] { size += value.size }
                end += 1
            }
            try insert(into: table, columns, rows[first..<end], scope)
            first = end
        }
    }

    /// Counts the tables anew that were loaded with many rows.
    ///
    /// The server does so by itself within a minute or two. Until then it takes a tenant for a few rows, and sorts or
    /// loops over all of them where an index has the order: a page of 100 out of 100,000 devices took 33 ms instead of
    /// 0.4, with a filter by label 130 instead of 1.
    func analyseLoaded() throws {
        for (table, rows) in loaded.sorted(by: { $0.key < $1.key }) where rows >= StorageLimits.analysedRows {
            try connection.script("ANALYZE \(table)")
        }
    }

    private func insert(into table: String, _ columns: [String], _ rows: ArraySlice<[SQLValue]>, _ scope: Scope) throws
    {
        var arrays: [PostgresColumn] = []
        var types: [String] = []
        var selected: [String] = []
        for index in columns.indices {
            // A column without any value has no type of its own; the bare NULL takes the table's.
            guard let (type, array) = try Self.column(rows, index, "\(table).\(columns[index])") else {
                selected.append("NULL")
                continue
            }
            arrays.append(array)
            types.append("$\(arrays.count)::\(type)[]")
            selected.append("c\(arrays.count)")
        }
        let target =
            "INSERT INTO \(table) (\(columns.joined(separator: ", "))) SELECT \(selected.joined(separator: ", "))"
        if arrays.isEmpty {
            _ = try connection.run(
                "\(target) FROM generate_series(1, $1)", [.integer(Int64(rows.count))], scope, isKept: true,
                isStream: false
            ) { _ in }
        } else {
            let names = arrays.indices.map { "c\($0 + 1)" }.joined(separator: ", ")
            try connection.run(
                "\(target) FROM unnest(\(types.joined(separator: ", "))) AS piece (\(names))", columns: arrays, scope)
        }
    }

    /// The values of one column with their type's name, or nil when all are null.
    private static func column(_ rows: ArraySlice<[SQLValue]>, _ index: Int, _ name: String) throws -> (
        String, PostgresColumn
    )? {
        var sort: String?
        for row in rows where row[index] != .null {
            let other = row[index].sort
            if sort == nil || sort == other {
                sort = other
            } else if let known = sort, Set([known, other]) == ["integer", "real"] {
                sort = "real"
            } else {
                throw StorageError(.misuse, "a bulk insert has \(sort ?? "") and \(other) values for \(name)")
            }
        }
        switch sort {
        case "integer":
            return ("bigint", .integers(rows.map { if case .integer(let value) = $0[index] { value } else { nil } }))
        case "real":
            return (
                "double precision",
                .reals(
                    rows.map { row in
                        switch row[index] {
                        case .real(let value): value
                        case .integer(let value): Double(value)
                        default: nil
                        }
                    })
            )
        case "text":
            return ("text", .texts(rows.map { if case .text(let value) = $0[index] { value } else { nil } }))
        case "blob":
            return ("bytea", .blobs(rows.map { if case .blob(let value) = $0[index] { value } else { nil } }))
        default: return nil
        }
    }

    func columns(of table: String) throws -> [String] {
        try texts(
            """
            SELECT attname FROM pg_attribute
            WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """, [.text(table)]
        ).map { $0[0] }
    }

    func runScript(_ sql: String) throws { try connection.script(sql) }

    func hasTable(_ name: String) throws -> Bool { try !columns(of: name).isEmpty }

    func withoutReferences(in tables: [String], _ body: () throws -> Void) throws {
        let wanted = Set(tables)
        let references = try texts(
            """
            SELECT c.relname, quote_ident(c.relname), quote_ident(k.conname), pg_get_constraintdef(k.oid)
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace
            """
        ).filter { wanted.contains($0[0]) }
        for reference in references {
            try connection.script("ALTER TABLE \(reference[1]) DROP CONSTRAINT \(reference[2])")
        }
        try body()
        for reference in references {
            try connection.script("ALTER TABLE \(reference[1]) ADD CONSTRAINT \(reference[2]) \(reference[3])")
        }
    }

    /// Row security for every tenant table: a statement sees and writes rows of `tidegate.tenant` only, or all when that
    /// is `*`. FORCE binds the tables' owner too, which this program usually is. The sub-selects make the server read the
    /// setting once for a statement and not for each row.
    func protect(_ tenantTables: [String]) throws {
        let protected = Set(
            try texts(
                """
                SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                WHERE p.polname = 'tidegate_tenant_1' AND c.relnamespace = current_schema()::regnamespace
                      AND c.relrowsecurity AND c.relforcerowsecurity
                """
            ).map { $0[0] })
        for table in tenantTables where !protected.contains(table) {
            try connection.script(
                """
                ALTER TABLE \(table) ENABLE ROW LEVEL SECURITY;
                ALTER TABLE \(table) FORCE ROW LEVEL SECURITY;
                DROP POLICY IF EXISTS tidegate_tenant_1 ON \(table);
                CREATE POLICY tidegate_tenant_1 ON \(table) USING (
                    (SELECT current_setting('tidegate.tenant', true)) = '*'
                    OR tenant = (
                        SELECT CASE WHEN setting ~ '^[0-9a-f]{32}$' THEN decode(setting, 'hex') END
                        FROM current_setting('tidegate.tenant', true) AS setting));
                """)
        }
        try readUniqueKeys()
    }

    private func readUniqueKeys() throws {
        var keys: [String: [String]] = [:]
        for row in try texts(
            """
            SELECT i.relname, a.attname
            FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                 CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
            WHERE x.indisunique AND i.relnamespace = current_schema()::regnamespace
            ORDER BY i.relname, k.place
            """
        ) { keys[row[0], default: []].append(row[1]) }
        uniqueKeys.replace(keys)
    }

    /// The only row of a statement of the engine's own.
    func row(_ sql: String) throws -> Row {
        var result: Row?
        _ = try connection.run(sql, [], .across, isKept: false, isStream: false) { result = $0 }
        guard let result else { throw StorageError(.other, "PostgreSQL answered without a row") }
        return result
    }

    private func texts(_ sql: String, _ values: [SQLValue] = []) throws -> [[String]] {
        var result: [[String]] = []
        _ = try connection.run(sql, values, .across, isKept: false, isStream: false) { row in
            result.append(try row.values.indices.map { try row.text($0) })
        }
        return result
    }
}
