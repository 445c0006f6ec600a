import Testing

@testable import Telemetry

@Suite struct ChunkMergeTests {
    private func chunk(_ columns: [ChunkPoints]) throws -> Chunk {
        var builder = ChunkBuilder()
        for column in columns { try builder.add(column) }
        return try Chunk(builder.encoded())
    }

    @Test("late points are laid over earlier ones, and the later write counts")
    func overlay() throws {
        let earlier = try chunk([
            ChunkPoints(series: 1, exponent: -1, times: [10, 20, 30], mantissas: [1, 2, 3]),
            ChunkPoints(series: 2, exponent: 0, times: [10], mantissas: [7]),
        ])
        let later = try chunk([
            ChunkPoints(series: 3, exponent: 0, times: [5], mantissas: [9]),
            ChunkPoints(series: 1, exponent: -1, times: [5, 20, 25, 40], mantissas: [50, 60, 70, 80]),
        ])
        let merged = try Chunk(Chunk.merged(earlier, later))
        #expect(
            try merged.points() == [
                ChunkPoints(
                    series: 1, exponent: -1, times: [5, 10, 20, 25, 30, 40], mantissas: [50, 1, 60, 70, 3, 80]),
                ChunkPoints(series: 2, exponent: 0, times: [10], mantissas: [7]),
                ChunkPoints(series: 3, exponent: 0, times: [5], mantissas: [9]),
            ])
    }

    @Test(
        "two resolutions meet at the finer one that fits",
        arguments: [
            (Int8(0), [5], Int8(-2), [123], Int8(-2), [500, 123]), (-2, [123], 0, [5], -2, [123, 500]),
            (0, [.max], -1, [25], 0, [.max, 2]), (0, [.max / 10], -1, [25], -1, [9_223_372_036_854_775_800, 25]),
            (100, [0], -100, [3], -100, [0, 3]), (100, [1], -100, [3], 82, [1_000_000_000_000_000_000, 0]),
            (1, [.min], 0, [15], 1, [.min, 2]),
        ] as [(Int8, [Int64], Int8, [Int64], Int8, [Int64])])
    func resolutions(
        left: Int8, leftValue: [Int64], right: Int8, rightValue: [Int64], exponent: Int8, values: [Int64]
    ) {
        let earlier = ChunkPoints(series: 1, exponent: left, times: [1], mantissas: leftValue)
        let later = ChunkPoints(series: 1, exponent: right, times: [2], mantissas: rightValue)
        #expect(
            earlier.overlaid(by: later) == ChunkPoints(series: 1, exponent: exponent, times: [1, 2], mantissas: values))
    }

    @Test("seeded random merges agree with a dictionary")
    func random() throws {
        var generator = SeededGenerator(seed: 23)
        for _ in 0..<200 {
            var expected: [Int64: Int64] = [:]
            func points() -> ChunkPoints {
                let times = Set(
                    (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                        Int64.random(in: 0...60, using: &generator)
                    }
                ).sorted()
                let mantissas = times.map { _ in Int64.random(in: -9...9, using: &generator) }
                for (time, mantissa) in zip(times, mantissas) { expected[time] = mantissa }
                return ChunkPoints(series: 4, exponent: 0, times: times, mantissas: mantissas)
            }
            let merged = try Chunk(Chunk.merged(chunk([points()]), chunk([points()])))
            let found = try #require(try merged.points(ofSeries: 4))
            #expect(found.times == expected.keys.sorted())
            #expect(found.mantissas == expected.sorted { $0.key < $1.key }.map(\.value))
        }
    }
}
