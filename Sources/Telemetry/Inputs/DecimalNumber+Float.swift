extension DecimalNumber {
    /// The decimal number with the fewest digits that reads back as exactly this binary number.
    ///
    /// A sender that holds 23.1 in 32 bits means 23.1, not 23.1000003814697265625: the width counts, so pass the
    /// number at the width in which it came.
    public init(shortest number: Double) throws(NumberFault) {
        guard number.isFinite else { throw .notFinite }
        if let short = Self.short(number, limit: 0x1p50) {
            self = short
        } else {
            try self.init(text: number.description)
        }
    }

    /// The decimal number with the fewest digits that reads back as exactly this 32-bit binary number.
    public init(shortest number: Float) throws(NumberFault) {
        guard number.isFinite else { throw .notFinite }
        if let short = Self.short(number, limit: 0x1p21) {
            self = short
        } else {
            try self.init(text: number.description)
        }
    }

    /// The decimal number with the fewest digits that reads back as exactly this 16-bit binary number.
    public init(shortest number: Float16) throws(NumberFault) {
        guard number.isFinite else { throw .notFinite }
        try self.init(text: number.description)
    }

    /// The common case without text: at most six places.
    ///
    /// Below `limit`, mantissa and power of ten are exact in `Binary`, and IEEE 754 division is rounded correctly, so
    /// equality proves that the decimal reads back as the number; the first such number of places is the smallest.
    private static func short<Binary: BinaryFloatingPoint>(_ number: Binary, limit: Binary) -> Self? {
        var power: Binary = 1
        for places in 0...6 {
            let mantissa = (number * power).rounded()
            guard mantissa.magnitude < limit else { return nil }
            if mantissa / power == number {
                return Self(canonical: Int64(mantissa), exponent: mantissa == 0 ? 0 : -Int8(places))
            }
            power *= 10
        }
        return nil
    }

    /// The nearest binary number.
    public var double: Double {
        // Both operands are exact up to 2^53 and 10^18, so the one rounding is the right one.
        guard exponent != 0 else { return Double(mantissa) }
        if let power = Self.powerOfTen(-Int(exponent)), mantissa.magnitude <= 1 << 53 {
            return Double(mantissa) / Double(power)
        }
        return Double(description) ?? .nan
    }
}
