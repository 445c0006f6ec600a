import Base

/// Brings a database's schema to the program's, inside one exclusive transaction.
struct Migrator {
    private struct Applied {
        let number: Int
        let checksum: Int64
    }

    let parts: [MigrationPart]
    let clock: WallClock

    /// The schema that `parts` make, after checking that they are well formed.
    static func schema(of parts: [MigrationPart]) throws -> Schema {
        var schema = Schema()
        for part in parts {
            for (index, migration) in part.migrations.enumerated() {
                guard migration.number == index + 1 else {
                    throw StorageError(
                        .misuse,
                        "migrations of \(part.name) are numbered from 1 without gaps; number \(index + 1) is missing")
                }
                do {
                    try schema.apply(migration)
                } catch let error as StorageError {
                    throw StorageError(.misuse, "migration \(part.name) \(migration.number): \(error.message)")
                }
            }
        }
        return schema
    }

    /// Applies what is missing, or throws when the stored schema is newer or an applied migration has changed.
    func run(_ session: any MaintenanceSession) throws {
        if try !session.hasTable("schema_migration") {
            try session.runScript(
                """
                CREATE TABLE schema_migration (
                    part TEXT NOT NULL,
                    number BIGINT NOT NULL,
                    title TEXT NOT NULL,
                    checksum BIGINT NOT NULL,
                    applied BIGINT NOT NULL,
                    PRIMARY KEY (part, number)
                )
                """)
        }
        for part in parts { try run(part, session) }
    }

    private func run(_ part: MigrationPart, _ session: any MaintenanceSession) throws {
        let applied = try Self.applied(part.name, session)
        for (index, stored) in applied.enumerated() {
            guard index < part.migrations.count, stored.number == index + 1 else {
                throw StorageError(
                    .newerSchema,
                    "the schema of \(part.name) is at \(stored.number), this program knows \(part.migrations.count): use the newer program"
                )
            }
            guard part.migrations[index].checksum == stored.checksum else {
                throw StorageError(
                    .changedMigration,
                    "migration \(part.name) \(stored.number) was applied with other SQL than this program has: never change a released migration"
                )
            }
        }
        let insert = try SQLStatement(
            "INSERT INTO schema_migration (part, number, title, checksum, applied) VALUES ($1, $2, $3, $4, $5)",
            isKept: false)
        for migration in part.migrations.dropFirst(applied.count) {
            do {
                try session.runScript(migration.sql)
            } catch let error as StorageError {
                throw StorageError(
                    error.code, "migration \(part.name) \(migration.number) (\(migration.title)): \(error.message)")
            }
            let values: [SQLValue] = [
                .text(part.name), .integer(Int64(migration.number)), .text(migration.title),
                .integer(migration.checksum), clock.now.sqlValue,
            ]
            _ = try session.run(insert, values, .across, isStream: false) { _ in }
        }
    }

    private static func applied(_ part: String, _ session: any Session) throws -> [Applied] {
        let select = try SQLStatement(
            "SELECT number, checksum FROM schema_migration WHERE part = $1 ORDER BY number", isKept: false)
        var applied: [Applied] = []
        _ = try session.run(select, [.text(part)], .across, isStream: false) { row in
            applied.append(Applied(number: try row.int(0), checksum: try row.integer(1)))
        }
        return applied
    }
}

extension Database {
    /// Takes the schema of these parts for there, without looking.
    func assumeMigrated(_ parts: [MigrationPart]) throws {
        let known = catalogue.merged(with: parts)
        catalogue.replace(known, try Migrator.schema(of: known))
    }

    /// Brings the schema of these parts to the program's, in the given order; safe when several processes do it at once.
    public func migrate(_ parts: [MigrationPart]) async throws {
        let known = catalogue.merged(with: parts)
        let schema = try Migrator.schema(of: known)
        let migrator = Migrator(parts: parts, clock: options.clock)
        try await engine.maintenance(isLoad: false) { session in
            try migrator.run(session)
            try session.protect(schema.tables.filter { schema.tenantTables.contains($0) })
        }
        catalogue.replace(known, schema)
    }
}
