import Testing

@testable import Telemetry

@Suite struct BinaryColumnTests {
    @Test("the decimals of 32-bit floats come back, and take fewer bytes than as decimals")
    func floats() throws {
        var generator = SeededGenerator(seed: 31)
        var level = Float(244)
        let numbers = try (0..<1000).map { _ in
            level = max(0.5, min(level * Float.random(in: 0.8...1.25, using: &generator), 3000))
            return try DecimalNumber(shortest: level)
        }
        let exponent = try #require(numbers.map(\.exponent).min())
        let mantissas = try numbers.map { try $0.mantissa(at: exponent, rounding: .refuse) }
        let points = ChunkPoints(series: 1, exponent: exponent, times: (0..<1000).map { $0 }, mantissas: mantissas)
        var builder = ChunkBuilder()
        try builder.add(points)
        let bytes = builder.encoded()
        #expect(try Chunk(bytes).points() == [points])
        #expect(Chunk.isBinary(bytes))
        // One digit that no float has, and the column stays decimal.
        var spoilt = points
        spoilt.mantissas[500] += 1
        var decimal = ChunkBuilder()
        try decimal.add(spoilt)
        #expect(try Chunk(decimal.encoded()).points() == [spoilt])
        #expect(!Chunk.isBinary(decimal.encoded()))
        #expect(bytes.count < decimal.encoded().count * 9 / 10)
    }

    @Test("numbers of every size keep their order and come back", arguments: [-1, -3, -7, -12] as [Int8])
    func ordinals(exponent: Int8) throws {
        var column = try #require(BinaryColumn(exponent: exponent))
        var before = Int64.min
        for mantissa in [-1_234_567, -99_999, -10, -1, 0, 1, 7, 10, 123, 99_999, 1_000_000] as [Int64] {
            let ordinal = column.ordinal(of: mantissa)
            #expect(ordinal > before)
            #expect(column.mantissa(of: ordinal) == mantissa)
            before = ordinal
        }
    }

    @Test("ordinals that are no finite float, or too large for the column, give no number")
    func noNumber() throws {
        var column = try #require(BinaryColumn(exponent: -15))
        for ordinal in [0x7F80_0000, -0x7F80_0000, 0x7FC0_0000, .max, .min, 0x7F7F_FFFF, 1 << 32] as [Int64] {
            #expect(column.mantissa(of: ordinal) == nil)
        }
        #expect(BinaryColumn(exponent: 0) == nil)
        #expect(BinaryColumn(exponent: -23) == nil)
        #expect(BinaryColumn.ordinals(of: [16_777_217], exponent: -1) == nil)
    }
}

extension Chunk {
    /// Whether the first column of one axis is coded as floats: the flag of docs/formats/chunk.md.
    fileprivate static func isBinary(_ bytes: [UInt8]) -> Bool {
        let header = try? bytes.dropLast(4).withUnsafeBytes { raw throws(ChunkFault) in try ChunkHeader(raw) }
        return header?.columns.first?.isBinary ?? false
    }
}
