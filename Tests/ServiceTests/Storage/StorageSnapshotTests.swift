import Base
import Foundation
import Storage
import Testing

@Suite("snapshots and partitions")
struct StorageSnapshotTests {
    private static let tree = MigrationPart(
        "tree",
        [
            Migration(
                1, "a tree that refers to itself",
                """
                CREATE TABLE node (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    parent BYTEA,
                    weight DOUBLE PRECISION,
                    note TEXT,
                    count BIGINT,
                    PRIMARY KEY (tenant, id),
                    FOREIGN KEY (tenant, parent) REFERENCES node (tenant, id)
                );
                CREATE TABLE seed (name TEXT NOT NULL PRIMARY KEY);
                INSERT INTO seed (name) VALUES ('oak');
                """)
        ])
    private static let later = MigrationPart(
        "tree",
        tree.migrations + [
            Migration(2, "colour", "ALTER TABLE node ADD COLUMN colour TEXT; UPDATE node SET colour = 'green'")
        ])

    private static func fill(_ database: Database) async throws {
        try await database.tenant(HarbourSchema.tenants.0).write { transaction in
            try transaction.execute("INSERT INTO node (tenant, id) VALUES ($1, $2)", HarbourSchema.id(1500))
            var rows: [[SQLValue]] = []
            for number in 0..<1500 {
                let note: SQLValue = number % 2 == 0 ? .null : .text("größe \(number)")
                rows.append([
                    HarbourSchema.id(UInt64(number)).sqlValue, .null, .real(Double(number) / 3), note,
                    .integer(Int64(-number)),
                ])
            }
            try transaction.insert(into: "node", columns: ["id", "parent", "weight", "note", "count"], rows: rows)
            for number in 0..<1500 where number % 50 == 0 {
                try transaction.execute(
                    "UPDATE node SET parent = $2 WHERE tenant = $1 AND id = $3", HarbourSchema.id(UInt64(number) + 1),
                    HarbourSchema.id(UInt64(number)))
            }
        }
    }

