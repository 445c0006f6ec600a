/// The records of one device and hour, by series number.
struct HourColumns: Sendable {
    /// Hours since the epoch.
    var hour: UInt32
    /// The columns; the key is the log's or the database's number, as the maker says.
    var columns: [UInt32: SeriesColumn]

    /// The columns of records as log and head keep them; nil when the bytes are damaged.
    init?(hour: UInt32, records: [UInt8]) {
        var arrivals: [UInt32: [SeriesColumn.Arrival]] = [:]
        let isWhole = records.withUnsafeBytes { bytes in
            LogFrame.forEachValue(in: bytes) { milliseconds, value in
                arrivals[value.series, default: []].append((milliseconds, value.exponent, value.mantissa))
            }
        }
        guard isWhole else { return nil }
        self.hour = hour
        columns = arrivals.mapValues(SeriesColumn.init(arrivals:))
    }

    /// Columns that already keep the rules.
    init(hour: UInt32, columns: [UInt32: SeriesColumn]) {
        self.hour = hour
        self.columns = columns
    }

    /// Lays the columns of `later` over these.
    mutating func overlay(_ later: HourColumns) {
        columns.merge(later.columns) { $0.overlaid(by: $1) }
    }
}
