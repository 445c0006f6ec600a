public import Audit
public import Base
import Storage
import Synchronization
import Trust

/// What a person gives to make an outlet.
public struct OutletDraft: Sendable {
    /// The name, unique in the tenant.
    public var name: Name
    /// By what means it sends.
    public var kind: DeliveryKind
    /// Where and how.
    public var settings: JSONValue
    /// The password, the gateway's key or the signing secret; for a webhook one is made when nil.
    public var secret: String?
    /// Whether it is in use from the start.
    public var isActive: Bool

    /// An outlet of these parts.
    public init(name: Name, kind: DeliveryKind, settings: JSONValue, secret: String? = nil, isActive: Bool = true) {
        self.name = name
        self.kind = kind
        self.settings = settings
        self.secret = secret
        self.isActive = isActive
    }
}

/// What a person changes about an outlet; nil leaves a part as it is.
public struct OutletChange: Sendable {
    /// The new name.
    public var name: Name?
    /// The new settings, whole.
    public var settings: JSONValue?
    /// The new secret.
    public var secret: String?
    /// Whether it is in use.
    public var isActive: Bool?

    /// A change of these parts.
    public init(name: Name? = nil, settings: JSONValue? = nil, secret: String? = nil, isActive: Bool? = nil) {
        self.name = name
        self.settings = settings
        self.secret = secret
        self.isActive = isActive
    }
}

extension Delivery {
    /// The outlets of a tenant in the order of their names.
    public func outlets(of tenant: TenantID) async throws -> [Outlet] {
        try await database.tenant(tenant).read { transaction in
            try transaction.rows("SELECT \(Outlet.columns) FROM outlet WHERE tenant = $1 ORDER BY name").map(
                Outlet.init)
        }
    }

    /// The outlet with this name or identifier.
    public func outlet(_ reference: String, of tenant: TenantID) async throws -> Outlet {
        try await database.tenant(tenant).read { try self.find(reference, in: $0) }
    }

    /// Makes an outlet; answers with the signing secret when it was made here, which is told once and never again.
    public func createOutlet(
        _ draft: OutletDraft, tenant: TenantID, by actor: Actor
    ) async throws -> (outlet: Outlet, secret: String?) {
        let path = try checkedPath(draft.kind, draft.settings)
        var made: String?
        var secret = draft.secret
        if draft.kind == .webhook, secret == nil {
            made = WebhookSignature.makeSecret()
            secret = made
        }
        try Self.check(secret, for: path)
        let now = clock.now
        let outlet = Outlet(
            id: OutletID(now: now), name: draft.name, kind: draft.kind, settings: draft.settings,
            hasSecret: secret != nil, isActive: draft.isActive, created: now, changed: now)
        let sealedFrom = secret
        try await database.tenant(tenant).write { transaction in
            let count = try transaction.row("SELECT count(*) FROM outlet WHERE tenant = $1")?.int(0) ?? 0
            guard count < DeliveryLimits.outlets else {
                throw Refusal(.tooLarge, "outlet.tooMany", "A tenant has at most \(DeliveryLimits.outlets) outlets.")
            }
            try self.requireFree(outlet.name, in: transaction)
            let sealed = try sealedFrom.map { try self.seal($0, outlet.id, tenant, in: transaction) }
            try transaction.execute(
                """
                INSERT INTO outlet (tenant, id, name, kind, settings, secret, active, created_at, changed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
                """, outlet.id, outlet.name, outlet.kind.rawValue, outlet.settings.canonical, sealed, outlet.isActive,
                now)
            if path.streamsAudit { try self.beginStream(outlet, tenant, in: transaction) }
            try self.record(
                .outletCreated, outlet, tenant, by: actor, changed: Self.changes(nil, outlet, secret: sealedFrom),
                in: transaction)
        }
        return (outlet, made)
    }

