public import Access
public import Audit
public import Base
public import Delivery
public import Fleet
import HTTPTypes
import HummingbirdCore
public import OAuth
public import Operations
public import SignIn
public import Storage
public import Telemetry
public import Trust
public import Watch

/// The parts of the server that the API is made of.
public struct NorthboundServices: Sendable {
    let database: Database
    let access: Access
    let audit: AuditLog
    let delivery: Delivery
    /// How the API and the console change outlets.
    package let outlets: OutletActs
    let fleet: Fleet
    let telemetry: Telemetry
    let operations: Operations
    let watch: Watch
    let oauth: OAuth
    let directories: Directories
    let signIn: SignIn
    let factors: Factors
    let keyRing: KeyRing
    let authorities: CertificateAuthorities
    let metrics: Metrics
    let clock: WallClock
    let version: String
    let auditDirectory: String?
    var readiness: @Sendable () async -> [String]
    let isDomainUsed: @Sendable (DomainID, Transaction) throws -> Bool
    let backup: @Sendable (Principal) async throws -> JSONValue
    let repetitions: Repetitions
    /// Decides for pages as for the API who comes in, so that both count against the same rates.
    public let gatekeeper: Gatekeeper
    /// The pages for people, on the people listener only; the administration socket serves programs.
    public var site: PeopleSite?
    let liveStreams: LiveStreams

    /// An API of these parts.
    ///
    /// `auditDirectory` is where the audit log keeps its checkpoint file; `readiness` says what is not ready;
    /// `isDomainUsed` says whether any part keeps something in a domain; `backup` makes a backup and says which.
    public init(
        database: Database, access: Access, audit: AuditLog, delivery: Delivery, fleet: Fleet, telemetry: Telemetry,
        operations: Operations, watch: Watch, signIn: SignIn,
        factors: Factors, directories: Directories,
        oauth: OAuth, keyRing: KeyRing, authorities: CertificateAuthorities, metrics: Metrics,
        clock: WallClock = .system, version: String,
        auditDirectory: String?, readiness: @escaping @Sendable () async -> [String] = { [] },
        isDomainUsed: @escaping @Sendable (DomainID, Transaction) throws -> Bool,
        backup: @escaping @Sendable (Principal) async throws -> JSONValue = { _ in throw NorthboundServices.noBackups }
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.delivery = delivery
        self.fleet = fleet
        self.telemetry = telemetry
        self.operations = operations
        self.watch = watch
        self.oauth = oauth
        self.directories = directories
        self.signIn = signIn
        self.factors = factors
        self.keyRing = keyRing
        self.authorities = authorities
        self.metrics = metrics
        self.clock = clock
        self.version = version
        self.auditDirectory = auditDirectory
        self.readiness = readiness
        self.isDomainUsed = isDomainUsed
        self.backup = backup
        liveStreams = LiveStreams(clock: clock)
        repetitions = Repetitions(database: database, keyRing: keyRing, clock: clock)
        gatekeeper = Gatekeeper(access: access, audit: audit, clock: clock, metrics: metrics)
        outlets = OutletActs(database: database, access: access, delivery: delivery)
        outlets.addApprovals()
    }

    /// What a server answers that makes no backups.
    public static let noBackups = Refusal(
        .conflict, "backup.off", "This server makes no backups: set backup.directory to where they shall go.")

    /// Has the open streams of a principal, or of everybody of its tenant when none is named, ask at once whether they
    /// still may.
    public func doubt(_ principal: PrincipalID?, of tenant: TenantID) { liveStreams.doubt(principal, of: tenant) }

    func frontDoor(
        _ table: RouteTable, listener: NorthboundServer.Listener, caller: CallerSource,
        proxies: TrustedProxies = TrustedProxies()
    ) -> FrontDoor {
        FrontDoor(
            table, listener: listener.rawValue, gatekeeper: gatekeeper, caller: caller, repetitions: repetitions,
            metrics: metrics, site: listener == .people || listener == .platform ? site : nil,
            oauth: listener == .people || listener == .programs
                ? OAuthDoor(oauth, gatekeeper: gatekeeper, clock: clock, asksForCertificates: listener == .programs)
                : nil, proxies: proxies, realm: listener == .platform ? .platform : .people)
    }

    /// Decides whether the caller may do this in the whole tenant, or in one domain of it.
    ///
    /// For what no capability decides itself, because the object is the tenant or the server as a whole.
    func authorize(
        _ call: Call, _ permission: Permission, domain: DomainID? = nil, device: DeviceID? = nil
    ) async throws {
        try await database.tenant(call.tenant.id).read { transaction in
            try access.authorize(
                call.principal, permission, tenant: call.tenant.id, domain: domain, device: device, in: transaction)
        }
    }

    /// The device in the path, for a caller who may read its telemetry.
    func readable(_ call: Call) async throws -> ReadableDevice {
        try await fleet.readable(call.device, in: call.tenant.id, by: call.principal)
    }

    /// Refuses when a caller who was let in no longer would be: its token, its right or the device has ended, or less of
    /// it is for them. Answers when a right ends by itself.
    func recheck(_ call: Call, _ found: ReadableDevice) async throws -> Timestamp? {
        _ = try await gatekeeper.admit(call.principal, .permission(.telemetryRead), call.tenant.slug)
        if let field = call.request.headers[.authorization], !call.principal.isLocalAdministrator {
            let token = field.split(separator: " ", maxSplits: 1).last ?? ""
            _ = try await gatekeeper.authenticate(String(token), call.address)
        }
        guard try await readable(call).hidden == found.hidden else {
            throw Refusal(.notFound, "not.found", "What you may read of this device has changed; ask for it again.")
        }
        return try await rightsEnd(call)
    }

    /// When a right of the caller ends by itself, first of all.
    func rightsEnd(_ call: Call) async throws -> Timestamp? {
        try await database.tenant(call.tenant.id).read { transaction in
            try access.rightsEnd(of: call.principal, in: call.tenant.id, in: transaction)
        }
    }
}
