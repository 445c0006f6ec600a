import Audit
import Base
import Delivery
import Foundation
import Northbound
import Telemetry
import Testing
import Trust

@testable import Access
@testable import Fleet
@testable import Storage

@Suite("Databases that earlier programs left")
struct KeptDatabaseTests {
    private static let parts = [
        TrustSchema.part, AuditSchema.part, AccessSchema.part, DeliverySchema.part, FleetSchema.part,
        TelemetrySchema.part,
        NorthboundSchema.part,
    ]

    /// Runs `body` with a copy of a kept database, brought to the present schema.
    /// `before` sees it with the first schema's tables.
    private static func with(
        _ name: String, before: (@Sendable (Database) async throws -> Void)? = nil,
        _ body: (Database) async throws -> Void
    ) async throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/tidegate.db"
            try FileManager.default.copyItem(atPath: tests.appending(path: "Kept/\(name)").path, toPath: path)
            let database = try await Database.open(.sqlite(path: path), options: TestDatabase.options)
            if let before {
                try database.assumeMigrated(parts.map { $0.prefix(1) })
                try await before(database)
            }
            try await database.migrate(parts)
            // Brought up once, it stays as it is.
            try await database.migrate(parts)
            try await body(database)
            await database.close()
        }
    }

    @Test("a token of the first schema is a credential of today's, with all that was known of it")
    func token() async throws {
        let id = CredentialID(high: 7, low: 7)
        let hash = Token.hash(of: "secret")
        let holder = PrincipalID(high: 8, low: 8)
        try await Self.with(
            "first-schema.db",
            before: { database in
                try await database.platform.write { tx in
                    for (id, hash, revoked) in [
                        (id, hash, nil), (CredentialID(high: 7, low: 9), Token.hash(of: "other"), 40),
                    ] as [(CredentialID, [UInt8], Int64?)] {
                        try tx.execute(
                            """
                            INSERT INTO bearer_token
                                (hash, id, owner, principal, name, created, expires, last_used, revoked)
                            VALUES ($1, $2, $3, $4, 'Grafana', 10, 20, 30, $5)
                            """, hash, id, TenantID.platform, holder, revoked)
                    }
                }
            },
            { database in
                try await database.platform.read { tx in
                    let row = try #require(
                        try tx.row("SELECT \(CredentialRow.columns), owner FROM credential WHERE hash = $1", hash))
                    let info = try CredentialRow.read(row)
                    #expect(info.id == id && info.kind == .token && info.principal == holder && info.name == "Grafana")
                    #expect(info.permissions == nil && info.addresses.isEmpty && info.revoked == nil)
                    #expect(info.created.microseconds == 10 && info.expires?.microseconds == 20)
                    #expect(info.lastUsed?.microseconds == 30)
                    #expect(try row.identifier(13, as: TenantID.self) == .platform)
                    #expect(try tx.row("SELECT 1 FROM credential WHERE revoked = 40") != nil)
                }
            })
    }

    @Test("the first schema's tables become the present ones, and its devices get documents and events")
    func first() async throws {
        try await Self.with("first-schema.db") { database in
            let applied = try await database.platform.read { transaction in
                try transaction.rows("SELECT part, count(*) FROM schema_migration GROUP BY part ORDER BY part")
                    .map { "\(try $0.text(0)) \(try $0.integer(1))" }
            }
            #expect(applied == Self.parts.map { "\($0.name) \($0.migrations.count)" }.sorted())
            let devices = try await database.platform.read { transaction in
                try transaction.acrossTenants.rows("SELECT tenant, id, name, labels FROM device ORDER BY name").map {
                    (
                        try $0.identifier(0, as: TenantID.self), try $0.identifier(1, as: DeviceID.self),
                        try $0.text(2), try $0.text(3)
                    )
                }
            }
            #expect(devices.map(\.2) == ["meter-1", "meter-2"])
            #expect(devices.map(\.3) == [#"{"site":"Berlin"}"#, "{}"])
            let owner = Owner(tenant: devices[0].0, device: devices[0].1)
            let now = Timestamp(microseconds: 1_800_000_000_000_000)
            try await database.platform.write { transaction in
                let across = transaction.acrossTenants
                let found = try DocumentStore.load([owner], in: across)
                guard let documents = found[owner.device] else { return }
                try DocumentStore.write([(documents.documents.reported.next(["a": 1], at: now), owner)], in: across)
                let events = try DeviceEvent.events(in: ["code": "boot"], received: now)
                try EventStore.insert(EventNumbers().number(events, received: now).map { (owner, $0) }, in: across)
            }
            try await database.tenant(owner.tenant).read { transaction in
                #expect(try DocumentStore.find(.reported, of: owner.device, in: transaction).members == ["a": 1])
                #expect(try DocumentStore.find(.desired, of: owner.device, in: transaction) == .unwritten(.desired))
                let page = try EventStore.page(
                    of: owner.device, from: Timestamp(microseconds: 0), to: Timestamp(microseconds: .max), after: nil,
                    limit: 10, in: transaction)
                #expect(page.map(\.event.code.text) == ["boot"])
            }
        }
    }
}
