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

/// The tenant's people and programs, each leading to what they reach.
struct PeoplePage: PageView {
    static let template = "sites-people"
    static let menu: MenuItem? = .sites

    struct Line: Sendable {
        let name: String
        let address: String
        let kind: String
        let badge: Badge
        let time: Moment
    }

    let title = "People"
    let tabs: [SitesTab]
    let lines: [Line]
    let isNone: Bool
    let next: String?
    let first: String?
}

extension PeoplePage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let home = visit.home
        let people = "\(home)/sites/people"
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        tabs = SitesTab.all(home, .people, held)
        let after = visit.query.text("after") ?? ""
        let found = try await console.access.principals(
            tenant: visit.tenant.id, after: after, limit: ConsoleLimits.siteRows + 1, by: visit.principal)
        let shown = found.prefix(ConsoleLimits.siteRows)
        lines = shown.map {
            Line(
                name: $0.name, address: "\(people)/\($0.name.percentEncoded)",
                kind: $0.kind == .user ? "person" : "program", badge: $0.isActive ? .good("Active") : .off("Disabled"),
                time: Moment($0.created))
        }
        isNone = lines.isEmpty
        next = found.count > shown.count ? shown.last.map { "\(people)?after=\($0.name.percentEncoded)" } : nil
        first = after.isEmpty ? nil : people
    }
}

/// What one person or program can reach: the roles, and the devices that follow from them.
struct PersonPage: PageView {
    static let template = "sites-person"
    static let menu: MenuItem? = .sites

    /// A role that they have, by what, where.
    struct Line: Sendable {
        let placeName: String
        let placeAddress: String?
        let role: String
        let by: String
        let ends: Moment?
    }

    struct Device: Sendable {
        let deviceName: String
        let deviceAddress: String
        let badge: Badge
    }

    struct Devices: Sendable {
        let count: String
        let lines: [Device]
        let nextDevices: String?
    }

    let title: String
    let peopleAddress: String?
    let lines: [Line]
    let isNothing: Bool
    let devices: Devices?
}

extension PersonPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let name = visit.path("principal")
        // One's own name is as good as one's own identifier.
        let person = principal.tenant == tenant && name == principal.name ? principal.id.text : name
        let found = try await console.access.reach(of: person, tenant: tenant, by: principal)
        let tree = try await console.tree(visit)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        title = "What \(name) reaches"
        peopleAddress = held.contains(.principalRead) ? "\(home)/sites/people" : nil
        let names = try await console.names([], visit, devices: found.compactMap(\.device))
        lines = found.prefix(ConsoleLimits.shownHolders).map { reach in
            let by: String =
                switch reach.ground {
                case .grant: "given to them"
                case .group: "by the group \(reach.group ?? "–")"
                case .share: "by a share"
                }
            if let device = reach.device {
                let name = names.devices[device]
                return Line(
                    placeName: "Device \(name ?? "that is not for you")",
                    placeAddress: name.map { "\(home)/devices/\($0)" }, role: reach.roleName, by: by,
                    ends: Moment(reach.until))
            }
            let label = reach.domain.flatMap { tree.label($0) }
            return Line(
                placeName: label.map { "\($0) and below" } ?? "a domain that is not for you",
                placeAddress: label == nil ? nil : reach.domain.map { "\(home)/sites?at=\($0.text)" },
                role: reach.roleName, by: by, ends: Moment(reach.until))
        }
        isNothing = lines.isEmpty
        guard held.contains(.deviceRead) else {
            devices = nil
            return
        }
        var query = DeviceQuery(cursor: visit.query.text("cursor"), limit: ConsoleLimits.siteRows, counting: .all)
        query.seenBy = person
        let page = try await console.fleet.list(query, in: tenant, by: principal)
        let own = "\(home)/sites/people/\(name.percentEncoded)"
        devices = Devices(
            count: page.count?.grouped ?? page.items.count.grouped,
            lines: page.items.map {
                .init(
                    deviceName: $0.device.name.text, deviceAddress: "\(home)/devices/\($0.device.name)",
                    badge: Badge($0.device.status, $0.presence))
            }, nextDevices: page.next.map { "\(own)?cursor=\($0)" })
    }
}
