import Base
import Testing

@testable import Telemetry

@Suite struct SenMLJSONTests {
    private typealias Expected = DecodedReading

    @Test("RFC 8428 section 5.1.1: a single datapoint now")
    func singleDatapoint() throws {
        let pack = #"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#
        #expect(
            try TelemetryDecoder.decoded(Array(pack.utf8)) == [Expected("urn:dev:ow:10e2073a01080063", "23.1", "Cel")])
    }

    @Test("RFC 8428 section 5.1.2: voltage and current now, the base name joined")
    func multipleDatapoints() throws {
        let pack = """
            [
              {"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},
              {"n":"current","u":"A","v":1.2}
            ]
            """
        #expect(
            try TelemetryDecoder.decoded(Array(pack.utf8)) == [
                Expected("urn:dev:ow:10e2073a01080063:voltage", "120.1", "V"),
                Expected("urn:dev:ow:10e2073a01080063:current", "1.2", "A"),
            ])
    }

    @Test("RFC 8428 section 5.1.2: the same at a base time, earlier currents relative to it")
    func baseTime() throws {
        let pack = """
            [
              {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":10,
               "n":"voltage","u":"V","v":120.1},
              {"n":"current","t":-5,"v":1.2},
              {"n":"current","t":-4,"v":1.3},
              {"n":"current","v":1.7}
            ]
            """
        let time: Int64 = 1_276_020_076_001_000
        #expect(
            try TelemetryDecoder.decoded(Array(pack.utf8)) == [
                Expected("urn:dev:ow:10e2073a0108006:voltage", "120.1", "V", at: time, stamped: true),
                Expected("urn:dev:ow:10e2073a0108006:current", "1.2", "A", at: time - 5_000_000, stamped: true),
                Expected("urn:dev:ow:10e2073a0108006:current", "1.3", "A", at: time - 4_000_000, stamped: true),
                Expected("urn:dev:ow:10e2073a0108006:current", "1.7", "A", at: time, stamped: true),
            ])
    }

    @Test("RFC 8428 section 5.1.2: measurements relative to now, out of order")
    func relativeToNow() throws {
        let pack = """
            [{"bn":"urn:dev:ow:10e2073a0108006:","bu":"%RH","n":"h","v":21.2},{"n":"h","t":-10,"v":21.3},
             {"n":"h","t":-20.5,"v":21.4},{"n":"h","t":3,"v":21.5}]
            """
        let name = "urn:dev:ow:10e2073a0108006:h"
        #expect(
            try TelemetryDecoder.decoded(Array(pack.utf8)) == [
                Expected(name, "21.2", "%RH"), Expected(name, "21.3", "%RH", at: DecodedReading.moment - 10_000_000),
                Expected(name, "21.4", "%RH", at: DecodedReading.moment - 20_500_000),
                Expected(name, "21.5", "%RH", at: DecodedReading.moment + 3_000_000),
            ])
    }

    @Test("RFC 8428 section 5.1.4: values of every kind")
    func valueKinds() throws {
        let pack = """
            [{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
             {"n":"label","vs":"Machine Room"},{"n":"open","vb":false},{"n":"nfc-reader","vd":"aGkgCg"}]
            """
        let base = "urn:dev:ow:10e2073a01080063:"
        #expect(
            try TelemetryDecoder.decoded(Array(pack.utf8)) == [
                Expected(base + "temp", "23.1", "Cel"), Expected(base + "label", "'Machine Room'"),
                Expected(base + "open", "false"), Expected(base + "nfc-reader", "6869200a"),
            ])
    }

    @Test("base value and base sum are added, and a sum is a series of its own")
    func baseValueAndSum() throws {
        let pack = """
            [{"bn":"m:","bv":20,"bs":1000,"bu":"W","n":"p","v":0.5,"s":0.25},{"n":"p","v":-0.5},{"n":"e","s":7}]
            """
        #expect(
            try TelemetryDecoder.decoded(Array(pack.utf8)) == [
                Expected("m:p", "20.5", "W"), Expected("m:p:sum", "1000.25"), Expected("m:p", "19.5", "W"),
                Expected("m:e:sum", "1007"),
            ])
    }

    @Test(
        "times below 2^28 seconds are relative, from there on absolute",
        arguments: [
            ("268435455", DecodedReading.moment + 268_435_455_000_000, false), ("268435456", 268_435_456_000_000, true),
            ("1700000001.1234567", 1_700_000_001_123_457, true), ("-1", DecodedReading.moment - 1_000_000, false),
        ] as [(String, Int64, Bool)])
    func relativeBoundary(time: String, expected: Int64, stamped: Bool) throws {
        #expect(
            try TelemetryDecoder.decoded(Array(#"[{"n":"a","t":\#(time),"v":1}]"#.utf8)) == [
                Expected("a", "1", at: expected, stamped: stamped)
            ])
    }

    @Test(
        "what the specification allows is accepted",
        arguments: [
            (#"[{"bn":"a"},{"v":1}]"#, "a", "1"), (#"[{"n":"a","v":1,"x":{"y":[1,"]}"]},"l":"[]"}]"#, "a", "1"),
            (#"[{"n":"a","v":1,"ut":30}]"#, "a", "1"), (#"[{"bver":26,"n":"a","u":"kWh","v":1}]"#, "a", "1"),
            ("\r\n\t [ { \"n\" : \"a\" , \"v\" : 1 } ] \n", "a", "1"),
            (#"[{"bn":"\/3303\/0\/5700","v":1}]"#, "/3303/0/5700", "1"),
            (#"[{"n":"a","vs":"\u00e9\ud83d\ude00\n\"\\"}]"#, "a", "'é😀\n\"\\'"),
            (#"[{"n":"\u0061\u002db","v":1e2}]"#, "a-b", "100"),
            (#"[{"n":"a","vd":""}]"#, "a", ""), (#"[{"n":"a","vd":"_-8="}]"#, "a", "ffef"),
            (#"[{"n":"a","vs":""}]"#, "a", "''"),
        ])
    func accepts(pack: String, name: String, value: String) throws {
        let readings = try TelemetryDecoder.decoded(Array(pack.utf8))
        #expect(readings.map(\.name) == [name])
        #expect(readings.map(\.value) == [value])
    }

    @Test(
        "a wrong pack is refused with its fault",
        arguments: [
            ("[]", .empty), ("[{}]", .noValue), (#"[{"n":"a"}]"#, .noValue), (#"[{"n":"a","t":1}]"#, .noValue),
            (#"[{"v":1}]"#, .noName), (#"[{"n":"","v":1}]"#, .noName), (#"[{"n":"a b","v":1}]"#, .badName),
            (#"[{"n":"_a","v":1}]"#, .badName), (#"[{"n":"\u00e9","v":1}]"#, .badName),
            (#"[{"n":"a","v":1,"vb":true}]"#, .twoValues), (#"[{"n":"a","v":1,"v":2}]"#, .duplicateField),
            (#"[{"n":"a","v":1,"must_":2}]"#, .mandatoryField), (#"[{"n":"a","v":"1"}]"#, .wrongType),
            (#"[{"n":"a","v":null}]"#, .wrongType), (#"[{"n":1,"v":1}]"#, .wrongType),
            (#"[{"n":"a","vb":1}]"#, .wrongType), (#"[{"n":"a","vs":1}]"#, .wrongType),
            (#"[{"bver":11,"n":"a","v":1}]"#, .badVersion),
            (#"[{"bver":10,"n":"a","v":1},{"bver":26,"n":"a","v":1}]"#, .badVersion),
            (#"[{"n":"a","u":"","v":1}]"#, .badUnit), (#"[{"n":"a","u":"averyveryverylongunit","v":1}]"#, .badUnit),
            (#"[{"n":"a","v":NaN}]"#, .notFinite), (#"[{"n":"a","v":Infinity}]"#, .notFinite),
            (#"[{"n":"a","v":-Infinity}]"#, .notFinite), (#"[{"n":"a","v":9223372036854775808}]"#, .numberTooLarge),
            (#"[{"n":"a","v":0.12345678901234567891}]"#, .numberTooPrecise), (#"[{"n":"a","v":01}]"#, .notANumber),
            (#"[{"n":"a","v":+1}]"#, .notANumber), (#"[{"n":"a","v":1 2}]"#, .notJSON),
            (#"[{"n":"a","bv":9223372036854775807,"v":1}]"#, .numberTooLarge),
            (#"[{"n":"a","t":99999999999999,"v":1}]"#, .timeOutOfRange),
            (#"[{"n":"a","t":1e18,"v":1}]"#, .timeOutOfRange),
            (#"[{"n":"a","t":-1800000000,"v":1}]"#, .timeOutOfRange),
            (#"[{"n":"a","bt":9e12,"t":9e12,"v":1}]"#, .timeOutOfRange), (#"[{"n":"a","vd":"a"}]"#, .badData),
            (#"[{"n":"a","vd":"a+b/"}]"#, .badData), (#"[{"n":"a","v":1}] x"#, .trailingBytes),
            (#"[{"n":"a","v":1}][]"#, .trailingBytes), (#"[{"n":"a","v":1},]"#, .notJSON),
            (#"[{"n":"a","v":1,}]"#, .notJSON),
            (#"[{"n":"a" "v":1}]"#, .notJSON), (#"[{n:"a","v":1}]"#, .notJSON), (#"{"n":"a","v":1}"#, .notJSON),
            ("[{\"n\":\"a\u{01}\",\"v\":1}]", .badString), (#"[{"n":"a\x","v":1}]"#, .badString),
            (#"[{"n":"a","vs":"\ud800"}]"#, .badString), (#"[{"n":"a","vs":"\udc00"}]"#, .badString),
            (#"[{"n":"a","vs":"\ud800\u0041"}]"#, .badString), (#"[{"n":"a","vs":"\u12g4"}]"#, .badString),
            (#"[{"n":"a","v":1,"x":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}]"#, .tooDeep), ("", .empty), ("[", .truncated),
        ] as [(String, InputFault.Reason)])
    func refuses(pack: String, reason: InputFault.Reason) {
        #expect(TelemetryDecoder.fault(Array(pack.utf8), as: .senMLJSON)?.reason == reason)
    }

    @Test("text that is not UTF-8 is refused")
    func notUTF8() {
        let text = Array(#"[{"n":"a","vs":""#.utf8) + [0xC3, 0x28] + Array(#""}]"#.utf8)
        #expect(TelemetryDecoder.fault(text)?.reason == .notUTF8)
    }

    @Test("a pack cut at any byte is refused as truncated")
    func truncation() {
        let pack = Array(
            #"[{"bn":"urn:dev:\/x:","bt":1.276020076001e+09,"n":"v\u0031","u":"V","v":120.1,"x":[{"y":null},true]},{"n":"d","vd":"aGkg"}]"#
                .utf8)
        for count in 1..<pack.count {
            #expect(TelemetryDecoder.fault(Array(pack[..<count]), as: .senMLJSON)?.reason == .truncated, "\(count)")
        }
        #expect(TelemetryDecoder.fault(pack, as: .senMLJSON) == nil)
    }

    @Test("the limits on names, texts, readings and size hold")
    func limits() {
        var limits = InputLimits()
        limits.readings = 2
        limits.names = 2
        limits.nameBytes = 4
        limits.textBytes = 4
        limits.payloadBytes = 60
        func reason(_ pack: String) -> InputFault.Reason? {
            TelemetryDecoder.fault(Array(pack.utf8), limits: limits)?.reason
        }
        #expect(reason(#"[{"n":"a","v":1},{"n":"b","v":1}]"#) == nil)
        #expect(reason(#"[{"n":"a","v":1},{"n":"a","v":1},{"n":"a","v":1}]"#) == .tooManyReadings)
        #expect(reason(#"[{"n":"a","v":1},{"n":"b","v":1},{"n":"c","v":1}]"#) == .tooManyNames)
        #expect(reason(#"[{"bn":"abc","n":"de","v":1}]"#) == .nameTooLong)
        #expect(reason(#"[{"n":"a","vs":"12345"}]"#) == .textTooLong)
        #expect(reason(#"[{"n":"a","vd":"AAAAAA"}]"#) == .textTooLong)
        #expect(reason(#"[{"n":"a","v":1},{"n":"a","v":1},              {"n":"a","v":1}]"#) == .tooLarge)
    }

    @Test("a fault names its place, and becomes a refusal with a stable code")
    func place() throws {
        let fault = try #require(TelemetryDecoder.fault(Array(#"[{"n":"a","v":x}]"#.utf8)))
        #expect(fault == InputFault(.notANumber, at: 14))
        #expect(fault.refusal == Refusal(.invalid, "telemetry.number.syntax", ""))
        #expect(fault.refusal.faults.map(\.place) == ["byte 14"])
        #expect(InputFault(.tooLarge, at: 0).refusal.kind == .tooLarge)
        #expect(Set(InputFault.Reason.allCases.map(\.message)).count == InputFault.Reason.allCases.count)
    }

    @Test("a refused pack leaves the batch as it was")
    func allOrNothing() throws {
        var decoder = TelemetryDecoder(names: SeriesNameCache(seed: 1))
        var batch = ReadingBatch()
        try decoder.decode(Array(#"[{"n":"a","vs":"x"}]"#.utf8), received: Timestamp(microseconds: 1), into: &batch)
        let before = batch.readings
        #expect(throws: InputFault.self) {
            try decoder.decode(
                Array(#"[{"n":"b","vs":"yyy"},{"n":"c","v":}]"#.utf8), received: Timestamp(microseconds: 1),
                into: &batch)
        }
        #expect(batch.readings == before)
        #expect(batch.bytes == Array("x".utf8))
    }
}
