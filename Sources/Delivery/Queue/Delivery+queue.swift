public import Audit
public import Base
import Storage
import Trust

/// A delivery as people see it; what it says is asked for separately.
public struct DeliveryInfo: Sendable, Hashable {
    /// The stable identifier, which receivers see too.
    public let id: DeliveryID
    /// By what means it is sent.
    public let kind: DeliveryKind
    /// How far it has come.
    public let state: DeliveryState
    /// The outlet of a webhook; mail and SMS leave by whichever outlet there is then.
    public let outlet: OutletID?
    /// The event of a webhook.
    public let event: String?
    /// The recipient of a mail or SMS; nil when it is forgotten.
    public let to: String?
    /// How often it was tried.
    public let attempts: Int
    /// How the last attempt ended.
    public let result: String?
    /// When it is tried next, while it waits.
    public let due: Timestamp?
    /// True when what it says is shown only in the outbox.
    public let isConfidential: Bool
    /// When it was made.
    public let created: Timestamp
    /// The moment from which it is of no use any more.
    public let expires: Timestamp?
    /// When it came to its end.
    public let finished: Timestamp?
}

/// Which deliveries a reader wants; parts left out do not restrict.
public struct DeliveryFilter: Sendable, Hashable {
    /// How far they have come.
    public var state: DeliveryState?
    /// By what means they are sent.
    public var kind: DeliveryKind?
    /// The webhook they are for.
    public var outlet: OutletID?

    /// A filter of these parts.
    public init(state: DeliveryState? = nil, kind: DeliveryKind? = nil, outlet: OutletID? = nil) {
        self.state = state
        self.kind = kind
        self.outlet = outlet
    }
}

/// A tenant's queue in a few figures.
public struct DeliveryOverview: Sendable, Hashable {
    /// Whether mails would leave, or only rest.
    public var canMail = false
    /// Whether text messages would leave, or only rest.
    public var canSMS = false
    /// How many wait.
    public var waiting = 0
    /// How many rest in the outbox.
    public var resting = 0
    /// How many are dead letters.
    public var dead = 0
    /// When the oldest that waits was made.
    public var oldestWaiting: Timestamp?
}

extension Delivery {
    /// A tenant's deliveries, the newest first, made before `before`.
    public func deliveries(
        of tenant: TenantID, _ filter: DeliveryFilter = DeliveryFilter(), before: DeliveryID? = nil, limit: Int
    ) async throws -> [DeliveryInfo] {
        try await database.tenant(tenant).read { transaction in
            var query = Query(filter)
            if let before { query.add("id < ", before) }
            return try transaction.rows(
                """
                SELECT \(Self.columns) FROM delivery WHERE \(query.conditions)
                ORDER BY id DESC LIMIT \(min(max(limit, 1), DeliveryLimits.page))
                """, arguments: query.arguments
            ).map { try self.info($0, tenant, in: transaction) }
        }
    }

    /// One delivery.
    public func delivery(_ id: DeliveryID, of tenant: TenantID) async throws -> DeliveryInfo {
        try await database.tenant(tenant).read { try self.find(id, tenant, in: $0) }
    }

    /// What a delivery says; reading it is recorded.
    ///
    /// A confidential one is shown to nobody: sign-in's links and codes would let whoever may see the queue into
    /// everybody's account.
    public func content(of id: DeliveryID, tenant: TenantID, by actor: Actor) async throws -> JSONValue {
        try await database.tenant(tenant).write { transaction in
            let info = try self.find(id, tenant, in: transaction)
            guard !info.isConfidential else {
                throw Refusal(
                    .conflict, "delivery.confidential",
                    "This is for its recipient only: whoever reads it could act with it.")
            }
            guard let content = try self.content(id, info.kind, tenant, in: transaction) else {
                throw Self.forgotten
            }
            try self.record(.deliveryRead, id.text, tenant, by: actor, in: transaction)
            return content.json
        }
    }

    /// Puts a delivery into the queue again, as if it had never been tried; one that waits is tried at once.
    public func replay(_ id: DeliveryID, tenant: TenantID, by actor: Actor) async throws -> DeliveryInfo {
        let now = clock.now
        return try await database.tenant(tenant).write { transaction in
            let info = try self.find(id, tenant, in: transaction)
            try self.replay(info, tenant, at: now, in: transaction)
            try self.record(
                .deliveryReplayed, id.text, tenant, by: actor, details: ["from": .string(info.state.rawValue)],
                in: transaction)
            return try self.find(id, tenant, in: transaction)
        }
    }

