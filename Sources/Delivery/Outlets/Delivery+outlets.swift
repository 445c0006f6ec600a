public import Audit
public import Base
package import Storage
import Synchronization
import Trust

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

    /// The outlet with this name or identifier, as a transaction sees it.
    package func outlet(_ reference: String, in transaction: Transaction) throws -> Outlet {
        try find(reference, in: transaction)
    }

    /// Makes an outlet; answers with the signing secret when it was made here, which is told once and never again.
    public func createOutlet(
        _ draft: OutletDraft, tenant: TenantID, by actor: Actor
    ) async throws -> (outlet: Outlet, secret: String?) {
        try await database.tenant(tenant).write { try self.createOutlet(draft, tenant: tenant, by: actor, in: $0) }
    }

    /// The same in the caller's transaction; `told` stands in the log beside what changes.
    package func createOutlet(
        _ draft: OutletDraft, told: JSONValue = [:], tenant: TenantID, by actor: Actor, in transaction: Transaction
    ) throws -> (outlet: Outlet, secret: String?) {
        let path = try checkedPath(draft.kind, draft.settings)
        let made = draft.kind == .webhook && draft.secret == nil ? WebhookSignature.makeSecret() : nil
        let secret = draft.secret ?? made
        try Self.check(secret, for: path)
        let now = clock.now
        let outlet = Outlet(
            id: OutletID(now: now), name: draft.name, kind: draft.kind, settings: draft.settings,
            hasSecret: secret != nil, isActive: draft.isActive, created: now, changed: now)
        let count = try transaction.row("SELECT count(*) FROM outlet WHERE tenant = $1")?.int(0) ?? 0
        guard count < DeliveryLimits.outlets else {
            throw Refusal(.tooLarge, "outlet.tooMany", "A tenant has at most \(DeliveryLimits.outlets) outlets.")
        }
        try requireFree(outlet.name, in: transaction)
        let sealed = try secret.map { try seal($0, outlet.id, tenant, in: transaction) }
        try transaction.execute(
            """
            INSERT INTO outlet (tenant, id, name, kind, settings, secret, active, created_at, changed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            """, outlet.id, outlet.name, outlet.kind.rawValue, outlet.settings.canonical, sealed, outlet.isActive, now)
        if path.streamsAudit { try beginStream(outlet, tenant, in: transaction) }
        try record(
            .outletCreated, outlet, tenant, by: actor, changed: Self.changes(nil, outlet, secret: secret), told: told,
            in: transaction)
        return (outlet, made)
    }

    /// Changes an outlet, and lets it be tried at once.
    public func changeOutlet(
        _ reference: String, _ change: OutletChange, tenant: TenantID, by actor: Actor
    ) async throws -> Outlet {
        try await database.tenant(tenant).write {
            try self.changeOutlet(reference, change, tenant: tenant, by: actor, in: $0)
        }
    }

    /// The same in the caller's transaction; `told` stands in the log beside what changes.
    package func changeOutlet(
        _ reference: String, _ change: OutletChange, told: JSONValue = [:], tenant: TenantID, by actor: Actor,
        in transaction: Transaction
    ) throws -> Outlet {
        let now = clock.now
        let old = try find(reference, in: transaction)
        let new = Outlet(
            id: old.id, name: change.name ?? old.name, kind: old.kind, settings: change.settings ?? old.settings,
            hasSecret: old.hasSecret || change.secret != nil, isActive: change.isActive ?? old.isActive,
            created: old.created, changed: now)
        let path = try checkedPath(new.kind, new.settings)
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
        if new.name != old.name { try requireFree(new.name, in: transaction) }
        try transaction.execute(
            "UPDATE outlet SET name = $3, settings = $4, active = $5, changed_at = $6 WHERE tenant = $1 AND id = $2",
            new.id, new.name, new.settings.canonical, new.isActive, now)
        if let secret = change.secret {
            try transaction.execute(
                "UPDATE outlet SET secret = $3 WHERE tenant = $1 AND id = $2", new.id,
                seal(secret, new.id, tenant, in: transaction))
        }
        if path.streamsAudit { try beginStream(new, tenant, in: transaction) }
        try record(
            .outletChanged, new, tenant, by: actor, changed: Self.changes(old, new, secret: change.secret), told: told,
            in: transaction)
        transaction.afterCommit { [self] in
            forgetFailures(of: new.id)
            wake.signal()
        }
        return new
    }

    /// Deletes an outlet; what waited for it alone is given up.
    public func deleteOutlet(_ reference: String, tenant: TenantID, by actor: Actor) async throws {
        try await database.tenant(tenant).write {
            try self.deleteOutlet(reference, tenant: tenant, by: actor, in: $0)
        }
    }

    /// The same in the caller's transaction; `told` stands in the log beside what changes.
    package func deleteOutlet(
        _ reference: String, told: JSONValue = [:], tenant: TenantID, by actor: Actor, in transaction: Transaction
    ) throws {
        let outlet = try find(reference, in: transaction)
        try transaction.execute("DELETE FROM outlet WHERE tenant = $1 AND id = $2", outlet.id)
        try transaction.execute("DELETE FROM audit_stream WHERE tenant = $1 AND outlet = $2", outlet.id)
        try transaction.execute(
            """
            UPDATE delivery SET state = 'discarded', result = 'its outlet was deleted', finished_at = $3
            WHERE tenant = $1 AND lane = $2 AND state IN ('waiting', 'resting')
            """, outlet.id, clock.now)
        try record(.outletDeleted, outlet, tenant, by: actor, told: told, in: transaction)
        transaction.afterCommit { [self] in forgetFailures(of: outlet.id) }
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

    /// The host that mail or SMS settings lead to, as far as they can be read: what may be told of them to everybody.
    public static func host(_ settings: JSONValue) -> String? {
        [DeliveryKind.mail, .sms].lazy.compactMap { try? OutletPath($0, settings) }.first?.host
    }

    // MARK: - What the acts share

    /// An identifier comes first: no outlet stands in for another by being called like its identifier.
    func find(_ reference: String, in transaction: Transaction) throws -> Outlet {
        let known = try OutletID(text: reference).flatMap {
            try transaction.row("SELECT \(Outlet.columns) FROM outlet WHERE tenant = $1 AND id = $2", $0)
        }
        let row =
            try known
            ?? transaction.row(
                "SELECT \(Outlet.columns) FROM outlet WHERE tenant = $1 AND name = $2", reference)
        guard let row else { throw Self.unknownOutlet }
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
        told: JSONValue = [:], in transaction: Transaction
    ) throws {
        let path = try? OutletPath(outlet.kind, outlet.settings)
        var details: [String: JSONValue] = [
            "name": .string(outlet.name.text), "kind": .string(outlet.kind.rawValue),
            "active": .bool(outlet.isActive), "host": path.map { .string($0.host) } ?? .null,
        ]
        if !changed.isEmpty { details["changed"] = .array(changed.map { .string($0) }) }
        if case .webhook(_, let events, _) = path { details["events"] = .array(events.map { .string($0) }) }
        if case .object(let others) = told { details.merge(others) { own, _ in own } }
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: actor, object: AuditObject(kind: "outlet", id: outlet.id.text),
                details: .object(details)), in: transaction)
    }
}
