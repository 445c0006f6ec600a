public import Base
public import Storage

/// A role at a place that counts now, by a grant or a share.
struct Holding: Sendable {
    /// With everything below; nil when only a device is meant.
    var domain: DomainID?
    var device: DeviceID?
    var permissions: Set<Permission>
    /// When it ends by itself; nil is never.
    var until: Timestamp?
}

extension Access {
    /// What the principal holds in a tenant: everywhere, or at `place`, from where it is inherited.
    ///
    /// A transaction that writes reads it, in one statement and as part of itself. One that only reads may take it from
    /// memory, where it is never older than the last change of any right.
    func holdings(
        of principal: Principal, in tenant: TenantID, at place: GrantPlace? = nil, _ tx: Transaction
    ) throws -> [Holding] {
        // What a device may do follows from what it is, not from grants.
        guard principal.kind == .user || principal.kind == .client else { return [] }
        if tx.isWriting { return limited(try stored(principal, in: tenant, at: place, tx).held, principal, tenant) }
        let now = clock.now
        let key = Rights.Key(principal: principal.id, credential: principal.credential?.id, tenant: tenant)
        let all = try rights.holdings(key, at: now) ?? read(principal, tenant, key, tx, now)
        guard let place else { return all.filter { $0.until.map { $0 > now } ?? true } }
        if all.isEmpty { return [] }
        let line = try rights.line(of: place.domain, in: tenant, at: now) ?? readLine(place.domain, tenant, tx, now)
        return all.filter { $0.counts(at: place, line, now) }
    }

    /// The same from memory alone; nil when something is not there.
    func rememberedHoldings(of principal: Principal, in tenant: TenantID) -> [Holding]? {
        guard principal.kind == .user || principal.kind == .client else { return [] }
        let now = clock.now
        let key = Rights.Key(principal: principal.id, credential: principal.credential?.id, tenant: tenant)
        return rights.holdings(key, at: now)?.filter { $0.until.map { $0 > now } ?? true }
    }

    /// When what the principal may do in a tenant ends or shrinks by itself, first of all; nil when nothing does.
    public func rightsEnd(of principal: Principal, in tenant: TenantID, in tx: Transaction) throws -> Timestamp? {
        guard principal.kind == .user || principal.kind == .client else { return nil }
        let stored = try stored(principal, in: tenant, at: nil, tx)
        var ends = stored.held.compactMap(\.until) + [stored.checkBy].compactMap(\.self)
        if let credential = principal.credential,
            let expires = try expiry(of: credential, owner: principal.tenant, tx)
        {
            ends.append(expires)
        }
        return ends.min()
    }

    private func expiry(of credential: Credential, owner: TenantID, _ tx: Transaction) throws -> Timestamp? {
        try tx.scoped(to: owner).row(
            "SELECT expires FROM credential WHERE owner = $1 AND id = $2", credential.id)?.timestampIfAny(0)
    }

    private func read(
        _ principal: Principal, _ tenant: TenantID, _ key: Rights.Key, _ tx: Transaction, _ now: Timestamp
    ) throws -> [Holding] {
        let stored = try stored(principal, in: tenant, at: nil, tx)
        let held = limited(stored.held, principal, tenant)
        let latest = now + .seconds(AccessLimits.rightsSeconds)
        var checkBy = min(stored.checkBy ?? latest, latest)
        if let credential = principal.credential,
            let expires = try expiry(of: credential, owner: principal.tenant, tx)
        {
            checkBy = min(checkBy, expires)
        }
        rights.keep(held, of: key, readAt: tx.began, until: checkBy)
        return held
    }

    private func readLine(
        _ domain: DomainID, _ tenant: TenantID, _ tx: Transaction, _ now: Timestamp
    ) throws -> Rights.Line {
        let line = Rights.Line(ids: try ancestors(of: domain, tenant: tenant, in: tx))
        // A domain that is not there is not kept, so that asking for many names fills nothing.
        if !line.ids.isEmpty {
            rights.keep(
                line, of: domain, in: tenant, readAt: tx.began, until: now + .seconds(AccessLimits.rightsSeconds))
        }
        return line
    }

    /// Marks that rights changed, once the transaction has committed; open streams of the tenant's people, or of one of
    /// them, ask again.
    func rightsChanged(of principal: PrincipalID? = nil, _ tenant: TenantID, in tx: Transaction) {
        tx.afterCommit { [rights, database, credentialsEnded] in
            rights.change(at: database.mark())
            credentialsEnded(tenant, principal)
        }
    }

