extension DecimalNumber: Comparable {
    /// Exact order, whatever the exponents: both sides are brought to the finer one in 128 bits, and where even these
    /// do not suffice, magnitudes decide.
    public static func < (left: Self, right: Self) -> Bool {
        if left.exponent == right.exponent { return left.mantissa < right.mantissa }
        if left.mantissa.signum() != right.mantissa.signum() { return left.mantissa < right.mantissa }
        if left.exponent > right.exponent {
            return isLess(
                Int128(left.mantissa), scaledBy: Int(left.exponent) - Int(right.exponent), than: right.mantissa)
        }
        let shift = Int(right.exponent) - Int(left.exponent)
        // left < right × 10^shift is the same as −(right) × 10^shift < −left.
        return isLess(-Int128(right.mantissa), scaledBy: shift, than: left.mantissa, negated: true)
    }

    private static func isLess(_ value: Int128, scaledBy power: Int, than other: Int64, negated: Bool = false) -> Bool {
        let other = negated ? -Int128(other) : Int128(other)
        var scaled = value
        for _ in 0..<power {
            let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
            // Far beyond any 64-bit mantissa already: the sign decides.
            if overflow { return value < 0 }
            scaled = product
        }
        return scaled < other
    }
}
