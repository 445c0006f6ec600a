public import Audit
public import Base
public import Logging
public import Storage
import Synchronization
public import Trust

/// Everything that is ever sent out: mails, text messages, webhooks and the audit streams, through one durable queue.
///
/// A message is put into the queue by the transaction that causes it, so that both happen or neither. It is sent at
/// least once: a receiver knows a repetition by the delivery's identifier. Whoever may do what is decided by the caller.
public final class Delivery: Sendable {
    let database: Database
    let keyRing: KeyRing
    let audit: AuditLog
    let settings: DeliverySettings
    let clock: WallClock
    let logger: Logger
    let metrics: Metrics
    let wake = Wake()
    let depths = QueueDepths()
    let figures = QueueFigures()
    /// The lane behind which the next look for due deliveries begins.
    let lookFrom = Mutex(Lane(tenant: TenantID(high: 0, low: 0), id: OutletID(high: 0, low: 0)))
    let breakers = Mutex<[Lane: Breaker]>([:])
    let streamRests = Mutex<[AuditStream: StreamRest]>([:])
    /// The streams to syslog receivers, and the tenants whose events go into the queue, that are being moved on.
    let moving = Mutex(MovingStreams())
    let slots = Mutex(Slots())
    /// Makes one attempt.
    let transport: @Sendable (Shipment) async -> Outcome
    /// Ends the attempts under way.
    let interrupt: @Sendable () -> Void

    /// The queue in `database`, which sends while it runs.
    public convenience init(
        database: Database, keyRing: KeyRing, audit: AuditLog, settings: DeliverySettings, metrics: Metrics,
        clock: WallClock = .system, logger: Logger = Logger(label: "tidegate.delivery")
    ) {
        let threads = TransferThreads(policy: settings.policy)
        self.init(
            database: database, keyRing: keyRing, audit: audit, settings: settings, metrics: metrics, clock: clock,
            logger: logger, transport: { await threads.send($0) }, interrupt: { threads.stop() })
    }

    init(
        database: Database, keyRing: KeyRing, audit: AuditLog, settings: DeliverySettings, metrics: Metrics,
        clock: WallClock, logger: Logger, transport: @escaping @Sendable (Shipment) async -> Outcome,
        interrupt: @escaping @Sendable () -> Void = {}
    ) {
        self.database = database
        self.keyRing = keyRing
        self.audit = audit
        self.settings = settings
        self.metrics = metrics
        self.clock = clock
        self.logger = logger
        self.transport = transport
        self.interrupt = interrupt
        observe()
    }

    // MARK: - Sending

    /// Puts a message into a tenant's queue with the commit of `transaction`.
    ///
    /// Where there is nothing to send it with, it rests in the outbox until somebody sends or discards it;
    /// ``can(_:for:in:)`` tells before. What is confidential and expires never rests, but expires at once. A full queue
    /// is refused.
    @discardableResult
    public func send(
        _ message: OutboundMessage, tenant: TenantID, in transaction: Transaction
    ) throws -> DeliveryID {
        try message.check()
        var lane = message.kind == .mail ? Lane.mail(tenant) : Lane.sms(tenant)
        var event = ""
        if case .webhook(let outlet, let name, _) = message.content {
            lane = Lane(tenant: tenant, id: outlet)
            event = name
        }
        guard depths.hasRoom(lane) else {
            throw Refusal(
                .limited, "delivery.full",
                "\(QueueDepths.bound(lane)) deliveries wait already; look at why they do not leave, or discard some.",
                retryAfter: .seconds(60))
        }
        let payload = Array(message.content.json.canonical.utf8)
        guard payload.count <= DeliveryLimits.messageBytes else {
            throw Refusal(
                .tooLarge, "delivery.tooLarge", "A message has at most \(DeliveryLimits.messageBytes >> 20) MB.")
        }
        let scoped = transaction.scoped(to: tenant)
        let now = clock.now
        let id = DeliveryID(now: now)
        var state = DeliveryState.waiting
        if try way(for: lane, message.kind, in: transaction) == nil {
            state = message.isConfidential && message.expires != nil ? .expired : .resting
        }
        let result: String? = state.isOpen ? nil : "there was no outlet for it"
        let sealed =
            state.isOpen
            ? try keyRing.seal(payload, at: DeliverySchema.payloadColumn.place(tenant, row: id), in: scoped) : nil
        try scoped.execute(
            """
            INSERT INTO delivery
                (tenant, id, kind, lane, event, state, due, attempts, confidential, created_at, expires_at, payload,
                 result, finished_at, queued_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $7, $9, $10, $11, $12, $7)
            """, id, message.kind.rawValue, lane.id, event, state.rawValue, now, message.isConfidential,
            message.expires, sealed, result, state.isOpen ? nil : now)
        guard state.isOpen else { return id }
        transaction.afterCommit { [depths, wake, lane] in
            depths.add(1, to: lane)
            wake.signal()
        }
        return id
    }

    /// Whether a message of this kind would leave, or only rest in the outbox; false for kinds without a usual outlet.
    public func can(_ kind: DeliveryKind, for tenant: TenantID, in transaction: Transaction) throws -> Bool {
        switch kind {
        case .mail: try way(for: .mail(tenant), .mail, in: transaction) != nil
        case .sms: try way(for: .sms(tenant), .sms, in: transaction) != nil
        case .webhook, .syslog: false
        }
    }

    /// Has a device called by a text message that says nothing; one that can not leave at once is refused, because later
    /// it would be of no use.
    public func wake(_ number: String, expires: Timestamp, tenant: TenantID, in transaction: Transaction) throws {
        guard try can(.sms, for: tenant, in: transaction) else {
            throw Refusal(.unavailable, "delivery.noGateway", "There is no gateway for text messages.")
        }
        try send(.sms(to: number, text: "tidegate", expires: expires), tenant: tenant, in: transaction)
    }

    /// Whether mail would leave for anybody: there is a mail server, or some tenant has a mail outlet in use.
    public func canMailSomebody() async throws -> Bool {
        if settings.mailServer != nil { return true }
        return try await database.platform.read { transaction in
            try transaction.acrossTenants.row(
                "SELECT 1 FROM outlet WHERE kind = $1 AND active = 1 LIMIT 1", DeliveryKind.mail.rawValue) != nil
        }
    }

    /// Whether a message of this kind would leave, or only rest in the outbox.
    public func can(_ kind: DeliveryKind, for tenant: TenantID) async throws -> Bool {
        try await database.platform.read { try self.can(kind, for: tenant, in: $0) }
    }
}

/// How far a delivery has come.
public enum DeliveryState: String, Sendable, CaseIterable {
    /// Waits for its first or next attempt.
    case waiting
    /// Rests in the outbox, because there was nothing to send it with.
    case resting
    /// The receiver has taken it.
    case delivered
    /// Failed for good: the receiver refused it, or it was tried often enough.
    case dead
    /// A person gave it up.
    case discarded
    /// Was of no use any more before it could be sent.
    case expired

    /// True while it may still leave.
    public var isOpen: Bool { self == .waiting || self == .resting }
}
