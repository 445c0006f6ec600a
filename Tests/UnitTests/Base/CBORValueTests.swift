import Base
import Probes
import Testing

@Suite("small values in CBOR")
struct CBORValueTests {
    static func read(_ hex: String, _ limits: CBORLimits = CBORLimits()) throws -> CBORValue? {
        let bytes = try #require([UInt8](hex: hex))
        let read = try CBORValue.prefix(of: bytes, limits: limits)
        #expect(read.length == bytes.count)
        return read.value
    }

    static func fault(_ hex: String, _ limits: CBORLimits = CBORLimits()) throws -> CBORFault.Reason? {
        let bytes = try #require([UInt8](hex: hex))
        do throws(CBORFault) {
            _ = try CBORValue.prefix(of: bytes, limits: limits)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test(
        "RFC 8949's examples are read, and written as they were",
        arguments: [
            ("00", .integer(0)), ("17", .integer(23)), ("1818", .integer(24)), ("1903e8", .integer(1000)),
            ("1a000f4240", .integer(1_000_000)), ("1b000000e8d4a51000", .integer(1_000_000_000_000)),
            ("20", .integer(-1)), ("3863", .integer(-100)), ("3b7fffffffffffffff", .integer(.min)),
            ("1b7fffffffffffffff", .integer(.max)), ("40", .bytes([])), ("4401020304", .bytes([1, 2, 3, 4])),
            ("60", .text("")), ("6449455446", .text("IETF")), ("62c3bc", .text("ü")), ("80", .array([])),
            ("83010203", .array([.integer(1), .integer(2), .integer(3)])), ("a0", .map([])),
            ("a201020304", .map([.init(.integer(1), .integer(2)), .init(.integer(3), .integer(4))])),
            (
                "a26161016162820203",
                .map([
                    .init(.text("a"), .integer(1)), .init(.text("b"), .array([.integer(2), .integer(3)])),
                ])
            ), ("f4", .boolean(false)), ("f5", .boolean(true)), ("f6", .null),
        ] as [(String, CBORValue)])
    func examples(hex: String, value: CBORValue) throws {
        #expect(try Self.read(hex) == value)
        #expect(value.encoded.hex == hex)
    }

    @Test(
        "what CTAP2 does not write is refused with its reason",
        arguments: [
            ("", .truncated), ("18", .truncated), ("4201", .truncated), ("8201", .truncated), ("a101", .truncated),
            ("9bffffffffffffffff", .truncated), ("5bffffffffffffffff", .truncated), ("1800", .notShortest),
            ("190017", .notShortest), ("1900ff", .notShortest), ("1a0000ffff", .notShortest),
            ("1b00000000ffffffff", .notShortest), ("1bffffffffffffffff", .unsupported),
            ("3bffffffffffffffff", .unsupported), ("9f01ff", .unsupported), ("bf0102ff", .unsupported),
            ("5f4101ff", .unsupported), ("c000", .unsupported), ("f7", .unsupported), ("f90000", .unsupported),
            ("fa00000000", .unsupported), ("ff", .unsupported), ("1c", .unsupported), ("62c328", .notText),
            ("a1400a", .badKey), ("a1f40a", .badKey), ("a201020103", .repeatedKey),
            ("a3616101616202616103", .repeatedKey), ("8181818181818100", .tooDeep),
        ] as [(String, CBORFault.Reason)])
    func faults(hex: String, reason: CBORFault.Reason) throws {
        #expect(try Self.fault(hex) == reason)
    }

    @Test("every beginning of a value asks for more")
    func drip() throws {
        let value = CBORValue.map([
            .init(.text("fmt"), .text("none")), .init(.integer(-257), .bytes(Array(repeating: 7, count: 300))),
        ])
        for length in 0..<value.encoded.count {
            let reason = try Self.fault(value.encoded[..<length].hex)
            #expect(reason == .truncated, "\(length)")
        }
    }

    @Test("its limits hold")
    func limits() throws {
        #expect(try Self.fault("83010203", CBORLimits(items: 3)) == .tooManyItems)
        #expect(try Self.read("83010203", CBORLimits(items: 4)) != nil)
        #expect(try Self.fault("4401020304", CBORLimits(bytes: 4)) == .tooLong)
        #expect(try Self.fault("818100", CBORLimits(depth: 1)) == .tooDeep)
    }

    @Test("what follows the item is left to the caller, and a map is asked by key")
    func prefix() throws {
        let (value, length) = try CBORValue.prefix(of: [0xA2, 0x01, 0x02, 0x61, 0x61, 0xF6, 0xFF])
        #expect(length == 6)
        #expect(value[1] == .integer(2) && value["a"] == .null && value[2] == nil && value["b"] == nil)
        #expect(CBORValue.integer(1)[1] == nil)
    }
}