    /// Puts dead letters or what rests in the outbox into the queue again, at most a page; how many it were.
    public func replayAll(_ filter: DeliveryFilter, tenant: TenantID, by actor: Actor) async throws -> Int {
        guard filter.state == .dead || filter.state == .resting else {
            throw Refusal(
                .invalid, "delivery.state", "Only dead letters and what rests in the outbox can be replayed together.")
        }
        let now = clock.now
        return try await database.tenant(tenant).write { transaction in
            var query = Query(filter)
            query.add("(expires_at IS NULL OR expires_at > ", now, closing: ")")
            let found = try transaction.rows(
                """
                SELECT \(Self.columns) FROM delivery WHERE \(query.conditions) AND payload IS NOT NULL
                ORDER BY id LIMIT \(DeliveryLimits.page)
                """, arguments: query.arguments
            ).map { try self.info($0, tenant, in: transaction) }
            for info in found { try self.replay(info, tenant, at: now, in: transaction) }
            guard !found.isEmpty else { return 0 }
            try self.record(
                .deliveryReplayed, "", tenant, by: actor,
                details: [
                    "from": .string(filter.state?.rawValue ?? ""), "count": .integer(Int64(found.count)),
                ], in: transaction)
            return found.count
        }
    }

    /// Gives up a delivery that waits or rests, or puts a dead letter aside.
    public func discard(_ id: DeliveryID, tenant: TenantID, by actor: Actor) async throws -> DeliveryInfo {
        let now = clock.now
        return try await database.tenant(tenant).write { transaction in
            let info = try self.find(id, tenant, in: transaction)
            guard info.state.isOpen || info.state == .dead else {
                throw Refusal(.conflict, "delivery.state", "This delivery is \(info.state.rawValue) already.")
            }
            try transaction.execute(
                """
                UPDATE delivery SET state = 'discarded', finished_at = $3, claimed_by = NULL,
                    payload = CASE WHEN confidential = 1 THEN NULL ELSE payload END
                WHERE tenant = $1 AND id = $2
                """, id, now)
            try self.record(.deliveryDiscarded, id.text, tenant, by: actor, in: transaction)
            return try self.find(id, tenant, in: transaction)
        }
    }

    /// The state of a tenant's queue.
    public func overview(of tenant: TenantID) async throws -> DeliveryOverview {
        try await database.tenant(tenant).read { transaction in
            var overview = DeliveryOverview()
            overview.canMail = try self.can(.mail, for: tenant, in: transaction)
            overview.canSMS = try self.can(.sms, for: tenant, in: transaction)
            let rows = try transaction.rows(
                """
                SELECT state, count(*), min(created_at) FROM delivery
                WHERE tenant = $1 AND state IN ('waiting', 'resting', 'dead') GROUP BY state
                """)
            for row in rows {
                switch DeliveryState(rawValue: try row.text(0)) {
                case .waiting:
                    overview.waiting = try row.int(1)
                    overview.oldestWaiting = try row.timestamp(2)
                case .resting: overview.resting = try row.int(1)
                default: overview.dead = try row.int(1)
                }
            }
            return overview
        }
    }

    // MARK: - What the acts share

    private static let columns =
        """
        id, kind, state, lane, event, attempts, result, due, confidential, created_at, expires_at, finished_at, payload
        """

    static let unknownDelivery = Refusal(
        .notFound, "delivery.unknown", "There is no such delivery, or it is not for you.")
    static let forgotten = Refusal(
        .conflict, "delivery.forgotten", "What this delivery said is forgotten, because it was confidential.")

    private func find(_ id: DeliveryID, _ tenant: TenantID, in transaction: Transaction) throws -> DeliveryInfo {
        let row = try transaction.row("SELECT \(Self.columns) FROM delivery WHERE tenant = $1 AND id = $2", id)
        guard let row else { throw Self.unknownDelivery }
        return try info(row, tenant, in: transaction)
    }

