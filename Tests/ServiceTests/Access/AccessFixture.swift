import Audit
import Base
import Foundation
import Logging
import Storage
import Synchronization
import Testing
import Trust

@testable import Access

/// A clock that a test moves.
final class AccessTestClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_790_000_000_000_000))

    var now: Timestamp { time.withLock { $0 } }

    var clock: WallClock { WallClock { self.now } }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Two tenants on a fresh database, each with a tree `plant/hall` and `office`.
struct AccessFixture: Sendable {
    let database: Database
    let directory: String
    let time: AccessTestClock
    let keyRing: KeyRing
    let audit: AuditLog
    let access: Access
    let anchors: Recorded<TenantID>
    let ended: Recorded<TenantID>
    let endedCredentials: Recorded<PrincipalID?>
    /// Devices are another part's; here they are names with places.
    let devices: Devices
    let acme: Tenant
    let rival: Tenant

    /// What was told, in order.
    final class Recorded<Value: Sendable>: Sendable {
        private let values = Mutex<[Value]>([])
        var all: [Value] { values.withLock { $0 } }
        func add(_ value: Value) { values.withLock { $0.append(value) } }
    }

    final class Devices: Sendable {
        private let places = Mutex<[String: GrantPlace]>([:])

        func put(_ name: String, _ place: GrantPlace) {
            places.withLock { places in
                places[name] = place
                if let device = place.device { places[device.text] = place }
            }
        }

        func place(_ text: String) -> GrantPlace? { places.withLock { $0[text] } }

        func name(_ device: DeviceID) -> String? {
            places.withLock { $0.first { $0.value.device == device && $0.key != device.text }?.key }
        }
    }

    static let local = Principal.localAdministrator

    static func with(
        _ engine: TestDatabase.Engine, with parts: [MigrationPart] = [], sealing columns: [SealedColumn] = [],
        _ body: (AccessFixture) async throws -> Void
    ) async throws {
        try await TestDatabase.withDirectory { directory in
            try await engine.withDatabase([TrustSchema.part, AuditSchema.part, AccessSchema.part] + parts) { database in
                try await body(
                    try await AccessFixture(directory: directory, database: database, columns: columns))
            }
        }
    }

