import Base
import Storage

/// A role at a domain that counts now, by a grant or a share.
struct Holding {
    var domain: DomainID
    var permissions: Set<Permission>
    /// When it ends by itself; nil is never.
    var until: Timestamp?
    /// True when another tenant lent it.
    var isLent: Bool
}

extension Access {
    /// What the principal holds in a tenant: everywhere, or at `domain` and above it, from where it is inherited.
    ///
    /// One statement each time, in the caller's transaction, and nothing remembered: an ended grant, share, token or
    /// principal counts at once.
    func holdings(
        of principal: Principal, in tenant: TenantID, above domain: DomainID? = nil, _ tx: Transaction
    ) throws -> [Holding] {
        // What a device may do follows from what it is, not from grants.
        guard principal.kind == .user || principal.kind == .client else { return [] }
        let held =
            principal.tenant == tenant
            ? try granted(to: principal, above: domain, tx.scoped(to: tenant))
            : try lent(to: principal, by: tenant, above: domain, tx)
        let limit = principal.credential?.permissions
        if limit == nil, tenant == .platform { return held }
        return held.map { holding in
            var holding = holding
            if let limit { holding.permissions.formIntersection(limit) }
            if tenant != .platform { holding.permissions = holding.permissions.filter { !$0.isPlatformOnly } }
            return holding
        }
    }

    private func granted(to principal: Principal, above domain: DomainID?, _ scoped: Transaction) throws -> [Holding] {
        var query = RightsQuery(now: clock.now, above: domain)
        let sql = """
            \(query.line)
            SELECT g.domain, g.role, r.permissions, g.expires FROM role_grant g
            LEFT JOIN custom_role r ON r.tenant = $1 AND r.id = g.role
            WHERE g.tenant = $1 AND g.principal = \(query.bind(principal.id)) AND (g.expires IS NULL OR g.expires > \(query.now))
                AND \(query.isOnLine("g.domain")) AND \(query.isLive(principal))
            """
        return try scoped.rows(sql, arguments: query.arguments).map { row in
            Holding(
                domain: try row.identifier(0), permissions: try Self.permissions(row), until: try row.timestampIfAny(3),
                isLent: false)
        }
    }

    private func lent(
        to principal: Principal, by tenant: TenantID, above domain: DomainID?, _ tx: Transaction
    ) throws -> [Holding] {
        var query = RightsQuery(now: clock.now, above: domain)
        let sql = """
            \(query.line)
            SELECT s.domain, s.role, r.permissions, s.ends, s.grantee_principal, s.grantee_role FROM share s
            LEFT JOIN custom_role r ON r.tenant = $1 AND r.id = s.role
            WHERE s.tenant = $1 AND s.grantee = \(query.bind(principal.tenant)) AND s.status = 'accepted'
                AND s.ends > \(query.now) AND \(query.isOnLine("s.domain")) AND \(query.isTenantLive(for: principal))
            """
        let shares = try tx.scoped(to: tenant).rows(sql, arguments: query.arguments)
        if shares.isEmpty { return [] }
        // At home: whether the principal still is what it was, and which roles it holds there.
        var home = RightsQuery(now: clock.now, above: nil)
        let holder = home.bind(principal.id)
        let homeSQL = """
            SELECT g.role FROM principal h
            LEFT JOIN role_grant g ON g.tenant = $1 AND g.principal = h.id AND (g.expires IS NULL OR g.expires > \(home.now))
            WHERE h.tenant = $1 AND h.id = \(holder) AND \(home.isLive(principal))
            """
        let rows = try tx.scoped(to: principal.tenant).rows(homeSQL, arguments: home.arguments)
        if rows.isEmpty { return [] }
        let roles = Set(try rows.compactMap { try $0.identifierIfAny(0) as RoleID? })
        return try shares.compactMap { row in
            let named: PrincipalID? = try row.identifierIfAny(4)
            let role: RoleID? = try row.identifierIfAny(5)
            guard named == principal.id || role.map(roles.contains) == true else { return nil }
            return Holding(
                domain: try row.identifier(0), permissions: try Self.permissions(row), until: try row.timestamp(3),
                isLent: true)
        }
    }

    /// A built-in role allows what this program says, so that a new version's permissions hold at once.
    private static func permissions(_ row: Row) throws -> Set<Permission> {
        let role: RoleID = try row.identifier(1)
        if let builtIn = Role.builtIn.first(where: { $0.id == role }) { return builtIn.permissions }
        return try row.textIfAny(2).map(RoleRow.permissions) ?? []
    }
}

/// Puts together the statement that reads rights, walking from a domain up to the root when one is given.
private struct RightsQuery {
    private(set) var arguments: [any SQLBindable]
    let now = "$2"
    private var place: String?

    init(now: Timestamp, above domain: DomainID?) {
        arguments = [now]
        place = domain.map { bind($0) }
    }

    mutating func bind(_ argument: any SQLBindable) -> String {
        arguments.append(argument)
        return "$\(arguments.count + 1)"
    }

    /// The domain and those above it; the tree's depth is bounded, and UNION ends even a damaged one.
    var line: String {
        guard let place else { return "" }
        return """
            WITH RECURSIVE line (id, parent) AS (
                SELECT id, parent FROM domain WHERE tenant = $1 AND id = \(place)
                UNION
                SELECT d.id, d.parent FROM domain d JOIN line l ON d.id = l.parent WHERE d.tenant = $1
            )
            """
    }

    func isOnLine(_ column: String) -> String { place == nil ? "1 = 1" : "\(column) IN (SELECT id FROM line)" }

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
