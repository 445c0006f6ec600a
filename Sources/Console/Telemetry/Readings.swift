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

/// The readings of one series as a page shows them: few enough to draw, with what they say in words.
struct Readings: Sendable {
    let name: String
    let unit: String
    /// Milliseconds and values, in the order of time.
    let points: [(time: Int64, value: Double)]
    /// The newest value as it was reported.
    let latest: String?
    /// When it was taken.
    let at: Timestamp?

    /// The newest values of a device's series, with their course over the last hour.
    static func latest(
        _ console: ConsoleParts, _ tenant: TenantID, _ readable: ReadableDevice
    ) async throws -> [Readings] {
        let device = readable.device.id
        let reader = console.telemetry.reader
        let now = console.clock.now
        var found: [Readings] = []
        let infos = try await reader.series(tenant: tenant, device: device).filter { readable.allows($0.name) }
        for info in infos.prefix(ConsoleLimits.shownSeries) {
            let hour = PointQuery(
                tenant: tenant, device: device, series: [info.name], from: now - .seconds(3600),
                to: now + .seconds(60))
            var points: [(Int64, Double)] = []
            var latest: String?
            for try await page in reader.points(hour) {
                guard let column = page.columns.first else { continue }
                for (time, value) in zip(column.times, column.values) { points.append((time, value.number)) }
                latest = column.values.last?.description ?? latest
            }
            if latest == nil {
                let month = PointQuery(
                    tenant: tenant, device: device, series: [info.name], from: now - .seconds(30 * 86_400), to: now,
                    step: .seconds(3600), aggregates: [.last])
                for try await page in reader.points(month) {
                    guard let column = page.columns.first, let value = column.values.last else { continue }
                    latest = value.description
                    points = column.times.last.map { [($0, value.number)] } ?? []
                }
            }
            found.append(
                Readings(
                    name: info.name, unit: Unit.shown(info.unit), points: points, latest: latest,
                    at: points.last.flatMap { Timestamp(milliseconds: $0.0) }))
        }
        return found
    }

    /// The points of a polyline in a box of this size; nil when there is nothing to draw.
    func spark(width: Double, height: Double) -> String? {
        let drawn = points.filter { $0.value.isFinite }
        guard drawn.count > 1, let first = drawn.first?.time, let last = drawn.last?.time, last > first else {
            return nil
        }
        let low = drawn.map(\.value).min() ?? 0
        let high = drawn.map(\.value).max() ?? 0
        let range = high > low ? high - low : 1
        let step = max(drawn.count / 160, 1)
        return stride(from: 0, to: drawn.count, by: step).map { index in
            let x = Double(drawn[index].time - first) / Double(last - first) * width
            let y = height - 2 - (high > low ? (drawn[index].value - low) / range : 0.5) * (height - 4)
            return "\((x * 10).rounded() / 10),\((y * 10).rounded() / 10)"
        }.joined(separator: " ")
    }

    /// The course in words, for those who do not see the line.
    var words: String {
        guard let figures else { return "\(name): no readings" }
        return "\(name) in \(unit): min \(figures.low), mean \(figures.mean), max \(figures.high)"
    }

    /// Extremes and mean.
    var figures: (low: String, mean: String, high: String)? {
        let values = points.map(\.value).filter(\.isFinite)
        guard let low = values.min(), let high = values.max() else { return nil }
        return (Self.short(low), Self.short(values.reduce(0, +) / Double(values.count)), Self.short(high))
    }

    /// A number with as many digits as people read.
    static func short(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return String(value) }
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? String(Int64(rounded)) : String(rounded)
    }
}

extension PointValue {
    /// The value as a number that can be drawn.
    var number: Double { Double(description) ?? .nan }
}
