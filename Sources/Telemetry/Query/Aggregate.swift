/// What a step of a stepped query can say about the points that fall into it.
public enum Aggregate: String, Sendable, CaseIterable {
    /// The smallest value.
    case min
    /// The largest value.
    case max
    /// Sum divided by count.
    case mean
    /// The sum of the values.
    case sum
    /// How many points there are.
    case count
    /// The value of the earliest point.
    case first
    /// The value of the latest point.
    case last
}

/// One step of a stepped query while points fall into it; exact until the mean is asked for.
struct Bucket: Sendable {
    private(set) var count = 0
    private var sum: Int128 = 0
    private var minimum: Int64 = .max
    private var maximum: Int64 = .min
    private var first: Int64 = 0
    private var last: Int64 = 0
    private var exponent: Int8 = 0
    private var isMixed = false
    private var mixedSum = 0.0
    private var mixedMinimum = Double.infinity
    private var mixedMaximum = -Double.infinity
    private var firstExponent: Int8 = 0
    private var lastExponent: Int8 = 0

    /// Counts points given by their summary; points come in the order of time.
    mutating func add(
        count added: Int, sum addedSum: Int128, minimum low: Int64, maximum high: Int64, first early: Int64,
        last late: Int64, exponent addedExponent: Int8
    ) {
        guard added > 0 else { return }
        if count == 0 {
            exponent = addedExponent
            first = early
            firstExponent = addedExponent
        } else if addedExponent != exponent, !isMixed {
            isMixed = true
            mixedSum = Double(sum) * Self.power(exponent)
            mixedMinimum = Double(minimum) * Self.power(exponent)
            mixedMaximum = Double(maximum) * Self.power(exponent)
        }
        if isMixed {
            let unit = Self.power(addedExponent)
            mixedSum += Double(addedSum) * unit
            mixedMinimum = Swift.min(mixedMinimum, Double(low) * unit)
            mixedMaximum = Swift.max(mixedMaximum, Double(high) * unit)
        } else {
            sum += addedSum
            minimum = Swift.min(minimum, low)
            maximum = Swift.max(maximum, high)
        }
        count += added
        last = late
        lastExponent = addedExponent
    }

    /// Counts one point.
    mutating func add(_ mantissa: Int64, exponent: Int8) {
        add(
            count: 1, sum: Int128(mantissa), minimum: mantissa, maximum: mantissa, first: mantissa, last: mantissa,
            exponent: exponent)
    }

    /// The value of an aggregate; exact for all but the mean unless points of different resolution met.
    func value(_ aggregate: Aggregate) -> PointValue {
        switch aggregate {
        case .count: .exact(Int64(count), exponent: 0)
        case .first: .exact(first, exponent: firstExponent)
        case .last: .exact(last, exponent: lastExponent)
        case .min: isMixed ? .binary(mixedMinimum) : .exact(minimum, exponent: exponent)
        case .max: isMixed ? .binary(mixedMaximum) : .exact(maximum, exponent: exponent)
        case .sum:
            if isMixed {
                .binary(mixedSum)
            } else if let fitting = Int64(exactly: sum) {
                .exact(fitting, exponent: exponent)
            } else {
                .binary(Double(sum) * Self.power(exponent))
            }
        case .mean: .binary((isMixed ? mixedSum : Double(sum) * Self.power(exponent)) / Double(Swift.max(count, 1)))
        }
    }

    private static func power(_ exponent: Int8) -> Double {
        DecimalNumber(1, exponent: exponent).double
    }
}

/// A value on its way out of a query.
public enum PointValue: Hashable, Sendable {
    /// The exact decimal mantissa × 10^exponent.
    case exact(Int64, exponent: Int8)
    /// A computed value.
    case binary(Double)

    /// Appends the value as JSON and CSV write numbers.
    public func write(to text: inout [UInt8]) {
        switch self {
        case .exact(let mantissa, let exponent): DecimalNumber(mantissa, exponent: exponent).write(to: &text)
        case .binary(let value):
            guard value.isFinite else { return text.append(contentsOf: "null".utf8) }
            if let whole = Int64(exactly: value) {
                text.append(contentsOf: String(whole).utf8)
            } else {
                text.append(contentsOf: value.description.utf8)
            }
        }
    }
}

extension PointValue: CustomStringConvertible {
    public var description: String {
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
