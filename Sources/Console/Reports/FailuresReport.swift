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

/// The devices with which contact has failed: how they stand, when and why it failed last, how often in all.
struct FailuresReport: PageView {
    static let template = "report-failures"
    static let menu: MenuItem? = .reports

    struct Row: Sendable {
        let name: String
        let address: String
        let badge: Badge
        let last: Moment
        let reason: String
        let lost: String
        let refused: String
        let total: String
        let connections: String
        let seen: Moment?
    }

    let title = "Communication failures"
    let summary: String
    let tabs: [DevicesPage.Chip]
    let csv: String
    let mails: String
    let states: [DevicesPage.Chip]
    let sorts: [DevicesPage.Chip]
    let rows: [Row]
    let hasRows: Bool
    /// Nothing has failed at all.
    let isEmpty: Bool
    /// Nothing has failed of what was chosen.
    let isNothingFound: Bool
    let address: String
    let next: String?
    let first: String?
}

/// Which failures a report shows and how, as its address says it.
struct FailureSelection: Sendable {
    var state: DeviceSelection.State?
    var sort = FailureSort.last
    var cursor: String?

    init(_ fields: FormFields) {
        state = fields.text("state").flatMap { DeviceSelection.State(rawValue: $0) }
        sort = fields.text("sort").flatMap { FailureSort(rawValue: $0) } ?? .last
        cursor = fields.text("cursor")
    }

    /// The same with a change, from its first page.
    func with(_ change: (inout FailureSelection) -> Void) -> FailureSelection {
        var result = self
        result.cursor = nil
        change(&result)
        return result
    }

    /// The address's query, with its question mark; empty when all is as usual.
    var query: String {
        "".withQuery(["state": state?.rawValue, "sort": sort == .last ? nil : sort.rawValue, "cursor": cursor])
    }
}

extension FailuresReport {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let address = "\(visit.home)/reports"
        let selection = FailureSelection(visit.query)
        self.address = address
        tabs = try await ReportTabs.of(.failures, console, visit)
        csv = address + "/failures.csv" + selection.with { _ in }.query
        mails = address + "/mails"
        let (tenant, principal, filter) = (visit.tenant.id, visit.principal, selection.state?.filter)
        let found = try await console.fleet.failures(
            filter: filter, sort: selection.sort, after: selection.cursor, limit: ConsoleLimits.pageSize,
            counting: .upTo(ConsoleLimits.countedRows), in: tenant, by: principal)
        let count = found.count?.number ?? 0
        summary = count == 0 ? "Devices" : count == 1 ? "1 device" : "\(found.count?.grouped ?? "") devices"
        states =
            [
                .init(
                    label: "All", address: address + selection.with { $0.state = nil }.query,
                    isOn: selection.state == nil)
            ]
            + DeviceSelection.State.allCases.map { state in
                .init(
                    label: state.label, address: address + selection.with { $0.state = state }.query,
                    isOn: selection.state == state)
            }
        sorts = [(FailureSort.last, "Latest first"), (.total, "Most first")].map { sort, label in
            .init(
                label: label, address: address + selection.with { $0.sort = sort }.query, isOn: selection.sort == sort)
        }
        rows = found.items.map { item in
            Row(
                name: item.device.name.text, address: "\(visit.home)/devices/\(item.device.name)",
                badge: Badge(item.device.status, item.presence), last: Moment(item.last), reason: item.reason,
                lost: Int(item.lost).grouped, refused: Int(item.refused).grouped, total: Int(item.total).grouped,
                connections: Int(item.presence.connections).grouped, seen: Moment(item.presence.lastSeen))
        }
        hasRows = !rows.isEmpty
        isEmpty = rows.isEmpty && selection.state == nil && selection.cursor == nil
        isNothingFound = rows.isEmpty && !isEmpty
        next = found.next.map { cursor in address + selection.with { $0.cursor = cursor }.query }
        first = selection.cursor == nil ? nil : address + selection.with { _ in }.query
    }

    static func write(
        _ console: ConsoleParts, _ reader: ReportReader, _ write: (String) async throws -> Void
    ) async throws {
        let times = reader.times
        try await write(
            CSVCell.line([
                "device", "id", "model", "status", "online", times.column("last failure"), "kind", "reason", "lost",
                "refused",
                "total", "connections", times.column("last seen"),
            ]))
        let selection = FailureSelection(reader.query)
        var cursor: String?
        repeat {
            let page = try await console.fleet.failures(
                filter: selection.state?.filter, sort: selection.sort, after: cursor, limit: ConsoleLimits.writtenRows,
                in: reader.tenant.id, by: reader.principal)
            let lines = page.items.map { item in
                CSVCell.line([
                    item.device.name.text, item.device.id.text, item.modelName?.text ?? "", item.device.status.rawValue,
                    String(item.presence.isOnline), times.text(item.last), item.kind.rawValue, item.reason,
                    String(item.lost), String(item.refused), String(item.total),
                    String(item.presence.connections), times.text(item.presence.lastSeen),
                ])
            }
            try await write(lines.joined())
            cursor = page.next
        } while cursor != nil
    }
}
