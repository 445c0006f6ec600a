import Access
import Audit
import Base
import Bus
import Crypto
import Foundation
import Logging
import Storage
import SwiftASN1
import Synchronization
import Testing
import Trust
import X509

@testable import Fleet

/// A time of day that a test sets.
final class FleetTestClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_800_000_000_000_000))
    var now: Timestamp { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    /// How long it has run, for those who must not hear of changes of the time of day.
    var steady: Duration { now - Timestamp(microseconds: 1_800_000_000_000_000) }
    var clock: WallClock { WallClock { self.now } }
}

/// Collects what a test heard on the bus.
final class FleetTestLog<Element: Sendable>: Sendable {
    private let heard = Mutex<[Element]>([])
    var elements: [Element] { heard.withLock { $0 } }
    func append(_ element: Element) { heard.withLock { $0.append(element) } }
}

/// A server's worth of parts under the fleet, on a fresh database and directory, as the server puts them together.
struct FleetFixture: Sendable {
    static let admin = Principal.localAdministrator

    let directory: String
    let database: Database
    let time: FleetTestClock
    let bus: Bus
    let audit: AuditLog
    let access: Access
    let tenants: TenantDirectory
    let ring: KeyRing
    let issuing: IssuingAuthorities
    let presence: Presence
    let fleet: Fleet
    /// The tenant that most tests use.
    let acme: TenantID
    /// Another one.
    let rival: TenantID

    /// Runs `body` with two tenants and no devices.
    static func with(
        _ engine: TestDatabase.Engine, options: DatabaseOptions = TestDatabase.options,
        _ body: (FleetFixture) async throws -> Void
    ) async throws {
        try await TestDatabase.withDirectory { directory in
            let parts = [TrustSchema.part, AuditSchema.part, AccessSchema.part, FleetSchema.part]
            try await engine.withDatabase(parts, options: options) { database in
                try await body(try await FleetFixture(directory: directory, database: database))
            }
        }
    }

    /// The same database after a restart: everything in memory is made anew.
    func restarted() async throws -> FleetFixture {
        try await FleetFixture(directory: directory, database: database, time: time, tenants: (acme, rival))
    }

    // MARK: - Certificates

    /// A certificate request (DER) of a fresh key.
    static func request() throws -> [UInt8] {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let request = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName { CommonName("whatever") }, privateKey: key,
            attributes: CertificateSigningRequest.Attributes(), signatureAlgorithm: .ecdsaWithSHA256)
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }

    /// What a listener knows after a handshake with this certificate.
    func handshake(_ enrolled: EnrolledCertificate) async throws -> VerifiedDevice {
        let anchors = try await database.platform.read { try issuing.anchors(in: $0) }
        let verifier = DeviceCertificateVerifier()
        for anchor in anchors { verifier.trust(anchor) }
        return try verifier.verify([enrolled.certificate.der], at: time.now)
    }

    /// Lets a registered device enrol, and admits it.
    func enrol(_ registered: RegisteredDevice, slug: String = "acme") async throws -> AdmittedDevice {
        let enrolled = try await fleet.enrol(
            tenant: TenantSlug(slug), identifier: registered.device.name.text, token: registered.token.text,
            csr: Self.request(), address: "192.0.2.1")
        return try fleet.directory.admit(try await handshake(enrolled))
    }

    // MARK: - Short forms

    func register(_ name: String, _ change: (inout DeviceDraft) -> Void = { _ in }, in tenant: TenantID? = nil)
        async throws -> RegisteredDevice
    {
        var draft = DeviceDraft(name: try #require(Name(name)))
        change(&draft)
        return try await fleet.register(draft, in: tenant ?? acme, by: Self.admin)
    }

    func list(_ csv: String) throws -> RegistrationList {
        var reader = RegistrationReader(.csv)
        try reader.consume(Array(csv.utf8))
        return try reader.finish()
    }

    func names(_ query: DeviceQuery, in tenant: TenantID? = nil) async throws -> [String] {
        try await fleet.list(query, in: tenant ?? acme, by: Self.admin).items.map(\.device.name.text)
    }

    /// The codes in a tenant's log that begin like this, in alphabetical order, because the test's clock stands still.
    func audited(_ prefix: String = "device.", in tenant: TenantID? = nil) async throws -> [String] {
        try await database.tenant(tenant ?? acme).read { transaction in
            try transaction.rows(
                "SELECT code FROM audit_pending WHERE tenant = $1 ORDER BY code"
            ).map { try $0.text(0) }.filter { $0.hasPrefix(prefix) }
        }
    }
}

extension FleetFixture {
    private init(
        directory: String, database: Database, time: FleetTestClock = FleetTestClock(),
        tenants known: (acme: TenantID, rival: TenantID)? = nil
    ) async throws {
        let clock = time.clock
        let deployment = try #require(DeploymentName("fleet.example.com"))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let ring = try KeyRing(
            directory: "\(directory)/keys",
            columns: [IssuingAuthorities.sealedColumn] + AuditSchema.sealedColumns + FleetSchema.sealedColumns,
            clock: clock)
        let authorities = try CertificateAuthorities(
            paths: AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust"), deployment: deployment,
            clock: clock)
        let issuing = IssuingAuthorities(authorities: authorities, keyRing: ring, clock: clock)
        let bus = Bus()
        let audit = try AuditLog(
            database: database, keyRing: ring, deployment: deployment, directory: nil, clock: clock, logger: logger)
        let tenants = TenantDirectory()
        let access = Access(
            database: database, audit: audit, keyRing: ring, issuing: issuing, directory: tenants, clock: clock,
            tenantEnded: { bus.publish(TenantAccessEnded(tenant: $0)) },
            locate: { try Fleet.place($0, $1) }, deviceName: { try Fleet.name(of: $0, $1) },
            credentialsEnded: { bus.publish(CredentialsEnded(tenant: $0, principal: $1)) })
        try await access.start()
        let presence = Presence(database: database, bus: bus, clock: clock, logger: logger)
        let fleet = Fleet(
            database: database, access: access, audit: audit, keyRing: ring, bus: bus,
            certificates: DeviceCertificates(issuing: issuing, clock: clock),
            directory: DeviceDirectory(tenants: tenants, clock: clock), presence: presence, clock: clock,
            steady: { time.steady })
        func tenant(_ text: String) async throws -> TenantID {
            let slug = try #require(TenantSlug(text))
            return try await access.createTenant(slug, by: Self.admin).id
        }
        let acme: TenantID
        let rival: TenantID
        if let known {
            (acme, rival) = known
        } else {
            (acme, rival) = (try await tenant("acme"), try await tenant("rival"))
        }
        self.init(
            directory: directory, database: database, time: time, bus: bus, audit: audit, access: access,
            tenants: tenants, ring: ring, issuing: issuing, presence: presence, fleet: fleet, acme: acme, rival: rival)
        try await fleet.start()
    }

    /// Somebody who holds this role at a domain of a tenant, nil being its root.
    func principal(_ role: String, at domain: String? = nil, of tenant: TenantID? = nil) async throws -> Principal {
        let (_, secret) = try await access.createToken(
            role: role, at: domain, tenant: tenant ?? acme, by: Self.admin)
        return try await access.authenticate(bearer: secret, address: "192.0.2.7")
    }

    /// Makes a domain below another.
    func domain(_ name: String, below parent: String? = nil) async throws {
        _ = try await access.createDomain(try #require(Name(name)), below: parent, tenant: acme, by: Self.admin)
    }
}
