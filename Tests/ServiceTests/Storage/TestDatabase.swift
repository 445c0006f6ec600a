import Base
import Foundation
import Storage
import Testing

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
        return options
    }

    /// Runs `body` with an empty directory, and removes it afterwards.
    static func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tidegate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory.path)
    }
}

extension TestDatabase {
    static func withSchema<Value>(_ body: (DatabaseLocation) async throws -> Value) async throws -> Value {
        throw StorageError(.unavailable, "no PostgreSQL yet")
    }
}
