public import Base
import Synchronization

/// How fast a tenant's devices may download together: a bucket of tokens for each tenant, filled by its plan's rate.
public final class Bandwidth: Sendable {
    private struct Bucket {
        /// Bytes that may leave at once; below zero, those that left ahead of their time.
        var level: Double
        var filled: ContinuousClock.Instant
    }

    private let buckets = Mutex<[TenantID: Bucket]>([:])
    private let rate: @Sendable (TenantID) -> Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// Buckets with these rates, in bytes a second.
    public init(
        rate: @escaping @Sendable (TenantID) -> Int,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.rate = rate
        self.now = now
    }

    /// Takes bytes that are about to be sent, and answers how long to wait before that: those who come later wait behind
    /// those who came first. A bucket holds one second's worth.
    ///
    /// So much may be taken ahead that who comes next would wait for ``OperationLimits/longestPacing``; from then on
    /// nothing is taken and the answer is nil: ask again later. So nobody makes the others wait for longer than that.
    public func take(_ bytes: Int, of tenant: TenantID) -> Duration? {
        let (rate, now) = (Double(max(rate(tenant), 1)), now())
        return buckets.withLock { buckets in
            var bucket = buckets[tenant] ?? Bucket(level: rate, filled: now)
            let elapsed = max(Double((now - bucket.filled).microseconds) / 1e6, 0)
            bucket.level = min(bucket.level + elapsed * rate, rate)
            bucket.filled = now
            defer { buckets[tenant] = bucket }
            let floor = -rate * Double(OperationLimits.longestPacing.microseconds) / 1e6
            guard bucket.level > floor else { return nil }
            bucket.level -= Double(bytes)
            return bucket.level >= 0 ? .zero : .microseconds(Int64((-bucket.level / rate * 1e6).rounded(.up)))
        }
    }

    /// Takes back what was taken for bytes that were not sent, because who should have got them has gone.
    public func giveBack(_ bytes: Int, of tenant: TenantID) {
        let rate = Double(max(rate(tenant), 1))
        buckets.withLock { buckets in
            guard let level = buckets[tenant]?.level else { return }
            buckets[tenant]?.level = min(level + Double(max(bytes, 0)), rate)
        }
    }

    /// Forgets a tenant that is no more.
    func forget(_ tenant: TenantID) { buckets.withLock { $0[tenant] = nil } }
}
