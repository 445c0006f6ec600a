/// An exact decimal number, mantissa × 10^exponent, in one form only, so that equal numbers are equal values.
///
/// The exponent is the one nearest to zero that the number allows: 12.50 is 125 × 10^-1, 1200 is 1200 × 10^0, and only
/// what does not fit 64 bits as an integer has a positive exponent.
public struct DecimalNumber: Hashable, Sendable {
    /// The digits, with the sign.
    public let mantissa: Int64
    /// The power of ten that the digits count.
    public let exponent: Int8

    /// The number mantissa × 10^exponent, brought to its one form.
    public init(_ mantissa: Int64, exponent: Int8 = 0) {
        if exponent == 0 || mantissa == 0 {
            self.init(canonical: mantissa, exponent: 0)
        } else if exponent > 0 {
            self.init(growing: mantissa, by: exponent)
        } else {
            var (mantissa, exponent) = (mantissa, exponent)
            while exponent < 0, mantissa.isMultiple(of: 10) {
                mantissa /= 10
                exponent += 1
            }
            self.init(canonical: mantissa, exponent: exponent)
        }
    }

    /// For callers that already have the one form.
    init(canonical mantissa: Int64, exponent: Int8) {
        self.mantissa = mantissa
        self.exponent = exponent
    }

    private init(growing mantissa: Int64, by exponent: Int8) {
        if let factor = Self.powerOfTen(Int(exponent)) {
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
            if !overflow {
                self.init(canonical: product, exponent: 0)
                return
            }
        }
        var (mantissa, exponent) = (mantissa, exponent)
        while exponent < .max, mantissa.isMultiple(of: 10) {
            mantissa /= 10
            exponent += 1
        }
        self.init(canonical: mantissa, exponent: exponent)
    }

    /// Zero.
    public static let zero = DecimalNumber(canonical: 0, exponent: 0)

    /// 10^power, or nil when it does not fit 64 bits or the power is negative.
    static func powerOfTen(_ power: Int) -> Int64? {
        switch power {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1_000
        case 4: 10_000
        case 5: 100_000
        case 6: 1_000_000
        case 7: 10_000_000
        case 8: 100_000_000
        case 9: 1_000_000_000
        case 10: 10_000_000_000
        case 11: 100_000_000_000
        case 12: 1_000_000_000_000
        case 13: 10_000_000_000_000
        case 14: 100_000_000_000_000
        case 15: 1_000_000_000_000_000
        case 16: 10_000_000_000_000_000
        case 17: 100_000_000_000_000_000
        case 18: 1_000_000_000_000_000_000
        default: nil
        }
    }
}

/// Why a number can not be kept.
public enum NumberFault: String, Error, Sendable {
    /// The text is not a decimal number as JSON writes it.
    case notANumber
    /// NaN or an infinity.
    case notFinite
    /// The number is beyond what 64 bits hold.
    case tooLarge
    /// The number has more digits than 64 bits hold, or more decimal places than the series keeps.
    case tooPrecise
}

extension DecimalNumber {
    /// What to do with digits beyond a series' resolution.
    public enum Rounding: Sendable {
        /// To the nearest, and from the middle to the even neighbour.
        case halfEven
        /// Refuse the number.
        case refuse
    }

    /// The mantissa of this number at `exponent`.
    public func mantissa(at exponent: Int8, rounding: Rounding) throws(NumberFault) -> Int64 {
        let shift = Int(self.exponent) - Int(exponent)
        if shift == 0 || mantissa == 0 { return mantissa }
        if shift > 0 {
            guard let factor = Self.powerOfTen(shift) else { throw .tooLarge }
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
            guard !overflow else { throw .tooLarge }
            return product
        }
        guard let divisor = Self.powerOfTen(-shift) else {
            // At 19 places the number is at most 0.92 of one unit; further away it is less than half of one.
            guard rounding == .halfEven else { throw .tooPrecise }
            guard shift == -19, mantissa.magnitude > 5_000_000_000_000_000_000 else { return 0 }
            return mantissa < 0 ? -1 : 1
        }
        let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: divisor)
        if remainder == 0 { return quotient }
        guard rounding == .halfEven else { throw .tooPrecise }
        let half = UInt64(divisor) / 2
        let away = remainder.magnitude > half || (remainder.magnitude == half && !quotient.isMultiple(of: 2))
        // A quotient by ten or more is far from the ends of the range, so this step can not overflow.
        return away ? (mantissa < 0 ? quotient - 1 : quotient + 1) : quotient
    }

    /// The exact sum of two numbers.
    public func adding(_ other: DecimalNumber) throws(NumberFault) -> DecimalNumber {
        if other.mantissa == 0 { return self }
        if mantissa == 0 { return other }
        let exponent = min(exponent, other.exponent)
        let (sum, overflow) = try mantissa(at: exponent, rounding: .refuse).addingReportingOverflow(
            other.mantissa(at: exponent, rounding: .refuse))
        guard !overflow else { throw .tooLarge }
        return DecimalNumber(sum, exponent: exponent)
    }

    /// The exact product of two numbers.
    public func multiplied(by other: DecimalNumber) throws(NumberFault) -> DecimalNumber {
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: other.mantissa)
        guard !overflow else { throw .tooLarge }
        let exponent = Int(exponent) + Int(other.exponent)
        guard exponent <= Int8.max else { throw .tooLarge }
        guard exponent >= Int8.min else { throw .tooPrecise }
        return DecimalNumber(product, exponent: Int8(exponent))
    }
}
