import Audit
public import Base
package import Storage

/// A role that somebody holds at a place.
public struct Grant: Sendable, Hashable {
    /// Who holds a role.
    public enum Holder: Sendable, Hashable {
        /// One principal.
        case principal(PrincipalID)
        /// Everybody in a user group.
        case group(UserGroupID)
    }

    /// The stable identifier.
    public let id: GrantID
    /// Who holds it.
    public let holder: Holder
    /// Which role.
    public let role: RoleID
    /// Where, with everything below; nil when it counts at a device only.
    public let domain: DomainID?
    /// The device that it counts at, when it is only one.
    public let device: DeviceID?
    /// When it ends, if it does.
    public let expires: Timestamp?
    /// When it was made.
    public let created: Timestamp
}

/// What a new grant shall be, in the words of whoever asks for it.
public struct GrantDraft: Sendable, Hashable {
    /// The role's name or identifier.
    public var role: String
    /// The principal who shall hold it, by name or identifier, unless a group shall.
    public var principal: String?
    /// The user group that shall hold it, by name or identifier.
    public var group: String?
    /// The domain, by path or identifier; the root when neither it nor a device is named.
    public var domain: String?
    /// The device, by name or identifier.
    public var device: String?
    /// When it ends, if it does.
    public var expires: Timestamp?
    /// A grant that ends when this one is made, in the same transaction: so a grant is changed.
    public var replaces: GrantID?

    /// A grant of this role, yet without a holder and at the root.
    public init(role: String) {
        self.role = role
    }
}

