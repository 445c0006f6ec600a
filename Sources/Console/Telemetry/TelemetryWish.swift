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

/// How far back the explorer looks.
enum TelemetrySpan: String, CaseIterable, Sendable {
    case hour = "1h"
    case quarter = "6h"
    case day = "1d"
    case week = "7d"
    case month = "30d"

    var label: String {
        switch self {
        case .hour: "Last hour"
        case .quarter: "Last 6 hours"
        case .day: "Last day"
        case .week: "Last 7 days"
        case .month: "Last 30 days"
        }
    }

    var seconds: Int64 {
        switch self {
        case .hour: 3600
        case .quarter: 6 * 3600
        case .day: 86_400
        case .week: 7 * 86_400
        case .month: 30 * 86_400
        }
    }

    /// The step that leaves so many points.
    func step(_ points: Int) -> Duration { .seconds(max(seconds / Int64(points), 1)) }
}

/// What the explorer's address asks for.
struct TelemetryWish: Sendable {
    let device: String?
    let span: TelemetrySpan
    let series: String?
    let isTable: Bool

    init(_ query: FormFields) {
        device = query.text("device")
        span = query.text("span").flatMap { TelemetrySpan(rawValue: $0) } ?? .hour
        series = query.text("series")
        isTable = query.text("view") == "table"
    }

    func query(table: Bool = false) -> String {
        "".withQuery([
            "device": device, "span": span == .hour ? nil : span.rawValue, "series": series,
            "view": table ? "table" : nil,
        ])
    }

    /// The span that ends now.
    func times(_ console: ConsoleParts) -> (from: Timestamp, to: Timestamp) {
        let now = console.clock.now
        return (now - .seconds(span.seconds), now)
    }

    func wanted(_ console: ConsoleParts, _ tenant: TenantID, _ found: ReadableDevice) async throws -> [SeriesInfo] {
        let all = try await console.telemetry.reader.series(tenant: tenant, device: found.device.id)
        return Array(
            all.filter { found.allows($0.name) && (series == nil || $0.name == series) }.prefix(
                ConsoleLimits.shownSeries))
    }

    func pointQuery(
        _ console: ConsoleParts, _ tenant: TenantID, _ device: DeviceID, _ name: String, points: Int,
        _ aggregates: [Aggregate]
    ) -> PointQuery {
        let now = console.clock.now
        return PointQuery(
            tenant: tenant, device: device, series: [name], from: now - .seconds(span.seconds), to: now + .seconds(60),
            step: span.step(points), aggregates: aggregates)
    }

    /// The least and the greatest of each step, so that no peak is lost: two values for each pixel of a wide screen.
    func points(_ console: ConsoleParts, _ tenant: TenantID, _ found: ReadableDevice) async throws -> Answer {
        var series: [JSONValue] = []
        let (points, (from, to)) = (ConsoleLimits.chartPoints / 2, times(console))
        for info in try await wanted(console, tenant, found) {
            var times: [JSONValue] = []
            var columns: [[String]] = [[], [], [], []]
            let query = pointQuery(
                console, tenant, found.device.id, info.name, points: points, [.mean, .min, .max, .count])
            for try await page in console.telemetry.reader.points(query) {
                times += page.columns.first?.times.map { .integer($0) } ?? []
                for (index, column) in page.columns.prefix(4).enumerated() {
                    columns[index] += column.values.map(\.description)
                }
            }
            series.append([
                "name": .string(info.name), "unit": .string(info.unit ?? ""), "times": .array(times),
                "mean": .array(columns[0].map(Self.number)), "min": .array(columns[1].map(Self.number)),
                "max": .array(columns[2].map(Self.number)), "count": .array(columns[3].map(Self.number)),
            ])
        }
        return .ok([
            "from": .integer(from.milliseconds), "to": .integer(to.milliseconds),
            "step": .integer(span.step(points).components.seconds * 1000), "series": .array(series),
        ])
    }

    private static func number(_ text: String) -> JSONValue { (try? JSONValue(parsing: Array(text.utf8))) ?? .null }

    /// Every reading of the span, as it was reported.
    func csv(_ console: ConsoleParts, _ tenant: TenantID, _ found: ReadableDevice) -> Answer {
        let now = console.clock.now
        return Answer.stream(Answer.csv) { writer in
            var text = TelemetryText(.csv, [])
            try await writer.write(text.begin())
            for info in try await wanted(console, tenant, found) {
                try await writer.write(text.beginSeries(info.name, unit: info.unit ?? ""))
                let query = PointQuery(
                    tenant: tenant, device: found.device.id, series: [info.name], from: now - .seconds(span.seconds),
                    to: now + .seconds(60))
                for try await page in console.telemetry.reader.points(query) {
                    try await writer.write(text.page(page.columns))
                }
            }
        }.saved(as: "\(found.device.name)-\(span.rawValue).csv")
    }
}
