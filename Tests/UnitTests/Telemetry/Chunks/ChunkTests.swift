import Base
import Testing

@testable import Telemetry

@Suite struct ChunkTests {
    private func encoded(_ columns: [ChunkPoints]) throws -> [UInt8] {
        var builder = ChunkBuilder()
        for column in columns { try builder.add(column) }
        return builder.encoded()
    }

    /// What a chunk must say of a column, computed the slow way.
    private func oracle(_ column: ChunkPoints) -> ChunkSummary? {
        guard let firstTime = column.times.first, let lastTime = column.times.last, let first = column.mantissas.first,
            let last = column.mantissas.last, let minimum = column.mantissas.min(), let maximum = column.mantissas.max()
        else { return nil }
        return ChunkSummary(
            series: column.series, exponent: column.exponent, count: column.times.count, firstTime: firstTime,
            lastTime: lastTime, first: first, last: last, minimum: minimum, maximum: maximum,
            sum: column.mantissas.reduce(0) { $0 + Int128($1) })
    }

    private func expectRoundTrip(_ columns: [ChunkPoints], _ comment: Comment? = nil) throws {
        let chunk = try Chunk(encoded(columns))
        #expect(try chunk.points() == columns, comment)
        #expect(chunk.summaries == columns.compactMap(oracle), comment)
        for index in columns.indices.reversed() { #expect(try chunk.points(at: [index]) == [columns[index]], comment) }
    }

    static let times: [Int64] = (0..<100).map { $0 * 5000 + 17 }

    enum Shape: CaseIterable {
        case constant, zero, rising, falling, counter, accelerating, alternating, noise, spike, extremes, wrapping,
            wide,
            lastDiffers

        func value(_ index: Int64) -> Int64 {
            switch self {
            case .constant: 2300
            case .zero: 0
            case .rising: index * 7 - 3
            case .falling: -index * 1_000_000_007
            case .counter: index * 13 + (index % 7 == 0 ? 1 : 0)
            case .accelerating: index * index * 3
            case .alternating: index / 10 % 2 * 100_000
            case .noise: index &* 7_919_777 % 1009 - 500
            case .spike: index == 50 ? .max : -1
            case .extremes: index % 2 == 0 ? .min : .max
            case .wrapping: .max &+ index &* 1 << 58
            case .wide: index &* -7_046_029_254_386_353_131
            case .lastDiffers: index == 99 ? 1 : 0
            }
        }
    }

    @Test("columns of every shape come back as they were", arguments: Shape.allCases)
    func shapes(shape: Shape) throws {
        let mantissas = (0..<100).map { shape.value($0) }
        try expectRoundTrip([ChunkPoints(series: 1, exponent: -3, times: Self.times, mantissas: mantissas)])
        // Beside a column that changes when it does, so that it is coded with a reference.
        let related = mantissas.map { $0 &* 3 &+ 1 }
        try expectRoundTrip([
            ChunkPoints(series: 9, exponent: -3, times: Self.times, mantissas: mantissas),
            ChunkPoints(series: 2, exponent: 127, times: Self.times, mantissas: related),
            ChunkPoints(series: .max, exponent: -128, times: Self.times, mantissas: mantissas),
        ])
    }

    @Test(
        "times of every shape come back as they were",
        arguments: [
            [0], [-5], [.min, .min + 1], [.max - 1, .max], [0, 1, 2, 3], [0, 978, 1956, 2934],
            [-100, -50, 0, 50, 51, 1000],
            [1_700_000_000_000_000, 1_700_000_005_000_000, 1_700_000_010_000_000], [0, .max], [.min, -1],
            [5, 3_600_000],
        ] as [[Int64]])
    func times(times: [Int64]) throws {
        try expectRoundTrip([ChunkPoints(series: 0, exponent: 0, times: times, mantissas: times.map { $0 &* 3 })])
    }

    @Test("seeded random chunks come back as they were")
    func random() throws {
        var generator = SeededGenerator(seed: 42)
        for round in 0..<300 {
            var columns: [ChunkPoints] = []
            var times: [Int64] = []
            for series in 0..<Int.random(in: 1...6, using: &generator) {
                if series == 0 || Int.random(in: 0..<4, using: &generator) == 0 {
                    let count = Int.random(in: 1...200, using: &generator)
                    let period = Int64.random(in: 1...10_000, using: &generator)
                    let jitter = Int64.random(in: 0..<period, using: &generator)
                    times = (0..<Int64(count)).map { $0 * period + Int64.random(in: 0...jitter, using: &generator) / 2 }
                    times = Array(Set(times)).sorted()
                }
                let size = Int64(1) << Int64.random(in: 0...61, using: &generator)
                let stay = Int.random(in: 0...5, using: &generator)
                var value = Int64.random(in: -size...size, using: &generator)
                let mantissas = times.map { _ in
                    if Int.random(in: 0...stay, using: &generator) == 0 {
                        value &+= Int64.random(in: -size...size, using: &generator)
                    }
                    return value
                }
                columns.append(ChunkPoints(series: UInt32(series), exponent: -1, times: times, mantissas: mantissas))
            }
            try expectRoundTrip(columns, "round \(round)")
        }
    }

    static let minute = [
        MeterMinute.voltage, MeterMinute.current, MeterMinute.power, MeterMinute.frequency, MeterMinute.powerFactor,
    ]
    .enumerated().map {
        ChunkPoints(
            series: UInt32($0.offset + 1), exponent: $0.offset % 3 == 1 ? -2 : -1, times: MeterMinute.times,
            mantissas: $0.element)
    }

    @Test("a real meter's minute, 300 values, comes back from fewer than 200 bytes, header included")
    func realMinute() throws {
        try expectRoundTrip(Self.minute)
        #expect(try encoded(Self.minute).count < 200)
    }

    /// What versions 1 and 2 have in common: everything between the version and the checksum.
    private static let body = """
        01053c9c9f9d01d207000201ff000d00e62506040abe041b02fe0000006603ff0009008a12010506a6011604ff0001\
        00e807000100170605fe000000bc016b5500473a43f36ba9fa6f2ade7b0480675a5f1816e43d4571ba0b6b3ed257054d\
        644ca689b83d2ad17cde501e02e858ed36f1b7f60d5b
        """
    private static let place = ChunkPlace(
        tenant: TenantID(high: 0x0001_0203_0405_0607, low: 0x0809_0A0B_0C0D_0E0F),
        device: DeviceID(high: 0x1011_1213_1415_1617, low: 0x1819_1A1B_1C1D_1E1F), hour: 491_000)

    @Test("the format stays as it was: bytes of versions 1 and 2 are read, and those of 2 are written")
    func golden() throws {
        let first = try #require([UInt8](hex: "01" + Self.body + "46ef867c"))
        let second = try #require([UInt8](hex: "02" + Self.body + "752b1d2a"))
        let bound = try #require([UInt8](hex: "02" + Self.body + "1f0ae02e"))
        #expect(try Chunk(first).points() == Self.minute)
        #expect(try Chunk(first, at: Self.place).points() == Self.minute)
        #expect(try Chunk(second).points() == Self.minute)
        #expect(try encoded(Self.minute) == second)
        #expect(try Chunk(bound, at: Self.place).points() == Self.minute)
        var builder = ChunkBuilder()
        for column in Self.minute { try builder.add(column) }
        #expect(builder.encoded(at: Self.place) == bound)
    }

    @Test("a chunk in the row of another tenant, device or hour is found out")
    func places() throws {
        var builder = ChunkBuilder()
        for column in Self.minute { try builder.add(column) }
        let bytes = builder.encoded(at: Self.place)
        var others = [Self.place, Self.place, Self.place]
        others[0].tenant = TenantID(high: 1, low: 2)
        others[1].device = DeviceID(high: 1, low: 2)
        others[2].hour += 1
        for other in others { #expect(throws: ChunkFault.damaged) { try Chunk(bytes, at: other) } }
        #expect(throws: ChunkFault.damaged) { try Chunk(bytes) }
        #expect(throws: ChunkFault.noSuchColumn) { try Chunk(bytes, at: Self.place).points(at: [5]) }
    }

    @Test("a series may have columns of several exponents, of which no two have a time in common")
    func strands() throws {
        let fine = ChunkPoints(series: 1, exponent: -1, times: [1, 3, 5], mantissas: [1, 215, 216])
        let coarse = ChunkPoints(series: 1, exponent: 0, times: [2], mantissas: [.max])
        try expectRoundTrip([fine, coarse])
        var builder = ChunkBuilder()
        try builder.add(fine)
        var wrong = coarse
        wrong.exponent = -1
        #expect(throws: ChunkFault.badColumn) { try builder.add(wrong) }
        wrong = coarse
        wrong.times = [3]
        #expect(throws: ChunkFault.badColumn) { try builder.add(wrong) }
    }

    @Test(
        "a column that breaks the rules is refused",
        arguments: [
            ([], []), ([1], []), ([1, 2], [1]), ([1, 1], [1, 2]), ([2, 1], [1, 2]), ([.min, .max], [1, 2]),
        ] as [([Int64], [Int64])])
    func badColumns(times: [Int64], mantissas: [Int64]) {
        var builder = ChunkBuilder()
        #expect(throws: ChunkFault.badColumn) {
            try builder.add(ChunkPoints(series: 1, exponent: 0, times: times, mantissas: mantissas))
        }
        #expect(builder.isEmpty)
    }

    @Test("a series twice, and too many points, are refused")
    func builderLimits() throws {
        var builder = ChunkBuilder()
        try builder.add(ChunkPoints(series: 1, exponent: 0, times: [1], mantissas: [1]))
        #expect(throws: ChunkFault.badColumn) {
            try builder.add(ChunkPoints(series: 1, exponent: 0, times: [1], mantissas: [1]))
        }
        let many = (0...Int64(ChunkLimits.points)).map { $0 }
        #expect(throws: ChunkFault.tooLarge) {
            try builder.add(ChunkPoints(series: 2, exponent: 0, times: many, mantissas: many))
        }
    }
}
