import Audit
public import Base
package import Storage
import Synchronization

/// The sorts of changes that can be proposed, each with what makes it.
///
/// Access brings its own; other parts add theirs when they are put together.
package final class Approvals: Sendable {
    /// Makes a change in the caller's transaction, with this principal's rights; it asks
    /// ``Access/require(_:of:tenant:by:in:)`` with the authority that it is given.
    package typealias Apply = @Sendable (JSONValue, Authority, TenantID, Principal, Transaction) throws -> Void
    /// What stands where a change would write, by the change's members.
    package typealias Present = @Sendable (JSONValue, TenantID, Transaction) throws -> JSONValue

    struct Kind: Sendable {
        let references: [String: ChangeReference]
        let present: Present
        let guarded: GuardedChange?
        let apply: Apply
    }

    private let kinds = Mutex<[String: Kind]>([:])

    /// Lets changes of a kind be proposed: with what their members name, which is kept by identifier while they wait,
    /// what stands there now, so that who approves sees what becomes different, and what of it is not for everybody.
    package func add(
        _ kind: ChangeKind, naming references: [String: ChangeReference] = [:],
        present: @escaping Present = { _, _, _ in [:] }, guarding guarded: GuardedChange? = nil,
        _ apply: @escaping Apply
    ) {
        let known = Kind(references: references, present: present, guarded: guarded, apply: apply)
        kinds.withLock { $0[kind.name] = known }
    }

    func kind(_ name: String) -> Kind? { kinds.withLock { $0[name] } }
}

extension Access {
    // MARK: - The policy

