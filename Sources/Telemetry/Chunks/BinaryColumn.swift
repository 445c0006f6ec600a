/// Columns whose values were 32-bit binary floats before they became decimals.
///
/// Such decimals have seven to nine digits that jump in steps no decimal shows, so the floats' own bits are smaller:
/// they are numbered in the order of the numbers, and these whole numbers are coded like any column. It is done only
/// when every mantissa comes back exactly.
struct BinaryColumn {
    /// 10^0 to 10^22, which are exact in 64-bit floats.
    private static let powers: [Double] = {
        var powers = [1.0]
        while powers.count <= 22 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()
    /// Adding and taking this away rounds a 64-bit float below 2^51 to the nearest whole number, from the middle to the
    /// even one, as shortest decimals are chosen.
    private static let rounder = 0x1.8p52

    /// Decimal places of the column.
    private let places: Int
    /// Decimal places that the last number needed: the next one most often needs as many.
    private var usual = 0

    /// Numbers with this power of ten; nil when the format does not hold them as floats.
    init?(exponent: Int8) {
        guard exponent < 0, exponent >= -22 else { return nil }
        places = -Int(exponent)
    }

    /// The ordinals of the mantissas' floats, or nil when one would not come back.
    static func ordinals(of mantissas: [Int64], exponent: Int8) -> [Int64]? {
        guard var column = BinaryColumn(exponent: exponent) else { return nil }
        var ordinals: [Int64] = []
        ordinals.reserveCapacity(mantissas.count)
        for mantissa in mantissas {
            let ordinal = column.ordinal(of: mantissa)
            guard column.mantissa(of: ordinal) == mantissa else { return nil }
            ordinals.append(ordinal)
        }
        return ordinals
    }

    /// The ordinal of the float nearest to the number.
    func ordinal(of mantissa: Int64) -> Int64 {
        let bits = Int64(Float(Double(mantissa) / Self.powers[places]).bitPattern)
        return bits < 1 << 31 ? bits : (1 << 31) - bits
    }

    /// The mantissa that stands for the float of this ordinal, or nil when there is none.
    ///
    /// It is that of few decimal places, at most the column's, at which rounding the float gives a number whose nearest
    /// float it is: the search begins with the places of the number before and goes up until it finds one, or down as
    /// long as it finds one. The encoder has taken the same way, so what it checked is what comes out.
    mutating func mantissa(of ordinal: Int64) -> Int64? {
        guard ordinal.magnitude < 0x7F80_0000 else { return nil }
        let number = Double(Float(bitPattern: ordinal < 0 ? UInt32(-ordinal) | 1 << 31 : UInt32(ordinal)))
        var found = rounded(number, to: usual)
        if found == nil {
            while found == nil, usual < places {
                usual += 1
                found = rounded(number, to: usual)
            }
        } else {
            while usual > 0, let shorter = rounded(number, to: usual - 1) {
                usual -= 1
                found = shorter
            }
        }
        guard let found, let factor = DecimalNumber.powerOfTen(places - usual) else { return nil }
        let (mantissa, overflow) = found.multipliedReportingOverflow(by: factor)
        return overflow ? nil : mantissa
    }

    @inline(__always)
    private func rounded(_ number: Double, to places: Int) -> Int64? {
        let scaled = number * Self.powers[places]
        guard scaled.magnitude < 0x1p51 else { return nil }
        let mantissa = scaled + Self.rounder - Self.rounder
        guard Float(mantissa / Self.powers[places]) == Float(number) else {
            return nil
        }
        return Int64(mantissa)
    }
}
