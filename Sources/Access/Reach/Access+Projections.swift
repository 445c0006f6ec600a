public import Base
package import Storage

extension Access {
    /// Who can reach a domain, or a device when one is named, and by what.
    public func reach(
        domain: String? = nil, device: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> [Reach] {
        try await database.tenant(tenant).read { tx in
            let place = try place(domain: domain, device: device, tenant: tenant, in: tx)
            try authorize(principal, .reachRead, tenant: tenant, at: place, in: tx)
            return try reach(at: place, tenant: tenant, in: tx)
        }
    }

    /// What a principal of the tenant can reach, and by what; everybody may see their own.
    public func reach(of person: String, tenant: TenantID, by principal: Principal) async throws -> [Reach] {
        try await database.tenant(tenant).read { tx in
            let id = try self.person(person, tenant: tenant, by: principal, in: tx)
            var query = ReachQuery(now: clock.now)
            return try query.rows(at: nil, of: id, in: tx)
        }
    }

    /// To which devices a principal of the tenant may do this, for a caller who may see that.
    package func visibleDevices(
        of person: String, _ permission: Permission, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> DeviceScope {
        let id = try self.person(person, tenant: tenant, by: principal, in: tx)
        var query = ReachQuery(now: clock.now)
        let held = try query.rows(at: nil, of: id, in: tx).map {
            Holding(domain: $0.domain, device: $0.device, permissions: $0.permissions, until: $0.until)
        }
        return scope(of: held, permission, try rootDomain(of: tenant, in: tx))
    }

    private func person(
        _ text: String, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> PrincipalID {
        if principal.tenant == tenant, text == principal.id.text { return principal.id }
        try authorize(principal, .reachRead, tenant: tenant, in: tx)
        return try findPrincipal(text, in: tx).id
    }

    /// Who can reach a place, in the caller's transaction, which has decided that they may know.
    package func reach(at place: GrantPlace, tenant: TenantID, in tx: Transaction) throws -> [Reach] {
        var query = ReachQuery(now: clock.now)
        return try query.rows(at: place, of: nil, in: tx.scoped(to: tenant))
    }

    // MARK: - Previews

    /// What moving a domain below another would do to who can reach it.
    public func previewMove(
        domain: String, below parent: String, tenant: TenantID, by principal: Principal
    ) async throws -> ReachChange {
        try await trial(tenant) { tx in
            let id = try self.domain(domain, tenant: tenant, in: tx)
            try authorize(principal, .reachRead, tenant: tenant, domain: id, in: tx)
            let before = try reach(at: GrantPlace(domain: id), tenant: tenant, in: tx)
            _ = try changeDomain(id, name: nil, below: parent, tenant: tenant, by: principal, in: tx)
            let after = try reach(at: GrantPlace(domain: id), tenant: tenant, in: tx)
            return try counted(Self.change(from: before, to: after), tenant: tenant, in: tx)
        }
    }

    /// What a grant would do to who can reach its place.
    public func previewGrant(
        _ draft: GrantDraft, tenant: TenantID, by principal: Principal
    ) async throws -> ReachChange {
        try await trial(tenant) { tx in
            let place = try place(domain: draft.domain, device: draft.device, tenant: tenant, in: tx)
            try authorize(principal, .reachRead, tenant: tenant, at: place, in: tx)
            let before = try reach(at: place, tenant: tenant, in: tx)
            _ = try grant(draft, authority: .trial, tenant: tenant, by: principal, in: tx)
            let after = try reach(at: place, tenant: tenant, in: tx)
            return try counted(Self.change(from: before, to: after), tenant: tenant, in: tx)
        }
    }

    /// What the end of a grant would do to who can reach its place.
    public func previewEnd(of id: GrantID, tenant: TenantID, by principal: Principal) async throws -> ReachChange {
        try await trial(tenant) { tx in
            guard let grant = try findGrant(id, in: tx) else {
                try authorize(principal, .principalRead, tenant: tenant, in: tx)
                throw Self.unknown("grant")
            }
            let place = try place(of: grant.domain, grant.device, tenant: tenant, in: tx)
            let before = try reach(at: place, tenant: tenant, in: tx)
            try endGrant(id, authority: .trial, tenant: tenant, by: principal, in: tx)
            let after = try reach(at: place, tenant: tenant, in: tx)
            return try counted(Self.change(from: before, to: after), tenant: tenant, in: tx)
        }
    }

    /// What other permissions in a role of the tenant's own would do, over all places where it counts.
    public func previewRole(
        _ name: Name, permissions: Set<Permission>, tenant: TenantID, by principal: Principal
    ) async throws -> ReachChange {
        try await trial(tenant) { tx in
            guard let role = try RoleRow.find(name.text, tenant: tenant, in: tx) else {
                try authorize(principal, .principalRead, tenant: tenant, in: tx)
                throw Self.unknown("role")
            }
            let places = try tx.rows(
                """
                SELECT domain, device FROM role_grant WHERE tenant = $1 AND role = $2
                UNION SELECT domain, device FROM share WHERE tenant = $1 AND role = $2
                """, role.id
            ).map { row in
                try place(of: row.identifierIfAny(0), row.identifierIfAny(1), tenant: tenant, in: tx)
            }
            let before = try places.map { try reach(at: $0, tenant: tenant, in: tx) }
            _ = try putRole(
                name, permissions: permissions, authority: .trial, tenant: tenant, by: principal, in: tx)
            let after = try places.map { try reach(at: $0, tenant: tenant, in: tx) }
            return try counted(
                Self.merged(zip(before, after).map { Self.change(from: $0, to: $1) }), tenant: tenant, in: tx)
        }
    }

    /// What a user's joining a group, or leaving it, would do, over all places where the group has a role.
    public func previewMember(
        _ user: String, of groupText: String, joins: Bool, tenant: TenantID, by principal: Principal
    ) async throws -> ReachChange {
        try await trial(tenant) { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let places = try liveGrants(of: findGroup(groupText, in: tx).id, in: tx).map {
                try place(of: $0.domain, $0.device, tenant: tenant, in: tx)
            }
            let before = try places.map { try reach(at: $0, tenant: tenant, in: tx) }
            if joins {
                try addMember(user, to: groupText, authority: .trial, tenant: tenant, by: principal, in: tx)
            } else {
                try removeMember(user, from: groupText, authority: .trial, tenant: tenant, by: principal, in: tx)
            }
            let after = try places.map { try reach(at: $0, tenant: tenant, in: tx) }
            return try counted(
                Self.merged(zip(before, after).map { Self.change(from: $0, to: $1) }), tenant: tenant, in: tx)
        }
    }

    /// What lies between two states of the relation at one place.
    package static func change(from before: [Reach], to after: [Reach]) -> ReachChange {
        var held: [Reach.Holder: (name: String?, before: Set<Permission>, after: Set<Permission>)] = [:]
        for reach in before { held[reach.holder, default: (reach.name, [], [])].before.formUnion(reach.permissions) }
        for reach in after { held[reach.holder, default: (reach.name, [], [])].after.formUnion(reach.permissions) }
        return merged([
            ReachChange(
                differences: held.map { holder, state in
                    ReachDifference(
                        holder: holder, name: state.name, lost: state.before.subtracting(state.after),
                        gained: state.after.subtracting(state.before))
                })
        ])
    }

    /// The same with the number of open sessions of those of the tenant who lose something.
    package func counted(_ change: ReachChange, tenant: TenantID, in tx: Transaction) throws -> ReachChange {
        var losing = change.differences.compactMap { difference -> PrincipalID? in
            guard !difference.lost.isEmpty, case .own(let id) = difference.holder else { return nil }
            return id
        }[...]
        var change = change
        while !losing.isEmpty {
            let some = losing.prefix(AccessLimits.principalsAtOnce)
            losing = losing.dropFirst(some.count)
            let places = some.indices.map { "$\($0 - some.startIndex + 3)" }.joined(separator: ", ")
            change.sessions +=
                try tx.scoped(to: tenant).row(
                    """
                    SELECT count(*) FROM credential
                    WHERE owner = $1 AND kind = 'session' AND revoked IS NULL AND (expires IS NULL OR expires > $2)
                        AND (idle IS NULL OR COALESCE(last_used, created) + idle > $2) AND principal IN (\(places))
                    """, arguments: [clock.now] + some.map { $0 as any SQLBindable })?.int(0) ?? 0
        }
        return change
    }

    private static func merged(_ changes: [ReachChange]) -> ReachChange {
        var all: [Reach.Holder: ReachDifference] = [:]
        for difference in changes.flatMap(\.differences) where !difference.lost.isEmpty || !difference.gained.isEmpty {
            let old = all[difference.holder]
            all[difference.holder] = ReachDifference(
                holder: difference.holder, name: difference.name, lost: difference.lost.union(old?.lost ?? []),
                gained: difference.gained.union(old?.gained ?? []))
        }
        return ReachChange(
            differences: all.values.sorted { ($0.name ?? "~", "\($0.holder)") < ($1.name ?? "~", "\($1.holder)") })
    }
}
