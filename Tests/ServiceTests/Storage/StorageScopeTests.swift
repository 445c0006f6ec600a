import Base
import Testing

@testable import Storage

@Suite("tenant scope")
struct StorageScopeTests {
    let ours = HarbourSchema.tenants.0
    let theirs = HarbourSchema.tenants.1

    private func withBoats(_ engine: TestDatabase.Engine, _ body: (Database) async throws -> Void) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            for (tenant, name) in [(ours, "ours"), (theirs, "theirs")] {
                try await database.tenant(tenant).write { transaction in
                    try transaction.execute(
                        "INSERT INTO boat (tenant, id, name) VALUES ($1, $2, $3)", HarbourSchema.id(1), name)
                }
            }
            try await body(database)
        }
    }

    @Test("a tenant's handle binds its tenant and shows its rows only", arguments: TestDatabase.engines)
    func tenantHandle(engine: TestDatabase.Engine) async throws {
        try await withBoats(engine) { database in
            let names = try await database.tenant(ours).read { transaction in
                #expect(transaction.tenant == ours)
                return try transaction.rows("SELECT name FROM boat WHERE tenant = $1").map { try $0.text(0) }
            }
            #expect(names == ["ours"])
        }
    }

    @Test("a tenant's statement that forgets $1 is refused", arguments: TestDatabase.engines)
    func forgotten(engine: TestDatabase.Engine) async throws {
        try await withBoats(engine) { database in
            for sql in [
                "SELECT name FROM boat", "SELECT name FROM BOAT", "SELECT name FROM \"boat\"", "DELETE FROM boat",
                "SELECT 1 FROM quay, boat", "SELECT (SELECT COUNT(*) FROM quay JOIN (boat) ON 1 = 1)",
                "SELECT name FROM boat /* $1 */ WHERE name = '$1'",
            ] {
                let error = await #expect(throws: StorageError.self, "\(sql)") {
                    _ = try await database.tenant(ours).read { try $0.rows(sql) }
                }
                #expect(error?.code == .misuse, "\(sql)")
            }
        }
    }

    @Test("the platform reaches tenant tables only by saying so", arguments: TestDatabase.engines)
    func platform(engine: TestDatabase.Engine) async throws {
        try await withBoats(engine) { database in
            await #expect(throws: StorageError(.misuse, "")) {
                try await database.platform.read { try $0.rows("SELECT name FROM boat WHERE tenant = $1", ours) }
            }
            await #expect(throws: StorageError(.misuse, "")) {
                try await database.platform.write { transaction in
                    try transaction.insert(
                        into: "boat", columns: ["tenant", "id", "name"], rows: [[.null, .null, .null]])
                }
            }
            let (all, theirs) = try await database.platform.read { [theirs] transaction in
                (
                    try transaction.acrossTenants.rows("SELECT name FROM boat ORDER BY name").map { try $0.text(0) },
                    try transaction.scoped(to: theirs).rows("SELECT name FROM boat WHERE tenant = $1").map {
                        try $0.text(0)
                    }
                )
            }
            #expect(all == ["ours", "theirs"])
            #expect(theirs == ["theirs"])
        }
    }

    @Test("one transaction may touch two tenants, each by its scope", arguments: TestDatabase.engines)
    func twoTenants(engine: TestDatabase.Engine) async throws {
        try await withBoats(engine) { database in
            try await database.tenant(ours).write { [theirs] transaction in
                try transaction.execute("UPDATE boat SET crew = 1 WHERE tenant = $1")
                try transaction.scoped(to: theirs).execute("UPDATE boat SET crew = $2 WHERE tenant = $1", 2)
                try transaction.insert(
                    into: "boat", columns: ["id", "name"], rows: [[HarbourSchema.id(2).sqlValue, .text("x")]])
            }
            let rows = try await database.platform.read { transaction in
                try transaction.acrossTenants.rows("SELECT name, crew FROM boat ORDER BY name").map(\.values)
            }
            #expect(
                rows == [[.text("ours"), .integer(1)], [.text("theirs"), .integer(2)], [.text("x"), .integer(0)]])
        }
    }

    @Test("data statements only: nothing else gets through", arguments: TestDatabase.engines)
    func verbs(engine: TestDatabase.Engine) async throws {
        try await engine.withDatabase([HarbourSchema.part]) { database in
            for sql in [
                "DROP TABLE quay", "COMMIT", "SET x = 1", "PRAGMA user_version", "SELECT 1; SELECT 2", "", "-- x",
            ] {
                await #expect(throws: StorageError(.misuse, ""), "\(sql)") {
                    try await database.platform.write { try $0.execute(sql) }
                }
            }
        }
    }

    @Test(
        "row security hides and refuses other tenants' rows even from SQL that names no tenant",
        .enabled(if: TestDatabase.engines.contains(.postgres)))
    func rowSecurity() async throws {
        try await withBoats(.postgres) { database in
            // Around the check of statements, straight to the engine, as a slip in the check would.
            let select = try SQLStatement("SELECT name FROM boat ORDER BY name", isKept: false)
            func seen(_ scope: Scope) async throws -> [String] {
                try await database.engine.transaction(.read, scope) { session in
                    var names: [String] = []
                    _ = try session.run(select, [], scope, isStream: false) { names.append(try $0.text(0)) }
                    return Outcome(value: names, afterCommit: [])
                }
            }
            try #require(
                try await !TestDatabase.bypassesRowSecurity(), "run the tests as a role that row security binds")
            #expect(try await seen(.tenant(ours)) == ["ours"])
            #expect(try await seen(.tenant(theirs)) == ["theirs"])
            #expect(try await seen(.platform) == [])
            #expect(try await seen(.across) == ["ours", "theirs"])

            func write(_ sql: String) async throws -> Int {
                let statement = try SQLStatement(sql, isKept: false)
                let scope = Scope.tenant(ours)
                return try await database.engine.transaction(.write, scope) { session in
                    Outcome(value: try session.run(statement, [], scope, isStream: false) { _ in }, afterCommit: [])
                }
            }
            #expect(try await write("DELETE FROM boat WHERE name = 'theirs'") == 0)
            #expect(try await write("UPDATE boat SET crew = 5") == 1)
            await #expect(throws: StorageError(.misuse, "")) {
                _ = try await write(
                    "INSERT INTO boat (tenant, id, name) VALUES (decode('\(theirs.text)', 'hex'), decode('00', 'hex'), 'smuggled')"
                )
            }
        }
    }
}
