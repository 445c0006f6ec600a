/// Secondary units of RFC 8798, section 3: each is a primary unit times a scale, plus an offset.
///
/// Only those whose scale is an exact decimal are listed; the others (`mm/h`, `m/h`, `km/h`) keep their own name.
public struct UnitConversion: Hashable, Sendable {
    /// The primary unit.
    public let primary: UnitSymbol
    /// What a value in the secondary unit is multiplied by.
    public let scale: DecimalNumber
    /// What is added after that.
    public let offset: DecimalNumber

    /// How values in `secondary` become values in its primary unit, or nil when it is no secondary unit.
    public init?(from secondary: UnitSymbol) {
        guard let known = Self.table[secondary] else { return nil }
        self = known
    }

    private init(primary: UnitSymbol, scale: DecimalNumber, offset: DecimalNumber) {
        self.primary = primary
        self.scale = scale
        self.offset = offset
    }

    /// `value`, given in the secondary unit, in the primary one.
    public func convert(_ value: DecimalNumber) throws(NumberFault) -> DecimalNumber {
        try value.multiplied(by: scale).adding(offset)
    }

    private static let table: [UnitSymbol: UnitConversion] = {
        let rows: [(String, String, Int64, Int8, Int64)] = [
            ("ms", "s", 1, -3, 0), ("min", "s", 60, 0, 0), ("h", "s", 3600, 0, 0), ("MHz", "Hz", 1, 6, 0),
            ("kW", "W", 1, 3, 0), ("kVA", "VA", 1, 3, 0), ("kvar", "var", 1, 3, 0), ("Ah", "C", 3600, 0, 0),
            ("Wh", "J", 3600, 0, 0), ("kWh", "J", 36, 5, 0), ("varh", "vars", 3600, 0, 0),
            ("kvarh", "vars", 36, 5, 0), ("kVAh", "VAs", 36, 5, 0), ("Wh/km", "J/m", 36, -1, 0),
            ("KiB", "B", 1024, 0, 0), ("GB", "B", 1, 9, 0), ("Mbit/s", "bit/s", 1, 6, 0), ("B/s", "bit/s", 8, 0, 0),
            ("MB/s", "bit/s", 8, 6, 0), ("mV", "V", 1, -3, 0), ("mA", "A", 1, -3, 0), ("dBm", "dBW", 1, 0, -30),
            ("ug/m3", "kg/m3", 1, -9, 0), ("ppm", "/", 1, -6, 0), ("/100", "/", 1, -2, 0), ("/1000", "/", 1, -3, 0),
            ("hPa", "Pa", 1, 2, 0), ("mm", "m", 1, -3, 0), ("cm", "m", 1, -2, 0), ("km", "m", 1, 3, 0),
        ]
        var table: [UnitSymbol: UnitConversion] = [:]
        for (secondary, primary, mantissa, exponent, offset) in rows {
            guard let secondary = UnitSymbol(secondary), let primary = UnitSymbol(primary) else { continue }
            table[secondary] = UnitConversion(
                primary: primary, scale: DecimalNumber(mantissa, exponent: exponent), offset: DecimalNumber(offset))
        }
        return table
    }()
}
