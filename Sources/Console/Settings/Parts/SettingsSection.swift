import Access

/// One part of the settings, in the order in which they are shown.
enum SettingsSection: String, CaseIterable, Sendable {
    case organisation, users, groups, roles
    case apiKeys = "api-keys"
    case programs, sessions
    case signIn = "sign-in"
    case directories, changes
    case updateKeys = "update-keys"
    case outlets, deliveries, certificates, firewall

    /// Its words.
    var label: String {
        switch self {
        case .organisation: "Organisation"
        case .users: "Users"
        case .groups: "User groups"
        case .roles: "Roles"
        case .apiKeys: "API keys"
        case .programs: "Programs"
        case .sessions: "Sessions"
        case .signIn: "Sign-in rules"
        case .directories: "Directories"
        case .changes: "Changes"
        case .updateKeys: "Update keys"
        case .outlets: "Outlets"
        case .deliveries: "Deliveries"
        case .certificates: "Certificates"
        case .firewall: "Firewall"
        }
    }

    /// What one finds there.
    var note: String {
        switch self {
        case .organisation: "Its name, and the time zone in which times are shown."
        case .users: "Who has an account: invite, disable, help back in."
        case .groups: "Users who hold roles together."
        case .roles: "What each role allows, and roles of your own."
        case .apiKeys: "What programs send with each request: make, limit, end."
        case .programs: "Programs that get access tokens by OAuth."
        case .sessions: "Who is signed in, from where, since when."
        case .signIn: "Passwords, factors, how long sessions last, from where, and second approvers."
        case .directories: "OpenID providers and LDAP servers by which people sign in."
        case .changes: "Changes of security settings that wait for a second approver."
        case .updateKeys: "Whose signatures updates must have."
        case .outlets: "Ways out: mail servers, SMS gateways, webhooks, audit streams."
        case .deliveries: "What was sent, what waits, rests or could not be sent."
        case .certificates: "The authorities that devices and this server are known by."
        case .firewall: "What must be open, and that nothing is ever opened towards a device."
        }
    }

    /// Its address within the tenant.
    var path: String { "/settings/\(rawValue)" }

    /// Who sees it.
    var permission: Permission {
        switch self {
        case .users, .groups, .roles, .apiKeys, .programs, .sessions, .signIn, .changes: .principalRead
        case .directories: .principalManage
        case .updateKeys: .artifactRead
        case .outlets, .deliveries: .deliveryRead
        case .organisation, .certificates, .firewall: .tenantRead
        }
    }
}

/// A link from one part of the settings to another.
struct SettingsTab: Sendable {
    let label: String
    let note: String
    let address: String
    let isOn: Bool
}

/// Where a page of the settings is.
struct SettingsPlace: Sendable {
    let tabs: [SettingsTab]
    /// The part of the settings that it belongs to.
    let part: SettingsCrumb?
    /// The first page of the list, when this is a later one.
    let first: String?
}
