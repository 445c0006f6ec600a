/// What all connections of a loop count together while measuring: acknowledgement times in buckets of ten microseconds up
/// to a second, so that millions cost no memory.
///
/// Guard of `@unchecked Sendable`: touched on the one loop of the generator, and read after it stopped counting.
final class Latencies: @unchecked Sendable {
    /// Whether acknowledgements count.
    var isMeasuring = false
    private var buckets = [Int](repeating: 0, count: 100_001)
    private(set) var count = 0

    func add(nanoseconds: Int64) {
        guard isMeasuring else { return }
        buckets[Int(min(max(nanoseconds / 10_000, 0), 100_000))] += 1
        count += 1
    }

    /// The time in milliseconds below which this share of all lie.
    func percentile(_ share: Double) -> Double {
        var rest = Int((Double(count) * share).rounded(.up))
        for (index, value) in buckets.enumerated() {
            rest -= value
            if rest <= 0 { return Double(index + 1) / 100 }
        }
        return 1000
    }
}
