import Base
import Testing

@testable import Telemetry

@Suite struct SeriesNameCacheTests {
    @Test("names keep their indexes, in whatever order they come")
    func stable() throws {
        var decoder = TelemetryDecoder(names: SeriesNameCache(seed: 3))
        var batch = ReadingBatch()
        func decode(_ text: String) throws -> [Int32] {
            batch.removeAll()
            try decoder.decode(Array(text.utf8), received: Timestamp(microseconds: 1), into: &batch)
            return batch.readings.map(\.series)
        }
        #expect(try decode(#"{"a":1,"b":1,"c":1}"#) == [0, 1, 2])
        #expect(try decode(#"{"a":1,"b":1,"c":1}"#) == [0, 1, 2])
        #expect(try decode(#"{"c":1,"a":1,"d":1,"b":1}"#) == [2, 0, 3, 1])
        #expect(
            try decode(#"[{"bn":"ab","n":"c","v":1},{"bn":"a","n":"bc","v":1},{"bn":"","n":"a","v":1}]"#) == [4, 4, 0])
        #expect(decoder.names.name(at: 4) == "abc")
        #expect(decoder.names.name(at: 5) == nil)
        #expect(decoder.names.index(of: "d") == 3)
        #expect(decoder.names.index(of: "x") == nil)
    }

    @Test("a connection that keeps using new names makes the cache start anew between payloads")
    func generations() throws {
        var limits = InputLimits()
        limits.names = 4
        var decoder = TelemetryDecoder(limits: limits, names: SeriesNameCache(capacity: 4, seed: 3))
        var batch = ReadingBatch()
        func decode(_ text: String) throws {
            try decoder.decode(Array(text.utf8), received: Timestamp(microseconds: 1), into: &batch)
        }
        try decode(#"{"a":1,"b":1,"c":1,"d":1}"#)
        #expect(decoder.names.generation == 0)
        try decode(#"{"b":1,"e":1}"#)
        #expect(decoder.names.generation == 1)
        #expect(decoder.names.index(of: "b") == 0)
        #expect(decoder.names.index(of: "a") == nil)
        #expect(decoder.names.count == 2)
    }

    @Test("many names are all found again")
    func many() throws {
        var decoder = TelemetryDecoder(names: SeriesNameCache(seed: 5))
        var batch = ReadingBatch()
        let names = (0..<1000).map { "series-\($0 * 7919 % 1000)" }
        let payload = Array("{\(names.map { "\"\($0)\":1" }.joined(separator: ","))}".utf8)
        for _ in 0..<3 { try decoder.decode(payload, received: Timestamp(microseconds: 1), into: &batch) }
        #expect(decoder.names.count == 1000)
        #expect(batch.readings.map { decoder.names.name(at: $0.series) ?? "" } == names + names + names)
    }
}
