import Base

/// Keeps an outlet that does not work from being tried again and again: after five failures in a row nothing is sent
/// through it for half a minute, then one attempt decides, and each further failure doubles the pause.
///
///     closed --5 failures--> paused --time--> one attempt --works--> closed
///                              ^-----------------'fails, twice as long
struct Breaker: Sendable, Hashable {
    static let threshold = 5
    static let firstPause = Duration.seconds(30)
    static let longestPause = Duration.seconds(600)

    private(set) var failures = 0
    private(set) var pausedUntil: Timestamp?
    private(set) var lastFailure: String?
    private var isTrying = false

    /// True when the last attempt failed, so that the next one may well hang.
    var isSuspect: Bool { failures > 0 }

    /// Whether an attempt may begin now; when one attempt is to decide, only the first who asks gets it.
    mutating func admits(at now: Timestamp) -> Bool {
        guard let pausedUntil else { return true }
        guard now >= pausedUntil, !isTrying else { return false }
        isTrying = true
        return true
    }

    /// Takes back an admission that was not used.
    mutating func release() { isTrying = false }

    /// Notes how an attempt ended.
    mutating func note(_ outcome: Outcome, at now: Timestamp) {
        isTrying = false
        guard case .failed(let words, isOutage: true, _) = outcome else {
            // A refused message is an answer too: the outlet works. An interruption tells nothing.
            if case .failed = outcome { return }
            self = Breaker()
            return
        }
        failures += 1
        lastFailure = words
        guard failures >= Self.threshold else { return }
        let doublings = min(failures - Self.threshold, 10)
        pausedUntil = now + min(Self.firstPause * (1 << doublings), Self.longestPause)
    }
}
