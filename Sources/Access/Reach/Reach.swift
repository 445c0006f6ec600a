public import Base
import Storage

/// One way in which somebody can reach something of a tenant: a role that they hold at a place.
public struct Reach: Sendable, Hashable {
    /// Who can.
    public enum Holder: Sendable, Hashable {
        /// A principal of the tenant.
        case own(PrincipalID)
        /// A principal of another tenant, by a share.
        case foreign(PrincipalID, of: TenantID)
        /// Whoever holds a role in another tenant, by a share.
        case foreignRole(RoleID, of: TenantID)
    }

    /// By what.
    public enum Ground: Sendable, Hashable {
        /// A grant of their own.
        case grant(GrantID)
        /// A grant of a user group that they are in.
        case group(UserGroupID, GrantID)
        /// A share with another tenant.
        case share(ShareID)
    }

    /// Who can.
    public let holder: Holder
    /// The name of a principal of the tenant.
    public let name: String?
    /// What sort of principal it is, when it is one of the tenant.
    public let kind: Principal.Kind?
    /// By what.
    public let ground: Ground
    /// The name of the user group, when it is by one.
    public let group: String?
    /// The role.
    public let role: RoleID
    /// The role's name.
    public let roleName: String
    /// What it allows.
    public let permissions: Set<Permission>
    /// Through which domain; nil when it is about one device.
    public let domain: DomainID?
    /// The device, when the role counts at that one only.
    public let device: DeviceID?
    /// Until when; nil is without an end.
    public let until: Timestamp?
}

/// What a change does to somebody's permissions at the place it is about.
public struct ReachDifference: Sendable, Hashable {
    /// Whose.
    public let holder: Reach.Holder
    /// The name of a principal of the tenant.
    public let name: String?
    /// What they lose.
    public let lost: Set<Permission>
    /// What they gain.
    public let gained: Set<Permission>
}

/// What a change does to who can reach what.
public struct ReachChange: Sendable, Hashable {
    /// Whom it concerns, in the order of their names.
    public let differences: [ReachDifference]
    /// How many sessions are open of those who lose something; what they lose counts in them no longer.
    public internal(set) var sessions = 0

    /// How many lose something.
    public var losing: Int { differences.count { !$0.lost.isEmpty } }
    /// How many gain something.
    public var gaining: Int { differences.count { !$0.gained.isEmpty } }
}

/// The one relation of who can reach what, as a statement of which projections name a place, a person or neither.
struct ReachQuery {
    private var arguments: [any SQLBindable]

    init(now: Timestamp) { arguments = [now] }

    private mutating func bind(_ argument: any SQLBindable) -> String {
        arguments.append(argument)
        return "$\(arguments.count + 1)"
    }

    /// Everything that counts now, at the place when one is named, of the person when one is named.
    /// `isForeign` wants only what comes by shares.
    mutating func rows(
        at place: GrantPlace?, of person: PrincipalID?, isForeign: Bool = false, in tx: Transaction
    ) throws -> [Reach] {
        var conditions: [String] = ["1 = 1"]
        var line = ""
        if let place {
            line = """
                line (id, parent) AS (
                    SELECT id, parent FROM domain WHERE tenant = $1 AND id = \(bind(place.domain))
                    UNION
                    SELECT d.id, d.parent FROM domain d JOIN line l ON d.id = l.parent WHERE d.tenant = $1
                ),
                """
            let inLine = "x.domain IN (SELECT id FROM line)"
            conditions.append(place.device.map { "(\(inLine) OR x.device = \(bind($0)))" } ?? inLine)
        }
        if isForeign { conditions.append("x.grantee IS NOT NULL") }
        if let person { conditions.append("x.principal = \(bind(person)) AND x.grantee IS NULL") }
        let sql = """
            WITH RECURSIVE \(line) reach (
                principal, name, kind, source, user_group, group_name, grantee, grantee_role, role, domain, device, until
            ) AS (
                SELECT p.id, p.name, p.kind, g.id, NULLIF(g.id, g.id), NULLIF(p.name, p.name), NULLIF(g.id, g.id),
                    NULLIF(g.id, g.id), g.role, g.domain, g.device, g.expires
                FROM role_grant g JOIN principal p ON p.tenant = $1 AND p.id = g.holder
                WHERE g.tenant = $1 AND p.active = 1 AND (g.expires IS NULL OR g.expires > $2)
                UNION ALL
                SELECT p.id, p.name, p.kind, g.id, u.id, u.name, NULLIF(g.id, g.id), NULLIF(g.id, g.id), g.role,
                    g.domain, g.device, g.expires
                FROM role_grant g
                JOIN user_group u ON u.tenant = $1 AND u.id = g.holder
                JOIN user_group_member m ON m.tenant = $1 AND m.user_group = u.id
                JOIN principal p ON p.tenant = $1 AND p.id = m.principal
                WHERE g.tenant = $1 AND p.active = 1 AND (g.expires IS NULL OR g.expires > $2)
                UNION ALL
                SELECT s.grantee_principal, NULLIF(s.status, s.status), NULLIF(s.status, s.status), s.id,
                    NULLIF(s.id, s.id), NULLIF(s.status, s.status), s.grantee, s.grantee_role, s.role, s.domain,
                    s.device, s.ends
                FROM share s JOIN tenant t ON t.id = s.grantee AND t.status = 'active'
                WHERE s.tenant = $1 AND s.status = 'accepted' AND s.ends > $2
            )
            SELECT x.principal, x.name, x.kind, x.source, x.user_group, x.group_name, x.grantee, x.grantee_role, x.role,
                x.domain, x.device, x.until, r.name, r.permissions
            FROM reach x LEFT JOIN custom_role r ON r.tenant = $1 AND r.id = x.role
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY x.name, x.source, x.principal
            """
        return try tx.rows(sql, arguments: arguments).map(Self.read)
    }

    private static func read(_ row: Row) throws -> Reach {
        let principal: PrincipalID? = try row.identifierIfAny(0)
        let tenant: TenantID? = try row.identifierIfAny(6)
        let byRole: RoleID? = try row.identifierIfAny(7)
        let holder: Reach.Holder
        switch (principal, tenant, byRole) {
        case (let principal?, nil, _): holder = .own(principal)
        case (let principal?, let tenant?, _): holder = .foreign(principal, of: tenant)
        case (nil, let tenant?, let role?): holder = .foreignRole(role, of: tenant)
        default: throw StorageError(.corrupt, "a share's row names no holder")
        }
        let group: UserGroupID? = try row.identifierIfAny(4)
        let ground: Reach.Ground =
            if tenant != nil {
                .share(try row.identifier(3))
            } else if let group {
                .group(group, try row.identifier(3))
            } else {
                .grant(try row.identifier(3))
            }
        let role: RoleID = try row.identifier(8)
        let builtIn = Role.builtIn.first { $0.id == role }
        return Reach(
            holder: holder, name: try row.textIfAny(1), kind: try row.textIfAny(2).flatMap(Principal.Kind.init),
            ground: ground, group: try row.textIfAny(5), role: role,
            roleName: try builtIn?.name.text ?? row.textIfAny(12) ?? role.text,
            permissions: Access.permissions(of: role, stored: try row.textIfAny(13)),
            domain: try row.identifierIfAny(9), device: try row.identifierIfAny(10),
            until: try row.timestampIfAny(11))
    }
}