    private init(directory: String, database: Database, columns: [SealedColumn]) async throws {
        let time = AccessTestClock()
        let deployment = try #require(DeploymentName("fleet.example.com"))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        keyRing = try KeyRing(
            directory: "\(directory)/keys",
            columns: [IssuingAuthorities.sealedColumn] + AuditSchema.sealedColumns + AccessSchema.sealedColumns
                + columns, clock: time.clock)
        let authorities = try CertificateAuthorities(
            paths: AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust"), deployment: deployment,
            clock: time.clock)
        audit = try AuditLog(
            database: database, keyRing: keyRing, deployment: deployment, directory: "\(directory)/audit",
            clock: time.clock, logger: logger)
        let (anchors, ended, endedCredentials) = (
            Recorded<TenantID>(), Recorded<TenantID>(), Recorded<PrincipalID?>()
        )
        let devices = Devices()
        access = Access(
            database: database, audit: audit, keyRing: keyRing,
            issuing: IssuingAuthorities(authorities: authorities, keyRing: keyRing, clock: time.clock),
            directory: TenantDirectory(), clock: time.clock, anchorAdded: { anchors.add($0.tenant) },
            tenantEnded: { ended.add($0) }, locate: { text, _ in devices.place(text) },
            deviceName: { device, _ in devices.name(device) },
            credentialsEnded: { endedCredentials.add($1) })
        try await access.start()
        acme = try await access.createTenant(try #require(TenantSlug("acme")), by: Self.local)
        rival = try await access.createTenant(try #require(TenantSlug("rival")), by: Self.local)
        for tenant in [acme, rival] {
            for (name, parent) in [("plant", nil), ("hall", "plant"), ("office", nil)] as [(String, String?)] {
                _ = try await access.createDomain(
                    try #require(Name(name)), below: parent, tenant: tenant.id, by: Self.local)
            }
        }
        self.directory = directory
        self.database = database
        self.time = time
        self.anchors = anchors
        self.ended = ended
        self.endedCredentials = endedCredentials
        self.devices = devices
    }

    /// Somebody who holds a role at a domain of a tenant, nil being its root.
    func principal(
        _ role: String, at domain: String? = nil, of tenant: Tenant? = nil, expires: Timestamp? = nil
    ) async throws -> Principal {
        let made = try await access.createToken(
            role: role, at: domain, expires: expires, tenant: (tenant ?? acme).id, by: Self.local)
        return try await access.authenticate(bearer: made.secret, address: "192.0.2.7")
    }

    /// A person of a tenant without any right, called by their name.
    func person(_ name: String, of tenant: Tenant? = nil) async throws -> Principal {
        _ = try await access.createPrincipal(
            try #require(Name(name)), kind: .user, tenant: (tenant ?? acme).id, by: Self.local)
        return try await known(name, of: tenant)
    }

    /// A person who is there already.
    func known(_ name: String, of tenant: Tenant? = nil) async throws -> Principal {
        let tenant = tenant ?? acme
        let info = try await database.tenant(tenant.id).read { try access.findPrincipal(name, in: $0) }
        return Principal(
            id: info.id, kind: info.kind, tenant: tenant.id, name: info.name, credential: nil, address: nil)
    }

    /// A device in a domain of acme's.
    func device(_ name: String, at text: String) async throws -> GrantPlace {
        let place = GrantPlace(domain: try await domain(text), device: DeviceID(now: time.now))
        devices.put(name, place)
        return place
    }

    func domain(_ text: String?, of tenant: Tenant? = nil) async throws -> DomainID {
        let tenant = tenant ?? acme
        return try await database.tenant(tenant.id).read { try access.domain(text, tenant: tenant.id, in: $0) }
    }

    /// The refusal of the decision, or nil when it allows the act.
    func refusal(
        _ principal: Principal, _ permission: Permission, at domain: String? = nil, of tenant: Tenant? = nil
    ) async throws -> Refusal? {
        let tenant = tenant ?? acme
        do {
            try await database.tenant(tenant.id).read { tx in
                let place = try domain.map { try access.domain($0, tenant: tenant.id, in: tx) }
                try access.authorize(principal, permission, tenant: tenant.id, domain: place, in: tx)
            }
            return nil
        } catch let refusal as Refusal {
            return refusal
        }
    }

    func isAllowed(
        _ principal: Principal, _ permission: Permission, at domain: String? = nil, of tenant: Tenant? = nil
    ) async throws -> Bool {
        try await refusal(principal, permission, at: domain, of: tenant) == nil
    }

    /// A share of acme's for rival's viewers or one principal there, offered and accepted.
    func share(
        _ role: String, at domain: String? = nil, to holder: String = "viewer", from: Tenant? = nil,
        for to: Tenant? = nil,
        lasting: Duration = .seconds(86_400)
    ) async throws -> Share {
        let (from, to) = (from ?? acme, to ?? rival)
        let offered = try await access.offerShare(
            role: role, at: domain, to: to.slug, holder: holder, ends: time.now + lasting, tenant: from.id,
            by: Self.local)
        return try await access.acceptShare(offered.id, tenant: to.id, by: Self.local)
    }

    /// What a tenant's log holds, the newest first.
    func log(_ prefix: String, of tenant: TenantID) async throws -> [RecordedEntry] {
        try await audit.settle()
        return try await audit.page(
            tenant: tenant, filter: AuditFilter(codePrefix: prefix), limit: 1000, reader: .system("test")
        ).entries
    }

    func count(_ table: String, of tenant: TenantID, _ column: String = "tenant") async throws -> Int {
        try await database.tenant(tenant).read {
            try $0.row("SELECT count(*) FROM \(table) WHERE \(column) = $1")?.int(0) ?? 0
        }
    }
}
