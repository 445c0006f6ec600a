import Base
import Synchronization

/// Token buckets by caller: each fills at its own rate, holds two seconds' worth, and gives one for each request.
final class RateLimiter<Key: Hashable & Sendable>: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: Timestamp
    }

    private let buckets = Mutex<[Key: Bucket]>([:])
    private let clock: WallClock
    private let capacity: Int

    /// A limiter that remembers at most `capacity` callers.
    init(clock: WallClock, capacity: Int = NorthboundLimits.rememberedRates) {
        self.clock = clock
        self.capacity = capacity
    }

    /// How long the caller must wait, or nil when the request may go on.
    func take(_ key: Key, perSecond rate: Int) -> Duration? {
        let now = clock.now
        let perSecond = Double(max(rate, 1))
        let most = perSecond * 2
        return buckets.withLock { buckets in
            if buckets[key] == nil, buckets.count >= capacity { Self.makeRoom(&buckets, now) }
            var bucket = buckets[key] ?? Bucket(tokens: most, filled: now)
            // A clock set back must not empty a bucket.
            let elapsed = max(Double((now - bucket.filled).microseconds) / 1_000_000, 0)
            bucket.tokens = min(most, bucket.tokens + elapsed * perSecond)
            bucket.filled = now
            defer { buckets[key] = bucket }
            guard bucket.tokens >= 1 else {
                return .microseconds(max(Int64(((1 - bucket.tokens) / perSecond * 1_000_000).rounded(.up)), 1))
            }
            bucket.tokens -= 1
            return nil
        }
    }

    /// Forgets who has not called for two seconds: their buckets are full, as new ones are. When all are busy, all
    /// are forgotten, which lets a crowd of callers have a little more than their rate, never less.
    private static func makeRoom(_ buckets: inout [Key: Bucket], _ now: Timestamp) {
        let count = buckets.count
        buckets = buckets.filter { now - $0.value.filled < .seconds(2) }
        if buckets.count == count { buckets = [:] }
    }
}
