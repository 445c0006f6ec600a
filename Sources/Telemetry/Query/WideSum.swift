/// A sum of values of several exponents: exact as long as 128 bits hold it, then the nearest binary number.
struct WideSum: Sendable {
    private enum Content {
        case exact(Int128, exponent: Int8)
        case binary(Double)
    }

    private let content: Content

    /// The exact sum mantissa × 10^exponent.
    init(mantissa: Int128, exponent: Int8) {
        content = .exact(mantissa, exponent: exponent)
    }

    private init(_ content: Content) {
        self.content = content
    }

    /// The sum of both.
    func adding(_ other: WideSum) -> WideSum {
        if case .exact(let own, let ownExponent) = content, case .exact(let others, let otherExponent) = other.content {
            let finer = min(ownExponent, otherExponent)
            if let mine = Self.scaled(own, by: Int(ownExponent) - Int(finer)),
                let theirs = Self.scaled(others, by: Int(otherExponent) - Int(finer))
            {
                let (sum, overflow) = mine.addingReportingOverflow(theirs)
                if !overflow { return WideSum(.exact(sum, exponent: finer)) }
            }
        }
        return WideSum(.binary(double + other.double))
    }

    /// The sum as an answer shows it.
    var value: PointValue {
        guard case .exact(var mantissa, var exponent) = content else { return .binary(double) }
        while Int64(exactly: mantissa) == nil, exponent < .max, mantissa.isMultiple(of: 10) {
            mantissa /= 10
            exponent += 1
        }
        return Int64(exactly: mantissa).map { .exact($0, exponent: exponent) } ?? .binary(double)
    }

    /// The mean of `count` values, rounded once where 64-bit floats hold sum and divisor.
    func divided(by count: Int) -> Double {
        if case .exact(let mantissa, let exponent) = content, exponent < 0,
            let power = DecimalNumber.powerOfTen(-Int(exponent))
        {
            return Double(mantissa) / (Double(power) * Double(count))
        }
        return double / Double(count)
    }

    private var double: Double {
        switch content {
        case .binary(let value): value
        case .exact(let mantissa, let exponent):
            // The text of the two is rounded once, whatever their size.
            Double("\(mantissa)e\(exponent)") ?? .nan
        }
    }

    private static func scaled(_ mantissa: Int128, by power: Int) -> Int128? {
        if mantissa == 0 { return 0 }
        var scaled = mantissa
        for _ in 0..<power {
            let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            scaled = product
        }
        return scaled
    }
}
