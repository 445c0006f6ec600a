/// Bytes that came of others by the changes that break decoders: the same for the same seed.
public struct Mutations: Sequence, IteratorProtocol {
    private let corpus: [[UInt8]]
    private var rest: Int
    private var state: UInt64

    /// So many children of the inputs in `corpus`.
    public init(of corpus: [[UInt8]], count: Int, seed: UInt64 = 1) {
        self.corpus = corpus
        rest = corpus.isEmpty ? 0 : count
        state = seed
    }

    /// The next input.
    public mutating func next() -> [UInt8]? {
        guard rest > 0 else { return nil }
        rest -= 1
        var bytes = corpus[random(below: corpus.count)]
        for _ in 0...random(below: 4) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = random(below: bytes.count + 1)
        let end = Swift.min(place + random(below: 16), bytes.count)
        switch random(below: 7) {
        case 0: bytes.insert(UInt8(random(below: 256)), at: place)
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 3: if place < bytes.count { bytes[place] ^= 1 << UInt8(random(below: 8)) }
        case 4: if place < bytes.count { bytes[place] = [0, 0x7F, 0x80, 0xFF, 0x0A, 0x22][random(below: 6)] }
        case 5: bytes.removeSubrange(place...)
        default:
            let other = corpus[random(below: corpus.count)]
            bytes = Array(bytes[..<place] + other.dropFirst(random(below: other.count + 1)))
        }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private mutating func random(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ word >> 31) % UInt64(Swift.max(bound, 1)))
    }
}