    /// Whether changes of the tenant's security settings need a second approver.
    public func needsSecondApprover(tenant: TenantID, by principal: Principal) async throws -> Bool {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try needsSecond(tenant, in: tx)
        }
    }

    /// Decides whether changes of the tenant's security settings need a second approver. To end that need, one is needed.
    public func setNeedsSecondApprover(
        _ needs: Bool, reason: String?, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try setNeedsSecond(needs, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    private func setNeedsSecond(
        _ needs: Bool, authority: Authority, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        try authorize(principal, .approvalManage, tenant: tenant, in: tx)
        try requireOwn(principal, of: tenant)
        try requireProof(authority, by: principal, in: tx)
        try require(authority, of: .approvalPolicy, tenant: tenant, by: principal, in: tx)
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO approval_policy (tenant, needs_second) VALUES ($1, $2)
            ON CONFLICT (tenant) DO UPDATE SET needs_second = excluded.needs_second
            """, needs)
        try record(
            .approvalPolicyChanged, tenant, by: principal, "tenant", tenant.text,
            details: authority.told(["needsSecond": .bool(needs)]), in: tx)
    }

    // MARK: - Changes

    /// Proposes a change that another administrator can approve. It is tried first and rolled back, so that nobody
    /// proposes what they could not do themselves.
    public func propose(
        _ kind: String, _ change: JSONValue, reason: String?, tenant: TenantID, by principal: Principal
    ) async throws -> PendingChange {
        let reason = try Self.checked(reason)
        guard let known = approvals.kind(kind) else {
            throw Refusal(
                .invalid, "change.kind", "There is no such kind of change.",
                faults: [Refusal.Fault(place: "/kind", message: "is no kind of change")])
        }
        // What is tried is what waits: names may mean something else tomorrow, identifiers do not.
        let (change, told) = try await trial(tenant) { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            try requireOwn(principal, of: tenant)
            try proof.require(principal, for: .rights, in: tx)
            let change = try fixed(change, known.references, tenant: tenant, in: tx)
            let told = try view(of: kind, change, tenant: tenant, in: tx)
            try known.apply(change, .trial, tenant, principal, tx)
            return (change, told)
        }
        let now = clock.now
        let (kept, secret) = try known.guarded?.parted(change) ?? (change, nil)
        let pending = PendingChange(
            id: PendingChangeID(now: now), kind: kind, change: kept, reason: reason, proposer: principal.id,
            proposed: now, expires: now + .seconds(AccessLimits.approvalDays * 86_400), status: .proposed, decider: nil,
            decided: nil, told: told)
        return try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let open =
                try tx.row("SELECT count(*) FROM pending_change WHERE tenant = $1 AND status = 'proposed'")?.int(0) ?? 0
            guard open < AccessLimits.pendingChanges else {
                throw Refusal(
                    .limited, "change.tooMany", "At most \(AccessLimits.pendingChanges) changes can wait at once.")
            }
            try PendingChangeRow.insert(pending, tenant: tenant, in: tx)
            try keep(secret, of: pending.id, tenant: tenant, in: tx)
            try recordChange(.changeProposed, pending, tenant, by: principal, in: tx)
            return pending
        }
    }

    /// The tenant's changes that wait or waited for a second approver, the newest first.
    public func pendingChanges(
        status: PendingChange.Status? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> [PendingChange] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            let now = clock.now
            return try tx.rows(
                """
                SELECT \(PendingChangeRow.columns) FROM pending_change WHERE tenant = $1
                ORDER BY id DESC LIMIT \(AccessLimits.page)
                """
            ).map(PendingChangeRow.read).map { $0.asOf(now) }.filter { status == nil || $0.status == status }.map {
                let change = try shown($0, to: principal, tenant: tenant, in: tx)
                guard change.status == .proposed, let known = approvals.kind(change.kind) else { return change }
                return change.named(try names(in: change.change, known.references, tenant: tenant, in: tx).names)
            }
        }
    }

    /// Approves a change and makes it, with the approver's own rights: a person of the tenant other than the proposer.
    /// When they say what they have seen of it, it is refused if that is no longer so.
    public func approve(
        _ id: PendingChangeID, seen: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> PendingChange {
        try await database.tenant(tenant).write { tx in
            let pending = try open(id, tenant: tenant, by: principal, in: tx)
            let isPerson = principal.kind == .user && principal.tenant == tenant
            guard isPerson || principal.isLocalAdministrator, principal.id != pending.proposer else {
                throw Refusal(
                    .forbidden, "change.approver",
                    "Another person of this tenant who may make the change must approve it.")
            }
            try proof.require(principal, for: .rights, in: tx)
            let proposer = try findPrincipal(pending.proposer, in: tx)
            // Whose program it was is not known: it could be the approver's own.
            guard proposer?.kind != .client || principal.isLocalAdministrator else {
                throw Refusal(
                    .forbidden, "change.program",
                    "A program proposed it, so only the server's operator can approve it. Let a person propose it.")
            }
            guard proposer?.isActive ?? true, let known = approvals.kind(pending.kind)
            else { throw Refusal(.conflict, "change.proposer", "Who proposed it, or its kind, is no more.") }
            try requireSame(pending, seen: seen, tenant: tenant, in: tx)
            try known.apply(
                try whole(pending, tenant: tenant, in: tx), .approved(id, reason: pending.reason), tenant, principal, tx
            )
            return try close(pending, .approved, .changeApproved, tenant, by: principal, in: tx)
        }
    }

    /// Turns a change down; its proposer takes it back by that.
    public func reject(_ id: PendingChangeID, tenant: TenantID, by principal: Principal) async throws -> PendingChange {
        try await database.tenant(tenant).write { tx in
            let pending = try open(id, tenant: tenant, by: principal, in: tx)
            return pending.proposer == principal.id
                ? try close(pending, .withdrawn, .changeWithdrawn, tenant, by: principal, in: tx)
                : try close(pending, .rejected, .changeRejected, tenant, by: principal, in: tx)
        }
    }

    /// Notes which changes nobody decided about in time, and removes what was decided long ago; call it about once a
    /// minute. Nothing depends on it in time.
    public func endExpiredChanges() async throws {
        let now = clock.now
        try await database.platform.write { tx in
            let expired = try tx.acrossTenants.rows(
                """
                SELECT \(PendingChangeRow.columns), tenant FROM pending_change
                WHERE status = 'proposed' AND expires <= $1 LIMIT \(AccessLimits.page)
                """, now
            ).map { (try PendingChangeRow.read($0), try $0.identifier(11, as: TenantID.self)) }
            for (pending, tenant) in expired {
                _ = try close(pending, .expired, .changeExpired, tenant, by: .localAdministrator, in: tx)
            }
            let old = now - .seconds(AccessLimits.decidedDays * 86_400)
            try tx.acrossTenants.execute("DELETE FROM pending_change WHERE status <> 'proposed' AND expires < $1", old)
            try tx.acrossTenants.execute("DELETE FROM move WHERE made < $1", old)
            try tx.acrossTenants.execute("DELETE FROM grant_change WHERE created < $1", old)
        }
    }

    private func open(
        _ id: PendingChangeID, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> PendingChange {
        try authorize(principal, .principalManage, tenant: tenant, in: tx)
        guard let pending = try PendingChangeRow.find(id, in: tx)?.asOf(clock.now) else { throw Self.unknown("change") }
        guard pending.status == .proposed else {
            throw Refusal(.conflict, "change.status", "The change is \(pending.status.rawValue) already.")
        }
        return pending
    }

    private func close(
        _ pending: PendingChange, _ status: PendingChange.Status, _ code: AuditCode, _ tenant: TenantID,
        by principal: Principal, in tx: Transaction
    ) throws -> PendingChange {
        let now = clock.now
        try tx.scoped(to: tenant).execute(
            """
            UPDATE pending_change SET status = $3, decider = $4, decided = $5, secret = NULL
            WHERE tenant = $1 AND id = $2
            """, pending.id, status.rawValue, principal.id, now)
        try recordChange(code, pending, tenant, by: principal, in: tx)
        return try shown(pending.decided(status, by: principal.id, at: now), to: principal, tenant: tenant, in: tx)
    }

    private func recordChange(
        _ code: AuditCode, _ pending: PendingChange, _ tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        try record(
            code, tenant, by: principal, "change", pending.id.text,
            details: [
                "kind": .string(pending.kind), "change": told(pending), "reason": .string(pending.reason),
                "proposer": .string(pending.proposer.text),
            ], in: tx)
    }

    private func findPrincipal(_ id: PrincipalID, in tx: Transaction) throws -> PrincipalInfo? {
        try tx.row("SELECT id, kind, name, active, created FROM principal WHERE tenant = $1 AND id = $2", id)
            .map(Self.readPrincipal)
    }

    // MARK: - Trials

    private struct Tried<Value: Sendable>: Error { let value: Value }

    /// Runs `body` as a write and rolls everything back: what it returns is what would have been.
    package func trial<Value: Sendable>(
        _ tenant: TenantID, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        do {
            try await database.tenant(tenant).write { tx -> Void in throw Tried(value: try body(tx)) }
        } catch let tried as Tried<Value> {
            return tried.value
        }
        throw Refusal(.unavailable, "trial.failed", "It could not be tried; try again.")
    }

    // MARK: - Access's own kinds

    /// Lets the changes of this part be proposed.
    func addApprovals() {
        let role = ChangeReference.thing { name, tenant, tx in
            try RoleRow.find(name, tenant: tenant, in: tx)?.id.text
        }
        approvals.add(
            .rolePut, naming: ["name": role],
            present: { change, tenant, tx in
                let found = try change["name"]?.string.flatMap { try RoleRow.find($0, tenant: tenant, in: tx) }
                let words = found?.permissions.map(\.rawValue).sorted()
                return ["permissions": words.map { .array($0.map { .string($0) }) } ?? .null]
            }
        ) { [self] change, authority, tenant, principal, tx in
            guard let name = change["name"]?.string.flatMap({ Name($0) }) else { throw Self.unreadable("name") }
            let permissions = try Self.permissions(change["permissions"], tenant: tenant)
            _ = try putRole(
                name, permissions: permissions, authority: authority, tenant: tenant, by: principal, in: tx)
        }
        approvals.add(.roleDelete, naming: ["role": .role]) { [self] change, authority, tenant, principal, tx in
            guard let role = change["role"]?.string else { throw Self.unreadable("role") }
            try deleteRole(role, authority: authority, tenant: tenant, by: principal, in: tx)
        }
        approvals.add(
            .grantPut,
            naming: [
                "role": .role, "principal": .principal, "group": .group, "domain": .domain, "device": .device,
                "replaces": .grant,
            ]
        ) { [self] change, authority, tenant, principal, tx in
            _ = try grant(GrantDraft(json: change), authority: authority, tenant: tenant, by: principal, in: tx)
        }
        approvals.add(.memberPut, naming: ["group": .group, "principal": .principal]) {
            [self] change, authority, tenant, principal, tx in
            guard let group = change["group"]?.string else { throw Self.unreadable("group") }
            guard let user = change["principal"]?.string else { throw Self.unreadable("principal") }
            try addMember(user, to: group, authority: authority, tenant: tenant, by: principal, in: tx)
        }
        approvals.add(
            .sharePut, naming: ["to": .tenant, "role": .role, "domain": .domain, "device": .device]
        ) { [self] change, authority, tenant, principal, tx in
            _ = try offer(ShareDraft(json: change), authority: authority, tenant: tenant, by: principal, in: tx)
        }
        approvals.add(
            .approvalPolicy,
            present: { [self] _, tenant, tx in ["needsSecond": .bool(try needsSecond(tenant, in: tx))] }
        ) { [self] change, authority, tenant, principal, tx in
            guard case .bool(let needs)? = change["needsSecond"] else { throw Self.unreadable("needsSecond") }
            try setNeedsSecond(needs, authority: authority, tenant: tenant, by: principal, in: tx)
        }
    }

    private static func permissions(_ value: JSONValue?, tenant: TenantID) throws(Refusal) -> Set<Permission> {
        guard case .array(let words)? = value, words.count <= Permission.allCases.count else {
            throw unreadable("permissions")
        }
        var permissions: Set<Permission> = []
        for word in words {
            guard let permission = word.string.flatMap(Permission.init(rawValue:)),
                tenant == .platform || !permission.isPlatformOnly
            else { throw unreadable("permissions") }
            permissions.insert(permission)
        }
        return permissions
    }

    /// What is told of a proposed change that lacks a member, or has it in another form.
    package static func unreadable(_ member: String) -> Refusal {
        Refusal(
            .invalid, "change.invalid", "The change can not be read.",
            faults: [Refusal.Fault(place: "/change/\(member)", message: "is missing or not as it should be")])
    }
}

extension GrantDraft {
    /// The draft that a proposed change describes.
    package init(json: JSONValue) throws {
        guard let role = json["role"]?.string else { throw Access.unreadable("role") }
        self.init(role: role)
        (principal, group) = (json["principal"]?.string, json["group"]?.string)
        (domain, device) = (json["domain"]?.string, json["device"]?.string)
        if let text = json["replaces"]?.string {
            guard let id = GrantID(text: text) else { throw Access.unreadable("replaces") }
            replaces = id
        }
        guard let text = json["expires"]?.string else { return }
        guard let time = Timestamp(rfc3339: text) else { throw Access.unreadable("expires") }
        expires = time
    }
}
