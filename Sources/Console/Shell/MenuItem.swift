package import Access

/// One entry of the menu, in the menu's order.
package enum MenuItem: String, CaseIterable, Sendable {
    case overview, devices, telemetry
    case tasks
    case firmware
    case alerts
    case sites, map
    case audit
    case reports
    case settings

    /// Its words.
    var label: String {
        switch self {
        case .overview: "Overview"
        case .devices: "Devices"
        case .telemetry: "Telemetry"
        case .tasks: "Tasks"
        case .firmware: "Firmware"
        case .alerts: "Alerts"
        case .sites: "Sites & access"
        case .map: "Map"
        case .audit: "Audit"
        case .reports: "Reports"
        case .settings: "Settings"
        }
    }

    /// Its address within the tenant.
    var path: String {
        switch self {
        case .overview: ""
        default: "/" + rawValue
        }
    }

    /// Its symbol in the sprite.
    var icon: String {
        switch self {
        case .sites: "tree"
        case .alerts: "bell"
        default: rawValue
        }
    }

    /// Who sees it: whoever holds this anywhere in the tenant.
    package var permission: Permission {
        switch self {
        case .overview: .tenantRead
        case .devices: .deviceRead
        case .telemetry: .telemetryRead
        case .tasks: .taskRead
        case .firmware: .releaseRead
        case .alerts: .alertRead
        case .sites: .domainRead
        case .map: .deviceRead
        case .audit: .auditRead
        case .reports: .reportRead
        case .settings: .tenantRead
        }
    }
}
