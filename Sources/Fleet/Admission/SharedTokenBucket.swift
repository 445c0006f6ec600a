import Synchronization

/// A rate limit that many event loops share: one atomic number, no lock.
///
/// Callers take for a whole read at once rather than for each message, so that loops seldom meet.
public final class SharedTokenBucket: Sendable {
    private let full = Atomic<UInt64>(0)
    private let rate: Atomic<Int>
    private let burst: Duration

    /// A full bucket of `rate` units a second that holds `burst` worth of them.
    public init(rate: Int, burst: Duration = .seconds(2)) {
        self.rate = Atomic(rate)
        self.burst = burst
    }

    /// Changes the rate from now on.
    public func setRate(_ rate: Int) { self.rate.store(rate, ordering: .relaxed) }

    /// Takes `units` at `now`, in nanoseconds of a clock that only goes forward; when they are not there it takes
    /// nothing and says how long to wait.
    public func take(_ units: Int, at now: UInt64) -> Duration? {
        let rule = RateRule(rate: rate.load(ordering: .relaxed), burst: burst)
        var seen = full.load(ordering: .relaxed)
        while true {
            switch rule.take(units, full: seen, now: now) {
            case .wait(let nanoseconds): return .nanoseconds(Int64(clamping: nanoseconds))
            case .taken(let next):
                let (exchanged, original) = full.weakCompareExchange(
                    expected: seen, desired: next, successOrdering: .relaxed, failureOrdering: .relaxed)
                if exchanged { return nil }
                seen = original
            }
        }
    }

    /// Pays for `units` that have come already, and says how long to take no more when that was too much.
    public func pay(_ units: Int, at now: UInt64) -> Duration? {
        let rule = RateRule(rate: rate.load(ordering: .relaxed), burst: burst)
        var seen = full.load(ordering: .relaxed)
        while true {
            let (next, wait) = rule.pay(units, full: seen, now: now)
            let (exchanged, original) = full.weakCompareExchange(
                expected: seen, desired: next, successOrdering: .relaxed, failureOrdering: .relaxed)
            if exchanged { return wait > 0 ? .nanoseconds(Int64(clamping: wait)) : nil }
            seen = original
        }
    }
}
