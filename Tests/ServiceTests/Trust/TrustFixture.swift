import Base
import Foundation
import Storage
import Synchronization
import Testing

@testable import Trust

/// A time of day that a test sets.
final class TrustTestClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_800_000_000_000_000))
    var now: Timestamp { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    var clock: WallClock { WallClock { self.now } }
}

/// A data directory and a database with everything that trust needs, as the server puts it together.
struct TrustFixture {
    static let slug = TenantSlug.platform
    static let tenant = TenantID(high: 5, low: 1)
    static let device = DeviceID(high: 0xA1, low: 0xB2)

    /// A table with sealed values, as another part would own it.
    static let wardrobe = MigrationPart(
        "wardrobe",
        [
            Migration(
                1, "coats",
                """
                CREATE TABLE coat (
                    tenant BYTEA NOT NULL, shelf BIGINT NOT NULL, name TEXT NOT NULL, secret BYTEA, note BYTEA,
                    PRIMARY KEY (tenant, shelf, name)
                )
                """)
        ])
    static let secret = SealedColumn(table: "coat", rowColumns: ["shelf", "name"], column: "secret")
    static let note = SealedColumn(table: "coat", rowColumns: ["shelf", "name"], column: "note", rotation: .kept)

    let directory: String
    let database: Database
    let time = TrustTestClock()
    let ring: KeyRing
    let authorities: CertificateAuthorities
    let issuing: IssuingAuthorities
    let certificates: DeviceCertificates

    var paths: AuthorityPaths { AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust") }

    init(directory: String, database: Database) throws {
        let deployment = try #require(DeploymentName("fleet.example.com"))
        self.directory = directory
        self.database = database
        ring = try Self.ring(directory, time)
        authorities = try CertificateAuthorities(
            paths: AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust"), deployment: deployment,
            clock: time.clock)
        issuing = IssuingAuthorities(authorities: authorities, keyRing: ring, clock: time.clock)
        certificates = DeviceCertificates(issuing: issuing, clock: time.clock)
    }

    static func ring(_ directory: String, _ time: TrustTestClock) throws -> KeyRing {
        try KeyRing(
            directory: "\(directory)/keys", columns: [IssuingAuthorities.sealedColumn, secret, note],
            clock: time.clock)
    }

    /// The same key ring as another process, or this one after a restart, has it.
    func reopenedRing() throws -> KeyRing { try Self.ring(directory, time) }

    /// Runs `body` with a fresh fixture, the tenant with its key and issuing CA made unless told otherwise.
    @discardableResult
    static func with<Value>(
        _ engine: TestDatabase.Engine, tenant: Bool = true, _ body: (TrustFixture) async throws -> Value
    ) async throws -> Value {
        try await TestDatabase.withDirectory { directory in
            try await engine.withDatabase([TrustSchema.part, wardrobe]) { database in
                let fixture = try TrustFixture(directory: directory, database: database)
                if tenant { try await fixture.createTenant() }
                return try await body(fixture)
            }
        }
    }

    @discardableResult
    func createTenant(_ tenant: TenantID = TrustFixture.tenant, slug: String = "acme") async throws -> DeviceAnchor {
        let slug = try #require(TenantSlug(slug))
        return try await database.platform.write { [ring, issuing] transaction in
            try ring.createTenantKey(tenant, in: transaction)
            return try issuing.create(tenant, slug: slug, in: transaction)
        }
    }

    /// Seals `text` into a row of the wardrobe.
    func hang(_ text: String, shelf: Int = 1, name: String = "coat", column: SealedColumn = secret) async throws {
        try await database.tenant(Self.tenant).write { [ring] transaction in
            let sealed = try ring.seal(
                Array(text.utf8), at: column.place(Self.tenant, row: shelf, name), in: transaction)
            try transaction.execute(
                """
                INSERT INTO coat (tenant, shelf, name, \(column.column)) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant, shelf, name) DO UPDATE SET \(column.column) = excluded.\(column.column)
                """, shelf, name, sealed)
        }
    }

    /// What a row of the wardrobe holds, opened by `ring`.
    func look(
        shelf: Int = 1, name: String = "coat", column: SealedColumn = secret, with ring: KeyRing? = nil
    ) async throws -> String {
        let ring = ring ?? self.ring
        return try await database.tenant(Self.tenant).read { transaction in
            let row = try transaction.row(
                "SELECT \(column.column) FROM coat WHERE tenant = $1 AND shelf = $2 AND name = $3", shelf, name)
            let plaintext = try ring.open(
                row?.blob(0) ?? [], at: column.place(Self.tenant, row: shelf, name), in: transaction)
            return String(decoding: plaintext, as: UTF8.self)
        }
    }
}