    /// What the credential leaves of it, and the tenant.
    private func limited(_ held: [Holding], _ principal: Principal, _ tenant: TenantID) -> [Holding] {
        let limit = principal.credential?.permissions
        if limit == nil, tenant == .platform { return held }
        return held.map { holding in
            var holding = holding
            if let limit { holding.permissions.formIntersection(limit) }
            if tenant != .platform { holding.permissions = holding.permissions.filter { !$0.isPlatformOnly } }
            return holding
        }
    }

    /// As it is stored; with the time until which that holds even though nothing changes, where it is not in the
    /// holdings themselves.
    private func stored(
        _ principal: Principal, in tenant: TenantID, at place: GrantPlace?, _ tx: Transaction
    ) throws -> (held: [Holding], checkBy: Timestamp?) {
        principal.tenant == tenant
            ? (try granted(to: principal, at: place, tx.scoped(to: tenant)), nil)
            : try lent(to: principal, by: tenant, at: place, tx)
    }

    /// What a principal of the tenant is given, even while it is disabled: enabled again, it holds all of it again.
    func given(to info: PrincipalInfo, tenant: TenantID, in tx: Transaction) throws -> [Holding] {
        let principal = Principal(
            id: info.id, kind: info.kind, tenant: tenant, name: info.name, credential: nil, address: nil)
        return try granted(to: principal, at: nil, tx.scoped(to: tenant), evenDisabled: true)
    }

    private func granted(
        to principal: Principal, at place: GrantPlace?, _ scoped: Transaction, evenDisabled: Bool = false
    ) throws -> [Holding] {
        var query = RightsQuery(now: clock.now, at: place)
        let isLive = evenDisabled ? "1 = 1" : query.isLive(principal)
        let sql = """
            \(query.line)
            SELECT g.domain, g.device, g.role, r.permissions, g.expires FROM role_grant g
            LEFT JOIN custom_role r ON r.tenant = $1 AND r.id = g.role
            WHERE g.tenant = $1 AND \(query.isHolder("g.holder", principal))
                AND (g.expires IS NULL OR g.expires > \(query.now)) AND \(query.isHere("g")) AND \(isLive)
            """
        return try scoped.rows(sql, arguments: query.arguments).map { row in
            Holding(
                domain: try row.identifierIfAny(0), device: try row.identifierIfAny(1),
                permissions: try Self.permissions(row), until: try row.timestampIfAny(4))
        }
    }

    private func lent(
        to principal: Principal, by tenant: TenantID, at place: GrantPlace?, _ tx: Transaction
    ) throws -> (held: [Holding], checkBy: Timestamp?) {
        var query = RightsQuery(now: clock.now, at: place)
        let sql = """
            \(query.line)
            SELECT s.domain, s.device, s.role, r.permissions, s.ends, s.grantee_principal, s.grantee_role FROM share s
            LEFT JOIN custom_role r ON r.tenant = $1 AND r.id = s.role
            WHERE s.tenant = $1 AND s.grantee = \(query.bind(principal.tenant)) AND s.status = 'accepted'
                AND s.ends > \(query.now) AND \(query.isHere("s")) AND \(query.isTenantLive(for: principal))
            """
        let shares = try tx.scoped(to: tenant).rows(sql, arguments: query.arguments)
        if shares.isEmpty { return ([], nil) }
        // At home: whether the principal still is what it was, and which roles it holds there.
        var home = RightsQuery(now: clock.now, at: nil)
        let holder = home.bind(principal.id)
        let homeSQL = """
            SELECT g.role, g.expires FROM principal h
            LEFT JOIN role_grant g ON g.tenant = $1 AND \(home.isHolder("g.holder", principal))
                AND (g.expires IS NULL OR g.expires > \(home.now))
            WHERE h.tenant = $1 AND h.id = \(holder) AND \(home.isLive(principal))
            """
        let rows = try tx.scoped(to: principal.tenant).rows(homeSQL, arguments: home.arguments)
        if rows.isEmpty { return ([], nil) }
        let roles = Set(try rows.compactMap { try $0.identifierIfAny(0) as RoleID? })
        let held: [Holding] = try shares.compactMap { row in
            let named: PrincipalID? = try row.identifierIfAny(5)
            let role: RoleID? = try row.identifierIfAny(6)
            guard named == principal.id || role.map(roles.contains) == true else { return nil }
            return Holding(
                domain: try row.identifierIfAny(0), device: try row.identifierIfAny(1),
                permissions: try Self.permissions(row), until: try row.timestamp(4))
        }
        return (held, try rows.compactMap { try $0.timestampIfAny(1) }.min())
    }

