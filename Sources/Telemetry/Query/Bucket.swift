/// One step of a stepped query while points fall into it, in any order and of any exponents; exact until the mean.
struct Bucket: Sendable {
    private(set) var count = 0
    /// The sum of the values at `exponent`, which most often are all.
    private var sum: Int128 = 0
    private var exponent: Int8 = 0
    /// The sums of the values at other exponents.
    private var otherSums: [Int8: Int128] = [:]
    private var minimum = Value()
    private var maximum = Value()
    private var first = Value()
    private var last = Value()
    private var firstTime: Int64 = .max
    private var lastTime: Int64 = .min

    /// A value as stored, not brought to its one form, which would cost time at every point.
    private struct Value {
        var mantissa: Int64 = 0
        var exponent: Int8 = 0

        @inline(__always)
        func isBelow(_ other: Value) -> Bool {
            if exponent == other.exponent { return mantissa < other.mantissa }
            return DecimalNumber(mantissa, exponent: exponent) < DecimalNumber(other.mantissa, exponent: other.exponent)
        }
    }

    /// Counts the points of a summary.
    @inline(__always)
    mutating func add(_ added: PointSummary) {
        let (low, high) = (
            Value(mantissa: added.minimum, exponent: added.exponent),
            Value(mantissa: added.maximum, exponent: added.exponent)
        )
        if count == 0 {
            exponent = added.exponent
            (minimum, maximum) = (low, high)
        } else {
            if low.isBelow(minimum) { minimum = low }
            if maximum.isBelow(high) { maximum = high }
        }
        if added.exponent == exponent { sum += added.sum } else { otherSums[added.exponent, default: 0] += added.sum }
        if added.firstTime < firstTime {
            firstTime = added.firstTime
            first = Value(mantissa: added.first, exponent: added.exponent)
        }
        if added.lastTime >= lastTime {
            lastTime = added.lastTime
            last = Value(mantissa: added.last, exponent: added.exponent)
        }
        count += added.count
    }

    /// Counts one point.
    @inline(__always)
    mutating func add(_ mantissa: Int64, exponent: Int8, at time: Int64) {
        add(
            PointSummary(
                count: 1, exponent: exponent, sum: Int128(mantissa), minimum: mantissa, maximum: mantissa,
                first: mantissa, last: mantissa, firstTime: time, lastTime: time))
    }

    /// The value of an aggregate; exact for all but the mean, and the sum unless it needs more than 64 bits.
    func value(_ aggregate: Aggregate) -> PointValue {
        switch aggregate {
        case .count: .exact(Int64(count), exponent: 0)
        case .first: .exact(first.mantissa, exponent: first.exponent)
        case .last: .exact(last.mantissa, exponent: last.exponent)
        case .min: .exact(minimum.mantissa, exponent: minimum.exponent)
        case .max: .exact(maximum.mantissa, exponent: maximum.exponent)
        case .sum: total.value
        case .mean: .binary(total.divided(by: Swift.max(count, 1)))
        }
    }

    private var total: WideSum {
        otherSums.sorted { $0.key < $1.key }.reduce(WideSum(mantissa: sum, exponent: exponent)) {
            $0.adding(WideSum(mantissa: $1.value, exponent: $1.key))
        }
    }
}
