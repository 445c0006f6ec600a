import Audit
import Base
import Foundation
import Logging
import Storage
import Telemetry
import Testing
import Trust

@testable import Backup

/// A server's data directory and database with sealed rows, audit entries and telemetry, as a running server has them.
struct BackupFixture: Sendable {
    /// A table of another part, with a sealed column.
    static let lockers = MigrationPart(
        "lockers",
        [
            Migration(
                1, "lockers",
                """
                CREATE TABLE locker (
                    tenant BYTEA NOT NULL, number BIGINT NOT NULL, secret BYTEA, PRIMARY KEY (tenant, number)
                )
                """)
        ])
    static let column = SealedColumn(table: "locker", rowColumns: ["number"], column: "secret")
    static let schema = [TrustSchema.part, AuditSchema.part, TelemetrySchema.part, lockers]
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let layout: DataLayout
    let database: Database
    let ring: KeyRing
    let audit: AuditLog
    let harness: TelemetryHarness
    let backups: Backups

    /// Where the tests put archives: not in the data directory, as an operator would.
    let archives: String

    var tenant: TenantID { harness.tenant }

    /// Opens the data directory `directory` with this database, as a process that starts.
    static func open(
        _ directory: String, _ database: Database, now: TelemetryHarness.TestTime
    ) async throws -> BackupFixture {
        let layout = DataLayout(directory)
        for path in [directory, layout.telemetry] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        try SecretFile.createDirectory(layout.trust, for: .everybody)
        try SecretFile.replace("\(layout.trust)/server-ca.pem", with: Array("a certificate".utf8), for: .everybody)
        try await database.migrate(schema)
        let ring = try KeyRing(directory: layout.keys, columns: [column], clock: now.clock)
        let deployment = try #require(DeploymentName("fleet.example.com"))
        let audit = try AuditLog(
            database: database, keyRing: ring, deployment: deployment, directory: layout.audit, clock: now.clock,
            logger: quiet)
        let harness = try await TelemetryHarness.open(directory: layout.telemetry, database: database, now: now)
        let backups = Backups(
            database: database, layout: layout, audit: audit, deployment: deployment, program: "test",
            clock: now.clock, logger: quiet)
        return BackupFixture(
            layout: layout, database: database, ring: ring, audit: audit, harness: harness, backups: backups,
            archives: directory + "-archives")
    }

    static func location(_ engine: TestDatabase.Engine, _ given: DatabaseLocation, _ layout: DataLayout)
        -> DatabaseLocation
    {
        engine == .sqlite ? .sqlite(path: layout.database) : given
    }

    static func options(_ layout: DataLayout) -> DatabaseOptions {
        var options = TestDatabase.options
        options.partitionDirectory = layout.telemetry
        return options
    }

    /// Runs `body` with a fresh server that has a tenant, three lockers, audit entries, a stored hour and an open one.
    static func with(
        _ engine: TestDatabase.Engine = .sqlite, _ body: (BackupFixture) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await engine.withLocation { given in
                let layout = DataLayout("\(directory)/data")
                let database = try await Database.open(
                    location(engine, given, layout), options: options(layout), in: layout)
                let now = TelemetryHarness.TestTime(TelemetryHarness.noon)
                let fixture = try await open(layout.directory, database, now: now)
                do {
                    try await fixture.fill()
                    try await body(fixture)
                    try? await fixture.harness.telemetry.close()
                    await database.close()
                } catch {
                    try? await fixture.harness.telemetry.close()
                    await database.close()
                    throw error
                }
            }
        }
    }

    /// What `fill` reported to telemetry.
    static let points = [
        "1772366400000: 1", "1772366401000: 2.5", "1772370000000: 3", "1772452800000: 4", "1772452801000: 5",
    ]

    private func fill() async throws {
        let (ring, tenant) = (ring, tenant)
        try await database.platform.write { transaction in
            try ring.createTenantKey(.platform, in: transaction)
            try ring.createTenantKey(tenant, in: transaction)
        }
        for number in 1...3 { try await hide("secret \(number)", in: number) }
        for number in 1...20 { try await note("locker.opened", "\(number)") }
        try await audit.settle()
        // Two days in chunks, with an overlay, and the rest only in the log.
        try await harness.report(#"{"ts":1772366400000,"values":{"power":1}}"#)
        try await harness.report(#"{"ts":1772370000000,"values":{"power":3}}"#)
        try await harness.telemetry.flush()
        try await harness.report(#"{"ts":1772366401000,"values":{"power":2.5}}"#)
        harness.now.set(TelemetryHarness.noon + .seconds(86_400))
        try await harness.report(#"{"ts":1772452800000,"values":{"power":4}}"#)
        try await harness.telemetry.flush()
        try await harness.report(#"{"ts":1772452801000,"values":{"power":5}}"#)
    }

    func hide(_ text: String, in number: Int) async throws {
        let (ring, tenant) = (ring, tenant)
        try await database.tenant(tenant).write { transaction in
            let sealed = try ring.seal(
                Array(text.utf8), at: Self.column.place(tenant, row: number), in: transaction)
            try transaction.execute("INSERT INTO locker (tenant, number, secret) VALUES ($1, $2, $3)", number, sealed)
        }
    }

    func note(_ code: String, _ object: String) async throws {
        let (audit, tenant) = (audit, tenant)
        try await database.platform.write { transaction in
            try audit.record(
                AuditEntry(
                    AuditCode(code, "A test's event."), tenant: tenant, actor: .system("test"),
                    object: AuditObject(kind: "locker", id: object), details: ["note": "tide"]), in: transaction)
        }
    }

    /// What the lockers hold.
    func secrets() async throws -> [String] {
        let (ring, tenant) = (ring, tenant)
        return try await database.tenant(tenant).read { transaction in
            try transaction.rows("SELECT number, secret FROM locker WHERE tenant = $1 ORDER BY number").map { row in
                let place = Self.column.place(tenant, row: try row.int(0))
                return String(decoding: try ring.open(try row.blob(1), at: place, in: transaction), as: UTF8.self)
            }
        }
    }

    /// A backup of this server during which `happen` runs just before `step`.
    func backUp(before step: BackupStep, _ happen: @escaping @Sendable () async throws -> Void) async throws
        -> BackupPair
    {
        let backups = Backups(
            database: database, layout: layout, audit: audit,
            deployment: try #require(DeploymentName("fleet.example.com")), program: "test", clock: harness.now.clock,
            logger: Self.quiet,
            willBegin: { if $0 == step { try await happen() } })
        return try await backups.create(in: archives, by: .system("test")).pair
    }

    /// A backup of this server.
    func backUp() async throws -> BackupPair {
        try await backups.create(in: archives, by: .system("test")).pair
    }

    var recoveryKey: RecoveryKey {
        get throws { try RecoveryKey(String(contentsOfFile: layout.recoveryKey, encoding: .utf8)) }
    }

    func restoration(_ pair: BackupPair) throws -> Restoration {
        try Restoration(
            archive: pair.archive, keys: pair.keys, recoveryKey: recoveryKey, schema: Self.schema,
            clock: harness.now.clock)
    }
}

extension Database {
    /// Opens a database whose data directory may have to be made first.
    static func open(_ location: DatabaseLocation, options: DatabaseOptions, in layout: DataLayout) async throws
        -> Database
    {
        try FileManager.default.createDirectory(
            atPath: layout.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return try await open(location, options: options)
    }
}
