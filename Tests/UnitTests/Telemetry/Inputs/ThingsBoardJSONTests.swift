import Base
import Testing

@testable import Telemetry

@Suite struct ThingsBoardJSONTests {
    private typealias Expected = DecodedReading

    @Test(
        "each form of the telemetry JSON is read",
        arguments: [
            (#"{"temperature":42.2,"humidity":70}"#, [Expected("temperature", "42.2"), Expected("humidity", "70")]),
            (
                #"{"ts":1451649600512,"values":{"key1":"value1","key2":true}}"#,
                [
                    Expected("key1", "'value1'", at: 1_451_649_600_512_000, stamped: true),
                    Expected("key2", "true", at: 1_451_649_600_512_000, stamped: true),
                ]
            ),
            (
                #"{"values":{"a":1},"note":5,"ts":1000.5}"#, [Expected("a", "1", at: 1_000_500, stamped: true)]
            ),
            (
                #"[{"a":1},{"ts":2000,"values":{"a":2,"b":false}},{"ts":1000,"values":{"a":3}}]"#,
                [
                    Expected("a", "1"), Expected("a", "2", at: 2_000_000, stamped: true),
                    Expected("b", "false", at: 2_000_000, stamped: true),
                    Expected("a", "3", at: 1_000_000, stamped: true),
                ]
            ),
            (#"{"ts":5,"a":1}"#, [Expected("a", "1"), Expected("ts", "5")]),
            (#"{"values":{"a":1}}"#, [Expected("values", #"'{"a":1}'"#)]),
            (#"{"ts":"x","values":7}"#, [Expected("ts", "'x'"), Expected("values", "7")]),
            (#"{"a":null,"b":1}"#, [Expected("b", "1")]), ("{}", []), ("[{}]", []),
            (
                #"{"a":{"x":[1, 2,{"y":null}]},"b":[]}"#,
                [Expected("a", #"'{"x":[1, 2,{"y":null}]}'"#), Expected("b", "'[]'")]
            ),
            (#"{"näme \u0041":-0.5}"#, [Expected("näme A", "-0.5")]),
            (#"{"a":"21.50","b":"-3","c":"0"}"#, [Expected("a", "21.5"), Expected("b", "-3"), Expected("c", "0")]),
            (
                #"{"a":"1e5","b":"007","c":"+5","d":"","e":"5 W","f":"-","g":"12345678901234567890","h":"1."}"#,
                [
                    Expected("a", "'1e5'"), Expected("b", "'007'"), Expected("c", "'+5'"), Expected("d", "''"),
                    Expected("e", "'5 W'"), Expected("f", "'-'"), Expected("g", "'12345678901234567890'"),
                    Expected("h", "'1.'"),
                ]
            ),
            (#"{"a":1,"a":2}"#, [Expected("a", "1"), Expected("a", "2")]),
        ] as [(String, [DecodedReading])])
    func reads(payload: String, expected: [DecodedReading]) throws {
        #expect(try TelemetryDecoder.decoded(Array(payload.utf8)) == expected)
        #expect(try TelemetryDecoder.decoded(Array(payload.utf8), as: .thingsBoardJSON) == expected)
    }

    @Test(
        "wrong JSON is refused with its fault",
        arguments: [
            ("[]", .empty), ("", .empty), ("  ", .truncated), ("1", .notJSON), ("\"a\"", .notJSON), ("[1]", .notJSON),
            (#"{"a"}"#, .notJSON), (#"{"a":}"#, .notANumber), (#"{"a":tru}"#, .notJSON), (#"{"a":1}}"#, .trailingBytes),
            (#"{"a":1}{"b":2}"#, .trailingBytes), (#"{"a":1"#, .truncated), (#"{"":1}"#, .noName),
            ("{\"a\u{7F}\":1}", .badName),
            (#"{"a\n":1}"#, .badName), (#"{"a":1e999}"#, .numberTooLarge), (#"{"a":NaN}"#, .notFinite),
            (#"{"a":-Infinity}"#, .notFinite),
            (#"{"ts":99999999999999999,"values":{"a":1}}"#, .timeOutOfRange),
            (#"{"ts":-1,"values":{"a":1}}"#, .timeOutOfRange),
            (#"{"a":'x'}"#, .notANumber), (#"{"a":[1,]}"#, .notJSON), (#"{"a":{"b":nul}}"#, .notJSON),
        ] as [(String, InputFault.Reason)])
    func refuses(payload: String, reason: InputFault.Reason) {
        #expect(TelemetryDecoder.fault(Array(payload.utf8), as: .thingsBoardJSON)?.reason == reason)
    }

    @Test("a payload cut at any byte is refused as truncated")
    func truncation() {
        let payload = Array(
            #"[{"values":{"a\u0041":1.5,"b":[true,null]},"ts":1451649600512},{"c":"x","d":{"e":-1e3}}]"#.utf8)
        for count in 1..<payload.count {
            #expect(
                TelemetryDecoder.fault(Array(payload[..<count]), as: .thingsBoardJSON)?.reason == .truncated, "\(count)"
            )
        }
    }

    @Test(
        "an array is SenML exactly when its first object has a name as SenML has it",
        arguments: [
            (#"[{"n":"a","v":1}]"#, TelemetryFormat.senMLJSON), (#"[{"v":1,"u":"V","bn":"a"}]"#, .senMLJSON),
            (#"[{"n":1,"v":1}]"#, .thingsBoardJSON), (#"[{"v":1,"t":2}]"#, .thingsBoardJSON),
            (#"[{"ts":1,"values":{"n":"a"}}]"#, .thingsBoardJSON), (#"[{},{"n":"a"}]"#, .thingsBoardJSON),
            (#" {"n":"a","v":1}"#, .thingsBoardJSON), ("[]", .thingsBoardJSON), ("[1]", .thingsBoardJSON),
        ])
    func sniffs(payload: String, format: TelemetryFormat) throws {
        let found = try Array(payload.utf8).withUnsafeBufferPointer { try TelemetryFormat.find($0, depthLimit: 16) }
        #expect(found == format)
    }

    @Test("what is none of the formats is refused")
    func unknown() {
        for payload in ["hello", "<senml/>", "\u{01}\u{02}", "42"] {
            #expect(TelemetryDecoder.fault(Array(payload.utf8))?.reason == .unknownFormat)
        }
        #expect(TelemetryDecoder.fault([0xA0])?.reason == .unknownFormat)
        #expect(TelemetryDecoder.fault([])?.reason == .empty)
    }

    @Test("each line has its own verdict")
    func lines() throws {
        let body = """
            {"a":1}
            \r
            [{"n":"b","v":2}]\r
            {"a":}

            {"ts":1000,"values":{"a":3}}
            [{"n":"b","v":4},{"n":"c"}]
            """
        var decoder = TelemetryDecoder(names: SeriesNameCache(seed: 1))
        var batch = ReadingBatch()
        let verdicts = try Array(body.utf8).withUnsafeBytes {
            try decoder.decodeLines($0, received: Timestamp(microseconds: DecodedReading.moment), into: &batch)
        }
        #expect(verdicts.accepted == 3)
        #expect(verdicts.faults.map(\.line) == [4, 7])
        #expect(verdicts.faults.map(\.reason) == [.notANumber, .noValue])
        #expect(verdicts.faults[1].refusal.faults[0].place == "line 7, byte 26")
        #expect(
            batch.readings.map { decoder.written($0, in: batch) } == [
                Expected("a", "1"), Expected("b", "2"), Expected("a", "3", at: 1_000_000, stamped: true),
            ])
    }

    @Test("too many lines refuse the whole body")
    func tooManyLines() {
        var limits = InputLimits()
        limits.lines = 2
        var decoder = TelemetryDecoder(limits: limits)
        var batch = ReadingBatch()
        #expect(throws: InputFault(.tooManyLines, at: 16)) {
            try Array("{\"a\":1}\n{\"a\":1}\n{\"a\":1}".utf8).withUnsafeBytes {
                _ = try decoder.decodeLines($0, received: Timestamp(microseconds: 1), into: &batch)
            }
        }
        #expect(batch.readings.isEmpty)
    }

    @Test("no bytes trap: seeded mutations are accepted or refused")
    func random() {
        var generator = SeededGenerator(seed: 13)
        let payload = Array(
            #"[{"n":"a\u0041","v":1.5e3,"vs":"x"},{"ts":1451649600512,"values":{"a":[1,{"b":null}],"c":-0.5}}]"#.utf8)
        let letters = Array(#"{}[]",:\u0123456789.-+eEtrfalsn "#.utf8) + [0, 0x80, 0xC3, 0xFF]
        for _ in 0..<30_000 {
            var mutated = payload
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                mutated[Int.random(in: mutated.indices, using: &generator)] =
                    letters.randomElement(using: &generator) ?? 0
            }
            _ = try? TelemetryDecoder.decoded(mutated)
            _ = try? TelemetryDecoder.decoded(mutated, as: .thingsBoardJSON)
            _ = try? TelemetryDecoder.decoded(mutated, as: .senMLJSON)
        }
    }
}
