public import Base

/// A named set of permissions.
public struct Role: Sendable, Hashable {
    /// The stable identifier.
    public let id: RoleID
    /// The name, unique in the tenant.
    public let name: Name
    /// What it allows.
    public let permissions: Set<Permission>
    /// True when the program brings it; false when the tenant made it.
    public let isBuiltIn: Bool

    init(id: RoleID, name: Name, permissions: Set<Permission>, isBuiltIn: Bool) {
        self.id = id
        self.name = name
        self.permissions = permissions
        self.isBuiltIn = isBuiltIn
    }

    private static func builtIn(_ number: UInt64, _ name: StaticString, _ permissions: Set<Permission>) -> Role {
        guard let name = Name("\(name)") else { preconditionFailure("a built-in role's name is written in the source") }
        return Role(id: RoleID(high: 0, low: number), name: name, permissions: permissions, isBuiltIn: true)
    }

    /// Runs the deployment: everything, on the platform. It opens no tenant: that takes a share.
    public static let platformAdmin = builtIn(1, "platform-admin", Set(Permission.allCases))

    /// Runs one tenant: everything in it.
    public static let admin = builtIn(2, "admin", Set(Permission.allCases.filter { !$0.isPlatformOnly }))

    /// Works with devices: registers, changes and revokes them, sees the rest.
    public static let `operator` = builtIn(
        3, "operator",
        [
            .tenantRead, .domainRead, .deviceRead, .deviceManage, .deviceRevoke, .modelRead, .modelManage,
            .telemetryRead, .telemetryManage,
        ])

    /// Sees devices, models and telemetry, changes nothing.
    public static let viewer = builtIn(
        4, "viewer", [.tenantRead, .domainRead, .deviceRead, .modelRead, .telemetryRead])

    /// The roles that the program brings.
    public static let builtIn: [Role] = [platformAdmin, admin, `operator`, viewer]
}