    private static func contents(_ database: Database) async throws -> [[SQLValue]] {
        try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                "SELECT tenant, id, parent, weight, note, count FROM node ORDER BY tenant, id"
            ).map(\.values) + transaction.rows("SELECT name FROM seed").map(\.values)
        }
    }

    static let routes: [(TestDatabase.Engine, TestDatabase.Engine)] = TestDatabase.engines.flatMap { from in
        TestDatabase.engines.map { (from, $0) }
    }

    @Test("a snapshot of either engine restores into either, with every value and reference", arguments: routes)
    func moves(from: TestDatabase.Engine, to: TestDatabase.Engine) async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/snapshot"
            let original = try await from.withDatabase([Self.tree]) { database in
                try await Self.fill(database)
                try await database.snapshot(to: path)
                // Later work is not in it.
                try await database.platform.write { try $0.execute("INSERT INTO seed (name) VALUES ('late')") }
                return try await Self.contents(database).dropLast()
            }
            #expect(try await Database.checkSnapshot(at: path) == ["node": 1501, "seed": 1])
            try await to.withDatabase([Self.tree]) { database in
                try await database.restore(from: path, [Self.tree])
                try await database.restore(from: path, [Self.tree])
                let restored = try await Self.contents(database)
                #expect(restored.count == 1502)
                #expect(Array(restored) == Array(original))
                // The references are back in force.
                await #expect(throws: StorageError(.constraint, "")) {
                    try await database.tenant(HarbourSchema.tenants.0).write { transaction in
                        try transaction.execute(
                            "UPDATE node SET parent = $2 WHERE tenant = $1 AND id = $3", HarbourSchema.id(77_777),
                            HarbourSchema.id(1))
                    }
                }
            }
        }
    }

    @Test("an old snapshot restores into an empty database and is migrated there", arguments: TestDatabase.engines)
    func oldSnapshot(engine: TestDatabase.Engine) async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/snapshot"
            try await engine.withDatabase([Self.tree]) { database in
                try await Self.fill(database)
                try await database.snapshot(to: path)
            }
            try await engine.withDatabase([]) { database in
                try await database.restore(from: path, [Self.later])
                let count = try await database.platform.read { transaction in
                    try transaction.acrossTenants.row("SELECT COUNT(*) FROM node WHERE colour = 'green'")?.int(0)
                }
                #expect(count == 1501)
                await #expect(throws: StorageError(.misuse, "")) {
                    try await database.restore(from: path, [Self.later])
                }
            }
            try await engine.withDatabase([Self.later]) { database in
                let newer = "\(directory)/newer"
                try await database.snapshot(to: newer)
                try await engine.withDatabase([]) { old in
                    await #expect(throws: StorageError(.newerSchema, "")) {
                        try await old.restore(from: newer, [Self.tree])
                    }
                }
            }
        }
    }

    @Test("a damaged snapshot is refused and changes nothing", arguments: TestDatabase.engines)
    func damage(engine: TestDatabase.Engine) async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/snapshot"
            try await engine.withDatabase([Self.tree]) { database in
                try await Self.fill(database)
                try await database.snapshot(to: path)
                let whole = try Data(contentsOf: URL(fileURLWithPath: path))
                var damaged: [Data] = [
                    whole.dropLast(), whole + [0], Data(), whole.prefix(15), whole.prefix(whole.count / 2),
                ]
                for place in [25, whole.count / 2, whole.count - 3] {
                    var other = whole
                    other[place] ^= 0x40
                    damaged.append(other)
                }
                for (index, data) in damaged.enumerated() {
                    let other = "\(directory)/damaged-\(index)"
                    try data.write(to: URL(fileURLWithPath: other))
                    await #expect(throws: StorageError.self, "\(index)") {
                        _ = try await Database.checkSnapshot(at: other)
                    }
                    await #expect(throws: StorageError.self, "\(index)") {
                        try await database.restore(from: other, [Self.tree])
                    }
                }
                #expect(try await Self.contents(database).count == 1502)
            }
        }
    }

    private static let day = MigrationPart(
        "chunks",
        [Migration(1, "chunks", "CREATE TABLE chunk (day BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (day, id))")])

    @Test("a partition is opened on demand, kept, and dropped", arguments: TestDatabase.engines)
    func partitions(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let monday = try await database.partition(named: "2024-01-01", [Self.day])
            try await monday.platform.write { try $0.execute("INSERT INTO chunk (day, id) VALUES (1, 1)") }
            let again = try await database.partition(named: "2024-01-01", [Self.day])
            #expect(again === monday)
            let tuesday = try await database.partition(named: "2024-01-02", [Self.day])
            let count = try await tuesday.platform.read { try $0.row("SELECT COUNT(*) FROM chunk")?.int(0) }
            #expect(count == (engine == .sqlite ? 0 : 1))
            try await database.dropPartition(named: "2024-01-01")
            if engine == .sqlite {
                await #expect(throws: StorageError(.unavailable, "")) {
                    try await monday.platform.read { try $0.rows("SELECT id FROM chunk") }
                }
                let fresh = try await database.partition(named: "2024-01-01", [Self.day])
                #expect(try await fresh.platform.read { try $0.row("SELECT COUNT(*) FROM chunk")?.int(0) } == 0)
            } else {
                #expect(try await monday.platform.read { try $0.row("SELECT COUNT(*) FROM chunk")?.int(0) } == 1)
            }
            await #expect(throws: StorageError(.misuse, "")) {
                _ = try await database.partition(named: "../x", [Self.day])
            }
        }
    }

    @Test("a dropped day leaves no file")
    func files() async throws {
        try await TestDatabase.withDirectory { directory in
            var options = TestDatabase.options
            options.partitionDirectory = "\(directory)/days"
            let database = try await Database.open(.sqlite(path: "\(directory)/main.db"), options: options)
            for name in ["a", "b"] {
                let part = try await database.partition(named: name, [Self.day])
                try await part.platform.write { try $0.execute("INSERT INTO chunk (day, id) VALUES (1, 1)") }
            }
            try await database.dropPartition(named: "a")
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/days").sorted()
            #expect(names.allSatisfy { $0.hasPrefix("b.db") })
            #expect(names.contains("b.db"))
            let kept = try await database.partition(named: "b", [Self.day])
            #expect(try await kept.platform.read { try $0.row("SELECT COUNT(*) FROM chunk")?.int(0) } == 1)
            await database.close()
            await #expect(throws: StorageError(.unavailable, "")) { try await kept.platform.write { _ in } }
        }
    }
}
