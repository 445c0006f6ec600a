/// Acknowledgement times in buckets of ten microseconds up to a second, so that millions cost no memory.
struct Latencies: Sendable {
    private var buckets = [Int](repeating: 0, count: 100_001)
    private(set) var count = 0

    mutating func add(nanoseconds: Int64) {
        buckets[Int(min(max(nanoseconds / 10_000, 0), 100_000))] += 1
        count += 1
    }

    mutating func merge(_ other: Latencies) {
        for (index, value) in other.buckets.enumerated() where value > 0 { buckets[index] += value }
        count += other.count
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
