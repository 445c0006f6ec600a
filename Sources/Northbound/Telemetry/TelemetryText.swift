import Base
package import Telemetry

/// Spells the points of several series, one series after the other, as JSON or CSV; a page at a time, so that a long
/// answer needs little memory.
package struct TelemetryText {
    /// The form of the answer.
    package enum Form: Sendable {
        /// A JSON document.
        case json
        /// Lines of cells.
        case csv
    }

    private let form: Form
    private let aggregates: [Aggregate]
    private var isFirstSeries = true
    private var isFirstPoint = true
    private var csvName = ""

    /// A text in this form, of these aggregates; of the readings as they are when there are none.
    package init(_ form: Form, _ aggregates: [Aggregate]) {
        self.form = form
        self.aggregates = aggregates
    }

    /// What comes before the first series.
    package func begin() -> [UInt8] {
        switch form {
        case .json: Array("{\"series\":[".utf8)
        case .csv:
            Array((["series", "time"] + columns).joined(separator: ",").utf8) + Array("\r\n".utf8)
        }
    }

    private var columns: [String] { aggregates.isEmpty ? ["value"] : aggregates.map(\.rawValue) }

    /// What comes before a series' first page.
    package mutating func beginSeries(_ name: String, unit: String) -> [UInt8] {
        defer { isFirstSeries = false }
        isFirstPoint = true
        guard form == .json else {
            csvName = CSVCell.text(name)
            return []
        }
        var text = isFirstSeries ? "" : ","
        text += "{\"name\":\(JSONValue.string(name).canonical),\"unit\":\(JSONValue.string(unit).canonical),"
        if !aggregates.isEmpty {
            text += "\"aggregates\":[\(aggregates.map { "\"\($0.rawValue)\"" }.joined(separator: ","))],"
        }
        return Array((text + "\"points\":[").utf8)
    }

    /// One page of a series: a column of values, or one for each aggregate, all with the same times.
    package mutating func page(_ columns: [SeriesPoints]) -> [UInt8] {
        guard let times = columns.first?.times else { return [] }
        var text: [UInt8] = []
        text.reserveCapacity(times.count * 24 * columns.count)
        for (row, milliseconds) in times.enumerated() {
            switch form {
            case .json:
                if !isFirstPoint { text.append(UInt8(ascii: ",")) }
                isFirstPoint = false
                text.append(UInt8(ascii: "["))
                text.append(contentsOf: String(milliseconds).utf8)
            case .csv:
                text.append(contentsOf: csvName.utf8)
                text.append(UInt8(ascii: ","))
                text.append(contentsOf: (Timestamp(milliseconds: milliseconds)?.rfc3339 ?? "").utf8)
            }
            for column in columns {
                text.append(UInt8(ascii: ","))
                if column.values.indices.contains(row) { column.values[row].write(to: &text) }
            }
            text.append(contentsOf: (form == .json ? "]" : "\r\n").utf8)
        }
        return text
    }

    /// What comes behind a series' last page.
    package func endSeries() -> [UInt8] { form == .json ? Array("]}".utf8) : [] }

    /// What comes behind the last series.
    package func end() -> [UInt8] { form == .json ? Array("]}\n".utf8) : [] }
}
