import Audit
public import Base
import Storage

extension Access {
    private static let columns =
        "id, tenant, grantee, grantee_principal, grantee_role, role, domain, status, ends, offered, device"

    /// Offers a role at a domain (nil: the root) or a single device to a principal, or to a role's holders, of another tenant.
    ///
    /// `holder` names a built-in role of the other tenant, or one of its principals by identifier: the offering side
    /// sees nothing of the other tenant, so it can not look names up there.
    public func offerShare(
        role: String, at domain: String? = nil, device: String? = nil, to grantee: TenantSlug, holder: String,
        ends: Timestamp, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Share {
        let draft = ShareDraft(
            role: role, domain: domain, device: device, to: grantee.text, holder: holder, ends: ends)
        return try await database.platform.write { tx in
            try offer(draft, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func offer(
        _ draft: ShareDraft, authority: Authority, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> Share {
        let (now, ends) = (clock.now, draft.ends)
        let place = try self.place(domain: draft.domain, device: draft.device, tenant: tenant, in: tx)
        try authorize(principal, .shareManage, tenant: tenant, at: place, in: tx)
        try requireProof(authority, by: principal, in: tx)
        let other = try self.tenant(draft.to, in: tx)
        // The platform's staff come for a task, not for good.
        let days = other?.id == .platform ? AccessLimits.staffShareDays : AccessLimits.shareDays
        guard ends > now, ends <= now + .seconds(days * 86_400) else {
            throw Refusal(
                .invalid, "share.ends", "This share ends in the future, at most \(days) days from now.",
                faults: [Refusal.Fault(place: "/ends", message: "must be in the future, and near enough")])
        }
        let role = try self.role(draft.role, tenant: tenant, in: tx)
        try requireHolding(
            role.permissions.union([.shareManage]), until: ends, principal, tenant: tenant, at: place, in: tx)
        guard let other, other.status == .active, other.id != tenant else { throw Self.unknown("tenant") }
        let holder = try self.holder(draft.holder)
        let scoped = tx.scoped(to: tenant)
        let open =
            try scoped.row("SELECT count(*) FROM share WHERE tenant = $1 AND status IN ('offered', 'accepted')")?
            .int(0) ?? 0
        guard open < AccessLimits.shares else {
            throw Refusal(.limited, "share.tooMany", "A tenant has at most \(AccessLimits.shares) open shares.")
        }
        // It lets people in who decide what others may do here, as a grant does.
        if role.isAdministrative { try require(authority, of: .sharePut, tenant: tenant, by: principal, in: tx) }
        let share = Share(
            id: ShareID(now: now), owner: tenant, grantee: other.id, holder: holder, role: role.id,
            domain: place.device == nil ? place.domain : nil, device: place.device, status: .offered, ends: ends,
            offered: now)
        var (named, byRole): (PrincipalID?, RoleID?) = (nil, nil)
        switch holder {
        case .principal(let id): named = id
        case .role(let id): byRole = id
        }
        try scoped.execute(
            """
            INSERT INTO share
                (tenant, id, grantee, grantee_principal, grantee_role, role, domain, device, status, ends, offered)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """, share.id, other.id, named, byRole, role.id, share.domain, share.device, share.status.rawValue,
            ends, now)
        try recordShare(.shareOffered, share, authority, of: tenant, by: principal, in: tx)
        return share
    }

    /// The shares that a tenant has offered and those that were offered to it, newest first.
    public func shares(tenant: TenantID, by principal: Principal) async throws -> [Share] {
        try await database.platform.read { tx in
            try authorize(principal, .shareRead, tenant: tenant, in: tx)
            return try tx.acrossTenants.rows(
                "SELECT \(Self.columns) FROM share WHERE tenant = $1 OR grantee = $1 ORDER BY id DESC LIMIT $2", tenant,
                AccessLimits.page
            ).map(Self.readShare)
        }
    }

    /// Accepts a share that was offered to `tenant`. It lets nobody into that tenant, so no second approver is needed
    /// there; of a role that decides what others may do, a reason is.
    public func acceptShare(
        _ id: ShareID, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Share {
        try await answer(id, .accepted, .shareAccepted, .own(reason: reason), tenant: tenant, by: principal)
    }

    /// Declines a share that was offered to `tenant`.
    public func declineShare(_ id: ShareID, tenant: TenantID, by principal: Principal) async throws -> Share {
        try await answer(id, .declined, .shareDeclined, .own(reason: nil), tenant: tenant, by: principal)
    }

    /// Ends a share at once; either side may.
    public func endShare(_ id: ShareID, tenant: TenantID, by principal: Principal) async throws -> Share {
        try await database.platform.write { tx in
            let share = try find(id, for: tenant, principal, in: tx)
            guard share.status == .accepted || share.status == .offered else {
                throw Refusal(.conflict, "share.status", "The share is \(share.status.rawValue) already.")
            }
            return try move(share, to: .ended, .shareEnded, by: principal, in: tx)
        }
    }

    private func answer(
        _ id: ShareID, _ status: Share.Status, _ code: AuditCode, _ authority: Authority, tenant: TenantID,
        by principal: Principal
    ) async throws -> Share {
        try await database.platform.write { tx in
            let share = try find(id, for: tenant, principal, in: tx)
            guard share.grantee == tenant else {
                throw Refusal(.conflict, "share.side", "Only the tenant that the share is offered to can answer it.")
            }
            guard share.status == .offered, share.ends > clock.now else {
                throw Refusal(.conflict, "share.status", "The share is \(share.status.rawValue), or past its end.")
            }
            if status == .accepted {
                try requireProof(authority, by: principal, in: tx)
                if try findRole(share.role, tenant: share.owner, in: tx)?.isAdministrative ?? false {
                    try require(authority, of: .shareAccept, tenant: tenant, by: principal, in: tx)
                }
            }
            return try move(share, to: status, code, authority, of: tenant, by: principal, in: tx)
        }
    }

    private func move(
        _ share: Share, to status: Share.Status, _ code: AuditCode, _ authority: Authority = .own(reason: nil),
        of side: TenantID? = nil, by principal: Principal, in tx: Transaction
    ) throws -> Share {
        let now = clock.now
        let column = status == .ended ? "ended" : "answered"
        try tx.scoped(to: share.owner).execute(
            "UPDATE share SET status = $3, \(column) = $4 WHERE tenant = $1 AND id = $2", share.id, status.rawValue, now
        )
        try recordShare(code, share, authority, of: side, by: principal, in: tx)
        for side in [share.grantee, share.owner] { rightsChanged(side, in: tx) }
        return Share(
            id: share.id, owner: share.owner, grantee: share.grantee, holder: share.holder, role: share.role,
            domain: share.domain, device: share.device, status: status, ends: share.ends, offered: share.offered)
    }

    /// A share of which `tenant` is one side, for a caller who may manage that side's shares.
    private func find(_ id: ShareID, for tenant: TenantID, _ principal: Principal, in tx: Transaction) throws -> Share {
        let row = try tx.acrossTenants.row(
            "SELECT \(Self.columns) FROM share WHERE id = $1 AND (tenant = $2 OR grantee = $2)", id, tenant)
        guard let share = try row.map(Self.readShare) else {
            try authorize(principal, .shareRead, tenant: tenant, in: tx)
            throw Self.unknown("share")
        }
        // In the grantee's own tree the share has no place, so its root counts.
        if share.owner == tenant {
            let place = try place(of: share.domain, share.device, tenant: tenant, in: tx)
            try authorize(principal, .shareManage, tenant: tenant, domain: place.domain, device: place.device, in: tx)
        } else {
            try authorize(principal, .shareManage, tenant: tenant, in: tx)
        }
        // For each side only its own people speak, not those who have their rights there by a share.
        if !principal.isLocalAdministrator, principal.tenant != tenant {
            throw Refusal(.forbidden, "share.lent", "Who has rights here by a share can not manage shares.")
        }
        return share
    }

    /// Ends what is open of a tenant's shares of one role or at one domain, because that goes away.
    func endShares(
        _ column: StaticString, _ value: any SQLBindable, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        let open = try tx.scoped(to: tenant).rows(
            """
            SELECT \(Self.columns) FROM share
            WHERE tenant = $1 AND \(column) = $2 AND status IN ('offered', 'accepted')
            """, value
        ).map(Self.readShare)
        for share in open { _ = try move(share, to: .ended, .shareEnded, by: principal, in: tx) }
    }

    /// Notes in both sides' logs which shares have reached their end; call it about once a minute.
    ///
    /// Nothing depends on it in time: an expired share stops counting by itself.
    public func endExpiredShares() async throws {
        let now = clock.now
        try await database.platform.write { tx in
            let expired = try tx.acrossTenants.rows(
                """
                SELECT \(Self.columns) FROM share
                WHERE status IN ('offered', 'accepted') AND ends <= $1 ORDER BY ends LIMIT \(AccessLimits.page)
                """, now
            ).map(Self.readShare)
            for share in expired { _ = try move(share, to: .ended, .shareExpired, by: .localAdministrator, in: tx) }
        }
    }

    private func holder(_ text: String) throws(Refusal) -> Share.Holder {
        if let role = Role.builtIn.first(where: { $0.name.text == text }) { return .role(role.id) }
        if let principal = PrincipalID(text: text) { return .principal(principal) }
        throw Refusal(
            .invalid, "share.holder",
            "Name a built-in role of the other tenant, or one of its principals by identifier.",
            faults: [Refusal.Fault(place: "/holder", message: "neither a built-in role nor an identifier")])
    }

    /// Both sides' logs tell it; the reason is told in the log of the side that had it.
    private func recordShare(
        _ code: AuditCode, _ share: Share, _ authority: Authority, of side: TenantID?, by principal: Principal,
        in tx: Transaction
    ) throws {
        for log in [share.owner, share.grantee] {
            try record(
                code, log, by: principal, "share", share.id.text, domain: log == share.owner ? share.domain : nil,
                details: (log == side ? authority : .own(reason: nil)).told([
                    "owner": .string(share.owner.text), "grantee": .string(share.grantee.text),
                    "role": .string(share.role.text),
                    "device": share.device.map { .string($0.text) } ?? .null, "ends": .string(share.ends.rfc3339),
                ]), in: tx)
        }
    }

    private static func readShare(_ row: Row) throws -> Share {
        guard let status = Share.Status(rawValue: try row.text(7)) else {
            throw StorageError(.corrupt, "a share's row is not readable")
        }
        let named: PrincipalID? = try row.identifierIfAny(3)
        let role: RoleID? = try row.identifierIfAny(4)
        guard let holder = named.map(Share.Holder.principal) ?? role.map(Share.Holder.role) else {
            throw StorageError(.corrupt, "a share's row names no holder")
        }
        return Share(
            id: try row.identifier(0), owner: try row.identifier(1), grantee: try row.identifier(2), holder: holder,
            role: try row.identifier(5), domain: try row.identifierIfAny(6), device: try row.identifierIfAny(10),
            status: status, ends: try row.timestamp(8), offered: try row.timestamp(9))
    }
}
