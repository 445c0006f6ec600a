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

/// The versions of each component across the fleet; every count leads to the devices that it counts.
struct VersionsReport: PageView {
    static let template = "report-versions"
    static let menu: MenuItem? = .reports

    struct Component: Sendable {
        let name: String
        let summary: String
        /// The devices that have it; nil when its name can not stand in a filter.
        let devices: String?
        let versions: [Version]
        /// How many versions more there are than the page shows.
        let more: String?
    }

    struct Version: Sendable {
        let version: String
        let count: String
        let share: String
        /// The devices that have it; nil when it can not stand in a filter.
        let address: String?
    }

    let title = "Versions"
    let tabs: [DevicesPage.Chip]
    let csv: String
    let mails: String
    let components: [Component]
    /// How many components more there are than the page shows.
    let moreComponents: String?
    let isEmpty: Bool
}

extension VersionsReport {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        tabs = try await ReportTabs.of(.versions, console, visit)
        csv = "\(visit.home)/reports/versions.csv"
        mails = "\(visit.home)/reports/mails"
        let found = try await console.fleet.versions(in: visit.tenant.id, by: visit.principal)
        components = found.prefix(ConsoleLimits.shownComponents).map { component in
            let total = component.versions.reduce(0) { $0 + $1.devices }
            let hidden = component.versions.count - ConsoleLimits.shownVersions
            return Component(
                name: component.name,
                summary: "\(component.versions.count.counted("version", "versions")) on "
                    + total.counted("device", "devices"),
                devices: Self.address(component.name, nil, visit.home),
                versions: component.versions.prefix(ConsoleLimits.shownVersions).map { entry in
                    Version(
                        version: entry.version, count: entry.devices.grouped, share: entry.devices.share(of: total),
                        address: Self.address(component.name, entry.version, visit.home))
                }, more: hidden > 0 ? hidden.counted("version more is", "versions more are") : nil)
        }
        let hidden = found.count - ConsoleLimits.shownComponents
        moreComponents = hidden > 0 ? hidden.counted("component more is", "components more are") : nil
        isEmpty = components.isEmpty
    }

    private static func address(_ name: String, _ version: String?, _ home: String) -> String? {
        let value = version.map { " = \(DeviceFilter.quoted($0))" } ?? ""
        let filter = "component.\(name)\(value)"
        guard (try? DeviceFilter(filter)) != nil else { return nil }
        return "\(home)/devices?filter=\(filter.percentEncoded)"
    }

    static func write(
        _ console: ConsoleParts, _ reader: ReportReader, _ write: (String) async throws -> Void
    ) async throws {
        try await write(CSVCell.line(["component", "version", "devices"]))
        for component in try await console.fleet.versions(in: reader.tenant.id, by: reader.principal) {
            let lines = component.versions.map { CSVCell.line([component.name, $0.version, String($0.devices)]) }
            try await write(lines.joined())
        }
    }
}