    private func info(_ row: Row, _ tenant: TenantID, in transaction: Transaction) throws -> DeliveryInfo {
        guard let kind = DeliveryKind(rawValue: try row.text(1)), let state = DeliveryState(rawValue: try row.text(2))
        else { throw StorageError(.corrupt, "a delivery's row is not readable") }
        let id: DeliveryID = try row.identifier(0)
        var to: String?
        if kind != .webhook, let sealed = try row.blobIfAny(12) {
            // What can not be opened any more is listed all the same.
            switch try? opened(sealed, id, kind, tenant, in: transaction) {
            case .mail(let address, _, _, _): to = address
            case .sms(let number, _): to = number
            case .webhook, nil: break
            }
        }
        return DeliveryInfo(
            id: id, kind: kind, state: state, outlet: kind == .webhook ? try row.identifier(3) : nil,
            event: kind == .webhook ? try row.text(4) : nil, to: to, attempts: try row.int(5),
            result: try row.textIfAny(6), due: state == .waiting ? try row.timestamp(7) : nil,
            isConfidential: try row.bool(8), created: try row.timestamp(9), expires: try row.timestampIfAny(10),
            finished: try row.timestampIfAny(11))
    }

    private func content(
        _ id: DeliveryID, _ kind: DeliveryKind, _ tenant: TenantID, in transaction: Transaction
    ) throws -> OutboundMessage.Content? {
        let row = try transaction.row("SELECT payload FROM delivery WHERE tenant = $1 AND id = $2", id)
        return try row?.blobIfAny(0).flatMap { try opened($0, id, kind, tenant, in: transaction) }
    }

    private func opened(
        _ sealed: [UInt8], _ id: DeliveryID, _ kind: DeliveryKind, _ tenant: TenantID, in transaction: Transaction
    ) throws -> OutboundMessage.Content? {
        let bytes = try keyRing.open(
            sealed, at: DeliverySchema.payloadColumn.place(tenant, row: id), in: transaction)
        return OutboundMessage.Content(kind, bytes)
    }

    private func replay(
        _ info: DeliveryInfo, _ tenant: TenantID, at now: Timestamp, in transaction: Transaction
    ) throws {
        let row = try transaction.row(
            "SELECT lane FROM delivery WHERE tenant = $1 AND id = $2 AND payload IS NOT NULL", info.id)
        guard let row else { throw Self.forgotten }
        guard info.expires.map({ $0 > now }) ?? true else {
            throw Refusal(.conflict, "delivery.expired", "This delivery is of no use any more.")
        }
        let lane = Lane(tenant: tenant, id: try row.identifier(0))
        guard try way(for: lane, info.kind, in: transaction) != nil else {
            throw Refusal(.conflict, "delivery.noOutlet", "There is no outlet that could send it; set one up first.")
        }
        // What is being sent at this moment is left alone.
        let changed = try transaction.execute(
            """
            UPDATE delivery SET state = 'waiting', due = $3, attempts = 0, result = NULL, finished_at = NULL,
                claimed_by = NULL, queued_at = $3
            WHERE tenant = $1 AND id = $2 AND (claimed_by IS NULL OR due <= $3)
            """, info.id, now)
        guard changed > 0 else {
            throw Refusal(
                .conflict, "delivery.underWay", "It is being sent at this very moment; look again shortly.")
        }
        transaction.afterCommit { [wake] in wake.signal() }
    }

    private func record(
        _ code: AuditCode, _ id: String, _ tenant: TenantID, by actor: Actor, details: JSONValue = [:],
        in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: actor, object: AuditObject(kind: "delivery", id: id), details: details),
            in: transaction)
    }
}

/// Puts together the conditions of a list.
private struct Query {
    private(set) var conditions = "tenant = $1"
    private(set) var arguments: [any SQLBindable] = []

    init(_ filter: DeliveryFilter) {
        if let state = filter.state { add("state = ", state.rawValue) }
        if let kind = filter.kind { add("kind = ", kind.rawValue) }
        if let outlet = filter.outlet { add("lane = ", outlet) }
    }

    mutating func add(_ condition: String, _ argument: any SQLBindable, closing: String = "") {
        arguments.append(argument)
        conditions += " AND \(condition)$\(arguments.count + 1)\(closing)"
    }
}
