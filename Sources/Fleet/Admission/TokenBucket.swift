/// A rate limit that one owner keeps: a connection on its event loop.
public struct TokenBucket: Sendable {
    private let rule: RateRule
    private var full: UInt64 = 0

    /// A full bucket of `rate` units a second that holds `burst` worth of them.
    public init(rate: Int, burst: Duration = .seconds(2)) {
        rule = RateRule(rate: rate, burst: burst)
    }

    /// Takes `units` at `now`, in nanoseconds of a clock that only goes forward; when they are not there it takes
    /// nothing and says how long to wait.
    public mutating func take(_ units: Int, at now: UInt64) -> Duration? {
        switch rule.take(units, full: full, now: now) {
        case .taken(let full):
            self.full = full
            return nil
        case .wait(let nanoseconds): return .nanoseconds(Int64(clamping: nanoseconds))
        }
    }

    /// Whether nothing is owed at `now`.
    public func isFull(at now: UInt64) -> Bool { full <= now }

    /// Pays for `units` that have come already, and says how long to take no more when that was too much.
    public mutating func pay(_ units: Int, at now: UInt64) -> Duration? {
        let (full, wait) = rule.pay(units, full: full, now: now)
        self.full = full
        return wait > 0 ? .nanoseconds(Int64(clamping: wait)) : nil
    }
}
