import Base
import Foundation
import Logging
import Storage
import Synchronization
import Testing
import Trust

@testable import Audit

/// A clock that a test moves.
final class AuditTestClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_790_000_000_000_000))

    var now: Timestamp { time.withLock { $0 } }

    var clock: WallClock { WallClock { self.now } }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A log with a tenant, on a fresh database.
struct AuditFixture: Sendable {
    let database: Database
    let directory: String
    let time: AuditTestClock
    let keyRing: KeyRing
    let log: AuditLog
    let tenant = TenantID(high: 7, low: 7)

    static let code = AuditCode("device.registered", "A device was registered.")
    static let deployment = "fleet.example.com"

    static func with(
        _ engine: TestDatabase.Engine, _ body: (AuditFixture) async throws -> Void
    ) async throws {
        try await TestDatabase.withDirectory { directory in
            try await engine.withDatabase([TrustSchema.part, AuditSchema.part]) { database in
                let time = AuditTestClock()
                let keyRing = try KeyRing(
                    directory: "\(directory)/keys", columns: AuditSchema.sealedColumns, clock: time.clock)
                let fixture = AuditFixture(
                    database: database, directory: directory, time: time, keyRing: keyRing,
                    log: try makeLog(database, keyRing, directory + "/", time))
                let tenant = fixture.tenant
                try await database.platform.write { transaction in
                    try keyRing.createTenantKey(.platform, in: transaction)
                    try keyRing.createTenantKey(tenant, in: transaction)
                }
                try await body(fixture)
            }
        }
    }

    static func makeLog(
        _ database: Database, _ keyRing: KeyRing, _ directory: String, _ time: AuditTestClock,
        settings: AuditSettings = AuditSettings()
    ) throws -> AuditLog {
        try AuditLog(
            database: database, keyRing: keyRing, deployment: try #require(DeploymentName(deployment)),
            directory: "\(directory)audit", clock: time.clock, settings: settings,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    var auditDirectory: String { "\(directory)/audit" }

    static let reader = Actor(kind: .user, id: "reader", name: "Grace", address: "192.0.2.9")

    func entry(_ number: Int, code: AuditCode = AuditFixture.code, outcome: AuditEntry.Outcome = .success) -> AuditEntry
    {
        AuditEntry(
            code, tenant: tenant, domain: DomainID(high: 1, low: 1),
            actor: Actor(kind: .user, id: "user-\(number % 3)", name: "Ada", credential: "c1", address: "192.0.2.1"),
            object: AuditObject(kind: "device", id: "d\(number)"), outcome: outcome,
            details: ["number": .integer(Int64(number))])
    }

    /// Records entries a millisecond apart, and after every `step` of them gives them their places and signs for them.
    func fill(_ numbers: Range<Int>, checkpointEvery step: Int = 1_000_000) async throws {
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: step) {
            let entries = (start..<min(start + step, numbers.upperBound)).map { number in
                time.advance(by: .milliseconds(1))
                var entry = entry(number)
                entry.time = time.now
                return entry
            }
            let log = log
            try await database.tenant(tenant).write { try log.record(entries, in: $0) }
            try await log.settle()
        }
    }

    func report(_ directory: String?? = .none) async throws -> AuditReport {
        let place: String? =
            if case .some(let given) = directory { given } else { auditDirectory }
        let reports = try await AuditVerification.database(database, directory: place)
        return try #require(reports.first { $0.tenant == tenant })
    }

    /// Runs a statement on the log's tables as somebody with access to the database would.
    func tamper(_ sql: String, _ arguments: any SQLBindable & Sendable...) async throws {
        let arguments = arguments.map(\.sqlValue)
        try await database.tenant(tenant).write { try $0.execute(sql, arguments: arguments) }
    }

    func count(_ table: String) async throws -> Int {
        try await database.tenant(tenant).read { transaction in
            try transaction.row("SELECT count(*) FROM \(table) WHERE tenant = $1")?.int(0) ?? 0
        }
    }

    // MARK: - Copies of the log's tables, to put back later

    static let tables: [(name: String, columns: [String])] = [
        ("audit_pending", AuditLeaf.columns),
        ("audit_entry", ["position", "leaf"] + AuditLeaf.columns),
        (
            "audit_head",
            ["turn", "size", "frontier", "kept_from", "signed_size", "anchored_size", "anchored_at"]
        ),
        ("audit_tile", ["level", "position", "hashes"]),
        ("audit_checkpoint", ["size", "made_at", "note"]),
    ]

    func copy() async throws -> [[[SQLValue]]] {
        try await database.tenant(tenant).read { transaction in
            try Self.tables.map { table in
                try transaction.rows(
                    "SELECT \(table.columns.joined(separator: ", ")) FROM \(table.name) WHERE tenant = $1"
                )
                .map(\.values)
            }
        }
    }

    func putBack(_ copy: [[[SQLValue]]]) async throws {
        try await database.tenant(tenant).write { transaction in
            for (table, rows) in zip(Self.tables, copy) {
                try transaction.execute("DELETE FROM \(table.name) WHERE tenant = $1")
                try transaction.insert(into: table.name, columns: table.columns, rows: rows)
            }
        }
    }
}
