/// The points of one series within one hour: times rising, each time once, all mantissas at one exponent.
struct SeriesColumn: Hashable, Sendable {
    /// The power of ten of the mantissas.
    var exponent: Int8
    /// Milliseconds from the hour's start, rising.
    var times: [Int64]
    /// As many mantissas as times.
    var mantissas: [Int64]

    /// The column of values in the order of arrival: sorted by time, of several at one time the last kept.
    ///
    /// The exponent is the finest that any value has and all values fit; values finer than that are rounded half to
    /// even, which happens only to undeclared series whose values span more than eighteen digits.
    init(arrivals: [(milliseconds: Int64, exponent: Int8, mantissa: Int64)]) {
        var kept: [(milliseconds: Int64, exponent: Int8, mantissa: Int64)] = []
        kept.reserveCapacity(arrivals.count)
        var isRising = true
        for arrival in arrivals {
            if let last = kept.last, last.milliseconds >= arrival.milliseconds { isRising = false }
            kept.append(arrival)
        }
        if !isRising {
            var newest: [Int64: Int] = [:]
            for (index, arrival) in arrivals.enumerated() { newest[arrival.milliseconds] = index }
            kept = newest.sorted { $0.key < $1.key }.map { arrivals[$0.value] }
        }
        exponent = Self.commonExponent(of: kept.map { ($0.exponent, $0.mantissa) })
        times = kept.map(\.milliseconds)
        let exponent = exponent
        mantissas = kept.map { Self.rescale($0.mantissa, from: $0.exponent, to: exponent) }
    }

    /// A column that already keeps the rules.
    init(exponent: Int8, times: [Int64], mantissas: [Int64]) {
        self.exponent = exponent
        self.times = times
        self.mantissas = mantissas
    }

    /// This column with the points of `later` laid over it: where both have a time, the later one counts.
    func overlaid(by later: SeriesColumn) -> SeriesColumn {
        if times.isEmpty { return later }
        if let last = times.last, let first = later.times.first, last < first, exponent == later.exponent {
            return SeriesColumn(
                exponent: exponent, times: times + later.times, mantissas: mantissas + later.mantissas)
        }
        return SeriesColumn(arrivals: arrivals + later.arrivals)
    }

    private var arrivals: [(milliseconds: Int64, exponent: Int8, mantissa: Int64)] {
        zip(times, mantissas).map { ($0, exponent, $1) }
    }

    private static func commonExponent(of values: [(exponent: Int8, mantissa: Int64)]) -> Int8 {
        guard var finest = values.lazy.map(\.exponent).min() else { return 0 }
        while finest < 127, values.contains(where: { scaled($0.mantissa, by: Int($0.exponent) - Int(finest)) == nil }) {
            finest += 1
        }
        return finest
    }

    private static func rescale(_ mantissa: Int64, from exponent: Int8, to target: Int8) -> Int64 {
        let shift = Int(exponent) - Int(target)
        if shift >= 0 { return scaled(mantissa, by: shift) ?? (mantissa < 0 ? .min : .max) }
        let number = DecimalNumber(mantissa, exponent: exponent)
        return (try? number.mantissa(at: target, rounding: .halfEven)) ?? 0
    }

    /// `mantissa` × 10^`power`, or nil when it does not fit; a negative power means fewer digits, which always fits.
    private static func scaled(_ mantissa: Int64, by power: Int) -> Int64? {
        if power <= 0 || mantissa == 0 { return mantissa }
        if power > 18 { return nil }
        var value = mantissa
        for _ in 0..<power {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return value
    }
}

/// The records of one device and hour, by series number.
struct HourColumns: Sendable {
    /// Hours since the epoch.
    var hour: UInt32
    /// The columns; the key is the log's or the database's number, as the maker says.
    var columns: [UInt32: SeriesColumn]

    /// The columns of records as log and head keep them; nil when the bytes are damaged.
    init?(hour: UInt32, records: [UInt8]) {
        var arrivals: [UInt32: [(milliseconds: Int64, exponent: Int8, mantissa: Int64)]] = [:]
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
