import Access
import Base
import Northbound
import Watch

/// The pages about alerts and who is told of them.
extension PageTable {
    static func alerts(_ console: ConsoleParts) -> [Page] {
        [
            Page("/alerts", needs: .alertRead) { visit in
                try await .show(AlertsPage(console, visit), live: "\(visit.home)/live")
            },
            Page("/alerts/rules", needs: .alertRead) { visit in
                try await .show(AlertRulesPage(console, visit))
            },
            Page(posting: "/alerts/rules", needs: .alertRuleManage) { visit in
                try await AlertRulesPage.take(console, visit)
            },
            Page("/alerts/rules/{alertRule}", needs: .alertRuleManage) { visit in
                try await .show(AlertRulePage(console, visit))
            },
            Page(posting: "/alerts/rules/{alertRule}", needs: .alertRuleManage) { visit in
                try await AlertRulePage.take(console, visit)
            },
            Page("/alerts/rules/{alertRule}/delete", needs: .alertRuleManage) { visit in
                try await AlertRulePage.askDelete(console, visit)
            },
            Page(posting: "/alerts/rules/{alertRule}/delete", needs: .alertRuleManage) { visit in
                try await AlertRulePage.delete(console, visit)
            },
            Page("/alerts/{alert}", needs: .alertRead) { visit in
                try await .show(AlertDetailsPage(console, visit), live: "\(visit.home)/live")
            },
            Page(posting: "/alerts/{alert}", needs: .alertManage) { visit in
                try await AlertDetailsPage.take(console, visit)
            },
        ]
    }
}

extension Alert {
    /// How bad it is, or that it is over or looked after.
    func badge(at now: Timestamp) -> Badge {
        if let end { return .good(end.label) }
        if acknowledged != nil { return .off("Acknowledged") }
        if isSilenced(at: now) { return .off("Silenced") }
        switch severity {
        case .notice: return .off(severity.label)
        case .warning: return .warning(severity.label)
        case .critical: return .critical(severity.label)
        }
    }
}

extension AlertSeverity {
    /// The word on pages.
    var label: String {
        switch self {
        case .notice: "Notice"
        case .warning: "Warning"
        case .critical: "Critical"
        }
    }
}

extension AlertEnd {
    /// The word on pages.
    var label: String {
        switch self {
        case .back: "Back again"
        case .excused: "Not expected"
        case .retried: "Tried again"
        case .renewed: "Renewed"
        case .resumed: "Paused no more"
        case .acknowledged: "Looked after"
        case .aged: "Old"
        }
    }
}

extension AlertCondition {
    /// The words on pages.
    var label: String {
        switch self {
        case .late: "Late"
        case .silent: "Silent"
        case .taskFailed: "Task failed"
        case .certificateExpiring: "Certificate ends"
        case .campaignPaused: "Campaign paused"
        }
    }
}

extension TenantVisit {
    /// The alert in the path.
    var alert: AlertID {
        get throws {
            guard let id = AlertID(text: path("alert")) else {
                throw Refusal(.notFound, "alert.unknown", "There is no such alert, or it is not for you.")
            }
            return id
        }
    }
}
