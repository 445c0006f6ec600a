import Access
import Base
import Synchronization

/// Counts the wrong codes that persons typed, so that nobody finds another's by trying.
final class CodeAttempts: Sendable {
    private struct Count {
        var wrong = 0
        var since: Timestamp
    }

    private let counts = Mutex<[PrincipalID: Count]>([:])
    private let clock: WallClock

    init(clock: WallClock) { self.clock = clock }

    /// Refuses a person who has typed too many wrong ones.
    func check(_ person: PrincipalID) throws {
        let now = clock.now
        let isOver = counts.withLock { counts in
            guard let count = counts[person], now - count.since < OAuthLimits.connectionLife else { return false }
            return count.wrong >= OAuthLimits.codeAttempts
        }
        guard !isOver else {
            throw Refusal(
                .limited, "oauth.codes", "Too many wrong codes. Wait ten minutes.",
                retryAfter: OAuthLimits.connectionLife)
        }
    }

    /// Takes note of a wrong one.
    func count(_ person: PrincipalID) {
        let now = clock.now
        counts.withLock { counts in
            if counts[person] == nil, counts.count >= OAuthLimits.countedPersons {
                counts = counts.filter { now - $0.value.since < OAuthLimits.connectionLife }
            }
            var count = counts[person] ?? Count(since: now)
            if now - count.since >= OAuthLimits.connectionLife { count = Count(since: now) }
            count.wrong += 1
            counts[person] = count
        }
    }
}
