/// One thing that a role, or the scope of a credential, may allow.
///
/// A name is `<kind>.<act>`: what it is about, then what may be done. Watching (`.read`) and controlling (`.control`,
/// `.manage`) are never one permission. What comes later joins by the same rule: a permission for each type of task is
/// `task.<type>`, each diagnostic tool `tool.<name>`.
public enum Permission: String, CaseIterable, Sendable, Hashable, Codable {
    /// See the tenant itself: name, plan, status.
    case tenantRead = "tenant.read"
    /// Change the tenant's own settings.
    case tenantManage = "tenant.manage"
    /// See domains.
    case domainRead = "domain.read"
    /// Create, rename, move and delete domains.
    case domainManage = "domain.manage"
    /// See devices.
    case deviceRead = "device.read"
    /// Tell devices what to be: write their desired documents.
    case deviceControl = "device.control"
    /// Register, change, move, suspend and replace devices.
    case deviceManage = "device.manage"
    /// Take a device's access away for good, or delete it.
    case deviceRevoke = "device.revoke"
    /// See models.
    case modelRead = "model.read"
    /// Create and change models.
    case modelManage = "model.manage"
    /// Read telemetry, except series that a model puts into a class of data.
    case telemetryRead = "telemetry.read"
    /// Read series about people as well, such as what a household uses.
    case telemetryReadPersonal = "telemetry.read.personal"
    /// Read series of where things are as well.
    case telemetryReadLocation = "telemetry.read.location"
    /// Bring telemetry in by the API, correct and delete it.
    case telemetryManage = "telemetry.manage"
    /// See who can reach what one sees.
    case reachRead = "reach.read"
    /// See reports on what one may read otherwise: on devices one sees, and on who may do what.
    case reportRead = "report.read"
    /// Have reports mailed to others, and end what they get; who may see a report may order it for themselves.
    case reportManage = "report.manage"
    /// Read the audit log.
    case auditRead = "audit.read"
    /// Take the audit log out as a bundle.
    case auditExport = "audit.export"
    /// See principals, user groups, roles, grants and tokens.
    case principalRead = "principal.read"
    /// Manage principals, user groups, roles, grants and tokens.
    case principalManage = "principal.manage"
    /// See shares.
    case shareRead = "share.read"
    /// Offer, accept, decline and end shares.
    case shareManage = "share.manage"
    /// Decide which changes need a second approver.
    case approvalManage = "approval.manage"
    /// See outlets and deliveries, without what they say.
    case deliveryRead = "delivery.read"
    /// Set up outlets, replay and discard deliveries, read what they say.
    case deliveryManage = "delivery.manage"
    /// Manage plans; counts on the platform only.
    case planManage = "plan.manage"
    /// Manage tenants, keys and backups; counts on the platform only.
    case platformManage = "platform.manage"

    /// The permission that lets somebody know that the object exists: who lacks it is told that there is none.
    public var revealing: Permission {
        switch self {
        case .tenantRead, .tenantManage, .planManage, .platformManage: .tenantRead
        case .domainRead, .domainManage: .domainRead
        case .deviceRead, .deviceControl, .deviceManage, .deviceRevoke: .deviceRead
        case .modelRead, .modelManage: .modelRead
        case .telemetryRead, .telemetryReadPersonal, .telemetryReadLocation, .telemetryManage: .telemetryRead
        case .reachRead: .reachRead
        case .reportRead, .reportManage: .reportRead
        case .auditRead, .auditExport: .auditRead
        case .principalRead, .principalManage, .approvalManage: .principalRead
        case .shareRead, .shareManage: .shareRead
        case .deliveryRead, .deliveryManage: .deliveryRead
        }
    }

    /// True when it counts on the platform only, whatever role carries it.
    public var isPlatformOnly: Bool { self == .planManage || self == .platformManage }

    /// True when who holds it decides what others may do, or to where the tenant's data go.
    public var isAdministrative: Bool {
        switch self {
        case .deliveryManage, .principalManage, .shareManage, .approvalManage, .tenantManage, .planManage,
            .platformManage:
            true
        default: false
        }
    }
}
