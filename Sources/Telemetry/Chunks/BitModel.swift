/// The adaptive probabilities of one stream: each context learns how often its bit was zero.
///
/// A state holds the probability in its upper 22 bits and in the lower 10 how often it was used, because a young state
/// moves by 1/(uses + 1.5) and an old one by a thirty-second: an hour of readings is short, so learning must be fast.
struct BitModel: ~Copyable {
    private static let limit: UInt32 = 30
    private let states: UnsafeMutablePointer<UInt32>
    private let rates: UnsafeMutablePointer<Int64>

    /// A model whose contexts all stand at one half.
    init(contexts: Int) {
        states = .allocate(capacity: contexts)
        states.initialize(repeating: 1 << 31, count: contexts)
        rates = .allocate(capacity: Int(Self.limit) + 1)
        for uses in 0...Int(Self.limit) { (rates + uses).initialize(to: 131_072 / (2 * Int64(uses) + 3)) }
    }

    deinit {
        states.deallocate()
        rates.deallocate()
    }

    /// The probability, of 65,536, that the next bit in `context` is zero: at least 16 and at most 65,520, because
    /// learning moves between these, so that either bit always gets room.
    @inline(__always)
    func probability(_ context: Int) -> UInt64 { UInt64(states[context] >> 16) }

    /// Learns the bit. Contexts come from the coder's own arithmetic, which keeps them inside the model.
    @inline(__always)
    func learn(_ context: Int, _ bit: Int) {
        let state = states[context]
        let uses = state & 1023
        let probability = Int64(state >> 10)
        let target: Int64 = bit == 0 ? 65_520 << 6 : 16 << 6
        let moved = probability &+ ((target &- probability) &* rates[Int(uses)]) >> 16
        states[context] = UInt32(truncatingIfNeeded: moved) << 10 | (uses < Self.limit ? uses &+ 1 : uses)
    }
}
