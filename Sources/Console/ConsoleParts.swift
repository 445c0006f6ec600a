public import Access
public import Audit
public import Base
public import Bus
public import Fleet
public import Northbound
public import OAuth
public import Storage
public import Telemetry

/// The parts of the server that pages are made of.
public struct ConsoleParts: Sendable {
    let database: Database
    let access: Access
    let audit: AuditLog
    let fleet: Fleet
    let telemetry: Telemetry
    let bus: Bus
    let oauth: OAuth
    let gatekeeper: Gatekeeper
    let metrics: Metrics
    let clock: WallClock
    let version: String

    /// A console of these parts.
    public init(
        database: Database, access: Access, audit: AuditLog, fleet: Fleet, telemetry: Telemetry, bus: Bus,
        oauth: OAuth, gatekeeper: Gatekeeper, metrics: Metrics, clock: WallClock = .system, version: String
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.fleet = fleet
        self.telemetry = telemetry
        self.bus = bus
        self.oauth = oauth
        self.gatekeeper = gatekeeper
        self.metrics = metrics
        self.clock = clock
        self.version = version
    }
}
