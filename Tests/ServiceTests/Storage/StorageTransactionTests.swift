import Base
import Storage
import Synchronization
import Testing

/// A small schema that the storage's own tests share.
enum HarbourSchema {
    static let first = Migration(
        1, "quays and boats",
        """
        CREATE TABLE quay (name TEXT NOT NULL PRIMARY KEY, depth BIGINT);
        CREATE TABLE boat (
            tenant BYTEA NOT NULL,
            id BYTEA NOT NULL,
            name TEXT NOT NULL,
            quay TEXT REFERENCES quay (name),
            draught DOUBLE PRECISION,
            crew BIGINT NOT NULL DEFAULT 0,
            CONSTRAINT boat_crew_range CHECK (crew >= 0),
            PRIMARY KEY (tenant, id),
            UNIQUE (tenant, name)
        );
        """)
    static let part = MigrationPart("harbour", [first])

    static let tenants = (TenantID(high: 7, low: 1), TenantID(high: 7, low: 2))

    static func id(_ number: UInt64) -> DeviceID { DeviceID(high: 9, low: number) }
}

@Suite("storage transactions")
struct StorageTransactionTests {
    let ours = HarbourSchema.tenants.0

    @Test("every type of value comes back as it was stored", arguments: TestDatabase.engines)
    func types(engine: TestDatabase.Engine) async throws {
        let part = MigrationPart(
            "types", [Migration(1, "all types", "CREATE TABLE thing (i BIGINT, r DOUBLE PRECISION, t TEXT, b BYTEA)")])
        try await engine.withDatabase([part]) { database in
            let rows: [[SQLValue]] = [
                [.integer(.max), .real(.greatestFiniteMagnitude), .text("größe 'q' \u{1F6A2}"), .blob([0, 1, 255])],
                [.integer(.min), .real(-0.1), .text(""), .blob([])],
                [.null, .null, .null, .null],
                [.integer(0), .real(5), .text("\\x00"), .blob(Array(repeating: 0, count: 70_000))],
                [.integer(1), .real(.infinity), .text("a\nb"), .blob(Array("text".utf8))],
            ]
            try await database.platform.write { transaction in
                for row in rows {
                    try transaction.execute("INSERT INTO thing (i, r, t, b) VALUES ($1, $2, $3, $4)", arguments: row)
                }
            }
            let stored = try await database.platform.read { try $0.rows("SELECT i, r, t, b FROM thing") }
            #expect(stored.map(\.values) == rows)
        }
    }

