/// So many units a second, with a burst of a few seconds' worth: the arithmetic that every bucket shares.
///
/// It is the generic cell rate algorithm: a bucket is one number, the moment at which it will be full again, so a check
/// is one addition and one comparison.
struct RateRule: Sendable {
    let nanosecondsPerUnit: Double
    let depth: UInt64

    init(rate: Int, burst: Duration) {
        nanosecondsPerUnit = 1e9 / Double(max(rate, 1))
        depth = UInt64(clamping: burst.components.seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
    }

    /// The bucket's new state, or how many nanoseconds to wait.
    ///
    /// A full bucket lets anything through, however large: it is paid back afterwards, so a message larger than the
    /// burst is delayed, never starved. What that costs is bounded, so that no message can shut a device out for long.
    func take(_ units: Int, full: UInt64, now: UInt64) -> Outcome {
        let from = max(full, now)
        let ahead = from - now
        let cost = UInt64(min(Double(max(units, 0)) * nanosecondsPerUnit, Self.longestDebt))
        if ahead > 0, ahead + cost > depth { return .wait(ahead + cost - depth) }
        return .taken(full: from + cost)
    }

    /// The bucket's new state after what has come already, and how many nanoseconds to take nothing more.
    func pay(_ units: Int, full: UInt64, now: UInt64) -> (full: UInt64, wait: UInt64) {
        let cost = UInt64(min(Double(max(units, 0)) * nanosecondsPerUnit, Self.longestDebt))
        let ahead = min(max(full, now) - now + cost, depth + UInt64(Self.longestDebt))
        return (now + ahead, ahead > depth ? ahead - depth : 0)
    }

    enum Outcome {
        case taken(full: UInt64)
        case wait(UInt64)
    }

    /// A minute in nanoseconds.
    private static let longestDebt = 60e9
}
