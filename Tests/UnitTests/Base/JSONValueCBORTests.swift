import Base
import Testing

@Suite("JSON in CBOR")
struct JSONValueCBORTests {
    private static let limits = CBORLimits(bytes: 256, depth: 3, items: 16)

    private static func read(_ hex: String) throws -> JSONValue {
        try JSONValue(cbor: try #require([UInt8](hex: hex)), limits: limits)
    }

    @Test(
        "RFC 8949's examples are read",
        arguments: [
            ("00", 0), ("1903e8", 1000), ("1b7fffffffffffffff", .integer(.max)), ("3b7fffffffffffffff", .integer(.min)),
            ("1bffffffffffffffff", .number(0x1p64)), ("3903e7", -1000),
            ("f93c00", .number(1)), ("f93e00", .number(1.5)), ("f90001", .number(5.960464477539063e-8)),
            ("fa47c35000", .number(100_000)), ("fb3ff199999999999a", .number(1.1)), ("f97e00", .null),
            ("f97c00", .null), ("f4", false), ("f5", true), ("f6", .null), ("f7", .null), ("60", ""),
            ("6161", "a"), ("62c3bc", "ü"), ("80", []), ("83010203", [1, 2, 3]), ("a0", [:]),
            ("a26161016162820203", ["a": 1, "b": [2, 3]]),
            ("7f657374726561646d696e67ff", "streaming"), ("9fff", []), ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
            ("bf61610161629f0203ffff", ["a": 1, "b": [2, 3]]), ("bf6346756ef563416d7421ff", ["Fun": true, "Amt": -2]),
            ("1800", 0),
        ] as [(String, JSONValue)])
    func examples(hex: String, value: JSONValue) throws {
        #expect(try Self.read(hex) == value)
    }

    @Test(
        "what is written is read as the same, in the shortest form",
        arguments: [
            (["a": 1, "b": [2, 3]], "a26161016162820203"), (-1000, "3903e7"), (1_000_000, "1a000f4240"),
            (.integer(.max), "1b7fffffffffffffff"), (.number(1.1), "fb3ff199999999999a"), ("ü", "62c3bc"),
            ([.null, true, false], "83f6f5f4"), (255, "18ff"), (256, "190100"), (65_536, "1a00010000"),
        ] as [(JSONValue, String)])
    func written(value: JSONValue, hex: String) throws {
        #expect(value.cbor == [UInt8](hex: hex))
        #expect(try Self.read(hex) == value)
    }

    @Test(
        "what JSON has not, or is broken, is refused",
        arguments: [
            ("", .truncated), ("18", .truncated), ("62c3", .truncated), ("830102", .truncated),
            ("bf6161", .truncated), ("9f01", .truncated), ("7f6161", .truncated), ("0000", .tooLong),
            ("4101", .unsupported), ("c001", .unsupported), ("ff", .unsupported), ("82ff01", .unsupported),
            ("a161", .truncated), ("bf6161ff", .unsupported), ("7f01ff", .unsupported), ("7f7f6161ffff", .unsupported),
            ("1c", .unsupported), ("1f", .unsupported), ("f8ff", .unsupported), ("61ff", .notText), ("a10101", .badKey),
            ("a2616101616102", .repeatedKey), ("8181818101", .tooDeep), ("9bffffffffffffffff", .truncated),
            ("9101010101010101010101010101010101", .tooManyItems),
            ("bbffffffffffffffff", .truncated), ("7bffffffffffffffff", .truncated),
        ] as [(String, CBORFault.Reason)])
    func refused(hex: String, reason: CBORFault.Reason) throws {
        let fault = #expect(throws: CBORFault.self) { try Self.read(hex) }
        #expect(fault?.reason == reason)
        let long = [UInt8](repeating: 0, count: Self.limits.bytes + 1)
        let tooLong = #expect(throws: CBORFault.self) { try JSONValue(cbor: long, limits: Self.limits) }
        #expect(tooLong?.reason == .tooLong && tooLong?.offset == Self.limits.bytes)
    }
}
