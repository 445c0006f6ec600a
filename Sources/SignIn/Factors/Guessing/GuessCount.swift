import Base

/// How often somebody has guessed wrong, and how long the next guess has to wait for that.
///
/// One is kept for each factor's method of an account and each network, and one for all networks together. So whoever
/// guesses from elsewhere does not make the holder wait, and a method that has to wait leaves the others free.
struct GuessCount: Sendable, Hashable {
    /// Which count it is.
    enum Reach: Sendable, CaseIterable {
        /// The guesses from one network.
        case network
        /// The guesses from everywhere.
        case everywhere

        /// Wrong guesses that cost no wait: people mistype.
        var free: Int64 { self == .network ? 3 : 20 }
        /// The first wait; each further wrong guess doubles it.
        var first: Duration { self == .network ? .seconds(5) : .seconds(60) }
        /// The longest wait.
        var longest: Duration { self == .network ? .seconds(900) : .seconds(3600) }
    }

    /// Wrong guesses in a row.
    private(set) var failures: Int64 = 0
    /// When the last one was.
    private(set) var last = Timestamp(microseconds: 0)

    init() {}

    init(failures: Int64, last: Timestamp) {
        self.failures = min(max(failures, 0), Self.most)
        self.last = last
    }

    /// More are as many.
    private static let most: Int64 = 1_000_000
    /// How long after the last wrong guess nothing is held against anybody any more.
    static let memory: Duration = .seconds(86_400)

    /// How long the next guess has to wait, nil when it need not. A clock that was set back makes nobody wait longer
    /// than the longest.
    func wait(_ reach: Reach, at now: Timestamp) -> Duration? {
        guard failures >= reach.free else { return nil }
        let doublings = min(failures - reach.free, 16)
        let length = min(reach.first * Int(1 << doublings), reach.longest)
        let rest = min(last + length - now, length)
        return rest > .zero ? rest : nil
    }

    /// The count after a wrong guess.
    func failed(at now: Timestamp) -> GuessCount {
        let isForgotten = now - last > Self.memory
        return GuessCount(failures: (isForgotten ? 0 : failures) + 1, last: now)
    }
}
