import Access
import Base
import Northbound
import Watch

/// An alert: what happened, which devices it is about now, and what somebody does about it.
struct AlertDetailsPage: PageView {
    static let template = "alert"
    static let menu: MenuItem? = .alerts

    struct Missing: Sendable {
        let device: String
        let deviceAddress: String
    }

    struct Link: Sendable {
        let label: String
        let address: String
    }

    let title: String
    let badge: Badge
    let condition: String
    let place: String
    let opened: Moment
    let silentSince: Moment?
    let ends: Moment?
    let closed: Moment?
    let told: String
    let word: String?
    /// How many there are beyond those that are named.
    let more: String?
    let devices: [Missing]
    let hasDevices: Bool
    /// Where to look further: the operation, the campaign, or the devices in a list.
    let further: Link?
    let canAcknowledge: Bool
    let canSilence: Bool
    let isSilenced: Bool
    let fault: String?
    let address: String
    let list: String
}

extension AlertDetailsPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws {
        let id = try visit.alert
        let (alert, names) = try await console.watch.alert(id, in: visit.tenant.id, by: visit.principal)
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        let (now, isOpen) = (console.clock.now, alert.closed == nil)
        title = alert.summary
        badge = alert.badge(at: now)
        condition = alert.condition.label
        place = alert.place ?? visit.tenant.name
        opened = Moment(alert.opened)
        silentSince = Moment(alert.silentSince)
        ends = Moment(alert.ends)
        closed = Moment(alert.closed)
        told =
            alert.told == 0 ? "Nobody was told" : alert.told.counted("receiver was told", "receivers were told")
        word = alert.word(at: now)
        devices = names.map { Missing(device: $0.text, deviceAddress: "\(visit.home)/devices/\($0)") }
        hasDevices = !devices.isEmpty
        let rest = alert.missing - devices.count
        more = hasDevices && rest > 0 ? "and \(rest.grouped) more" : nil
        if let operation = alert.subject.operation {
            further = Link(label: "See the operation", address: "\(visit.home)/tasks/\(operation.text)?state=failed")
        } else if let campaign = alert.subject.campaign {
            further = Link(label: "See the campaign", address: "\(visit.home)/firmware/campaigns/\(campaign.text)")
        } else if alert.condition == .certificateExpiring || !isOpen {
            further = nil
        } else {
            let filter =
                "heartbeat = \(alert.condition.rawValue)" + (alert.place.map { " and domain = \"\($0)\"" } ?? "")
            further = Link(
                label: "See the devices", address: "\(visit.home)/devices?filter=\(filter.percentEncoded)")
        }
        let mayManage = held.contains(.alertManage)
        canAcknowledge = isOpen && mayManage && alert.acknowledged == nil
        canSilence = isOpen && mayManage
        isSilenced = alert.isSilenced(at: now)
        self.fault = fault
        list = "\(visit.home)/alerts"
        address = "\(list)/\(id.text)"
    }

    /// Takes what somebody does about it.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (id, tenant, principal, form) = (try visit.alert, visit.tenant.id, visit.principal, visit.form)
        do {
            switch form.text("act") {
            case "acknowledge":
                _ = try await console.watch.acknowledge(id, note: form.text("note"), in: tenant, by: principal)
            case "silence":
                guard let hours = form.text("hours").flatMap({ Int64($0) }), (1...24 * 90).contains(hours) else {
                    return .again(try await AlertDetailsPage(console, visit, fault: "Choose for how long."))
                }
                // A second less, because the bound is from when it is written.
                _ = try await console.watch.silence(
                    id, until: console.clock.now + .seconds(hours * 3600 - 1), in: tenant, by: principal)
            case "wake": _ = try await console.watch.silence(id, until: nil, in: tenant, by: principal)
            default: return .again(try await AlertDetailsPage(console, visit, fault: "Choose what to do."))
            }
        } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) {
            return .again(try await AlertDetailsPage(console, visit, fault: refusal.message))
        }
        return .seeOther("\(visit.home)/alerts/\(id.text)", done: .changed)
    }
}