    /// A built-in role allows what this program says, so that a new version's permissions hold at once.
    private static func permissions(_ row: Row) throws -> Set<Permission> {
        permissions(of: try row.identifier(2), stored: try row.textIfAny(3))
    }

    static func permissions(of role: RoleID, stored: String?) -> Set<Permission> {
        if let builtIn = Role.builtIn.first(where: { $0.id == role }) { return builtIn.permissions }
        return stored.map(RoleRow.permissions) ?? []
    }
}

extension Holding {
    fileprivate func counts(at place: GrantPlace, _ line: Rights.Line, _ now: Timestamp) -> Bool {
        if let until, until <= now { return false }
        if let domain { return line.ids.contains(domain) }
        // A device that is named in a domain which is not there is nowhere.
        return device != nil && device == place.device && !line.ids.isEmpty
    }
}

/// Puts together the statement that reads rights, walking from a domain up to the root when a place is given.
private struct RightsQuery {
    private(set) var arguments: [any SQLBindable]
    let now = "$2"
    private var domain: String?
    private var device: String?

    init(now: Timestamp, at place: GrantPlace?) {
        arguments = [now]
        domain = place.map { bind($0.domain) }
        device = place?.device.map { bind($0) }
    }

    mutating func bind(_ argument: any SQLBindable) -> String {
        arguments.append(argument)
        return "$\(arguments.count + 1)"
    }

    /// The domain and those above it; the tree's depth is bounded, and UNION ends even a damaged one.
    var line: String {
        guard let domain else { return "" }
        return """
            WITH RECURSIVE line (id, parent) AS (
                SELECT id, parent FROM domain WHERE tenant = $1 AND id = \(domain)
                UNION
                SELECT d.id, d.parent FROM domain d JOIN line l ON d.id = l.parent WHERE d.tenant = $1
            )
            """
    }

    func isHere(_ table: String) -> String {
        guard domain != nil else { return "1 = 1" }
        let inLine = "\(table).domain IN (SELECT id FROM line)"
        return device.map { "(\(inLine) OR \(table).device = \($0) AND EXISTS (SELECT 1 FROM line))" } ?? inLine
    }

    /// Whether a grant's holder is the principal, or a group that it is in.
    mutating func isHolder(_ column: String, _ principal: Principal) -> String {
        let id = bind(principal.id)
        return """
            \(column) IN (
                SELECT o.id FROM principal o WHERE o.tenant = $1 AND o.id = \(id)
                UNION ALL SELECT m.user_group FROM user_group_member m WHERE m.tenant = $1 AND m.principal = \(id))
            """
    }

    /// Whether the tenant works; the platform's staff may look after a suspended one.
    func isTenantLive(for principal: Principal) -> String {
        let statuses = principal.tenant == .platform ? "('active', 'suspended')" : "('active')"
        return "EXISTS (SELECT 1 FROM tenant t WHERE t.id = $1 AND t.status IN \(statuses))"
    }

    /// Whether principal and credential are good now, in the principal's own tenant.
    mutating func isLive(_ principal: Principal) -> String {
        var condition = """
            EXISTS (SELECT 1 FROM tenant t WHERE t.id = $1 AND t.status = 'active') AND EXISTS (
                SELECT 1 FROM principal p WHERE p.tenant = $1 AND p.id = \(bind(principal.id)) AND p.active = 1
            """
        if let credential = principal.credential {
            condition += """
                 AND EXISTS (
                    SELECT 1 FROM credential k WHERE k.id = \(bind(credential.id)) AND k.owner = $1
                        AND k.principal = p.id AND k.revoked IS NULL AND (k.expires IS NULL OR k.expires > \(now))
                        AND (k.idle IS NULL
                            OR COALESCE(k.last_used, k.created) + k.idle + \(AccessLimits.useSeconds * 1_000_000) > \(now))
                )
                """
        }
        return condition + ")"
    }
}
