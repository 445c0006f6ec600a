public import Access

/// What a task asks of a device; each type has its own permission.
public enum TaskType: String, CaseIterable, Sendable, Codable {
    /// Start again.
    case reboot
    /// Report everything anew.
    case synchronise
    /// Follow the desired document.
    case configure
    /// Follow the desired communication settings, and fall back when the server is not reached with them.
    case configureCommunication
    /// Take a new password or secret.
    case changeSecret
    /// Install a release.
    case install
    /// Make new keys.
    case rotateKeys
    /// Renew the certificate now.
    case renewCertificate
    /// Send logs.
    case collectLogs
    /// Run a diagnostic.
    case runDiagnostic
    /// Call in at once.
    case wake
    /// Send a text message from the device's own modem.
    case sendSMS
    /// What the model's schema describes.
    case custom

    /// What a principal needs to give such a task.
    public var permission: Permission {
        switch self {
        case .reboot: .taskReboot
        case .synchronise: .taskSynchronise
        case .configure: .taskConfigure
        case .configureCommunication: .taskConfigureCommunication
        case .changeSecret: .taskChangeSecret
        case .install: .taskInstall
        case .rotateKeys: .taskRotateKeys
        case .renewCertificate: .taskRenewCertificate
        case .collectLogs: .taskCollectLogs
        case .runDiagnostic: .taskRunDiagnostic
        case .wake: .taskWake
        case .sendSMS: .taskSendSMS
        case .custom: .taskCustom
        }
    }

    /// True when what it brings may be a secret: then it is sealed, and shown to nobody but the device.
    public var isSecret: Bool { self == .changeSecret || self == .configureCommunication }
}
