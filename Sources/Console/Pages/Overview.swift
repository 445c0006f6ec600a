import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// The state of a tenant's fleet on one page; every count leads to the list that it counts.
struct OverviewPage: PageView {
    static let template = "overview"
    static let menu: MenuItem? = .overview

    struct Health: Sendable {
        let meterLabel: String
        let parts: [Part]
        let stats: [Stat]
    }

    struct Part: Sendable {
        let shape: String
        let from: Int
        let length: Int
    }

    struct Stat: Sendable {
        let label: String
        let count: String
        let shape: String
        let note: String
        let address: String
    }

    struct List: Sendable {
        let id: String
        let heading: String
        let address: String
        let more: String
        let devices: [Line]
        let hasDevices: Bool
        let nothing: String
    }

    struct Line: Sendable {
        let name: String
        let address: String
        let badge: Badge
        let time: Moment?
    }

    let title = "Overview"
    let summary: String
    let health: Health?
    let lists: [List]
    let isEmpty: Bool
    let canConnect: Bool
    let connectAddress: String
    let importAddress: String
    /// Where the demo is removed, in the demo itself.
    let removeDemo: String?
    /// Where it is begun, in an organisation without devices.
    let beginDemo: String?
}

extension PageTable {
    static func overview(_ console: ConsoleParts) -> [Page] {
        [
            Page("", needs: .tenantRead) { visit in
                try await .show(OverviewPage(console, visit), live: "\(visit.home)/live")
            }
        ]
    }
}

extension OverviewPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        connectAddress = home + "/devices/connect"
        importAddress = home + "/devices/import"
        canConnect = held.contains(.deviceManage)
        removeDemo =
            visit.tenant.demo && principal.tenant != tenant && held.contains(.tenantManage)
            ? home + "/demo/remove" : nil
        beginDemo = try await console.access.offersDemo(visit.tenant, to: principal) ? home + "/demo" : nil
        guard held.contains(.deviceRead) else {
            (summary, health, lists, isEmpty) = ("You may see this organisation, but no devices in it.", nil, [], false)
            return
        }
        let counts = try await console.fleet.countByStatus(in: tenant, by: principal)
        let total = counts.values.reduce(0, +)
        isEmpty = total == 0
        summary = total == 1 ? "1 device" : "\(total.grouped) devices"
        guard total > 0 else {
            (health, lists) = (nil, [])
            return
        }
        let active = counts[.active] ?? 0
        let online = try await console.fleet.count(
            filter: DeviceSelection.State.online.filter, in: tenant, by: principal)
        let states: [(label: String, count: Int, shape: String, note: String, state: DeviceSelection.State)] = [
            ("Online", online, "ok", "connected now", .online),
            ("Offline", max(active - online, 0), "off", "enrolled, not connected", .offline),
            ("Waiting", counts[.registered] ?? 0, "warning", "registered, not enrolled", .waiting),
            ("Suspended", counts[.suspended] ?? 0, "warning", "kept out for now", .suspended),
            ("Revoked", counts[.revoked] ?? 0, "critical", "kept out for good", .revoked),
        ]
        var from = 0
        var parts: [Part] = []
        for state in states where state.count > 0 {
            let length = max(state.count * 1000 / total, 4)
            parts.append(Part(shape: state.shape, from: from, length: length))
            from += length
        }
        health = Health(
            meterLabel: states.filter { $0.count > 0 }.map { "\($0.label) \($0.count)" }.joined(separator: ", "),
            parts: parts,
            stats: states.map { state in
                Stat(
                    label: state.label, count: state.count.grouped, shape: state.shape, note: state.note,
                    address: "\(home)/devices\(DeviceSelection(state.state).query)")
            })
        lists = [
            try await Self.list(
                console, visit, id: "silent", "Silent for longest", "All offline", "Every enrolled device is online.",
                state: .offline, sort: .lastSeen),
            try await Self.list(
                console, visit, id: "newest", "Newest", "All devices", "None yet.", state: nil,
                sort: .createdDescending),
        ]
    }

    private static func list(
        _ console: ConsoleParts, _ visit: TenantVisit, id: String, _ heading: String, _ more: String,
        _ nothing: String, state: DeviceSelection.State?, sort: DeviceSort
    ) async throws -> List {
        let page = try await console.fleet.list(
            DeviceQuery(filter: state?.filter, sort: sort, limit: 6), in: visit.tenant.id, by: visit.principal)
        return List(
            id: id, heading: heading, address: visit.home + "/devices" + DeviceSelection(state, sort: sort).query,
            more: more,
            devices: page.items.map { item in
                Line(
                    name: item.device.name.text, address: "\(visit.home)/devices/\(item.device.name)",
                    badge: Badge(item.device.status, item.presence),
                    time: Moment(sort == .createdDescending ? item.device.created : item.presence.lastSeen))
            }, hasDevices: !page.items.isEmpty, nothing: nothing)
    }
}

extension Badge {
    /// Where a device stands, and whether it is there.
    init(_ status: DeviceStatus, _ presence: PresenceState) {
        self =
            switch status {
            case .registered: .warning("Waiting")
            case .active: presence.isOnline ? .good("Online") : .off("Offline")
            case .suspended: .warning("Suspended")
            case .revoked: .critical("Revoked")
            }
    }
}
