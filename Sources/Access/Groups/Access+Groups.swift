import Audit
public import Base
package import Storage

/// Users who hold roles together.
public struct UserGroup: Sendable, Hashable {
    /// The stable identifier.
    public let id: UserGroupID
    /// The name, unique in the tenant.
    public let name: String
    /// How many users are in it.
    public let members: Int
    /// When it was made.
    public let created: Timestamp
}

extension Access {
    /// Creates a user group, without members and without any right.
    public func createGroup(_ name: Name, tenant: TenantID, by principal: Principal) async throws -> UserGroup {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let count = try tx.row("SELECT count(*) FROM user_group WHERE tenant = $1")?.int(0) ?? 0
            guard count < AccessLimits.groups else {
                throw Refusal(.limited, "group.tooMany", "A tenant has at most \(AccessLimits.groups) user groups.")
            }
            guard try tx.row("SELECT 1 FROM user_group WHERE tenant = $1 AND name = $2", name) == nil else {
                throw Refusal(.conflict, "group.exists", "There is a user group \(name) already.")
            }
            let group = UserGroup(id: UserGroupID(now: clock.now), name: name.text, members: 0, created: clock.now)
            try tx.execute(
                "INSERT INTO user_group (tenant, id, name, created) VALUES ($1, $2, $3, $4)", group.id, name,
                group.created)
            try record(
                .groupCreated, tenant, by: principal, "group", group.id.text, details: ["name": .string(name.text)],
                in: tx)
            return group
        }
    }

    /// The user groups of a tenant, by name.
    public func groups(tenant: TenantID, by principal: Principal) async throws -> [UserGroup] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows("\(Self.groupQuery) ORDER BY g.name LIMIT $2", AccessLimits.groups).map(Self.readGroup)
        }
    }

    /// One user group, by its name or identifier.
    public func group(_ text: String, tenant: TenantID, by principal: Principal) async throws -> UserGroup {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try findGroup(text, in: tx)
        }
    }

    /// Gives a user group another name.
    public func renameGroup(
        _ text: String, to name: Name, tenant: TenantID, by principal: Principal
    ) async throws -> UserGroup {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let group = try findGroup(text, in: tx)
            guard group.name != name.text else { return group }
            guard try tx.row("SELECT 1 FROM user_group WHERE tenant = $1 AND name = $2", name) == nil else {
                throw Refusal(.conflict, "group.exists", "There is a user group \(name) already.")
            }
            try tx.execute("UPDATE user_group SET name = $3 WHERE tenant = $1 AND id = $2", group.id, name)
            try record(
                .groupRenamed, tenant, by: principal, "group", group.id.text,
                details: ["name": .string(name.text), "before": .string(group.name)], in: tx)
            return try findGroup(group.id.text, in: tx)
        }
    }

    /// The users in a group, by name.
    public func members(of group: String, tenant: TenantID, by principal: Principal) async throws -> [PrincipalInfo] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows(
                """
                SELECT p.id, p.kind, p.name, p.active, p.created FROM user_group_member m
                JOIN principal p ON p.tenant = $1 AND p.id = m.principal
                WHERE m.tenant = $1 AND m.user_group = $2 ORDER BY p.name
                """, findGroup(group, in: tx).id
            ).map(Self.readPrincipal)
        }
    }

    /// Deletes a user group with its grants; its users stay.
    public func deleteGroup(
        _ text: String, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let group = try findGroup(text, in: tx)
            let authority = Authority.own(reason: reason)
            if try isAdministrative(group.id, tenant: tenant, in: tx) {
                try require(authority, of: .grantEnd, tenant: tenant, by: principal, in: tx)
                try requireHolding(of: group.id, isGiven: false, principal, tenant: tenant, in: tx)
            }
            try stayAdministrator(principal, of: tenant, in: tx) {
                try tx.execute("DELETE FROM role_grant WHERE tenant = $1 AND holder = $2", group.id)
                try tx.execute("DELETE FROM user_group_member WHERE tenant = $1 AND user_group = $2", group.id)
                try tx.execute("DELETE FROM user_group WHERE tenant = $1 AND id = $2", group.id)
            }
            rightsChanged(tenant, in: tx)
            try record(
                .groupDeleted, tenant, by: principal, "group", group.id.text,
                details: authority.told(["name": .string(group.name)]), in: tx)
        }
    }

    /// Puts a user into a group; nobody gives by it what they do not hold themselves.
    public func addMember(
        _ user: String, to group: String, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try addMember(user, to: group, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func addMember(
        _ user: String, to groupText: String, authority: Authority, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws {
        try authorize(principal, .principalManage, tenant: tenant, in: tx)
        try requireProof(authority, by: principal, in: tx)
        let group = try findGroup(groupText, in: tx)
        let member = try findPrincipal(user, in: tx)
        guard member.kind == .user else {
            throw Refusal(.invalid, "group.kind", "A user group holds users; give a program a role of its own.")
        }
        try requireHolding(of: group.id, isGiven: true, principal, tenant: tenant, in: tx)
        if try isAdministrative(group.id, tenant: tenant, in: tx) {
            try require(authority, of: .memberPut, tenant: tenant, by: principal, in: tx)
        }
        let ofUser =
            try tx.row("SELECT count(*) FROM user_group_member WHERE tenant = $1 AND principal = $2", member.id)?.int(0)
            ?? 0
        guard group.members < AccessLimits.groupMembers, ofUser < AccessLimits.groupsPerPrincipal else {
            throw Refusal(
                .limited, "group.full",
                "A group holds at most \(AccessLimits.groupMembers) users, each in at most \(AccessLimits.groupsPerPrincipal) groups."
            )
        }
        let added = try tx.execute(
            """
            INSERT INTO user_group_member (tenant, user_group, principal, created) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant, user_group, principal) DO NOTHING
            """, group.id, member.id, clock.now)
        guard added > 0 else { return }
        rightsChanged(of: member.id, tenant, in: tx)
        try record(
            .memberAdded, tenant, by: principal, "group", group.id.text,
            details: authority.told(["name": .string(group.name), "principal": .string(member.id.text)]), in: tx)
    }

    /// Takes a user out of a group; out of one with administrators' rights only by who holds as much.
    public func removeMember(
        _ user: String, from group: String, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try removeMember(user, from: group, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func removeMember(
        _ user: String, from groupText: String, authority: Authority, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws {
        try authorize(principal, .principalManage, tenant: tenant, in: tx)
        let group = try findGroup(groupText, in: tx)
        let member = try findPrincipal(user, in: tx)
        if try isAdministrative(group.id, tenant: tenant, in: tx) {
            try require(authority, of: .grantEnd, tenant: tenant, by: principal, in: tx)
            try requireHolding(of: group.id, isGiven: false, principal, tenant: tenant, in: tx)
        }
        let removed = try stayAdministrator(principal, of: tenant, in: tx) {
            try tx.execute(
                "DELETE FROM user_group_member WHERE tenant = $1 AND user_group = $2 AND principal = $3", group.id,
                member.id)
        }
        guard removed > 0 else { throw Self.unknown("member") }
        rightsChanged(of: member.id, tenant, in: tx)
        try record(
            .memberRemoved, tenant, by: principal, "group", group.id.text,
            details: authority.told(["name": .string(group.name), "principal": .string(member.id.text)]), in: tx)
    }

    /// The group that a name or identifier names.
    package func findGroup(_ text: String, in tx: Transaction) throws -> UserGroup {
        let row =
            if let id = UserGroupID(text: text) {
                try tx.row("\(Self.groupQuery) AND g.id = $2", id)
            } else {
                try tx.row("\(Self.groupQuery) AND g.name = $2", text)
            }
        guard let row else { throw Self.unknown("group") }
        return try Self.readGroup(row)
    }

    func liveGrants(of group: UserGroupID, in tx: Transaction) throws -> [Grant] {
        try tx.rows(
            """
            SELECT \(Self.grantColumns) FROM role_grant
            WHERE tenant = $1 AND holder = $2 AND (expires IS NULL OR expires > $3)
            """, group, clock.now
        ).map(Self.readGrant)
    }

    /// What a group's users hold by it is given and taken only by who holds it as well: to be given, for as long.
    private func requireHolding(
        of group: UserGroupID, isGiven: Bool, _ principal: Principal, tenant: TenantID, in tx: Transaction
    ) throws {
        for grant in try liveGrants(of: group, in: tx) {
            guard let role = try findRole(grant.role, tenant: tenant, in: tx) else { continue }
            try requireHolding(
                role.permissions, until: isGiven ? grant.expires : clock.now, principal, tenant: tenant,
                at: place(of: grant.domain, grant.device, tenant: tenant, in: tx), in: tx)
        }
    }

    private func isAdministrative(_ group: UserGroupID, tenant: TenantID, in tx: Transaction) throws -> Bool {
        try liveGrants(of: group, in: tx).contains {
            try findRole($0.role, tenant: tenant, in: tx)?.isAdministrative ?? false
        }
    }

    private static let groupQuery = """
        SELECT g.id, g.name, g.created, (
            SELECT count(*) FROM user_group_member m WHERE m.tenant = $1 AND m.user_group = g.id)
        FROM user_group g WHERE g.tenant = $1
        """

    private static func readGroup(_ row: Row) throws -> UserGroup {
        UserGroup(
            id: try row.identifier(0), name: try row.text(1), members: try row.int(3), created: try row.timestamp(2))
    }
}
