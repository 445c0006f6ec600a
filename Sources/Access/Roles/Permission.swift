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
    /// See tasks and operations, and what became of them; never the secrets they bring.
    case taskRead = "task.read"
    /// End, repeat and pause what others have ordered.
    case taskManage = "task.manage"
    /// Have devices start again.
    case taskReboot = "task.reboot"
    /// Have devices report everything anew.
    case taskSynchronise = "task.synchronise"
    /// Have devices follow their desired document.
    case taskConfigure = "task.configure"
    /// Change how devices reach the server.
    case taskConfigureCommunication = "task.configureCommunication"
    /// Give devices new passwords and secrets.
    case taskChangeSecret = "task.changeSecret"
    /// Install releases on devices.
    case taskInstall = "task.install"
    /// Have devices make new keys.
    case taskRotateKeys = "task.rotateKeys"
    /// Have devices renew their certificates.
    case taskRenewCertificate = "task.renewCertificate"
    /// Have devices send their logs.
    case taskCollectLogs = "task.collectLogs"
    /// Run diagnostics on devices.
    case taskRunDiagnostic = "task.runDiagnostic"
    /// Have devices call in at once.
    case taskWake = "task.wake"
    /// Have devices send text messages.
    case taskSendSMS = "task.sendSMS"
    /// Give devices tasks that their model describes.
    case taskCustom = "task.custom"
    /// See artifacts and update keys, and read artifacts.
    case artifactRead = "artifact.read"
    /// Upload and delete artifacts.
    case artifactManage = "artifact.manage"
    /// See releases.
    case releaseRead = "release.read"
    /// Make, publish, withdraw and delete releases.
    case releaseManage = "release.manage"
    /// Decide whose signatures updates must have.
    case updateKeyManage = "updateKey.manage"
    /// See alerts, and the rules of who is told of them.
    case alertRead = "alert.read"
    /// Acknowledge and silence alerts.
    case alertManage = "alert.manage"
    /// Decide who is told of alerts.
    case alertRuleManage = "alertRule.manage"
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
        case .taskRead, .taskManage, .taskReboot, .taskSynchronise, .taskConfigure, .taskConfigureCommunication,
            .taskChangeSecret, .taskInstall, .taskRotateKeys, .taskRenewCertificate, .taskCollectLogs,
            .taskRunDiagnostic, .taskWake, .taskSendSMS, .taskCustom:
            .taskRead
        case .artifactRead, .artifactManage, .updateKeyManage: .artifactRead
        case .releaseRead, .releaseManage: .releaseRead
        case .alertRead, .alertManage, .alertRuleManage: .alertRead
        }
    }

    /// True when it counts on the platform only, whatever role carries it.
    public var isPlatformOnly: Bool { self == .planManage || self == .platformManage }

    /// True when who holds it decides what others may do, or to where the tenant's data go.
    public var isAdministrative: Bool {
        switch self {
        case .deliveryManage, .principalManage, .shareManage, .approvalManage, .tenantManage, .planManage,
            .platformManage, .updateKeyManage, .alertRuleManage:
            true
        default: false
        }
    }
}