    /// Changes an outlet, and lets it be tried at once.
    public func changeOutlet(
        _ reference: String, _ change: OutletChange, tenant: TenantID, by actor: Actor
    ) async throws -> Outlet {
        let now = clock.now
        let outlet = try await database.tenant(tenant).write { transaction in
            let old = try self.find(reference, in: transaction)
            let new = Outlet(
                id: old.id, name: change.name ?? old.name, kind: old.kind, settings: change.settings ?? old.settings,
                hasSecret: old.hasSecret || change.secret != nil, isActive: change.isActive ?? old.isActive,
                created: old.created, changed: now)
            let path = try self.checkedPath(new.kind, new.settings)
            // Else whoever may change the settings could have the secret sent to themselves.
            if old.hasSecret, change.secret == nil,
                try OutletPath(old.kind, old.settings).destination != path.destination
            {
                throw Refusal(
                    .invalid, "outlet.secret",
                    "Where or how the secret is sent has changed: give the secret again that is meant for it.",
                    faults: [Refusal.Fault(place: "/secret", message: "is missing")])
            }
            try Self.check(change.secret ?? (old.hasSecret ? "" : nil), for: path, isKept: change.secret == nil)
            if new.name != old.name { try self.requireFree(new.name, in: transaction) }
            try transaction.execute(
                "UPDATE outlet SET name = $3, settings = $4, active = $5, changed_at = $6 WHERE tenant = $1 AND id = $2",
                new.id, new.name, new.settings.canonical, new.isActive, now)
            if let secret = change.secret {
                try transaction.execute(
                    "UPDATE outlet SET secret = $3 WHERE tenant = $1 AND id = $2", new.id,
                    self.seal(secret, new.id, tenant, in: transaction))
            }
            if path.streamsAudit { try self.beginStream(new, tenant, in: transaction) }
            try self.record(
                .outletChanged, new, tenant, by: actor, changed: Self.changes(old, new, secret: change.secret),
                in: transaction)
            return new
        }
        forgetFailures(of: outlet.id)
        wake.signal()
        return outlet
    }

    /// Deletes an outlet; what waited for it alone is given up.
    public func deleteOutlet(_ reference: String, tenant: TenantID, by actor: Actor) async throws {
        let now = clock.now
        let outlet = try await database.tenant(tenant).write { transaction in
            let outlet = try self.find(reference, in: transaction)
            try transaction.execute("DELETE FROM outlet WHERE tenant = $1 AND id = $2", outlet.id)
            try transaction.execute("DELETE FROM audit_stream WHERE tenant = $1 AND outlet = $2", outlet.id)
            try transaction.execute(
                """
                UPDATE delivery SET state = 'discarded', result = 'its outlet was deleted', finished_at = $3
                WHERE tenant = $1 AND lane = $2 AND state IN ('waiting', 'resting')
                """, outlet.id, now)
            try self.record(.outletDeleted, outlet, tenant, by: actor, in: transaction)
            return outlet
        }
        forgetFailures(of: outlet.id)
    }

    /// Lets everybody who sends by an outlet begin anew.
    private func forgetFailures(of outlet: OutletID) {
        breakers.withLock { breakers in breakers = breakers.filter { $0.key.id != outlet } }
    }

    /// How the outlets of a tenant do, as this process knows.
    public func health(of tenant: TenantID) async throws -> [OutletID: OutletHealth] {
        var health: [OutletID: OutletHealth] = [:]
        for (lane, breaker) in breakers.withLock({ $0 }) {
            let isShared = tenant == .platform && lane == Lane.everybodys(lane.id)
            guard lane.tenant == tenant || isShared, breaker.failures > health[lane.id]?.failures ?? -1 else {
                continue
            }
            health[lane.id] = OutletHealth(
                failures: breaker.failures, pausedUntil: breaker.pausedUntil, lastFailure: breaker.lastFailure)
        }
        let streams = try await database.tenant(tenant).read { transaction in
            try transaction.rows("SELECT outlet, position, sent_at, failure FROM audit_stream WHERE tenant = $1").map {
                (
                    try $0.identifier(0, as: OutletID.self), try $0.integer(1), try $0.timestampIfAny(2),
                    try $0.textIfAny(3)
                )
            }
        }
        for (outlet, position, sent, failure) in streams {
            health[outlet, default: OutletHealth()].position = position
            health[outlet, default: OutletHealth()].sent = sent
            if let failure { health[outlet, default: OutletHealth()].lastFailure = failure }
        }
        return health
    }

    /// Whether settings of this kind let audit entries out, so that whoever sets them must be allowed to export those.
    public static func streamsAudit(_ kind: DeliveryKind, _ settings: JSONValue) -> Bool {
        (try? OutletPath(kind, settings))?.streamsAudit ?? false
    }

    // MARK: - What the acts share

