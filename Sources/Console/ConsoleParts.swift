public import Access
public import Audit
public import Base
public import Bus
public import Delivery
public import Fleet
public import Northbound
public import OAuth
public import Operations
public import SignIn
public import Storage
public import Telemetry
public import Trust
public import Watch

/// The parts of the server that pages are made of.
public struct ConsoleParts: Sendable {
    let database: Database
    let access: Access
    let audit: AuditLog
    let fleet: Fleet
    let telemetry: Telemetry
    let operations: Operations
    let watch: Watch
    let signIn: SignIn
    let factors: Factors
    let directories: Directories
    let delivery: Delivery
    let authorities: CertificateAuthorities
    let issuing: IssuingAuthorities
    let keyRing: KeyRing
    let verifier: AuditVerifier
    let auditCodes: [AuditCode]
    let bus: Bus
    let oauth: OAuth
    let gatekeeper: Gatekeeper
    let metrics: Metrics
    let clock: WallClock
    let version: String
    /// What works through acts on many devices; whoever runs the server runs it.
    public let bulk: BulkRuns
    /// Where devices find this server.
    let addresses: DeviceAddresses
    /// The listeners that are open.
    let doors: [ServerDoor]
    /// The names in the server's certificate.
    let names: Set<String>
    /// The certificate of the authority that devices check this server by.
    let serverAuthority: @Sendable () throws -> String

    /// A console of these parts.
    public init(
        database: Database, access: Access, audit: AuditLog, fleet: Fleet, telemetry: Telemetry,
        operations: Operations, watch: Watch, signIn: SignIn, factors: Factors, directories: Directories,
        delivery: Delivery, authorities: CertificateAuthorities,
        issuing: IssuingAuthorities, keyRing: KeyRing, verifier: AuditVerifier, auditCodes: [AuditCode], bus: Bus,
        oauth: OAuth,
        gatekeeper: Gatekeeper, metrics: Metrics, clock: WallClock = .system, version: String,
        addresses: DeviceAddresses, doors: [ServerDoor], names: Set<String>,
        serverAuthority: @escaping @Sendable () throws -> String
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.fleet = fleet
        self.telemetry = telemetry
        self.operations = operations
        self.watch = watch
        self.signIn = signIn
        self.factors = factors
        self.delivery = delivery
        self.authorities = authorities
        self.directories = directories
        self.issuing = issuing
        self.keyRing = keyRing
        self.verifier = verifier
        self.auditCodes = auditCodes
        self.bus = bus
        self.oauth = oauth
        self.gatekeeper = gatekeeper
        self.metrics = metrics
        self.clock = clock
        self.version = version
        self.addresses = addresses
        self.doors = doors
        self.names = names
        self.serverAuthority = serverAuthority
        ReportMailing.followZones(access, clock)
        bulk = BulkRuns(database: database, fleet: fleet, bus: bus, clock: clock)
    }
}
