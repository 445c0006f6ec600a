import Access
import Base
import Fleet
import Northbound
import Operations

/// The versions that devices have of each component, at a glance, and how many are behind the newest release.
struct FirmwarePage: PageView {
    static let template = "firmware"
    static let menu: MenuItem? = .firmware

    struct Component: Sendable {
        let name: String
        let summary: String
        /// The newest release; nil when none is published.
        let newest: Newest?
        let bars: [Bar]
        let hasBars: Bool
        /// How many versions more there are than the page shows.
        let more: String?
    }

    struct Newest: Sendable {
        let version: String
        let address: String
        /// The devices that have an earlier release, when there are some.
        let behind: Behind?
        /// The devices whose version no release has, when there are some: it may be later than the newest release.
        let unknown: Behind?
        /// Whether every device that has the component has this version.
        let isEverywhere: Bool
    }

    struct Behind: Sendable {
        let words: String
        let devices: String?
        /// Where they are all brought up to date; nil for who may not, or when they can not be named by a filter.
        let update: String?
    }

    /// A version, and how many devices have it.
    struct Bar: Sendable {
        let version: String
        let count: String
        let share: String
        let shape: String
        /// Of a thousand.
        let length: Int
        let note: String?
        /// The devices that have it; nil when it can not stand in a filter.
        let address: String?
    }

    let title = "Firmware"
    let tabs: [DevicesPage.Chip]
    let components: [Component]
    let hasComponents: Bool
    /// How many components more there are than the page shows.
    let moreComponents: String?
    let csv: String?
    let new: String?
    let releases: String
}

extension FirmwarePage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let lines = try await console.operations.componentReleases(in: tenant, by: principal)
        let versions = held.contains(.reportRead) ? try await console.fleet.versions(in: tenant, by: principal) : []
        let known = Dictionary(lines.map { ($0.component, $0) }) { first, _ in first }
        let counted = Dictionary(versions.map { ($0.name, $0.versions) }) { first, _ in first }
        // What can be updated stands before what devices merely tell of.
        let names = Set(known.keys).union(counted.keys).sorted {
            (known[$0]?.newest == nil ? 1 : 0, $0) < (known[$1]?.newest == nil ? 1 : 0, $1)
        }
        components = names.prefix(ConsoleLimits.shownComponents).map { name in
            Self.component(
                name, counted[name] ?? [], known[name], visit.home, canUpdate: held.contains(.taskInstall))
        }
        hasComponents = !components.isEmpty
        let hidden = names.count - ConsoleLimits.shownComponents
        moreComponents = hidden > 0 ? hidden.counted("component more is", "components more are") : nil
        tabs = try await FirmwareTab.links(.overview, console, visit)
        csv = held.contains(.reportRead) ? "\(visit.home)/reports/versions.csv" : nil
        releases = "\(visit.home)/firmware/releases"
        new = try await console.isAllowed(.releaseManage, visit) ? "\(releases)/new" : nil
    }

    private static func component(
        _ name: String, _ counts: [ComponentVersions.Count], _ line: ComponentReleases?, _ home: String, canUpdate: Bool
    ) -> Component {
        let total = counts.reduce(0) { $0 + $1.devices }
        let newest = line?.newest
        let bars = counts.prefix(ConsoleLimits.shownVersions).map { count in
            let standing = VersionStanding(of: count.version, in: line)
            return Bar(
                version: count.version, count: count.devices.grouped,
                share: count.devices.share(of: total), shape: standing.shape,
                length: max(count.devices * 1000 / max(total, 1), 4), note: standing.note,
                address: DeviceFilter.text(name, in: [count.version]).map {
                    "\(home)/devices".withQuery(["filter": $0])
                })
        }
        let hidden = counts.count - ConsoleLimits.shownVersions
        return Component(
            name: name,
            summary: total == 0
                ? "No device tells a version of it"
                : "\(counts.count.counted("version", "versions")) on \(total.counted("device", "devices"))",
            newest: newest.map { newest in
                func those(_ word: String, _ standing: VersionStanding) -> Behind? {
                    let those = counts.filter { VersionStanding(of: $0.version, in: line) == standing }
                    let others = counts.filter { VersionStanding(of: $0.version, in: line) != standing }
                    return Self.behind(word, those, others, name, newest, home, canUpdate: canUpdate)
                }
                let (behind, unknown) = (those("behind", .behind), those("unknown", .unknown))
                return Newest(
                    version: newest.version, address: "\(home)/firmware/releases/\(newest.release.text)",
                    behind: behind, unknown: unknown, isEverywhere: behind == nil && unknown == nil && total > 0)
            }, bars: Array(bars), hasBars: !bars.isEmpty,
            more: hidden > 0 ? hidden.counted("version more is", "versions more are") : nil)
    }

    private static func behind(
        _ word: String, _ counts: [ComponentVersions.Count], _ others: [ComponentVersions.Count], _ name: String,
        _ newest: ComponentReleases.Version, _ home: String, canUpdate: Bool
    ) -> Behind? {
        let count = counts.reduce(0) { $0 + $1.devices }
        if count == 0 { return nil }
        let filter = DeviceFilter.text(name, in: counts.map(\.version), not: others.map(\.version))
        return Behind(
            words: "\(count.grouped) \(word)", devices: filter.map { "\(home)/devices".withQuery(["filter": $0]) },
            update: !canUpdate
                ? nil
                : filter.map { filter in
                    "\(home)/firmware/campaigns/new".withQuery(["release": newest.release.text, "filter": filter])
                })
    }
}
