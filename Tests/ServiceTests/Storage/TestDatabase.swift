import Base
import Foundation
import Logging
import Synchronization
import Testing

@testable import Storage

/// A fresh database for one test, on each engine that the run has.
///
///     @Test("a device is found by its name", arguments: TestDatabase.engines)
///     func finds(engine: TestDatabase.Engine) async throws {
///         try await engine.withDatabase([FleetSchema.part]) { database in … }
///     }
///
/// PostgreSQL takes part when `TIDEGATE_TEST_POSTGRES_URL` names a server (`Scripts/test-postgres` starts one), or when
/// `TIDEGATE_TEST_REQUIRE_POSTGRES` is set, so that a run which must cover it can not silently skip it.
enum TestDatabase {
    /// The engines that every test of a capability runs on.
    static let engines: [Engine] = {
        let environment = ProcessInfo.processInfo.environment
        let hasPostgres =
            environment["TIDEGATE_TEST_POSTGRES_URL"] != nil || environment["TIDEGATE_TEST_REQUIRE_POSTGRES"] != nil
        return hasPostgres ? [.sqlite, .postgres] : [.sqlite]
    }()

    enum Engine: String, CustomTestStringConvertible, Sendable {
        case sqlite
        case postgres

        var testDescription: String { rawValue }

        /// Runs `body` with an empty database that has the schema of `parts`, and drops it afterwards.
        @discardableResult
        func withDatabase<Value>(
            _ parts: [MigrationPart], options: DatabaseOptions = TestDatabase.options,
            _ body: (Database) async throws -> Value
        ) async throws -> Value {
            try await withLocation { location in
                let database = try await Database.open(location, options: options)
                do {
                    try await database.migrate(parts)
                    let value = try await body(database)
                    await database.close()
                    return value
                } catch {
                    await database.close()
                    throw error
                }
            }
        }

        /// Runs `body` with the place of an empty database, for tests that open it more than once.
        @discardableResult
        func withLocation<Value>(_ body: (DatabaseLocation) async throws -> Value) async throws -> Value {
            switch self {
            case .sqlite:
                try await TestDatabase.withDirectory { try await body(.sqlite(path: "\($0)/test.db")) }
            case .postgres:
                try await TestDatabase.withSchema(body)
            }
        }
    }

    /// Options for tests: two connections suffice, and give up early.
    static var options: DatabaseOptions {
        var options = DatabaseOptions()
        options.connections = 2
        options.minimumFreeBytes = 0
        options.logger = Logger(label: "tidegate.storage") { _ in SwiftLogNoOpLogHandler() }
        return options
    }

    /// Runs `body` with an empty directory, and removes it afterwards.
    static func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tidegate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory.path)
    }

    /// The server for tests, or an error that says how to get one.
    static func postgresURL() throws -> String {
        guard let url = ProcessInfo.processInfo.environment["TIDEGATE_TEST_POSTGRES_URL"] else {
            throw StorageError(
                .unavailable, "TIDEGATE_TEST_POSTGRES_URL is not set: run the tests by Scripts/test-postgres")
        }
        return url
    }

    /// Runs `body` with a schema of its own, first on the search path, and drops it afterwards.
    private static func withSchema<Value>(_ body: (DatabaseLocation) async throws -> Value) async throws -> Value {
        let url = try postgresURL()
        await gate.enter()
        defer { gate.leave() }
        let schema = "test_\(UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased())"
        try await administer("CREATE SCHEMA \(schema)")
        let separator = url.contains("?") ? "&" : "?"
        do {
            let value = try await body(.postgres(url: "\(url)\(separator)options=-csearch_path%3D\(schema)"))
            try await administer("DROP SCHEMA \(schema) CASCADE")
            return value
        } catch {
            try? await administer("DROP SCHEMA \(schema) CASCADE")
            throw error
        }
    }

    /// Runs statements that no part of the program would: on the test server, outside the seam.
    static func administer(_ sql: String) async throws {
        let engine = try await PostgresEngine.open(url: postgresURL(), options)
        do {
            try await engine.maintenance(isLoad: false) { try $0.runScript(sql) }
            await engine.close()
        } catch {
            await engine.close()
            throw error
        }
    }

    /// Whether row security does not bind the role of the test server's URL.
    static func bypassesRowSecurity() async throws -> Bool {
        let engine = try await PostgresEngine.open(url: postgresURL(), options)
        let query = try SQLStatement(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user", isKept: false)
        let bypasses = try await engine.inspection { session in
            var bypasses = true
            _ = try session.run(query, [], .platform, isStream: false) { bypasses = try $0.bool(0) }
            return bypasses
        }
        await engine.close()
        return bypasses
    }

    /// Tests run all at once; the server's connections are limited.
    private static let gate = Gate(24)

    /// Lets a limited number in at once.
    private final class Gate: Sendable {
        private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

        init(_ places: Int) { state = Mutex((places, [])) }

        func enter() async {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard state.free > 0 else {
                        state.waiting.append(continuation)
                        return false
                    }
                    state.free -= 1
                    return true
                }
                if isFree { continuation.resume() }
            }
        }

        func leave() {
            let next: CheckedContinuation<Void, Never>? = state.withLock { state in
                guard !state.waiting.isEmpty else {
                    state.free += 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            next?.resume()
        }
    }
}
