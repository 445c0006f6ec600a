public import Access
public import Audit
public import Base
public import Bus
public import Delivery
public import Fleet
import Logging
public import Operations
public import Storage
import Synchronization
public import Trust

/// Alerts: who is late, silent and back again, what failed and what ends soon, grouped so that a lost site is one
/// message, and told by the rules of the tenant.
///
/// Facts come over the bus, which never waits; once a second they are written as alerts. What a fact says stands in the
/// database already, so that after a restart, or when something could not be written, the same alerts are found again
/// from there.
public final class Watch: Sendable {
    /// What waits to be looked at.
    struct Inbox: Sendable {
        var facts: [TenantID: TenantFacts] = [:]
        /// Tenants whose alerts are read again from the database.
        var doubted: Set<TenantID> = []
        /// Tenants whose rules or trees changed.
        var rules: Set<TenantID> = []
        /// Alerts that were acknowledged, silenced, or are so no more.
        var marks: [TenantID: [AlertID: AlertMarks]] = [:]
        /// Until when alerts of a place are silenced, or that they are so no more.
        var silences: [TenantID: [AlertSubject: Timestamp?]] = [:]
        var gone: Set<TenantID> = []
        var certificates = false
    }

    /// What became of one tenant's devices and operations.
    struct TenantFacts: Sendable {
        var devices: [DeviceID: AlertBook.DeviceFact] = [:]
        /// Devices of which something else changed: they may live elsewhere now.
        var moved: Set<DeviceID> = []
        var operations: Set<OperationID> = []
        var campaigns: Set<CampaignID> = []
        /// Operations whose failed tasks are tried again, since when.
        var retried: [OperationID: Timestamp] = [:]
    }

    let database: Database
    let access: Access
    let audit: AuditLog
    let delivery: Delivery
    let fleet: Fleet
    let operations: Operations
    let certificates: DeviceCertificates
    let bus: Bus
    let clock: WallClock
    /// The mail addresses of people who can sign in.
    let addresses: @Sendable ([PrincipalID], TenantID, Transaction) throws -> [PrincipalID: String]
    /// Where people's pages are.
    let place: @Sendable () -> String
    let inbox = Mutex(Inbox())
    let desks = Mutex<[TenantID: AlertDesk]>([:])
    let looked = Mutex<Timestamp?>(nil)
    let counters = (opened: Counter(), closed: Counter(), told: Counter(), untold: Counter())

    /// The alerts in this database.
    public init(
        database: Database, access: Access, audit: AuditLog, delivery: Delivery, fleet: Fleet,
        operations: Operations, certificates: DeviceCertificates, bus: Bus, clock: WallClock = .system,
        addresses: @escaping @Sendable ([PrincipalID], TenantID, Transaction) throws -> [PrincipalID: String],
        place: @escaping @Sendable () -> String
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.delivery = delivery
        self.fleet = fleet
        self.operations = operations
        self.certificates = certificates
        self.bus = bus
        self.clock = clock
        self.addresses = addresses
        self.place = place
    }

    /// Listens from now on, and looks at what is stored with the first turn; call it before the listeners open.
    public func start() {
        bus.subscribe(to: DevicesLate.self) { [self] event in
            note(.late(event.time), of: event.devices, of: event.tenant)
        }
        bus.subscribe(to: DevicesSilent.self) { [self] event in
            note(.silent(event.time), of: event.devices, of: event.tenant)
        }
        bus.subscribe(to: DevicesBack.self) { [self] in note(.back, of: $0.devices, of: $0.tenant) }
        bus.subscribe(to: DevicesExcused.self) { [self] in note(.excused, of: $0.devices, of: $0.tenant) }
        bus.subscribe(to: DeviceChanged.self) { [self] event in
            if event.change == .deleted { return note(.excused, of: [event.device], of: event.tenant) }
            inbox.withLock { inbox in
                _ = inbox.facts[event.tenant, default: TenantFacts()].moved.insert(event.device)
                // It may have renewed its certificate.
                if event.change == .enrolled || event.change == .status { inbox.certificates = true }
            }
        }
        bus.subscribe(to: CampaignChanged.self) { [self] event in
            inbox.withLock { inbox in
                _ = inbox.facts[event.tenant, default: TenantFacts()].campaigns.insert(event.campaign)
            }
        }
        bus.subscribe(to: TasksChanged.self) { [self] in note($0.operations, of: $0.tenant) }
        bus.subscribe(to: OperationRetried.self) { [self] event in
            inbox.withLock { inbox in
                inbox.facts[event.tenant, default: TenantFacts()].retried[event.operation] = event.time
                _ = inbox.facts[event.tenant, default: TenantFacts()].operations.insert(event.operation)
            }
        }
        // Whatever moves domains changes rights too.
        bus.subscribe(to: CredentialsEnded.self) { [self] event in
            if event.principal == nil { changedRules(of: event.tenant) }
        }
        bus.subscribe(to: TenantAccessEnded.self) { [self] event in
            if access.directory.tenant(event.tenant) == nil {
                inbox.withLock { _ = $0.gone.insert(event.tenant) }
            }
        }
        let tenants = access.directory.tenants.map(\.id)
        inbox.withLock { $0.doubted.formUnion(tenants) }
    }

