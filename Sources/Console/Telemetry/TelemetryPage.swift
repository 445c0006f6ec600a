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

/// The readings of a device over a span of time, as charts, as a table, as CSV.
struct TelemetryPage: PageView {
    static let template = "telemetry"
    static let menu: MenuItem? = .telemetry

    struct Chart: Sendable {
        /// Where the script finds the points.
        let points: String
        /// The drawing library, when it was there at the build.
        let library: String?
        let styles: String?
        /// The script that draws.
        let charts: String
        let series: [Line]
    }

    struct Line: Sendable {
        let seriesName: String
        let unit: String
        let low: String
        let mean: String
        let high: String
        let latest: String
        let line: String
        let words: String
    }

    struct Table: Sendable {
        let heads: [String]
        let rows: [Row]
        let note: String
    }

    struct Row: Sendable {
        let time: Moment
        /// The time for the eye, with seconds when the steps are that short.
        let text: String
        let hasSeconds: Bool
        let cells: [String]
    }

    let title = "Telemetry"
    let summary: String
    let address: String
    let device: String
    let devices: [String]
    let spans: [DevicesPage.Choice]
    let isTable: Bool
    let tableLabel: String
    let tableAddress: String
    let csv: String
    let fault: String?
    let hasSeries: Bool
    let chart: Chart?
    let table: Table?
    let isEmpty: Bool
    let emptyTitle: String
    let emptyText: String
    /// Whether new readings are shown as they come.
    var isLive = false
}

extension PageTable {
    static func telemetry(_ console: ConsoleParts, _ library: ChartLibrary) -> [Page] {
        [
            Page("/telemetry", needs: .telemetryRead) { visit in
                let page = try await TelemetryPage(console, visit, library)
                let live = page.isLive ? "\(visit.home)/live?device=\(page.device.percentEncoded)" : nil
                return .show(page, live: live)
            },
            Page("/telemetry/points", needs: .telemetryRead) { visit in
                let wish = TelemetryWish(visit.query)
                let found = try await console.readable(wish.device ?? "", visit)
                return .answer(try await wish.points(console, visit.tenant.id, found))
            },
            Page("/telemetry/readings.csv", needs: .telemetryRead) { visit in
                let wish = TelemetryWish(visit.query)
                let found = try await console.readable(wish.device ?? "", visit)
                return .answer(wish.csv(console, visit.tenant.id, found))
            },
        ]
    }
}

/// The files of the library that draws charts; nil where it was not there at the build.
struct ChartLibrary: Sendable {
    let script: String?
    let styles: String?
    /// Our own script that draws with it.
    let charts: String

    init(_ assets: Assets) {
        script = assets.address("uPlot.js")
        styles = assets.address("uPlot.css")
        charts = assets.address("charts.js") ?? ""
    }
}

