import Access

/// What permissions are about: the parts of a list of them, watching before controlling.
enum PermissionSubject: String, CaseIterable, Sendable {
    case devices = "Devices"
    case telemetry = "Telemetry"
    case tasks = "Tasks"
    case releases = "Releases"
    case alerts = "Alerts"
    case places = "Domains and models"
    case people = "People and rights"
    case reports = "Reports"
    case audit = "Audit"
    case sending = "Deliveries"
    case organisation = "Organisation"
    case platform = "Platform"

    /// Its permissions in their order.
    var permissions: [Permission] { Permission.allCases.filter { $0.subject == self } }
}

extension Permission {
    /// What it is about.
    var subject: PermissionSubject {
        switch self {
        case .deviceRead, .deviceControl, .deviceManage, .deviceRevoke: .devices
        case .telemetryRead, .telemetryReadPersonal, .telemetryReadLocation, .telemetryManage: .telemetry
        case .taskRead, .taskManage, .taskReboot, .taskSynchronise, .taskConfigure, .taskConfigureCommunication,
            .taskChangeSecret, .taskInstall, .taskRotateKeys, .taskRenewCertificate, .taskCollectLogs,
            .taskRunDiagnostic, .taskWake, .taskSendSMS, .taskCustom:
            .tasks
        case .artifactRead, .artifactManage, .releaseRead, .releaseManage, .updateKeyManage: .releases
        case .alertRead, .alertManage, .alertRuleManage: .alerts
        case .domainRead, .domainManage, .modelRead, .modelManage: .places
        case .reachRead, .principalRead, .principalManage, .shareRead, .shareManage, .approvalManage: .people
        case .reportRead, .reportManage: .reports
        case .auditRead, .auditExport: .audit
        case .deliveryRead, .deliveryManage: .sending
        case .tenantRead, .tenantManage: .organisation
        case .planManage, .platformManage: .platform
        }
    }

    /// Whether it only lets somebody see.
    var isWatching: Bool { rawValue.hasSuffix(".read") || rawValue.contains(".read.") || self == .auditExport }

    /// What it allows, in a few words.
    var words: String {
        switch self {
        case .tenantRead: "see the organisation"
        case .tenantManage: "change the organisation's settings"
        case .domainRead: "see domains"
        case .domainManage: "make, rename, move and delete domains"
        case .deviceRead: "see devices"
        case .deviceControl: "tell devices what to be"
        case .deviceManage: "register, change, move and suspend devices"
        case .deviceRevoke: "take a device's access away for good, or delete it"
        case .modelRead: "see models"
        case .modelManage: "make and change models"
        case .telemetryRead: "read telemetry"
        case .telemetryReadPersonal: "read series about people as well"
        case .telemetryReadLocation: "read series of where things are as well"
        case .telemetryManage: "bring telemetry in, correct and delete it"
        case .reachRead: "see who can reach what"
        case .reportRead: "see reports"
        case .reportManage: "have reports mailed to others"
        case .auditRead: "read the audit log"
        case .auditExport: "take the audit log out"
        case .principalRead: "see people, programs, roles and grants"
        case .principalManage: "manage people, programs, roles and grants"
        case .shareRead: "see shares"
        case .shareManage: "offer, accept and end shares"
        case .approvalManage: "decide which changes need a second approver"
        case .deliveryRead: "see outlets and deliveries"
        case .deliveryManage: "set up outlets, replay and read deliveries"
        case .artifactRead: "see and download artifacts"
        case .artifactManage: "upload and delete artifacts"
        case .releaseRead: "see releases"
        case .releaseManage: "make, publish, withdraw and delete releases"
        case .updateKeyManage: "decide whose signatures updates must have"
        case .alertRead: "see alerts, and the rules of who is told"
        case .alertManage: "acknowledge and silence alerts"
        case .alertRuleManage: "decide who is told of alerts"
        case .taskRead: "see tasks and what became of them"
        case .taskManage: "end, repeat and pause what others ordered"
        case .taskReboot: "have devices start again"
        case .taskSynchronise: "have devices report everything anew"
        case .taskConfigure: "have devices follow their desired document"
        case .taskConfigureCommunication: "change how devices reach the server"
        case .taskChangeSecret: "give devices new passwords"
        case .taskInstall: "install releases"
        case .taskRotateKeys: "have devices make new keys"
        case .taskRenewCertificate: "have devices renew their certificates"
        case .taskCollectLogs: "have devices send their logs"
        case .taskRunDiagnostic: "run diagnostics on devices"
        case .taskWake: "have devices call in at once"
        case .taskSendSMS: "have devices send text messages"
        case .taskCustom: "give devices tasks that their model describes"
        case .planManage: "manage plans"
        case .platformManage: "manage tenants, keys and backups"
        }
    }

    /// Boxes to tick for all that counts in a tenant, by subject, watching apart from controlling.
    static func boxes(_ chosen: Set<Permission>, onPlatform: Bool = false) -> [SettingsForm.Boxes] {
        PermissionSubject.allCases.flatMap { subject in
            [true, false].compactMap { watching in
                let permissions = subject.permissions.filter {
                    $0.isWatching == watching && (onPlatform || !$0.isPlatformOnly)
                }
                guard !permissions.isEmpty else { return nil }
                return SettingsForm.Boxes(
                    legend: "\(subject.rawValue): \(watching ? "watching" : "controlling")",
                    boxes: permissions.map {
                        .init(
                            value: $0.rawValue, label: $0.words, meaning: $0.rawValue, isOn: chosen.contains($0))
                    })
            }
        }
    }
}

extension FormFields {
    /// The permissions that are ticked.
    func permissions(_ name: String) -> Set<Permission> {
        Set(texts(name).compactMap(Permission.init(rawValue:)))
    }
}
