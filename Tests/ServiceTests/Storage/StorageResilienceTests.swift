import Base
import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Storage

@Suite("storage under trouble")
struct StorageResilienceTests {
    private static let hasPostgres = TestDatabase.engines.contains(.postgres)

    @Test("after the server ends a connection the next transaction gets a new one", .enabled(if: hasPostgres))
    func reconnects() async throws {
        try await TestDatabase.Engine.postgres.withDatabase([HarbourSchema.part]) { database in
            for round in 0..<5 {
                let process = try await database.platform.read { try $0.row("SELECT pg_backend_pid()")?.int(0) }
                try await TestDatabase.administer("SELECT pg_terminate_backend(\(process ?? 0))")
                try await database.platform.write { try $0.execute("INSERT INTO quay (name) VALUES ($1)", "q\(round)") }
            }
            #expect(try await database.platform.read { try $0.row("SELECT COUNT(*) FROM quay")?.int(0) } == 5)
        }
    }

    @Test("a connection that ends inside a transaction makes the body run again", .enabled(if: hasPostgres))
    func repeats() async throws {
        try await TestDatabase.Engine.postgres.withDatabase([HarbourSchema.part]) { database in
            let runs = Atomic(0)
            let told = Told()
            try await database.platform.write { transaction in
                try transaction.execute("INSERT INTO quay (name) VALUES ('a')")
                transaction.afterCommit { told.tell("committed") }
                if runs.add(1, ordering: .relaxed).newValue < 3 {
                    // The backend ends itself, as when an operator ends it.
                    try transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(runs.load(ordering: .relaxed) == 3)
            #expect(told.words == ["committed"])
            #expect(try await database.platform.read { try $0.row("SELECT COUNT(*) FROM quay")?.int(0) } == 1)
        }
    }

    @Test("a server that is not there is told when the patience ends")
    func absent() async throws {
        var options = TestDatabase.options
        options.patience = .milliseconds(60)
        let error = await #expect(throws: StorageError.self) {
            _ = try await Database.open(.postgres(url: "postgres://nobody@127.0.0.1:1/none"), options: options)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("127.0.0.1") == true)
    }

    @Test("a statement that takes too long is given up", .enabled(if: hasPostgres))
    func timeout() async throws {
        var options = TestDatabase.options
        options.statementTimeout = .seconds(2)
        try await TestDatabase.Engine.postgres.withDatabase([HarbourSchema.part], options: options) { database in
            await #expect(throws: StorageError(.busy, "")) {
                _ = try await database.platform.read { try $0.rows("SELECT pg_sleep(30) IS NULL") }
            }
            _ = try await database.platform.read { try $0.rows("SELECT 1") }
        }
    }

    @Test("a statement whose plan the schema has outgrown is prepared anew", .enabled(if: hasPostgres))
    func stalePlan() async throws {
        try await TestDatabase.Engine.postgres.withLocation { location in
            var options = TestDatabase.options
            options.connections = 1
            let database = try await Database.open(location, options: options)
            try await database.migrate([HarbourSchema.part])
            try await database.platform.write { try $0.execute("INSERT INTO quay (name) VALUES ('a')") }
            let all = "SELECT * FROM quay"
            #expect(try await database.platform.read { try $0.row(all)?.count } == 2)
            let other = try await Database.open(location, options: options)
            try await other.migrate([
                MigrationPart(
                    "harbour", [HarbourSchema.first, Migration(2, "light", "ALTER TABLE quay ADD COLUMN light TEXT")])
            ])
            await other.close()
            #expect(try await database.platform.read { try $0.row(all)?.count } == 3)
            await database.close()
        }
    }