    @Test(
        "parameters may repeat and come out of order, and look-alikes in literals stay", arguments: TestDatabase.engines
    )
    func parameters(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            try await database.platform.write { transaction in
                try transaction.execute("INSERT INTO quay (depth, name) VALUES ($2, $1)", "north", 12)
                try transaction.execute(
                    "INSERT INTO quay (name, depth) VALUES ('$1 /* $2 */ -- ', $1) /* $9 */ -- $8", 3)
            }
            let row = try await database.platform.read { transaction in
                try transaction.row(
                    """
                    SELECT name AS "the $3 name", depth FROM quay
                    WHERE (name = $2 OR name = $2) AND depth = $1 AND $1 < $3
                    """, 12, "north", 13)
            }
            #expect(row?.values == [.text("north"), .integer(12)])
            let odd = try await database.platform.read { try $0.row("SELECT name FROM quay WHERE depth = $1", 3) }
            #expect(try odd?.text(0) == "$1 /* $2 */ -- ")
        }
    }

    @Test("nulls and values may alternate in the same statement", arguments: TestDatabase.engines)
    func alternatingNulls(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            try await database.platform.write { transaction in
                for (index, depth) in [nil, 4, nil, 6].enumerated() as EnumeratedSequence<[Int?]> {
                    try transaction.execute("INSERT INTO quay (name, depth) VALUES ($1, $2)", "q\(index)", depth)
                }
            }
            let depths = try await database.platform.read { transaction in
                try transaction.rows("SELECT depth FROM quay ORDER BY name").map { try $0.integerIfAny(0) }
            }
            #expect(depths == [nil, 4, nil, 6])
        }
    }

    @Test("counts, sums, averages and comparisons have one type on both engines", arguments: TestDatabase.engines)
    func aggregates(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            try await database.platform.write { transaction in
                try transaction.insert(
                    into: "quay", columns: ["name", "depth"],
                    rows: [
                        [.text("a"), .integer(3)], [.text("b"), .integer(4)], [.text("c"), .integer(9_000_000_000)],
                    ])
            }
            let row = try await database.platform.read { transaction in
                try transaction.row(
                    """
                    SELECT COUNT(*), SUM(depth), AVG(depth), MAX(name), EXISTS (SELECT 1 FROM quay WHERE depth = 4),
                           SUM(depth) > 3, 7 / 2, LENGTH(MAX(name)), SUM(depth) * 0.5
                    FROM quay WHERE depth < 100
                    """)
            }
            let values = try #require(row).values
            #expect(values[0] == .integer(2))
            #expect(values[1] == .integer(7))
            #expect(values[2] == .real(3.5))
            #expect(values[3] == .text("b"))
            #expect(values[4] == .integer(1))
            #expect(values[5] == .integer(1))
            #expect(values[6] == .integer(3))
            #expect(values[7] == .integer(1))
            #expect(values[8] == .real(3.5))
        }
    }

    @Test("an upsert counts its rows and returns what it wrote", arguments: TestDatabase.engines)
    func upsert(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let changed = try await database.platform.write { transaction in
                let upsert =
                    "INSERT INTO quay (name, depth) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET depth = excluded.depth"
                return [
                    try transaction.execute(upsert, "a", 1), try transaction.execute(upsert, "a", 2),
                    try transaction.execute("INSERT INTO quay (name) VALUES ('b') ON CONFLICT DO NOTHING"),
                    try transaction.execute("INSERT INTO quay (name) VALUES ('b') ON CONFLICT DO NOTHING"),
                    try transaction.execute("UPDATE quay SET depth = 5"),
                    try transaction.execute("DELETE FROM quay WHERE name = 'nowhere'"),
                    try transaction.execute("SELECT name FROM quay"),
                ]
            }
            #expect(changed == [1, 1, 1, 0, 2, 0, 0])
            let returned = try await database.platform.write { transaction in
                try transaction.rows("UPDATE quay SET depth = 8 WHERE name = $1 RETURNING name, depth", "a")
            }
            #expect(returned.map(\.values) == [[.text("a"), .integer(8)]])
        }
    }

    @Test("a recursive query walks a tree", arguments: TestDatabase.engines)
    func recursive(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([]) { database in
            let sum = try await database.platform.read { transaction in
                try transaction.row(
                    "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT COUNT(i), MAX(i) FROM n",
                    100)
            }
            #expect(sum?.values == [.integer(100), .integer(100)])
        }
    }

    @Test("a body that throws leaves nothing behind and no event leaves", arguments: TestDatabase.engines)
    func rollback(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let told = Told()
            await #expect(throws: Refusal(.conflict, "quay.closed", "")) {
                try await database.platform.write { transaction in
                    transaction.afterCommit { told.tell("rolled back") }
                    try transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                    throw Refusal(.conflict, "quay.closed", "the quay is closed")
                }
            }
            try await database.platform.write { transaction in
                try transaction.execute("INSERT INTO quay (name) VALUES ('b')")
                transaction.afterCommit { told.tell("first") }
                transaction.afterCommit { told.tell("second") }
            }
            let names = try await database.platform.read { try $0.rows("SELECT name FROM quay").map { try $0.text(0) } }
            #expect(names == ["b"])
            #expect(told.words == ["first", "second"])
        }
    }

    @Test("a constraint violation names what it violates and not the values", arguments: TestDatabase.engines)
    func constraints(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let tenant = database.tenant(ours)
            try await tenant.write { transaction in
                try transaction.execute(
                    "INSERT INTO boat (tenant, id, name) VALUES ($1, $2, $3)", HarbourSchema.id(1), "secretname")
            }
            func violation(_ sql: String, _ arguments: any SQLBindable & Sendable...) async throws -> StorageError {
                try #require(
                    await #expect(throws: StorageError.self) {
                        try await tenant.write { try $0.execute(sql, arguments: arguments) }
                    })
            }
            let duplicate = try await violation(
                "INSERT INTO boat (tenant, id, name) VALUES ($1, $2, $3)", HarbourSchema.id(2), "secretname")
            #expect(duplicate.code == .constraint)
            #expect(duplicate.isDuplicate)
            #expect(duplicate.message.contains("boat.tenant, boat.name"))
            #expect(!"\(duplicate)".contains("secretname"))
            let foreign = try await violation(
                "INSERT INTO boat (tenant, id, name, quay) VALUES ($1, $2, $3, $4)", HarbourSchema.id(3), "x", "nowhere"
            )
            #expect(foreign.constraint == .foreignKey)
            #expect(!"\(foreign)".contains("nowhere"))
            let missing = try await violation("INSERT INTO boat (tenant, id) VALUES ($1, $2)", HarbourSchema.id(4))
            #expect(missing.constraint == .notNull)
            #expect(missing.message.contains("boat.name"))
            let check = try await violation("UPDATE boat SET crew = $2 WHERE tenant = $1", -1)
            #expect(check.constraint == .check)
            #expect(check.message.contains("boat_crew_range"))
        }
    }

    @Test(
        "after a failed statement nothing of the transaction is kept, even when the body goes on",
        arguments: TestDatabase.engines)
    func failedStatement(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            await #expect(throws: StorageError(.constraint, "")) {
                try await database.platform.write { transaction in
                    try transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                    _ = try? transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                    _ = try? transaction.execute("INSERT INTO quay (name) VALUES ('b')")
                }
            }
            let count = try await database.platform.read { try $0.row("SELECT COUNT(*) FROM quay")?.int(0) }
            #expect(count == 0)
        }
    }

    @Test("a read transaction changes nothing", arguments: TestDatabase.engines)
    func readOnly(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            await #expect(throws: StorageError(.misuse, "")) {
                try await database.platform.read { try $0.execute("INSERT INTO quay (name) VALUES ('a')") }
            }
        }
    }

    @Test("a transaction is of no use after its body or inside forEach", arguments: TestDatabase.engines)
    func wrongUse(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let error = await #expect(throws: StorageError.self) {
                try await database.platform.write { transaction in
                    try transaction.forEach("VALUES (1), (2)") { _ in
                        try transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                    }
                }
            }
            #expect(error?.code == .misuse)
        }
    }

    @Test("forEach may stop early and the transaction goes on", arguments: TestDatabase.engines)
    func stopsEarly(engine: TestDatabase.Engine) async throws {
        struct Enough: Error {}
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let seen = try await database.platform.write { transaction in
                var seen = 0
                do {
                    try transaction.forEach("VALUES (1), (2), (3)") { row in
                        seen = try row.int(0)
                        if seen == 2 { throw Enough() }
                    }
                } catch is Enough {}
                try transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                return seen
            }
            #expect(seen == 2)
        }
    }

    @Test("text that PostgreSQL can not hold and NaN are refused on both", arguments: TestDatabase.engines)
    func unportable(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            for value in [SQLValue.text("a\0b"), .real(.nan)] {
                await #expect(throws: StorageError(.constraint, "")) {
                    try await database.platform.write { try $0.execute("INSERT INTO quay (name) VALUES ($1)", value) }
                }
            }
        }
    }

    @Test("a wrong number of arguments is refused before it reaches the engine", arguments: TestDatabase.engines)
    func argumentCount(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let cases: [(String, [SQLValue])] = [
                ("SELECT $1", []), ("SELECT $1", [.integer(1), .integer(2)]), ("SELECT 1", [.integer(1)]),
                ("SELECT $1, $3", [.integer(1), .integer(2), .integer(3)]), ("SELECT $2", [.integer(1), .integer(2)]),
            ]
            for (sql, arguments) in cases {
                await #expect(throws: StorageError(.misuse, ""), "\(sql)") {
                    try await database.platform.read { try $0.rows(sql, arguments: arguments) }
                }
            }
        }
    }

    @Test(
        "many rows go in by one call, with nulls, in pieces, and by the tenant's own hand",
        arguments: TestDatabase.engines)
    func bulk(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            try await database.tenant(ours).write { transaction in
                var rows: [[SQLValue]] = []
                for number in 0..<5000 {
                    let draught: SQLValue = number % 3 == 0 ? .null : .real(Double(number) / 2)
                    let id = HarbourSchema.id(UInt64(number)).sqlValue
                    rows.append([id, .text("boat-\(number)"), draught, .integer(Int64(number))])
                }
                try transaction.insert(into: "boat", columns: ["id", "name", "draught", "crew"], rows: rows)
                try transaction.insert(
                    into: "boat", columns: ["id", "name", "draught"],
                    rows: [
                        [HarbourSchema.id(9000).sqlValue, .text("whole"), .integer(3)],
                        [HarbourSchema.id(9001).sqlValue, .text("half"), .real(3.5)],
                    ])
                try transaction.insert(
                    into: "boat", columns: ["id", "name", "quay"],
                    rows: [[HarbourSchema.id(9002).sqlValue, .text("unmoored"), .null]])
            }
            let row = try await database.tenant(ours).read { transaction in
                try transaction.row(
                    "SELECT COUNT(*), SUM(crew), COUNT(draught), SUM(draught) FROM boat WHERE tenant = $1")
            }
            var draughts = 6.5
            for number in 0..<5000 where number % 3 != 0 { draughts += Double(number) / 2 }
            let expected: [SQLValue] = [.integer(5003), .integer(4999 * 2500), .integer(3335), .real(draughts)]
            #expect(row?.values == expected)
            await #expect(throws: StorageError(.constraint, "")) {
                try await database.tenant(ours).write { transaction in
                    try transaction.insert(
                        into: "boat", columns: ["id", "name"],
                        rows: [[HarbourSchema.id(9003).sqlValue, .text("whole")]])
                }
            }
        }
    }

    @Test("text is ordered by its bytes", arguments: TestDatabase.engines)
    func byteOrder(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let names = ["Z", "a", "_", "é", "z", "ab", "a-b", "B"]
            try await database.platform.write { transaction in
                try transaction.insert(into: "quay", columns: ["name"], rows: names.map { [.text($0)] })
            }
            let sorted = try await database.platform.read { transaction in
                try transaction.rows("SELECT name FROM quay ORDER BY name").map { try $0.text(0) }
            }
            #expect(sorted == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
    }

    @Test("writers that meet on one row all count", arguments: TestDatabase.engines)
    func conflicts(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            try await database.platform.write { try $0.execute("INSERT INTO quay (name, depth) VALUES ('a', 0)") }
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<10 {
                            try await database.platform.write { transaction in
                                let depth = try transaction.row("SELECT depth FROM quay WHERE name = 'a'")?.int(0) ?? -1
                                try transaction.execute("UPDATE quay SET depth = $1 WHERE name = 'a'", depth + 1)
                            }
                        }
                    }
                }
            }
            let depth = try await database.platform.read { try $0.row("SELECT depth FROM quay")?.int(0) }
            #expect(depth == 80)
        }
    }

    @Test("a closed database says so", arguments: TestDatabase.engines)
    func closed(engine: TestDatabase.Engine) async throws {
        try await engine.withLocation { location in
            let database = try await Database.open(location, options: TestDatabase.options)
            try await database.migrate([HarbourSchema.part])
            await database.close()
            await #expect(throws: StorageError(.unavailable, "")) {
                try await database.platform.read { try $0.rows("SELECT name FROM quay") }
            }
            await #expect(throws: StorageError(.unavailable, "")) {
                try await database.platform.write { try $0.execute("DELETE FROM quay") }
            }
        }
    }
}

/// Collects what callbacks say.
final class Told: Sendable {
    private let spoken = Mutex<[String]>([])

    var words: [String] { spoken.withLock { $0 } }

    func tell(_ word: String) { spoken.withLock { $0.append(word) } }
}
