/// The points of one series within one hour: times rising, each time once, every value exact.
struct SeriesColumn: Hashable, Sendable {
    /// The powers of ten that the mantissas count.
    enum Exponents: Hashable, Sendable {
        /// One for all, as nearly always.
        case common(Int8)
        /// One for each point: no common one holds every value in 64 bits.
        case each([Int8])
    }

    /// A value as it arrived.
    typealias Arrival = (milliseconds: Int64, exponent: Int8, mantissa: Int64)

    private(set) var exponents: Exponents
    /// Milliseconds from the hour's start, rising.
    private(set) var times: [Int64]
    /// As many mantissas as times.
    private(set) var mantissas: [Int64]

    /// The column of values in the order of arrival: sorted by time, of several at one time the last kept.
    init(arrivals: [Arrival]) {
        let kept = Self.inOrder(arrivals)
        times = kept.map(\.milliseconds)
        let finest = kept.lazy.map(\.exponent).min() ?? 0
        var common: [Int64] = []
        common.reserveCapacity(kept.count)
        for value in kept {
            guard let mantissa = Self.scaled(value.mantissa, by: Int(value.exponent) - Int(finest)) else { break }
            common.append(mantissa)
        }
        if common.count == kept.count {
            exponents = .common(finest)
            mantissas = common
        } else {
            exponents = .each(kept.map(\.exponent))
            mantissas = kept.map(\.mantissa)
        }
    }

    /// A column of one exponent that already keeps the rules.
    init(exponent: Int8, times: [Int64], mantissas: [Int64]) {
        exponents = .common(exponent)
        self.times = times
        self.mantissas = mantissas
    }

    /// The column of these strands, which have no time in common.
    init(strands: [SeriesColumn]) {
        if let only = strands.first, strands.count == 1 {
            self = only
        } else {
            self.init(arrivals: strands.flatMap(\.arrivals))
        }
    }

    /// The power of ten of the point at `index`.
    @inline(__always)
    func exponent(at index: Int) -> Int8 {
        switch exponents {
        case .common(let exponent): exponent
        case .each(let exponents): exponents[index]
        }
    }

    /// This column with the points of `later` laid over it: where both have a time, the later one counts.
    func overlaid(by later: SeriesColumn) -> SeriesColumn {
        if times.isEmpty { return later }
        if let last = times.last, let first = later.times.first, last < first, case .common(let exponent) = exponents,
            exponents == later.exponents
        {
            return SeriesColumn(
                exponent: exponent, times: times + later.times, mantissas: mantissas + later.mantissas)
        }
        return SeriesColumn(arrivals: arrivals + later.arrivals)
    }

    /// The points at these indexes.
    subscript(indexes: Range<Int>) -> SeriesColumn {
        var part = self
        part.times = Array(times[indexes])
        part.mantissas = Array(mantissas[indexes])
        if case .each(let all) = exponents { part.exponents = .each(Array(all[indexes])) }
        return part
    }

    private var arrivals: [Arrival] { times.indices.map { (times[$0], exponent(at: $0), mantissas[$0]) } }

    private static func inOrder(_ arrivals: [Arrival]) -> [Arrival] {
        let isRising = arrivals.indices.dropFirst().allSatisfy {
            arrivals[$0 - 1].milliseconds < arrivals[$0].milliseconds
        }
        if isRising { return arrivals }
        var newest: [Int64: Int] = [:]
        for (index, arrival) in arrivals.enumerated() { newest[arrival.milliseconds] = index }
        return newest.sorted { $0.key < $1.key }.map { arrivals[$0.value] }
    }

    /// `mantissa` × 10^`power`, or nil when it does not fit.
    private static func scaled(_ mantissa: Int64, by power: Int) -> Int64? {
        if power == 0 || mantissa == 0 { return mantissa }
        guard let factor = DecimalNumber.powerOfTen(power) else { return nil }
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
