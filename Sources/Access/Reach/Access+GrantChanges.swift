import Audit
public import Base
import Storage

extension Access {
    /// The makings and ends of grants that are kept, the newest first.
    public func grantChanges(tenant: TenantID, by principal: Principal) async throws -> [GrantChange] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows(
                """
                SELECT \(GrantChangeRow.columns) FROM grant_change WHERE tenant = $1
                ORDER BY id DESC LIMIT \(AccessLimits.page)
                """
            ).map(GrantChangeRow.read)
        }
    }

    /// The making or change that gave this grant, or its end, by the caller, who has just done it.
    public func change(
        of grant: GrantID, isEnd: Bool, tenant: TenantID, by principal: Principal
    ) async throws -> GrantChangeID? {
        try await database.tenant(tenant).read { tx in
            try tx.row(
                """
                SELECT id FROM grant_change WHERE tenant = $1 AND role_grant = $2 AND principal = $3
                    AND undone IS NULL AND act \(isEnd ? "=" : "<>") 'ended' ORDER BY id DESC LIMIT 1
                """, grant, principal.id
            ).map { try $0.identifier(0) }
        }
    }

    /// Undoes the making of a grant by its end, and its end by a grant of the same; it takes the rights that these take.
    public func undoGrantChange(
        _ id: GrantChangeID, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            let row = try tx.row(
                "SELECT \(GrantChangeRow.columns) FROM grant_change WHERE tenant = $1 AND id = $2", id)
            guard let change = try row.map(GrantChangeRow.read) else {
                try authorize(principal, .principalRead, tenant: tenant, in: tx)
                throw Self.unknown("change")
            }
            let grant = change.grant
            let place = try place(of: grant.domain, grant.device, tenant: tenant, in: tx)
            do {
                try authorize(principal, .principalManage, tenant: tenant, at: place, in: tx)
            } catch let refusal as Refusal where refusal.kind == .notFound {
                // As for one that is absent.
                try authorize(principal, .principalRead, tenant: tenant, in: tx)
                throw Self.unknown("change")
            }
            guard change.undone == nil else {
                throw Refusal(.conflict, "change.undone", "This was undone already.")
            }
            guard change.made + .seconds(AccessLimits.undoDays * 86_400) > clock.now else {
                throw Refusal(
                    .conflict, "change.old",
                    "A grant's making or end can be undone for \(AccessLimits.undoDays) days; do it yourself.")
            }
            let authority = Authority.own(reason: reason)
            switch change.act {
            case .made:
                guard try findGrant(grant.id, in: tx) != nil else { throw Self.grantMovedOn }
                try endGrant(grant.id, authority: authority, tenant: tenant, by: principal, in: tx)
            case .changed:
                guard try findGrant(grant.id, in: tx) != nil else { throw Self.grantMovedOn }
                try restore(grant, at: place, authority: authority, tenant: tenant, by: principal, in: tx)
                try endGrant(grant.id, authority: authority, tenant: tenant, by: principal, in: tx)
            case .ended:
                try restore(grant, at: place, authority: authority, tenant: tenant, by: principal, in: tx)
            }
            try tx.execute("UPDATE grant_change SET undone = $3 WHERE tenant = $1 AND id = $2", id, clock.now)
            try record(
                .grantChangeUndone, tenant, by: principal, "grant", grant.id.text, domain: place.domain,
                details: ["change": .string(id.text), "act": .string(change.act.rawValue)], in: tx)
        }
    }

    /// Gives the same role to the same holder at the same place once more, when all three are still there.
    private func restore(
        _ grant: Grant, at place: GrantPlace, authority: Authority, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws {
        guard let role = try findRole(grant.role, tenant: tenant, in: tx), place.device == grant.device else {
            throw Self.grantMovedOn
        }
        if let domain = grant.domain { _ = try self.domain(domain.text, tenant: tenant, in: tx) }
        switch grant.holder {
        case .principal(let id): _ = try findPrincipal(id.text, in: tx)
        case .group(let id): _ = try findGroup(id.text, in: tx)
        }
        _ = try makeGrant(
            role, to: grant.holder, at: place, expires: grant.expires, authority: authority, tenant: tenant,
            by: principal, in: tx)
    }

    private static let grantMovedOn = Refusal(
        .conflict, "change.superseded", "What it was about has changed since, or is no more; nothing was undone.")

    /// Notes that a grant was made or ended, in the transaction that did it, so that it can be undone.
    func noteChange(_ act: GrantChange.Act, of grant: Grant, by principal: Principal, in tx: Transaction) throws {
        let now = clock.now
        try GrantChangeRow.insert(
            GrantChange(
                id: GrantChangeID(now: now), act: act, grant: grant, principal: principal.id, made: now, undone: nil),
            in: tx)
    }
}
