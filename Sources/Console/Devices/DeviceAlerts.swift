import Access
import Base
import Fleet
import Watch

/// The open alerts that are about a device now, as its page shows them.
struct DeviceAlerts: Sendable {
    struct Line: Sendable {
        let words: String
        let alertAddress: String
        let badge: Badge
        let time: Moment
    }

    let openAlerts: [Line]
    let hasOpenAlerts: Bool
}

extension DeviceAlerts {
    init(_ console: ConsoleParts, _ visit: TenantVisit, _ device: Device) async throws {
        let page = try await console.watch.alerts(
            AlertFilter(isOpen: true, device: device.id), limit: 8, in: visit.tenant.id, by: visit.principal)
        let now = console.clock.now
        openAlerts = page.items.map { alert in
            Line(
                words: alert.condition.label, alertAddress: "\(visit.home)/alerts/\(alert.id.text)",
                badge: alert.badge(at: now), time: Moment(alert.opened))
        }
        hasOpenAlerts = !openAlerts.isEmpty
    }
}