extension Access {
    /// Grants a role to a principal of the tenant at a domain, nil naming the root.
    public func grant(
        role: String, to principalText: String, at domain: String? = nil, expires: Timestamp? = nil,
        reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Grant {
        var draft = GrantDraft(role: role)
        (draft.principal, draft.domain, draft.expires) = (principalText, domain, expires)
        return try await grant(draft, reason: reason, tenant: tenant, by: principal)
    }

    /// Grants a role to a principal or user group, at a domain or a single device.
    public func grant(
        _ draft: GrantDraft, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Grant {
        try await database.tenant(tenant).write { tx in
            try grant(draft, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func grant(
        _ draft: GrantDraft, authority: Authority, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> Grant {
        let place = try place(domain: draft.domain, device: draft.device, tenant: tenant, in: tx)
        try authorize(principal, .principalManage, tenant: tenant, at: place, in: tx)
        let holder: Grant.Holder
        switch (draft.principal, draft.group) {
        case (let text?, nil): holder = .principal(try findPrincipal(text, in: tx).id)
        case (nil, let text?): holder = .group(try findGroup(text, in: tx).id)
        default:
            throw Refusal(
                .invalid, "grant.holder", "Name the principal or the user group that shall hold the role.",
                faults: [Refusal.Fault(place: "/principal", message: "or group must be there, and not both")])
        }
        let made = try makeGrant(
            try role(draft.role, tenant: tenant, in: tx), to: holder, at: place, expires: draft.expires,
            authority: authority, isNoted: draft.replaces == nil, tenant: tenant, by: principal, in: tx)
        // Afterwards, so that who changes a grant of their own still holds it when the new one is decided.
        if let replaced = draft.replaces {
            let old = try endGrant(
                replaced, authority: authority, isNoted: false, tenant: tenant, by: principal, in: tx)
            try noteChange(.changed, of: old.become(made.id), by: principal, in: tx)
        }
        return made
    }

    /// The grants of a tenant, of one principal or user group when it is named.
    public func grants(
        of principalText: String? = nil, group: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> [Grant] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            let columns = "SELECT \(Self.grantColumns) FROM role_grant WHERE tenant = $1"
            if let principalText {
                return try tx.rows("\(columns) AND holder = $2 ORDER BY id", findPrincipal(principalText, in: tx).id)
                    .map(Self.readGrant)
            }
            if let group {
                return try tx.rows("\(columns) AND holder = $2 ORDER BY id", findGroup(group, in: tx).id)
                    .map(Self.readGrant)
            }
            return try tx.rows("\(columns) ORDER BY id LIMIT $2", AccessLimits.page).map(Self.readGrant)
        }
    }

    /// One grant, for a caller who may change it.
    public func grant(_ id: GrantID, tenant: TenantID, by principal: Principal) async throws -> Grant {
        try await database.tenant(tenant).read { tx in
            guard let grant = try findGrant(id, in: tx) else { throw Self.unknown("grant") }
            do {
                try authorize(
                    principal, .principalManage, tenant: tenant,
                    at: place(of: grant.domain, grant.device, tenant: tenant, in: tx), in: tx)
            } catch let refusal as Refusal where refusal.kind == .notFound {
                throw Self.unknown("grant")
            }
            return grant
        }
    }

    /// Ends a grant at once; an administrator's only by who holds as much.
    public func endGrant(_ id: GrantID, reason: String? = nil, tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { tx in
            try endGrant(id, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    /// In the caller's transaction; `isNoted` says whether it is noted by itself, so that it can be undone.
    @discardableResult
    func endGrant(
        _ id: GrantID, authority: Authority, isNoted: Bool = true, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws -> Grant {
        guard let grant = try findGrant(id, in: tx) else {
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            throw Self.unknown("grant")
        }
        let place = try place(of: grant.domain, grant.device, tenant: tenant, in: tx)
        try authorize(principal, .principalManage, tenant: tenant, at: place, in: tx)
        if let role = try findRole(grant.role, tenant: tenant, in: tx), role.isAdministrative {
            try require(authority, of: .grantEnd, tenant: tenant, by: principal, in: tx)
            try requireHolding(role.permissions, until: clock.now, principal, tenant: tenant, at: place, in: tx)
        }
        try stayAdministrator(principal, of: tenant, in: tx) {
            try tx.execute("DELETE FROM role_grant WHERE tenant = $1 AND id = $2", id)
        }
        rightsChanged(of: grant.holder.principal, tenant, in: tx)
        if isNoted { try noteChange(.ended, of: grant, by: principal, in: tx) }
        try record(
            .grantEnded, tenant, by: principal, "grant", id.text, domain: place.domain,
            details: authority.told(["holder": .string(grant.holder.text), "role": .string(grant.role.text)]), in: tx)
        return grant
    }

    /// Grants a role to a principal in the caller's transaction; refuses what `principal` does not hold itself.
    package func makeGrant(
        _ role: Role, to holder: PrincipalID, at domain: DomainID, expires: Timestamp?, reason: String? = nil,
        tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> Grant {
        try makeGrant(
            role, to: .principal(holder), at: GrantPlace(domain: domain), expires: expires,
            authority: .own(reason: reason),
            tenant: tenant, by: principal, in: tx)
    }

    func makeGrant(
        _ role: Role, to holder: Grant.Holder, at place: GrantPlace, expires: Timestamp?, authority: Authority,
        isNoted: Bool = true, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> Grant {
        let scoped = tx.scoped(to: tenant)
        try requireHolding(
            role.permissions.union([.principalManage]), until: expires, principal, tenant: tenant, at: place, in: tx)
        try requireProof(authority, by: principal, in: tx)
        if role.isAdministrative { try require(authority, of: .grantPut, tenant: tenant, by: principal, in: tx) }
        let count =
            try scoped.row("SELECT count(*) FROM role_grant WHERE tenant = $1 AND holder = $2", holder.bytes)?.int(0)
            ?? 0
        guard count < AccessLimits.grantsPerPrincipal else {
            throw Refusal(
                .limited, "grant.tooMany", "A principal or group has at most \(AccessLimits.grantsPerPrincipal) grants."
            )
        }
        let now = clock.now
        if let expires, expires <= now {
            throw Refusal(.invalid, "grant.expired", "A grant must end in the future.")
        }
        if role == .guest, expires.map({ $0 > now + .seconds(AccessLimits.guestDays * 86_400) }) ?? true {
            throw Refusal(
                .invalid, "grant.guestEnd",
                "A guest's grant needs an end, at most \(AccessLimits.guestDays) days from now.",
                faults: [Refusal.Fault(place: "/expires", message: "must be there, and near enough")])
        }
        let grant = Grant(
            id: GrantID(now: now), holder: holder, role: role.id, domain: place.device == nil ? place.domain : nil,
            device: place.device, expires: expires, created: now)
        try scoped.execute(
            """
            INSERT INTO role_grant (tenant, id, holder, is_group, role, domain, device, expires, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, grant.id, holder.bytes, holder.principal == nil, role.id, grant.domain, grant.device, expires, now)
        rightsChanged(of: holder.principal, tenant, in: tx)
        if isNoted { try noteChange(.made, of: grant, by: principal, in: scoped) }
        try record(
            .granted, tenant, by: principal, "grant", grant.id.text, domain: place.domain,
            details: authority.told([
                holder.principal == nil ? "group" : "principal": .string(holder.text), "role": .string(role.name.text),
                "device": place.device.map { .string($0.text) } ?? .null,
                "expires": expires.map { .string($0.rfc3339) } ?? .null,
            ]), in: tx)
        return grant
    }

    /// Takes a grant away in the caller's transaction; the caller has decided that it may, and records it.
    package func takeGrant(_ id: GrantID, of holder: PrincipalID, tenant: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute("DELETE FROM role_grant WHERE tenant = $1 AND id = $2", id)
        rightsChanged(of: holder, tenant, in: tx)
    }

    func findGrant(_ id: GrantID, in tx: Transaction) throws -> Grant? {
        try tx.row("SELECT \(Self.grantColumns) FROM role_grant WHERE tenant = $1 AND id = $2", id)
            .map(Self.readGrant)
    }

    /// Where a grant or share counts. The device may be gone; then only who speaks for the whole tenant may touch it.
    func place(of domain: DomainID?, _ device: DeviceID?, tenant: TenantID, in tx: Transaction) throws -> GrantPlace {
        if let device, let found = try locate(device.text, tx.scoped(to: tenant)) { return found }
        return GrantPlace(domain: try domain ?? rootDomain(of: tenant, in: tx))
    }

    /// Ends the grants and shares that count at a device, because it goes away; in the transaction that deletes it.
    package func forgetDevice(_ device: DeviceID, tenant: TenantID, by principal: Principal, in tx: Transaction) throws
    {
        let ended = try tx.scoped(to: tenant).execute(
            "DELETE FROM role_grant WHERE tenant = $1 AND device = $2", device)
        try endShares("device", device, tenant: tenant, by: principal, in: tx)
        if ended > 0 { rightsChanged(tenant, in: tx) }
    }

    static let grantColumns = "id, holder, is_group, role, domain, device, expires, created"

    static func readGrant(_ row: Row) throws -> Grant {
        Grant(
            id: try row.identifier(0),
            holder: try row.bool(2) ? .group(try row.identifier(1)) : .principal(try row.identifier(1)),
            role: try row.identifier(3), domain: try row.identifierIfAny(4), device: try row.identifierIfAny(5),
            expires: try row.timestampIfAny(6), created: try row.timestamp(7))
    }
}

extension Grant {
    /// The same under another identifier.
    fileprivate func become(_ id: GrantID) -> Grant {
        Grant(
            id: id, holder: holder, role: role, domain: domain, device: device, expires: expires, created: created)
    }
}

extension Grant.Holder {
    /// The principal, when it is one.
    public var principal: PrincipalID? { if case .principal(let id) = self { id } else { nil } }

    /// The user group, when it is one.
    public var group: UserGroupID? { if case .group(let id) = self { id } else { nil } }

    /// The identifier's text.
    public var text: String {
        switch self {
        case .principal(let id): id.text
        case .group(let id): id.text
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .principal(let id): id.bytes
        case .group(let id): id.bytes
        }
    }
}
