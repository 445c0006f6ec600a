import Access
import Base
import Northbound
import Operations

/// The releases of a tenant, the newest first.
struct ReleasesPage: PageView {
    static let template = "releases"
    static let menu: MenuItem? = .firmware

    struct Row: Sendable {
        let title: String
        let address: String
        let badge: Badge
        let counter: String
        let files: String
        let hardware: [String]
        let creator: String
        let time: Moment
    }

    let title = "Releases"
    let tabs: [DevicesPage.Chip]
    let states: [DevicesPage.Chip]
    let component: String
    let components: [String]
    /// The state that the list is of, so that another component keeps it.
    let state: String?
    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let isNothingFound: Bool
    /// Where a release is made; nil for who may make none.
    let new: String?
    let address: String
    let next: String?
    let first: String?
}

extension ReleasesPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let address = "\(visit.home)/firmware/releases"
        let component = visit.query.text("component")
        let state = visit.query.text("state").flatMap { Release.State(rawValue: $0) }
        let after = visit.query.text("after").flatMap { ReleaseID(text: $0) }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let found = try await console.operations.releases(
            before: after, of: component, state: state, limit: ConsoleLimits.pageSize + 1, in: tenant, by: principal)
        let page = found.prefix(ConsoleLimits.pageSize)
        func link(_ state: Release.State?, _ after: String? = nil) -> String {
            address.withQuery(["component": component, "state": state?.rawValue, "after": after])
        }
        self.address = address
        self.component = component ?? ""
        self.state = state?.rawValue
        components = try await console.operations.componentReleases(in: tenant, by: principal).map(\.component)
            .prefix(ConsoleLimits.offeredNames).map { $0 }
        tabs = try await FirmwareTab.links(.releases, console, visit)
        states = ([nil] + Release.State.allCases).map { known in
            .init(label: known?.label ?? "All", address: link(known), isOn: known == state)
        }
        rows = page.map { release in
            Row(
                title: "\(release.component) \(release.version)", address: "\(address)/\(release.id.text)",
                badge: release.state.badge, counter: Int(release.counter).grouped,
                files: release.artifacts.isEmpty ? "none" : release.artifacts.map(\.name).joined(separator: ", "),
                hardware: release.hardware.isEmpty ? ["any"] : release.hardware, creator: release.creatorName,
                time: Moment(release.withdrawn ?? release.published ?? release.created))
        }
        hasRows = !rows.isEmpty
        isEmpty = rows.isEmpty && state == nil && component == nil && after == nil
        isNothingFound = rows.isEmpty && !isEmpty
        new = try await console.isAllowed(.releaseManage, visit) ? "\(address)/new" : nil
        next = found.count > page.count ? page.last.map { link(state, $0.id.text) } : nil
        first = after == nil ? nil : link(state)
    }
}
