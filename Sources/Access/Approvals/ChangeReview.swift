public import Base
import Storage
import Trust

/// What a proposed change is about, as it is at one moment.
public struct ChangeView: Sendable, Hashable {
    /// What the identifiers in the change are called; one that is missing is no more.
    public let names: [String: String]
    /// What stands where the change would write, by the change's members; null where nothing does.
    public let present: JSONValue
    /// The permissions of each role that the change names, by the role as the change has it.
    public let permissions: [String: [String]]
}

/// A proposed change with all that somebody needs to judge it.
public struct ChangeReview: Sendable {
    /// Somebody who is in the user group that gets a role.
    public struct Member: Sendable, Hashable {
        /// The name.
        public let name: String
        /// Whether they joined since the change was proposed.
        public let isNew: Bool
    }

    /// A grant of the user group that somebody would join.
    public struct Gift: Sendable, Hashable {
        /// The role, whose it is and where.
        public let words: String
        /// Whether it was given since the change was proposed.
        public let isNew: Bool
    }

    /// The change.
    public let change: PendingChange
    /// What it was about when it was proposed; nil when it was decided, or comes from before this was kept.
    public let then: ChangeView?
    /// What it is about now.
    public let now: ChangeView
    /// Who is in the user group that gets a role, the newest first; at most a page of them.
    public let members: [Member]
    /// What somebody gets who joins the user group, the newest first.
    public let gifts: [Gift]
    /// Stands for all of this: who approves says by it what they have seen.
    public let seen: String
}

extension Access {
    /// One change with what it is about now, and what changed since it was proposed.
    public func review(_ id: PendingChangeID, tenant: TenantID, by principal: Principal) async throws -> ChangeReview {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            guard let pending = try PendingChangeRow.find(id, in: tx)?.asOf(clock.now) else {
                throw Self.unknown("change")
            }
            let review = try review(pending, tenant: tenant, in: tx)
            return review.of(try shown(review.change, to: principal, tenant: tenant, in: tx))
        }
    }

    func review(_ pending: PendingChange, tenant: TenantID, in tx: Transaction) throws -> ChangeReview {
        let now = try view(of: pending.kind, pending.change, tenant: tenant, in: tx)
        let group = pending.change["group"]?.string.flatMap { UserGroupID(text: $0) }
        var (members, gifts): ([ChangeReview.Member], [ChangeReview.Gift]) = ([], [])
        if let group, pending.kind == ChangeKind.grantPut.name {
            members = try tx.scoped(to: tenant).rows(
                """
                SELECT p.name, m.created FROM user_group_member m
                JOIN principal p ON p.tenant = $1 AND p.id = m.principal
                WHERE m.tenant = $1 AND m.user_group = $2 ORDER BY m.created DESC, p.name LIMIT $3
                """, group, AccessLimits.page
            ).map { .init(name: try $0.text(0), isNew: try $0.timestamp(1) > pending.proposed) }
        } else if let group, pending.kind == ChangeKind.memberPut.name {
            gifts = try liveGrants(of: group, in: tx.scoped(to: tenant)).sorted { $0.created > $1.created }.map {
                .init(words: try words($0, tenant: tenant, in: tx), isNew: $0.created > pending.proposed)
            }
        }
        let all: JSONValue = [
            "change": pending.change, "now": now.json, "members": .array(members.map { .string($0.name) }),
            "gifts": .array(gifts.map { .string($0.words) }),
        ]
        return ChangeReview(
            change: pending.named(now.names), then: pending.told, now: now, members: members, gifts: gifts,
            seen: Token.hash(of: all.canonical).hex)
    }

    func view(
        of kind: String, _ change: JSONValue, tenant: TenantID, in tx: Transaction
    ) throws -> ChangeView {
        guard let known = approvals.kind(kind) else { return ChangeView(names: [:], present: [:], permissions: [:]) }
        var permissions: [String: [String]] = [:]
        for mention in mentions(in: change, known.references) {
            guard case .role = mention.reference else { continue }
            let role =
                try Role.builtIn.first { $0.name.text == mention.text }
                ?? RoleID(text: mention.text).flatMap { try findRole($0, tenant: tenant, in: tx) }
            permissions[mention.text] = role?.permissions.map(\.rawValue).sorted()
        }
        return ChangeView(
            names: try names(in: change, known.references, tenant: tenant, in: tx).names,
            present: try known.present(change, tenant, tx), permissions: permissions)
    }

    /// Refuses to make what is not any longer what was proposed, or what the approver has seen.
    func requireSame(_ pending: PendingChange, seen: String?, tenant: TenantID, in tx: Transaction) throws {
        guard pending.told != nil, let known = approvals.kind(pending.kind) else {
            throw Refusal(
                .conflict, "change.stale",
                "It was proposed when names were not yet kept by identifier, so they could mean something else now: "
                    + "turn it down, and let it be proposed anew.")
        }
        let gone = try names(in: pending.change, known.references, tenant: tenant, in: tx).gone
        guard gone.isEmpty else {
            throw Refusal(
                .conflict, "change.stale",
                "What it names is no longer what it named when it was proposed (\(gone.joined(separator: ", "))): "
                    + "turn it down, and let it be proposed anew.")
        }
        guard let seen, seen != (try review(pending, tenant: tenant, in: tx)).seen else { return }
        throw Refusal(
            .conflict, "change.unseen",
            "What it is about changed while you looked at it. Look again, and decide then.")
    }
}

extension ChangeReview {
    /// The same with the change as somebody may read it.
    fileprivate func of(_ change: PendingChange) -> ChangeReview {
        ChangeReview(change: change, then: then, now: now, members: members, gifts: gifts, seen: seen)
    }
}

extension ChangeView {
    /// As the API tells it.
    package var json: JSONValue {
        [
            "names": .object(names.mapValues { .string($0) }), "present": present,
            "permissions": .object(permissions.mapValues { .array($0.map { .string($0) }) }),
        ]
    }

    init?(json: JSONValue) {
        guard case .object(let names)? = json["names"], let present = json["present"],
            case .object(let permissions)? = json["permissions"]
        else { return nil }
        self.names = names.compactMapValues(\.string)
        self.present = present
        self.permissions = permissions.mapValues { value in
            if case .array(let words) = value { words.compactMap(\.string) } else { [] }
        }
    }
}
