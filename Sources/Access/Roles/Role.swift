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

    /// Runs one tenant: everything in it, except to decide which changes need a second approver.
    public static let admin = builtIn(2, "admin", Set(inTenant.filter { $0 != .approvalManage }))

    /// Owns a tenant: everything in it, and how many eyes a change needs.
    public static let owner = builtIn(5, "owner", Set(inTenant))

    /// Works with devices: registers, changes, controls and revokes them, sees the rest.
    public static let `operator` = builtIn(
        3, "operator",
        [
            .tenantRead, .domainRead, .deviceRead, .deviceControl, .deviceManage, .deviceRevoke, .modelRead,
            .modelManage, .telemetryRead, .telemetryReadPersonal, .telemetryReadLocation, .telemetryManage, .reachRead,
            .reportRead, .taskRead, .taskManage, .taskReboot, .taskSynchronise, .taskConfigure,
            .taskConfigureCommunication, .taskChangeSecret, .taskInstall, .taskRotateKeys, .taskRenewCertificate,
            .taskCollectLogs, .taskRunDiagnostic, .taskWake, .taskSendSMS, .taskCustom, .artifactRead, .releaseRead,
            .alertRead, .alertManage,
        ])

    /// Serves devices: sees and controls them, and takes none away.
    public static let technician = builtIn(
        6, "technician",
        [
            .tenantRead, .domainRead, .deviceRead, .deviceControl, .modelRead, .telemetryRead, .telemetryReadLocation,
            .reachRead, .reportRead, .taskRead, .taskReboot, .taskSynchronise, .taskCollectLogs, .taskRunDiagnostic,
            .taskWake, .alertRead, .alertManage,
        ])

    /// Sees devices, models and telemetry, changes nothing.
    public static let viewer = builtIn(
        4, "viewer", [.tenantRead, .domainRead, .deviceRead, .modelRead, .telemetryRead, .taskRead, .alertRead])

    /// Reads reports: devices, telemetry and who can reach what; changes nothing.
    public static let analyst = builtIn(
        7, "analyst",
        [
            .tenantRead, .domainRead, .deviceRead, .modelRead, .telemetryRead, .reachRead, .reportRead, .taskRead,
            .alertRead,
        ])

    /// Examines: who may do what and what was done; no telemetry, and changes nothing.
    public static let auditor = builtIn(
        8, "auditor",
        [
            .tenantRead, .domainRead, .deviceRead, .modelRead, .reachRead, .auditRead, .auditExport, .principalRead,
            .shareRead, .deliveryRead, .reportRead, .taskRead, .artifactRead, .releaseRead, .alertRead,
        ])

    /// Looks on for a time: a grant of it has an end.
    public static let guest = builtIn(
        9, "guest", [.tenantRead, .domainRead, .deviceRead, .modelRead, .telemetryRead])

    /// The roles that the program brings.
    public static let builtIn: [Role] = [
        platformAdmin, owner, admin, `operator`, technician, viewer, analyst, auditor, guest,
    ]

    private static let inTenant = Permission.allCases.filter { !$0.isPlatformOnly }

    /// True when its holders decide what others may do.
    public var isAdministrative: Bool { permissions.contains { $0.isAdministrative } }
}
