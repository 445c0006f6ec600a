import Base
import Storage
import Testing

@Suite("migrations")
struct StorageMigrationTests {
    private static let second = Migration(
        2, "lights",
        """
        -- a semicolon; in a comment, and one in a literal
        ALTER TABLE quay ADD COLUMN light TEXT;
        UPDATE quay SET light = 'red; green';
        UPDATE boat SET crew = crew + 1;
        """)

    @Test("later migrations add to what is there, and only once", arguments: TestDatabase.engines)
    func grows(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            try await database.platform.write { transaction in
                try transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                try transaction.scoped(to: HarbourSchema.tenants.0).execute(
                    "INSERT INTO boat (tenant, id, name) VALUES ($1, $2, 'b')", HarbourSchema.id(1))
            }
            let part = MigrationPart("harbour", [HarbourSchema.first, Self.second])
            try await database.migrate([part])
            try await database.migrate([part])
            let row = try await database.platform.read { transaction in
                try transaction.acrossTenants.row("SELECT quay.light, boat.crew FROM quay, boat")
            }
            #expect(row?.values == [.text("red; green"), .integer(1)])
            let applied = try await database.platform.read { transaction in
                try transaction.rows("SELECT part, number, title FROM schema_migration ORDER BY number").map(\.values)
            }
            #expect(
                applied == [
                    [.text("harbour"), .integer(1), .text("quays and boats")],
                    [.text("harbour"), .integer(2), .text("lights")],
                ])
        }
    }

    @Test(
        "a changed migration and a newer schema are refused, and a failed one leaves nothing",
        arguments: TestDatabase.engines)
    func refusals(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([MigrationPart("harbour", [HarbourSchema.first, Self.second])]) { database in
            let newer = await #expect(throws: StorageError.self) { try await database.migrate([HarbourSchema.part]) }
            #expect(newer?.code == .newerSchema)
            let edited = MigrationPart("harbour", [HarbourSchema.first, Migration(2, "lights", Self.second.sql + " ")])
            let changed = await #expect(throws: StorageError.self) { try await database.migrate([edited]) }
            #expect(changed?.code == .changedMigration)
            let broken = MigrationPart(
                "other", [Migration(1, "broken", "CREATE TABLE fine (a BIGINT); INSERT INTO nowhere (a) VALUES (1)")])
            let failed = await #expect(throws: StorageError.self) { try await database.migrate([broken]) }
            #expect(failed?.code == .misuse)
            #expect(failed?.message.contains("other 1") == true)
            let mended = MigrationPart("other", [Migration(1, "mended", "CREATE TABLE fine (a BIGINT)")])
            try await database.migrate([mended])
        }
    }

    @Test(
        "what hides tables from the check is refused in a migration",
        arguments: [
            "CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t", "CREATE TABLE x AS SELECT 1", "PRAGMA foreign_keys = OFF",
            "CREATE TABLE other.x (a BIGINT)", "DROP TABLE a, b", "SELECT $1", "CREATE TABLE quay (a BIGINT)",
        ])
    func dialect(sql: String) async throws {
        try await TestDatabase.Engine.sqlite.withDatabase([]) { database in
            await #expect(throws: StorageError(.misuse, "")) {
                try await database.migrate([HarbourSchema.part, MigrationPart("odd", [Migration(1, "odd", sql)])])
            }
        }
    }

    @Test("several processes may migrate at once", arguments: TestDatabase.engines)
    func together(engine: TestDatabase.Engine) async throws {
        try await engine.withLocation { location in
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let database = try await Database.open(location, options: TestDatabase.options)
                        try await database.migrate([MigrationPart("harbour", [HarbourSchema.first, Self.second])])
                        await database.close()
                    }
                }
            }
        }
    }

    @Test("a renamed tenant table stays one", arguments: TestDatabase.engines)
    func renamed(engine: TestDatabase.Engine) async throws {
        let rename = Migration(2, "rename", "ALTER TABLE boat RENAME TO vessel")
        try await engine.withDatabase([MigrationPart("harbour", [HarbourSchema.first, rename])]) { database in
            await #expect(throws: StorageError(.misuse, "")) {
                try await database.platform.read { try $0.rows("SELECT name FROM vessel") }
            }
        }
    }
}
