extension SeriesColumn {
    /// As few columns of one exponent each as hold these points exactly, together: what a chunk stores.
    ///
    /// Each value has a range of exponents at which it is a whole number of 64 bits. The exponents are chosen as fewest
    /// points are that hit every range: the end of the range that ends first, then of the first that this one misses.
    var strands: [SeriesColumn] {
        guard case .each(let exponents) = exponents else { return [self] }
        let ranges = mantissas.indices.map { Self.exponents(of: mantissas[$0], exponents[$0]) }
        var chosen: [Int8] = []
        for range in ranges.sorted(by: { $0.upperBound < $1.upperBound })
        where chosen.last.map({ !range.contains($0) }) ?? true {
            chosen.append(range.upperBound)
        }
        let members = Dictionary(grouping: mantissas.indices) { index in
            chosen.firstIndex { ranges[index].contains($0) } ?? 0
        }
        return members.sorted { $0.key < $1.key }.map { place, indexes in
            SeriesColumn(
                exponent: chosen[place], times: indexes.map { times[$0] },
                mantissas: indexes.map { Self.moved(mantissas[$0], by: Int(exponents[$0]) - Int(chosen[place])) })
        }
    }

    /// What is known of each strand without its points.
    var summaries: [PointSummary] {
        strands.compactMap { strand in
            guard let first = strand.mantissas.first, let last = strand.mantissas.last,
                let firstTime = strand.times.first, let lastTime = strand.times.last
            else { return nil }
            var summary = PointSummary(
                count: strand.times.count, exponent: strand.exponent(at: 0), sum: 0, minimum: first, maximum: first,
                first: first, last: last, firstTime: firstTime, lastTime: lastTime)
            for mantissa in strand.mantissas {
                summary.sum += Int128(mantissa)
                summary.minimum = min(summary.minimum, mantissa)
                summary.maximum = max(summary.maximum, mantissa)
            }
            return summary
        }
    }

    /// The exponents at which the value is a whole number of 64 bits; at least its own.
    private static func exponents(of mantissa: Int64, _ exponent: Int8) -> ClosedRange<Int8> {
        guard mantissa != 0 else { return .min ... .max }
        var (low, high) = (exponent, exponent)
        var rest = mantissa
        while high < .max, rest.isMultiple(of: 10) {
            rest /= 10
            high += 1
        }
        rest = mantissa
        while low > .min {
            let (product, overflow) = rest.multipliedReportingOverflow(by: 10)
            if overflow { break }
            rest = product
            low -= 1
        }
        return low...high
    }

    /// `mantissa` × 10^`power`, which is a whole number of 64 bits.
    private static func moved(_ mantissa: Int64, by power: Int) -> Int64 {
        var moved = mantissa
        for _ in 0..<power.magnitude { moved = power < 0 ? moved / 10 : moved &* 10 }
        return moved
    }
}
