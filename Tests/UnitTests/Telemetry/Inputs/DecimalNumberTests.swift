import Testing

@testable import Telemetry

@Suite struct DecimalNumberTests {
    @Test(
        "decimal text is read exactly and brought to one form",
        arguments: [
            ("0", 0, 0), ("-0", 0, 0), ("0.00", 0, 0), ("0e99999", 0, 0), ("1", 1, 0), ("-17", -17, 0),
            ("244.5", 2445, -1), ("244.0", 244, 0), ("230.10", 2301, -1), ("0.005", 5, -3), ("-0.05", -5, -2),
            ("1200", 1200, 0), ("1.2e3", 1200, 0), ("12E-1", 12, -1), ("1200e-2", 12, 0),
            ("1.320067464e+09", 1_320_067_464, 0),
            ("1.276020076001e+09", 1_276_020_076_001, -3), ("9223372036854775807", .max, 0),
            ("-9223372036854775808", .min, 0), ("1e18", 1_000_000_000_000_000_000, 0), ("1e30", 1, 30),
            ("10e29", 1, 30), ("1e-128", 1, -128), ("0.1000000000000000000000000000000", 1, -1),
            ("100.001000000000000000000000", 100_001, -3), ("0.30000000000000004", 30_000_000_000_000_004, -17),
            ("10000000000000000e-20", 1, -4), ("1e127", 1, 127),
        ] as [(String, Int64, Int8)])
    func reads(text: String, mantissa: Int64, exponent: Int8) throws {
        let number = try DecimalNumber(text: text)
        #expect(number.mantissa == mantissa)
        #expect(number.exponent == exponent)
        #expect(try DecimalNumber(text: number.description) == number)
    }

    @Test(
        "text that is no number that 64 bits hold is refused with its reason",
        arguments: [
            ("", .notANumber), ("-", .notANumber), ("+1", .notANumber), ("01", .notANumber), (".5", .notANumber),
            ("1.", .notANumber), ("1e", .notANumber), ("1e+", .notANumber), ("1 ", .notANumber), ("0x10", .notANumber),
            ("1,5", .notANumber), ("NaN", .notANumber), ("9223372036854775808", .tooLarge),
            ("-9223372036854775809", .tooLarge), ("99999999999999999999999", .tooLarge), ("1e128", .tooLarge),
            ("1e999999999999999999999", .tooLarge), ("1e-129", .tooPrecise), ("0.12345678901234567891", .tooPrecise),
            ("9223372036854775807.5", .tooPrecise),
        ] as [(String, NumberFault)])
    func refuses(text: String, fault: NumberFault) {
        #expect(throws: fault) { try DecimalNumber(text: text) }
    }