    @Test("more statements than are kept prepared all work", arguments: TestDatabase.engines)
    func manyStatements(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            let sum = try await database.platform.write { transaction in
                var sum = 0
                for round in 0..<2 {
                    for number in 0..<StorageLimits.preparedStatements + 20 {
                        sum += try transaction.row("SELECT \(number) - \(number) + $1", round)?.int(0) ?? 0
                    }
                }
                return sum
            }
            #expect(sum == StorageLimits.preparedStatements + 20)
        }
    }

    @Test(
        "decimal numbers of the server become integers or the nearest double", .enabled(if: hasPostgres),
        arguments: [
            ("0", .integer(0)), ("12345678901234567168", .real(12_345_678_901_234_567_168)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("10000", .integer(10000)),
            ("100000000", .integer(100_000_000)), ("-7", .integer(-7)), ("0.1", .real(0.1)),
            ("-0.00001234", .real(-0.00001234)),
            ("12345.678", .real(12345.678)), ("1000000.0", .real(1_000_000)), ("0.0", .real(0)),
        ] as [(String, SQLValue)])
    func numerics(text: String, expected: SQLValue) async throws {
        try await TestDatabase.Engine.postgres.withDatabase([]) { database in
            let row = try await database.platform.read { try $0.row("SELECT CAST('\(text)' AS NUMERIC)") }
            #expect(row?.values == [expected])
        }
    }

    @Test("reads are planned for their arguments, writes once", .enabled(if: hasPostgres))
    func plans() async throws {
        try await TestDatabase.Engine.postgres.withDatabase([HarbourSchema.part]) { database in
            let setting = "SELECT current_setting('plan_cache_mode')"
            for _ in 0..<2 {
                let read = try await database.platform.read { try $0.row(setting)?.text(0) }
                #expect(read == "force_custom_plan")
                let written = try await database.platform.write { try $0.row(setting)?.text(0) }
                #expect(written == "auto")
            }
        }
    }

    @Test("what a load has brought counts for PostgreSQL's plans when it is committed", .enabled(if: hasPostgres))
    func analyses() async throws {
        try await TestDatabase.Engine.postgres.withDatabase([HarbourSchema.part]) { database in
            let ours = database.tenant(HarbourSchema.tenants.0)
            try await ours.write { transaction in
                let rows: [[SQLValue]] = (0..<StorageLimits.analysedRows).map { number in
                    [.blob(HarbourSchema.id(UInt64(number)).bytes), .text("boat \(number)")]
                }
                try transaction.insert(into: "boat", columns: ["id", "name"], rows: rows)
            }
            let counted = try await database.platform.read {
                try $0.row("SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = to_regclass('boat')")?.int(0)
            }
            #expect(counted == StorageLimits.analysedRows)
        }
    }

    @Test("too many transactions at once are refused and not queued without end")
    func overload() async throws {
        try await TestDatabase.Engine.sqlite.withDatabase([HarbourSchema.part]) { database in
            let open = DispatchSemaphore(value: 0)
            let (holding, holds) = AsyncStream.makeStream(of: Void.self)
            let refused = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    // Holds the writer until one of the crowd was refused.
                    try? await database.platform.write { _ in
                        holds.finish()
                        open.wait()
                    }
                    return false
                }
                for await _ in holding {}
                for _ in 0..<StorageLimits.waitingTransactions + 50 {
                    group.addTask {
                        do {
                            try await database.platform.write { _ in }
                            return false
                        } catch {
                            open.signal()
                            return (error as? Refusal)?.kind == .unavailable
                        }
                    }
                }
                var refused = 0
                for await one in group where one { refused += 1 }
                return refused
            }
            #expect((1...51).contains(refused))
        }
    }

    @Test("a full disk is told as such and keeps what was there")
    func full() async throws {
        try await TestDatabase.withDirectory { directory in
            var options = TestDatabase.options
            options.minimumFreeBytes = .max
            await #expect(throws: StorageError(.full, "")) {
                _ = try await Database.open(.sqlite(path: "\(directory)/a.db"), options: options)
            }
            let database = try await Database.open(.sqlite(path: "\(directory)/b.db"), options: TestDatabase.options)
            try await database.migrate([HarbourSchema.part])
            try await database.engine.maintenance(isLoad: false) { try $0.runScript("PRAGMA max_page_count = 40") }
            await #expect(throws: StorageError(.full, "")) {
                try await database.platform.write { transaction in
                    for number in 0..<1000 {
                        try transaction.execute(
                            "INSERT INTO quay (name) VALUES ($1)", "\(number)" + String(repeating: "x", count: 1000))
                    }
                }
            }
            try await database.platform.write { try $0.execute("INSERT INTO quay (name) VALUES ('small')") }
            #expect(try await database.platform.read { try $0.row("SELECT COUNT(*) FROM quay")?.int(0) } == 1)
            await #expect(throws: StorageError(.unavailable, "")) {
                try await database.snapshot(to: "\(directory)/nowhere/snapshot")
            }
            await database.close()
        }
    }

    @Test("a file that is no database is told as corrupt")
    func corrupt() async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/a.db"
            try Data(repeating: 0x55, count: 20_000).write(to: URL(fileURLWithPath: path))
            await #expect(throws: StorageError(.corrupt, "")) {
                let database = try await Database.open(.sqlite(path: path), options: TestDatabase.options)
                try await database.migrate([HarbourSchema.part])
            }
        }
    }

    @Test("SQLite keeps what it commits: WAL, full synchronisation, foreign keys")
    func settings() async throws {
        try await TestDatabase.withDirectory { directory in
            let engine = try await SQLiteEngine.open(path: "\(directory)/a.db", TestDatabase.options)
            let settings = try await engine.maintenance(isLoad: false) { session in
                try ["journal_mode", "synchronous", "foreign_keys"].map { name in
                    // Reached through a table-valued function, because a data statement can not be a PRAGMA.
                    let query = try SQLStatement("SELECT * FROM pragma_\(name)", isKept: false)
                    var value: SQLValue = .null
                    _ = try session.run(query, [], .platform, isStream: false) { value = $0.values[0] }
                    return value
                }
            }
            #expect(settings == [.text("wal"), .integer(2), .integer(1)])
            await engine.close()
        }
    }
}