extension TelemetryPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, _ library: ChartLibrary) async throws {
        let wish = TelemetryWish(visit.query)
        address = "\(visit.home)/telemetry"
        isTable = wish.isTable
        tableLabel = wish.isTable ? "View as charts" : "View as table"
        tableAddress = address + wish.query(table: !wish.isTable)
        csv = address + "/readings.csv" + wish.query()
        spans = TelemetrySpan.allCases.map {
            DevicesPage.Choice(value: $0.rawValue, label: $0.label, isOn: $0 == wish.span)
        }
        let held = try await console.reach(of: visit.principal, in: visit.tenant).0
        devices =
            held.contains(.deviceRead)
            ? try await console.fleet.list(
                DeviceQuery(sort: .lastSeenDescending, limit: 50), in: visit.tenant.id, by: visit.principal
            ).items.map(\.device.name.text) : []
        var readable: ReadableDevice?
        var fault: String?
        do {
            readable = try await wish.device.asyncMap { try await console.readable($0, visit) }
        } catch let refusal as Refusal where refusal.kind == .notFound || refusal.kind == .forbidden {
            fault = refusal.message
        }
        self.fault = fault
        device = readable?.device.name.text ?? wish.device ?? ""
        guard let readable else {
            (summary, hasSeries, chart, table) = ("Readings of any device, over any time.", false, nil, nil)
            isEmpty = true
            (emptyTitle, emptyText) = (
                "Choose a device",
                devices.isEmpty ? "None has reported yet." : "Its series are shown as charts or as a table."
            )
            return
        }
        let (tenant, found) = (visit.tenant.id, readable.device)
        let infos = try await wish.wanted(console, tenant, readable)
        summary = "\(found.name), \(wish.span.label.lowercased())"
        hasSeries = !infos.isEmpty
        isEmpty = infos.isEmpty
        isLive = !wish.isTable
        (emptyTitle, emptyText) = (
            "Nothing here yet",
            "The device has reported nothing." + (isLive ? " Its first reading shows up here by itself." : "")
        )
        if wish.isTable {
            chart = nil
            table = infos.isEmpty ? nil : try await Self.table(console, wish, tenant, found.id, infos)
            return
        }
        table = nil
        var lines: [Line] = []
        for info in infos { lines.append(try await Self.line(console, wish, tenant, found.id, info)) }
        chart =
            lines.isEmpty
            ? nil
            : Chart(
                points: address + "/points" + wish.query(), library: library.script, styles: library.styles,
                charts: library.charts, series: lines)
    }

    private static func line(
        _ console: ConsoleParts, _ wish: TelemetryWish, _ tenant: TenantID, _ device: DeviceID, _ info: SeriesInfo
    ) async throws -> Line {
        var points: [(time: Int64, value: Double)] = []
        var (low, high, sum, count) = (Double.infinity, -Double.infinity, 0.0, 0.0)
        var latest: String?
        let query = wish.pointQuery(
            console, tenant, device, info.name, points: 240, [.mean, .min, .max, .sum, .count, .last])
        for try await page in console.telemetry.reader.points(query) where page.columns.count == 6 {
            let columns = page.columns
            points += zip(columns[0].times, columns[0].values).map { ($0, $1.number) }
            low = columns[1].values.map(\.number).reduce(low, min)
            high = columns[2].values.map(\.number).reduce(high, max)
            sum = columns[3].values.map(\.number).reduce(sum, +)
            count = columns[4].values.map(\.number).reduce(count, +)
            latest = columns[5].values.last?.description ?? latest
        }
        let readings = Readings(name: info.name, unit: Unit.shown(info.unit), points: points, latest: latest, at: nil)
        func shown(_ value: Double) -> String { count > 0 ? Readings.short(value) : "–" }
        return Line(
            seriesName: info.name, unit: readings.unit, low: shown(low), mean: shown(sum / count),
            high: shown(high), latest: latest ?? "–", line: readings.spark(width: 240, height: 44) ?? "",
            words: readings.words)
    }

    private static func table(
        _ console: ConsoleParts, _ wish: TelemetryWish, _ tenant: TenantID, _ device: DeviceID, _ infos: [SeriesInfo]
    ) async throws -> Table {
        let step = wish.span.step(ConsoleLimits.tableRows).components.seconds
        let isFine = step < 60
        var cells: [Int64: [String]] = [:]
        for (index, info) in infos.enumerated() {
            let query = wish.pointQuery(console, tenant, device, info.name, points: ConsoleLimits.tableRows, [.mean])
            for try await page in console.telemetry.reader.points(query) {
                guard let column = page.columns.first else { continue }
                for (time, value) in zip(column.times, column.values) {
                    cells[time, default: Array(repeating: "", count: infos.count)][index] = Readings.short(value.number)
                }
            }
        }
        return Table(
            heads: infos.map { info in info.unit.map { "\(info.name) (\(Unit.shown($0)))" } ?? info.name },
            rows: cells.sorted { $0.key > $1.key }.compactMap { time, cells in
                Timestamp(milliseconds: time).map { at in
                    let moment = Moment(at)
                    return Row(
                        time: moment, text: isFine ? moment.fine : moment.text, hasSeconds: isFine, cells: cells)
                }
            },
            note:
                "Means of steps of \(step) seconds, the newest first. CSV has every reading."
        )
    }
}

extension ConsoleParts {
    /// Every permission that a principal holds for one device.
    func permissions(of principal: Principal, tenant: TenantID, device: Device) async throws -> Set<Permission> {
        let access = access
        return try await database.tenant(tenant).read { tx in
            try access.permissions(
                of: principal, tenant: tenant, at: GrantPlace(domain: device.domain, device: device.id), in: tx)
        }
    }
}
