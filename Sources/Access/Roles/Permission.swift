/// One thing that a role may allow.
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
    /// Register, change, suspend and replace devices.
    case deviceManage = "device.manage"
    /// Take a device's access away for good, or delete it.
    case deviceRevoke = "device.revoke"
    /// See models.
    case modelRead = "model.read"
    /// Create and change models.
    case modelManage = "model.manage"
    /// Read telemetry.
    case telemetryRead = "telemetry.read"
    /// Bring telemetry in by the API, correct and delete it.
    case telemetryManage = "telemetry.manage"
    /// Read the audit log.
    case auditRead = "audit.read"
    /// Take the audit log out as a bundle.
    case auditExport = "audit.export"
    /// See principals, roles, grants and tokens.
    case principalRead = "principal.read"
    /// Manage principals, roles, grants and tokens.
    case principalManage = "principal.manage"
    /// See shares.
    case shareRead = "share.read"
    /// Offer, accept, decline and end shares.
    case shareManage = "share.manage"
    /// Manage plans; counts on the platform only.
    case planManage = "plan.manage"
    /// Manage tenants, keys and backups; counts on the platform only.
    case platformManage = "platform.manage"

    /// The permission that lets somebody know that the object exists: who lacks it is told that there is none.
    public var revealing: Permission {
        switch self {
        case .tenantRead, .tenantManage, .planManage, .platformManage: .tenantRead
        case .domainRead, .domainManage: .domainRead
        case .deviceRead, .deviceManage, .deviceRevoke: .deviceRead
        case .modelRead, .modelManage: .modelRead
        case .telemetryRead, .telemetryManage: .telemetryRead
        case .auditRead, .auditExport: .auditRead
        case .principalRead, .principalManage: .principalRead
        case .shareRead, .shareManage: .shareRead
        }
    }

    /// True when it counts on the platform only, whatever role carries it.
    public var isPlatformOnly: Bool { self == .planManage || self == .platformManage }
}