    func find(_ reference: String, in transaction: Transaction) throws -> Outlet {
        let named = try transaction.row(
            "SELECT \(Outlet.columns) FROM outlet WHERE tenant = $1 AND name = $2", reference)
        if let named { return try Outlet(named) }
        guard let id = OutletID(text: reference),
            let row = try transaction.row("SELECT \(Outlet.columns) FROM outlet WHERE tenant = $1 AND id = $2", id)
        else { throw Self.unknownOutlet }
        return try Outlet(row)
    }

    private func checkedPath(_ kind: DeliveryKind, _ settings: JSONValue) throws -> OutletPath {
        let path = try OutletPath(kind, settings)
        if let text = settings["ca"]?.string, !text.isEmpty, !CertificateList.isReadable(text) {
            throw Refusal(
                .invalid, "outlet.settings", "The settings are wrong: ca holds no readable certificates.",
                faults: [Refusal.Fault(place: "/settings/ca", message: "holds no readable certificates")])
        }
        if let address = path.literalAddress, !self.settings.policy.permits(address) {
            throw Refusal(
                .invalid, "outlet.private", "\(address) is no public address, and the operator has not allowed it.",
                faults: [Refusal.Fault(place: "/settings", message: "names a private address")])
        }
        return path
    }

    private func requireFree(_ name: Name, in transaction: Transaction) throws {
        guard try transaction.row("SELECT 1 FROM outlet WHERE tenant = $1 AND name = $2", name) == nil else {
            throw Refusal(.conflict, "outlet.exists", "There is an outlet \(name) already; choose another name.")
        }
    }

    private func seal(
        _ secret: String, _ outlet: OutletID, _ tenant: TenantID, in transaction: Transaction
    ) throws -> [UInt8] {
        try keyRing.seal(
            Array(secret.utf8), at: DeliverySchema.secretColumn.place(tenant, row: outlet), in: transaction)
    }

    /// Throws unless the secret is one that this path can use; a kept one was checked when it came.
    private static func check(_ secret: String?, for path: OutletPath, isKept: Bool = false) throws(Refusal) {
        func wrong(_ message: String) -> Refusal {
            Refusal(
                .invalid, "outlet.secret", "The secret \(message).",
                faults: [Refusal.Fault(place: "/secret", message: message)])
        }
        if let secret, !isKept {
            guard OutboundMessage.isOneLine(secret, atMost: DeliveryLimits.secretBytes), !secret.isEmpty else {
                throw wrong("must be one line of 1 to \(DeliveryLimits.secretBytes) bytes")
            }
        }
        switch path {
        case .mail(let server):
            if server.user != nil, secret == nil { throw wrong("is missing: the password of the user") }
            if server.user == nil, secret != nil { throw wrong("belongs to a user, and the settings name none") }
        case .sms: break
        case .webhook:
            if let secret, !isKept, WebhookSignature(secret: secret) == nil {
                throw wrong("must be whsec_ and base64 of 24 to 64 bytes")
            }
        case .syslog: if secret != nil { throw wrong("has no use here") }
        }
    }

    /// The members that differ, by name: addresses and header fields may hold keys, so their values are nobody's to
    /// read in a log.
    private static func changes(_ old: Outlet?, _ new: Outlet, secret: String?) -> [String] {
        func members(_ settings: JSONValue?) -> [String: JSONValue] {
            if case .object(let members) = settings { members } else { [:] }
        }
        let (before, after) = (members(old?.settings), members(new.settings))
        let settings = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
        return (old.map { $0.name != new.name } ?? true ? ["name"] : [])
            + (old.map { $0.isActive != new.isActive } ?? true ? ["active"] : [])
            + settings.map { "settings.\($0)" } + (secret == nil ? [] : ["secret"])
    }

    private func record(
        _ code: AuditCode, _ outlet: Outlet, _ tenant: TenantID, by actor: Actor, changed: [String] = [],
        in transaction: Transaction
    ) throws {
        let path = try? OutletPath(outlet.kind, outlet.settings)
        var details: [String: JSONValue] = [
            "name": .string(outlet.name.text), "kind": .string(outlet.kind.rawValue),
            "active": .bool(outlet.isActive), "host": path.map { .string($0.host) } ?? .null,
        ]
        if !changed.isEmpty { details["changed"] = .array(changed.map { .string($0) }) }
        if case .webhook(_, let events, _) = path { details["events"] = .array(events.map { .string($0) }) }
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: actor, object: AuditObject(kind: "outlet", id: outlet.id.text),
                details: .object(details)), in: transaction)
    }
}
