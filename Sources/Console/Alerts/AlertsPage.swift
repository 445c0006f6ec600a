import Access
import Base
import Northbound
import Watch

/// The alerts of the domains that the visitor may see, the newest first.
struct AlertsPage: PageView {
    static let template = "alerts"
    static let menu: MenuItem? = .alerts

    struct Row: Sendable {
        let summary: String
        let address: String
        let condition: String
        let badge: Badge
        let opened: Moment
        let count: String
        /// Who looks after it, or until when it is silenced.
        let word: String?
    }

    let title = "Alerts"
    let states: [DevicesPage.Chip]
    let conditions: [DevicesPage.Chip]
    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let isNothingFound: Bool
    let rules: String
    let address: String
    let next: String?
    let first: String?
}

extension AlertsPage {
    /// Which part of the alerts is shown.
    private enum Part: String, CaseIterable {
        case open, quiet, closed, all

        var label: String {
            switch self {
            case .open: "Open"
            case .quiet: "Looked after"
            case .closed: "Over"
            case .all: "All"
            }
        }

        var filter: AlertFilter {
            switch self {
            case .open: AlertFilter(isOpen: true, isQuiet: false)
            case .quiet: AlertFilter(isOpen: true, isQuiet: true)
            case .closed: AlertFilter(isOpen: false)
            case .all: AlertFilter()
            }
        }
    }

    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let address = "\(visit.home)/alerts"
        let part = visit.query.text("part").flatMap { Part(rawValue: $0) } ?? .open
        let condition = visit.query.text("condition").flatMap { AlertCondition(rawValue: $0) }
        let after = visit.query.text("after").flatMap { AlertID(text: $0) }
        var filter = part.filter
        filter.condition = condition
        let page = try await console.watch.alerts(
            filter, before: after, limit: ConsoleLimits.pageSize, in: visit.tenant.id, by: visit.principal)
        func link(_ part: Part, _ condition: AlertCondition?, _ after: String? = nil) -> String {
            address.withQuery([
                "part": part == .open ? nil : part.rawValue, "condition": condition?.rawValue, "after": after,
            ])
        }
        self.address = address
        states = Part.allCases.map { .init(label: $0.label, address: link($0, condition), isOn: $0 == part) }
        conditions = AlertCondition.allCases.map { known in
            .init(
                label: known.label, address: link(part, known == condition ? nil : known), isOn: known == condition)
        }
        let now = console.clock.now
        rows = page.items.map { alert in
            Row(
                summary: alert.summary, address: "\(address)/\(alert.id.text)", condition: alert.condition.label,
                badge: alert.badge(at: now), opened: Moment(alert.opened),
                count: (alert.closed == nil ? alert.missing : alert.devices).grouped, word: alert.word(at: now))
        }
        hasRows = !rows.isEmpty
        isEmpty = rows.isEmpty && part == .open && condition == nil && after == nil
        isNothingFound = rows.isEmpty && !isEmpty
        rules = "\(address)/rules"
        next = page.next.map { link(part, condition, $0.text) }
        first = after == nil ? nil : link(part, condition)
    }
}

extension Alert {
    /// Who looks after it, or until when it is silenced.
    func word(at now: Timestamp) -> String? {
        if closed != nil { return nil }
        if let acknowledgedBy { return "\(acknowledgedBy)\(note.map { ": \($0)" } ?? "")" }
        guard let silenced, silenced > now else { return nil }
        return "until \(Moment(silenced).text)"
    }
}
