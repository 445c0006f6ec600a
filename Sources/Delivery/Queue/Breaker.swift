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
    /// While one attempt decides, the moment at which its claim ends: should its end never be told, the next one may.
    private var tryingUntil: Timestamp?

    /// True when the last attempt failed, so that the next one may well hang.
    var isSuspect: Bool { failures > 0 }

    /// Whether nothing may be sent now. A pause that seems longer than any was begun before the clock was set back.
    func isPaused(at now: Timestamp) -> Bool {
        pausedUntil.map { now < $0 && $0 - now <= Self.longestPause } ?? false
    }

    /// Whether an attempt may begin now; when one attempt is to decide, only the first who asks gets it.
    mutating func admits(at now: Timestamp) -> Bool {
        guard pausedUntil != nil else { return true }
        let claim = Duration.seconds(DeliveryLimits.claimSeconds)
        let isTrying = tryingUntil.map { now < $0 && $0 - now <= claim } ?? false
        guard !isPaused(at: now), !isTrying else { return false }
        tryingUntil = now + claim
        return true
    }

    /// Takes back an admission that was not used.
    mutating func release() { tryingUntil = nil }

    /// Notes how an attempt ended.
    mutating func note(_ outcome: Outcome, at now: Timestamp) {
        tryingUntil = nil
        guard case .failed(let words, isOutage: true, _, _) = outcome else {
            // What is said about one message is an answer too: the outlet works. An interruption tells nothing.
            if outcome.hasAnswered { self = Breaker() }
            return
        }
        failures += 1
        lastFailure = words
        guard failures >= Self.threshold else { return }
        let doublings = min(failures - Self.threshold, 10)
        pausedUntil = now + min(Self.firstPause * (1 << doublings), Self.longestPause)
    }
}

/// Whose failures count for an attempt: each tenant's own through an outlet, and for an outlet that tenants share those
/// of everybody as well.
///
/// What the one behind a shared outlet says, it may say to one tenant only; so that counts for this tenant alone. Only
/// where nobody answers, nobody is sent to.
struct BreakerKeys: Sendable, Hashable {
    var own: Lane
    var shared: Lane?

    /// The breakers of a tenant's deliveries through an outlet, which may be the operator's.
    init(_ outlet: OutletID, of owner: TenantID, for tenant: TenantID, isMessage: Bool) {
        own = Lane(tenant: tenant, id: outlet)
        // What the platform's tenant sends mails and text messages by is everybody's.
        shared = isMessage && owner == .platform ? Lane.everybodys(outlet) : nil
    }

    var all: [Lane] { [own] + (shared.map { [$0] } ?? []) }
}

extension [Lane: Breaker] {
    /// Whether nothing may be sent now.
    func isPaused(_ keys: BreakerKeys?, at now: Timestamp) -> Bool {
        keys?.all.contains { self[$0]?.isPaused(at: now) ?? false } ?? false
    }

    /// Whether the last attempt of any of these failed.
    func isSuspect(_ keys: BreakerKeys?) -> Bool { keys?.all.contains { self[$0]?.isSuspect ?? false } ?? false }

    /// Whether an attempt may begin now; all must admit it, or none has.
    mutating func admits(_ keys: BreakerKeys?, at now: Timestamp) -> Bool {
        var admitted: [Lane] = []
        for key in keys?.all ?? [] {
            guard self[key]?.admits(at: now) ?? true else {
                for key in admitted { self[key]?.release() }
                return false
            }
            admitted.append(key)
        }
        return true
    }

    /// Notes how an attempt ended that these had admitted; nil when there was none.
    mutating func end(_ keys: BreakerKeys?, _ outcome: Outcome?, at now: Timestamp) {
        for key in keys?.all ?? [] {
            var breaker = self[key] ?? Breaker()
            switch outcome {
            case nil: breaker.release()
            case let outcome? where key == keys?.shared && outcome.hasAnswered:
                breaker.note(.delivered(outcome.words), at: now)
            case let outcome?: breaker.note(outcome, at: now)
            }
            // Only what has something to tell is remembered.
            self[key] = breaker == Breaker() ? nil : breaker
        }
    }
}