    @Test(
        "the text is plain decimal without needless digits",
        arguments: [
            ("0", "0"), ("244.50", "244.5"), ("-0.001", "-0.001"), ("1e3", "1000"), ("1e30", "1e30"),
            ("12e-30", "12e-30"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("0.000000000000000000000001", "0.000000000000000000000001"),
        ])
    func writes(text: String, expected: String) throws {
        #expect(try DecimalNumber(text: text).description == expected)
    }

    @Test(
        "a binary number becomes the shortest decimal that reads back as it",
        arguments: [
            (0.0, "0"), (-0.0, "0"), (23.1, "23.1"), (0.1, "0.1"), (1e-7, "1e-7"), (0.1 + 0.2, "0.30000000000000004"),
            (1e22, "1e22"), (123_456_789.123, "123456789.123"), (-244.95, "-244.95"), (5e-10, "5e-10"),
        ] as [(Double, String)])
    func shortestOfDouble(number: Double, text: String) throws {
        #expect(try DecimalNumber(shortest: number) == DecimalNumber(text: text))
    }

    @Test("seeded binary numbers agree with the standard library's shortest digits")
    func shortestAgrees() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let double =
                Double(Int64.random(in: -10_000_000...10_000_000, using: &generator)) / [1, 10, 1000, 3, 7e5]
                .randomElement(using: &generator)!
            #expect(try DecimalNumber(shortest: double) == DecimalNumber(text: double.description))
            let float = Float(double)
            #expect(try DecimalNumber(shortest: float) == DecimalNumber(text: float.description))
        }
    }

    @Test("narrow binary numbers mean what their width can tell")
    func narrow() throws {
        #expect(try DecimalNumber(shortest: Float(23.1)) == DecimalNumber(text: "23.1"))
        #expect(try DecimalNumber(shortest: Float16(1.5)) == DecimalNumber(text: "1.5"))
        #expect(throws: NumberFault.notFinite) { try DecimalNumber(shortest: Double.nan) }
        #expect(throws: NumberFault.notFinite) { try DecimalNumber(shortest: -Float.infinity) }
        #expect(throws: NumberFault.notFinite) { try DecimalNumber(shortest: Float16.infinity) }
        #expect(throws: NumberFault.tooPrecise) { try DecimalNumber(shortest: Double.leastNonzeroMagnitude) }
        #expect(throws: NumberFault.tooLarge) { try DecimalNumber(shortest: Double.greatestFiniteMagnitude) }
    }

    @Test(
        "rescaling rounds half to even",
        arguments: [
            ("244.5", -1, 2445), ("244.5", -3, 244_500), ("244.5", 0, 244), ("245.5", 0, 246), ("-244.5", 0, -244),
            ("-245.5", 0, -246), ("0.05", -1, 0), ("0.15", -1, 2), ("0.051", -1, 1), ("1e3", 0, 1000), ("1", 19, 0),
            ("5000000000000000000", 19, 0), ("5000000000000000001", 19, 1), ("-9223372036854775808", 19, -1),
            ("9223372036854775807", 20, 0), ("9223372036854775807", 1, 922_337_203_685_477_581),
        ] as [(String, Int8, Int64)])
    func rescales(text: String, exponent: Int8, mantissa: Int64) throws {
        #expect(try DecimalNumber(text: text).mantissa(at: exponent, rounding: .halfEven) == mantissa)
    }

    @Test("rescaling refuses what does not fit, and lost digits when asked to")
    func rescalingRefuses() throws {
        #expect(throws: NumberFault.tooLarge) {
            try DecimalNumber(text: "1e18").mantissa(at: -1, rounding: .halfEven)
        }
        #expect(throws: NumberFault.tooLarge) { try DecimalNumber(text: "1").mantissa(at: -40, rounding: .halfEven) }
        #expect(throws: NumberFault.tooPrecise) { try DecimalNumber(text: "0.15").mantissa(at: -1, rounding: .refuse) }
        #expect(throws: NumberFault.tooPrecise) { try DecimalNumber(text: "1").mantissa(at: 30, rounding: .refuse) }
        #expect(try DecimalNumber(text: "0").mantissa(at: -100, rounding: .refuse) == 0)
    }

    @Test("sums and products are exact or refused")
    func arithmetic() throws {
        #expect(try DecimalNumber(text: "23.1").adding(DecimalNumber(text: "0.95")) == DecimalNumber(text: "24.05"))
        #expect(
            try DecimalNumber(text: "0.1").multiplied(by: DecimalNumber(text: "-0.5")) == DecimalNumber(text: "-0.05"))
        #expect(throws: NumberFault.tooLarge) { try DecimalNumber(.max).adding(DecimalNumber(1)) }
        #expect(throws: NumberFault.tooLarge) { try DecimalNumber(.max).multiplied(by: DecimalNumber(2)) }
        #expect(try DecimalNumber(1, exponent: 30).adding(.zero) == DecimalNumber(1, exponent: 30))
    }

    @Test(
        "the nearest binary number is that of the text",
        arguments: ["244.5", "0.1", "1e30", "-12e-30", "9223372036854775807"])
    func binary(text: String) throws {
        #expect(try DecimalNumber(text: text).double == Double(text))
    }

    @Test("secondary units become primary ones exactly")
    func units() throws {
        let kilowattHours = try #require(UnitSymbol("kWh").flatMap(UnitConversion.init(from:)))
        #expect(kilowattHours.primary.text == "J")
        #expect(try kilowattHours.convert(DecimalNumber(text: "1.5")) == DecimalNumber(5_400_000))
        let dBm = try #require(UnitSymbol("dBm").flatMap(UnitConversion.init(from:)))
        #expect(try dBm.convert(DecimalNumber(text: "-70.5")) == DecimalNumber(text: "-100.5"))
        #expect(UnitSymbol("W").flatMap(UnitConversion.init(from:)) == nil)
        #expect(UnitSymbol("") == nil)
        #expect(UnitSymbol("12345678901234567") == nil)
        #expect(UnitSymbol("m s") == nil)
        #expect(UnitSymbol("1234567890123456")?.text == "1234567890123456")
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