    /// Shows alerts among the server's metrics.
    public func register(in metrics: Metrics) {
        metrics.gauge("tidegate_alerts_open", "Alerts that are open now.") { [self] in
            Double(desks.withLock { $0.values.reduce(0) { $0 + $1.book.open.count } })
        }
        metrics.counter("tidegate_alerts_opened_total", "Alerts opened.") { [counters] in
            Double(counters.opened.value)
        }
        metrics.counter("tidegate_alerts_closed_total", "Alerts closed.") { [counters] in
            Double(counters.closed.value)
        }
        metrics.counter("tidegate_alerts_messages_total", "Messages about alerts that were put into the queue.") {
            [counters] in Double(counters.told.value)
        }
        metrics.counter("tidegate_alerts_untold_total", "Messages about alerts that could not be put into the queue.") {
            [counters] in Double(counters.untold.value)
        }
    }

    // MARK: - Facts

    private func note(_ fact: AlertBook.DeviceFact, of devices: [DeviceID], of tenant: TenantID) {
        inbox.withLock { inbox in
            for device in devices { inbox.facts[tenant, default: TenantFacts()].devices[device] = fact }
        }
    }

    func note(_ operations: Set<OperationID>, of tenant: TenantID) {
        inbox.withLock { $0.facts[tenant, default: TenantFacts()].operations.formUnion(operations) }
    }

    func changedRules(of tenant: TenantID) { inbox.withLock { _ = $0.rules.insert(tenant) } }

    func mark(_ alert: AlertID, _ marks: AlertMarks, of tenant: TenantID) {
        inbox.withLock { $0.marks[tenant, default: [:]][alert] = marks }
    }

    func silenced(_ subject: AlertSubject, until time: Timestamp?, of tenant: TenantID) {
        inbox.withLock { _ = $0.silences[tenant, default: [:]].updateValue(time, forKey: subject) }
    }
}

/// Alerts of a tenant changed: lists and the bell are out of date.
public struct AlertsChanged: Event, Hashable {
    /// The tenant.
    public let tenant: TenantID
}

/// What people have said of an alert.
struct AlertMarks: Hashable, Sendable {
    var isAcknowledged = false
    var silenced: Timestamp?
}

/// What is known of one tenant: its open alerts, its rules and its tree.
struct AlertDesk: Sendable {
    var book = AlertBook()
    var rules: [AlertRule] = []
    var tree = DomainLines()
    var marks: [AlertID: AlertMarks] = [:]
    /// Until when new alerts of a subject are silenced, because an earlier one was.
    var silences: [AlertSubject: Timestamp] = [:]
    /// Operations with an alert whose failed tasks are tried again, since when.
    var retried: [OperationID: Timestamp] = [:]
    /// When messages for which the queue had no room are tried again.
    var owedAt: Timestamp?
    /// When somebody may have to be told; nil is not before something changes.
    var lookAt: Timestamp?

    /// Whether there is something to do now without any news.
    func isDue(at now: Timestamp) -> Bool { [lookAt, owedAt].contains { $0.map { $0 <= now } ?? false } }

    /// Notes that the queue had no room for something.
    mutating func owe(at now: Timestamp) { owedAt = owedAt ?? now + .seconds(WatchLimits.fullSeconds) }
}
