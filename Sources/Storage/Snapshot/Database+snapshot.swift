import Dispatch

extension Database {
    /// What happens to the rows that are there when a snapshot is restored.
    public enum Restoring: Sendable {
        /// They go.
        case replacing
        /// They stay, and the snapshot's are added: for partitions that share one database.
        case adding
    }

    /// Writes all rows of the migrated parts, as of one moment, to a new file while work goes on.
    public func snapshot(to path: String) async throws {
        let catalogue = catalogue
        try await engine.inspection { session in
            let writer = try SnapshotWriter(path: path)
            writer.migrations(try Self.applied(catalogue.parts, session))
            for table in catalogue.schema.tables {
                let columns = try session.columns(of: table)
                try writer.beginTable(table, columns)
                let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
                let select = try SQLStatement("SELECT \(names) FROM \"\(table)\"", isKept: false)
                var rows = 0
                _ = try session.run(select, [], .across, isStream: true) { row in
                    try writer.row(row)
                    rows += 1
                }
                try writer.endTable(rows: rows)
            }
            try writer.finish()
        }
    }

    /// Loads a snapshot of either engine: brings the schema to the snapshot's, loads its rows, then migrates to `parts`,
    /// all in one transaction.
    ///
    /// The database must be empty or have the snapshot's own schema.
    public func restore(
        from path: String, _ parts: [MigrationPart], _ restoring: Restoring = .replacing
    ) async throws {
        let known = catalogue.merged(with: parts)
        let schema = try Migrator.schema(of: known)
        let clock = options.clock
        try await engine.maintenance(isLoad: true) { session in
            let reader = try SnapshotReader(path: path)
            let stored = try Self.stored(parts, reader.migrations)
            try Self.checkAge(stored, session)
            try Migrator(parts: stored, clock: clock).run(session)
            let tables = try Migrator.schema(of: stored).tables
            try session.withoutReferences(in: tables) {
                if restoring == .replacing {
                    for table in tables.reversed() { try session.runScript("DELETE FROM \(table)") }
                }
                while let (table, columns) = try reader.nextTable() {
                    try Self.load(reader, table, columns, tables, session)
                }
            }
            try Migrator(parts: parts, clock: clock).run(session)
            try session.protect(schema.tables.filter { schema.tenantTables.contains($0) })
        }
        catalogue.replace(known, schema)
    }

    /// Reads a whole snapshot, so that damage shows, and gives the number of rows of each table.
    public static func checkSnapshot(at path: String) async throws -> [String: Int] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        let reader = try SnapshotReader(path: path)
                        var counts: [String: Int] = [:]
                        while let (table, columns) = try reader.nextTable() {
                            counts[table] = 0
                            while try reader.nextRow(width: columns.count) != nil { counts[table, default: 0] += 1 }
                        }
                        return counts
                    })
            }
        }
    }

    private static func applied(_ parts: [MigrationPart], _ session: any Session) throws -> [SnapshotMigration] {
        let select = try SQLStatement(
            "SELECT number, checksum FROM schema_migration WHERE part = $1 ORDER BY number", isKept: false)
        var applied: [SnapshotMigration] = []
        for part in parts {
            _ = try session.run(select, [.text(part.name)], .across, isStream: false) { row in
                applied.append(
                    SnapshotMigration(part: part.name, number: try row.int(0), checksum: try row.integer(1)))
            }
        }
        return applied
    }

    /// The program's parts as far as they had been applied when the snapshot was made.
    private static func stored(_ parts: [MigrationPart], _ migrations: [SnapshotMigration]) throws -> [MigrationPart] {
        for migration in migrations {
            guard let part = parts.first(where: { $0.name == migration.part }),
                (1...part.migrations.count).contains(migration.number)
            else {
                throw StorageError(
                    .newerSchema,
                    "the snapshot has migration \(migration.part) \(migration.number), which this program does not know"
                )
            }
            guard part.migrations[migration.number - 1].checksum == migration.checksum else {
                throw StorageError(
                    .changedMigration, "migration \(migration.part) \(migration.number) has changed since the snapshot")
            }
        }
        return parts.map { part in part.prefix(migrations.count { $0.part == part.name }) }
    }

    /// A schema that is past the snapshot's can not go back.
    private static func checkAge(_ stored: [MigrationPart], _ session: any MaintenanceSession) throws {
        guard try session.hasTable("schema_migration") else { return }
        for part in stored {
            guard try applied([part], session).count <= part.migrations.count else {
                throw StorageError(
                    .misuse,
                    "the schema of \(part.name) here is newer than the snapshot's: restore into an empty database")
            }
        }
    }

    private static func load(
        _ reader: SnapshotReader, _ table: String, _ columns: [String], _ tables: [String], _ session: any Session
    ) throws {
        guard tables.contains(table), !columns.isEmpty, try Set(session.columns(of: table)).isSuperset(of: columns)
        else {
            throw StorageError(.corrupt, "the snapshot has a table or columns that its own schema has not")
        }
        var rows: [[SQLValue]] = []
        var size = 0
        while let row = try reader.nextRow(width: columns.count) {
            for value in row { size += value.size }
            rows.append(row)
            if rows.count >= StorageLimits.insertRows || size >= StorageLimits.insertBytes {
                try session.insert(into: table, columns, rows, .across)
                rows.removeAll(keepingCapacity: true)
                size = 0
            }
        }
        if !rows.isEmpty { try session.insert(into: table, columns, rows, .across) }
    }
}
