import Testing

@testable import Telemetry

@Suite struct RangeCoderTests {
    @Test("bits of every likelihood come back", arguments: [0, 1, 2, 5, 50, 1000] as [Int])
    func bits(rarity: Int) {
        var generator = SeededGenerator(seed: UInt64(rarity))
        for count in [0, 1, 2, 9, 1000, 20_000] {
            let bits = (0..<count).map { _ in Int.random(in: 0...rarity, using: &generator) == 0 ? 1 : 0 }
            let plain = (0..<count).map { _ in UInt64.random(in: 0..<1 << 24, using: &generator) }
            let written = BitModel(contexts: 4)
            var encoder = RangeEncoder()
            for (index, bit) in bits.enumerated() {
                encoder.encode(bit, index % 4, written)
                if index.isMultiple(of: 7) {
                    encoder.encode(plain: plain[index] >> UInt64(index % 24), count: 24 - index % 24)
                }
            }
            let bytes = encoder.finish()
            let read = BitModel(contexts: 4)
            bytes.withUnsafeBytes { raw in
                var decoder = RangeDecoder(raw)
                for (index, bit) in bits.enumerated() {
                    #expect(decoder.decode(index % 4, read) == bit)
                    if index.isMultiple(of: 7) {
                        #expect(decoder.decodePlain(count: 24 - index % 24) == plain[index] >> UInt64(index % 24))
                    }
                }
            }
        }
    }

    @Test("what is always the same costs next to nothing")
    func certain() {
        let model = BitModel(contexts: 1)
        var encoder = RangeEncoder()
        for _ in 0..<3600 { encoder.encode(0, 0, model) }
        #expect(encoder.finish().count <= 2)
    }

    @Test("a carry runs through bytes that went out already")
    func carry() {
        // The topmost plain values and likely ones push the interval's lower end up against a long row of 0xFF.
        var encoder = RangeEncoder()
        for _ in 0..<40 { encoder.encode(plain: 0xFF_FFFF, count: 24) }
        let model = BitModel(contexts: 1)
        for _ in 0..<300 { encoder.encode(0, 0, model) }
        let bytes = encoder.finish()
        let read = BitModel(contexts: 1)
        bytes.withUnsafeBytes { raw in
            var decoder = RangeDecoder(raw)
            for _ in 0..<40 { #expect(decoder.decodePlain(count: 24) == 0xFF_FFFF) }
            for _ in 0..<300 { #expect(decoder.decode(0, read) == 0) }
        }
    }
}
