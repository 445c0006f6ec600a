import Base
import Testing

@testable import Telemetry

@Suite struct SenMLCBORTests {
    private func bytes(_ hex: String) -> [UInt8] { [UInt8](hex: hex.filter { $0 != " " }) ?? [] }

    @Test("RFC 8428 section 6: the CBOR example, floats of every width as short decimals")
    func example() throws {
        // The pack of section 5.1.2 as the specification prints it in figure 3, with its seven records.
        let pack = bytes(
            """
            87 a7 21 78 1b 75726e3a6465763a6f773a3130653230373361303130383030363a 22 fb 41d303a15b001062
             23 61 41 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666
             a3 00 67 63757272656e74 06 24 02 fb 3ff3333333333333
             a3 00 67 63757272656e74 06 23 02 fb 3ff4cccccccccccd
             a3 00 67 63757272656e74 06 22 02 fb 3ff6666666666666
             a3 00 67 63757272656e74 06 21 02 f9 3e00
             a3 00 67 63757272656e74 06 20 02 fb 3ff999999999999a
             a3 00 67 63757272656e74 06 00 02 fb 3ffb333333333333
            """.filter { $0 != "\n" })
        // The example announces version 5, a draft's, which receivers must refuse.
        #expect(TelemetryDecoder.fault(pack)?.reason == .badVersion)
        var final = pack
        let place = try #require(final.indices.first { final[$0...].starts(with: [0x20, 0x05, 0x00, 0x67]) })
        final[place + 1] = 0x0A
        let readings = try TelemetryDecoder.decoded(final)
        #expect(readings.map(\.value) == ["120.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
        #expect(readings.first?.name == "urn:dev:ow:10e2073a0108006:voltage")
        #expect(readings.map(\.unit) == ["V", "A", "A", "A", "A", "A", "A"])
        let time: Int64 = 1_276_020_076_001_000
        #expect(readings.map(\.time) == [0, -5, -4, -3, -2, -1, 0].map { time + $0 * 1_000_000 })
        for count in 1..<final.count {
            #expect(TelemetryDecoder.fault(Array(final[..<count]))?.reason == .truncated, "\(count)")
        }
    }

    @Test(
        "numbers of every encoding are exact",
        arguments: [
            ("00", "0"), ("17", "23"), ("1818", "24"), ("190100", "256"), ("1a00010000", "65536"),
            ("1b7fffffffffffffff", "9223372036854775807"), ("20", "-1"), ("3b7fffffffffffffff", "-9223372036854775808"),
            ("c48220190985", "243.7"), ("c482211909a5", "24.69"), ("c4820305", "5000"), ("c48238 2a 00", "0"),
            ("c4822026", "-0.7"), ("c242 0100", "256"), ("c349 00000000 0000000001", "-2"), ("c48221c24204d2", "12.34"),
            ("f93c00", "1"), ("f9b800", "-0.5"), ("fa41b8cccd", "23.1"), ("fb403719999999999a", "23.1"),
        ])
    func numbers(item: String, value: String) throws {
        #expect(try TelemetryDecoder.decoded(bytes("81a2006161 02" + item)).map(\.value) == [value])
    }

    @Test("containers without a count, text, data, booleans and unknown labels are read")
    func shapes() throws {
        let pack = bytes(
            """
            9f bf 00 6161 03 626869 ff bf 00 6162 04 f5 09 9f 01 82 02 03 ff ff bf 00 6163 08 42 0102 63 787878 a1 01 7f 6161 6162 ff ff
             bf 00 6164 05 01 20 0a ff ff
            """.filter { $0 != "\n" })
        let readings = try TelemetryDecoder.decoded(pack)
        #expect(readings == [.init("a", "'hi'"), .init("b", "true"), .init("c", "0102"), .init("d:sum", "1")])
        for count in 1..<pack.count {
            #expect(TelemetryDecoder.fault(Array(pack[..<count]))?.reason == .truncated, "\(count)")
        }
    }

    @Test(
        "a wrong pack is refused with its fault",
        arguments: [
            ("80", .empty), ("9fff", .empty), ("81a0", .noValue), ("8101", .wrongType), ("81a1006161", .noValue),
            ("81a10201", .noName), ("81a20061610203 00", .trailingBytes),
            ("81a2006161021bffffffffffffffff", .numberTooLarge),
            ("81a2006161023bffffffffffffffff", .numberTooLarge),
            ("81a20061 6102 c249010000000000000000", .numberTooLarge),
            ("81a20061 6102 c2488000000000000000", .numberTooLarge),
            ("81a2006161 02f97e00", .notFinite), ("81a200616102fa7f800000", .notFinite),
            ("81a200616102fbfff0000000000000", .notFinite), ("81a200616102 c4821880 01", .numberTooLarge),
            ("81a200616102 c48238 80 01", .numberTooPrecise), ("81a200616102 c4830101 01", .notCBOR),
            ("81a200616102 c482 f93c00 01", .notCBOR), ("81a200616102 c58201 01", .unsupportedCBOR),
            ("81a200616102f6", .wrongType), ("81a2006161026131", .wrongType), ("81a200416102 01", .wrongType),
            ("81a2006161027f6131ff", .unsupportedCBOR), ("81a2006161021c", .notCBOR), ("81a200616102ff", .notCBOR),
            ("81a2616e616102 01", .wrongType), ("81a300616102 01 62785f 01", .mandatoryField),
            ("81a300616102 01 02 02", .duplicateField), ("81a300616102 01 04 f5", .twoValues),
            ("81a3006161020120 09", .badVersion), ("81a30061610201 09 ff", .notCBOR),
            ("81a30061610201 09 7f4100ff", .notCBOR),
            ("81a30061610201 09 7f01ff", .notCBOR), ("81a20061fc0201", .badName), ("81a200616103 61ff", .notUTF8),
            ("9bffffffffffffffff", .truncated), ("81bb7fffffffffffffff", .truncated),
            ("815bffffffffffffffff", .truncated),
            ("81a30061610201 09 818181818181818181818181818181818181818101", .tooDeep),
            ("81a30061610201 09 c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c101", .tooDeep),
            ("81a200616106fb7fe0000000000000", .numberTooLarge),
            ("81a3006161 06 1b0fffffffffffffff 0201", .timeOutOfRange),
        ] as [(String, InputFault.Reason)])
    func refuses(pack: String, reason: InputFault.Reason) {
        #expect(TelemetryDecoder.fault(bytes(pack), as: .senMLCBOR)?.reason == reason)
    }

    @Test("no bytes trap: seeded random and mutated packs are accepted or refused")
    func random() {
        var generator = SeededGenerator(seed: 11)
        let pack = bytes(
            "83a3216275 3a 0001006161 02c482 2019 0985 a2006162 03 626869 a3 0063 616263 05 fb3ff3333333333333 06 24")
        for round in 0..<30_000 {
            var mutated =
                round.isMultiple(of: 3)
                ? (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                } : pack
            for _ in 0..<Int.random(in: 0...4, using: &generator) where !mutated.isEmpty {
                mutated[Int.random(in: mutated.indices, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = try? TelemetryDecoder.decoded(mutated, as: .senMLCBOR)
        }
    }
}
