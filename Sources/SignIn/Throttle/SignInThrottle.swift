public import Base
import Synchronization

/// Slows guessing down without locking anybody out.
///
/// Failures are counted by account *and* network, so whoever guesses from elsewhere delays nobody but their own
/// network; each network has a budget of failures over all accounts, so that one password can not be tried on
/// everybody. Beyond a hundred failures at one account, from wherever, strange networks wait as well, and those where the
/// holder was lately do not. What is counted is the address that was typed, whether or not there is such an account. The state is in
/// memory, bounded, and of this process only: after a restart it begins anew.
public final class SignInThrottle: Sendable {
    /// The figures.
    public struct Settings: Sendable {
        /// Failures in a row that cost nothing but themselves.
        public var free = 5
        /// The delay after the next failure; it doubles with each further one.
        public var firstDelay = Duration.seconds(1)
        /// The longest delay.
        public var longestDelay = Duration.seconds(900)
        /// Failures at an account from all networks together, before strange ones have to wait.
        public var everywhere = 100
        /// The first and the longest delay of strange networks then.
        public var crowdDelays = (first: Duration.seconds(60), longest: Duration.seconds(3600))
        /// The same at a person of a directory, which itself locks somebody after a few failures, often five in half an
        /// hour: so few reach it from strange networks that nobody is locked there by them.
        public var everywhereInDirectory = 3
        /// The first and the longest delay of strange networks then.
        public var directoryDelays = (first: Duration.seconds(1800), longest: Duration.seconds(3600))
        /// After how long without an attempt its failures are forgotten.
        public var memory = Duration.seconds(86_400)
        /// Failures that a network may have at once.
        public var networkFailures = 60
        /// How long a network waits for each further one.
        public var networkInterval = Duration.seconds(5)
        /// Accounts by network, and networks, that are remembered.
        public var capacity = 20_000

        /// The usual figures.
        public init() {}
    }

    /// What is remembered under, without holding anybody's address.
    struct Key: Hashable {
        private let value: Int

        init(_ parts: String...) { self.init(parts) }

        init(_ parts: [String]) {
            // Seeded for this process, so nobody outside can make two keys meet.
            var hasher = Hasher()
            for part in parts { hasher.combine(part) }
            value = hasher.finalize()
        }
    }

    private struct Account {
        var failures: Int
        var last: Timestamp
        /// From when on the next attempt is looked at.
        var open: Timestamp
    }

    private struct Network {
        var left: Int
        var filled: Timestamp
    }

    private struct State {
        var accounts: [Key: Account] = [:]
        var networks: [Key: Network] = [:]
    }

    private let state = Mutex(State())
    private let settings: Settings
    private let clock: WallClock

    /// A throttle of these figures.
    public init(settings: Settings = Settings(), clock: WallClock = .system) {
        self.settings = settings
        self.clock = clock
    }

    /// One attempt, under way.
    struct Attempt: Sendable {
        let isOpen: Bool
        /// Whether so much fails at the account from everywhere that only the holder's own networks are heard.
        let isCrowded: Bool
        fileprivate let account: Key
        fileprivate let everywhere: Key
        /// The network that was charged, if one was.
        fileprivate let network: Key?
        fileprivate let began: Timestamp
        /// From when on the account was open before this attempt.
        fileprivate let opened: Timestamp
    }

    /// Begins an attempt; refuses when the network has used up its budget. An attempt that is not open is answered like
    /// a wrong password, after the same work.
    ///
    /// It counts as failed until ``succeed(_:)`` says otherwise, so that attempts at the same time do not pass together.
    func begin(_ address: String, realm: Realm, from origin: Origin) throws -> Attempt {
        let networkKey = Key("network", Self.network(origin))
        let names = [realm.rawValue, address.lowercased()]
        return try state.withLock { state in
            try charge(networkKey, at: clock.now, in: &state)
            return count(names, origin, crowdDelay(after:), charged: networkKey, in: &state)
        }
    }

    /// Begins an attempt at a person of a directory, whose network was charged before they were found there.
    ///
    /// Counted is who was found, because a directory takes many spellings for one name.
    func begin(person: String, from origin: Origin) -> Attempt {
        state.withLock { count(["directory", person], origin, directoryDelay(after:), charged: nil, in: &$0) }
    }

    private func count(
        _ names: [String], _ origin: Origin, _ crowdDelay: (Int) -> Duration, charged network: Key?,
        in state: inout State
    ) -> Attempt {
        let accountKey = Key(["account"] + names + [Self.network(origin)])
        let everywhereKey = Key(["everywhere"] + names)
        let now = clock.now
        let (near, all) = (known(accountKey, at: now, in: state), known(everywhereKey, at: now, in: state))
        // A clock set back must not lock anybody out.
        let isOpen = near.open <= now || near.open - now > settings.longestDelay
        let isCrowded =
            all.open > now && all.open - now <= max(settings.crowdDelays.longest, settings.directoryDelays.longest)
        if isOpen {
            count(accountKey, near, delay(after: near.failures + 1), at: now, in: &state)
            // What waits because of the crowd makes nobody wait for longer.
            if !isCrowded { count(everywhereKey, all, crowdDelay(all.failures + 1), at: now, in: &state) }
        }
        return Attempt(
            isOpen: isOpen, isCrowded: isCrowded, account: accountKey, everywhere: everywhereKey, network: network,
            began: now, opened: near.open)
    }

    private func known(_ key: Key, at now: Timestamp, in state: State) -> Account {
        guard let account = state.accounts[key], now - account.last <= settings.memory else {
            return Account(failures: 0, last: now, open: now)
        }
        return account
    }

    private func count(
        _ key: Key, _ account: Account, _ delay: Duration, at now: Timestamp, in state: inout State
    ) {
        if state.accounts[key] == nil { makeRoom(&state.accounts, now) }
        state.accounts[key] = Account(failures: min(account.failures + 1, 1 << 20), last: now, open: now + delay)
    }

    /// Takes one failure back, and leaves those of others.
    private func uncount(_ key: Key, _ opened: Timestamp, of attempt: Attempt, in state: inout State) {
        guard attempt.isOpen, var account = state.accounts[key] else { return }
        account.failures -= 1
        // When nobody has tried since, the delay that this attempt began goes with it.
        if account.last == attempt.began { account.open = opened }
        state.accounts[key] = account.failures > 0 ? account : nil
    }

    /// Takes a request that proves nothing, such as one for a new password, from the network's budget.
    func charge(_ origin: Origin) throws {
        let key = Key("network", Self.network(origin))
        try state.withLock { try charge(key, at: clock.now, in: &$0) }
    }

    /// The attempt was right: its failures are forgotten and its network has its budget back.
    func succeed(_ attempt: Attempt) {
        state.withLock { state in
            state.accounts[attempt.account] = nil
            // While many fail, what is right at one of the holder's networks makes no room for guesses elsewhere.
            if !attempt.isCrowded { state.accounts[attempt.everywhere] = nil }
            if let network = attempt.network { refund(network, in: &state) }
        }
    }

    /// Gives a network back what a request that came to a good end took.
    func refund(_ origin: Origin) {
        let key = Key("network", Self.network(origin))
        state.withLock { refund(key, in: &$0) }
    }

    /// Forgets the failures of somebody who has proved themselves by other means, such as a link.
    func forgive(_ address: String, realm: Realm, from origin: Origin) {
        let key = Key("account", realm.rawValue, address.lowercased(), Self.network(origin))
        state.withLock { $0.accounts[key] = nil }
    }

    /// The attempt was not looked at, as when the server was busy.
    func withdraw(_ attempt: Attempt) {
        state.withLock { state in
            if let network = attempt.network { refund(network, in: &state) }
            uncount(attempt.account, attempt.opened, of: attempt, in: &state)
            if !attempt.isCrowded { uncount(attempt.everywhere, attempt.began, of: attempt, in: &state) }
        }
    }

    /// The delay after so many failures in a row.
    func delay(after failures: Int) -> Duration {
        Self.delay(after: failures, free: settings.free, settings.firstDelay, settings.longestDelay)
    }

    /// The delay of strange networks after so many failures from everywhere.
    func crowdDelay(after failures: Int) -> Duration {
        Self.delay(
            after: failures, free: settings.everywhere, settings.crowdDelays.first, settings.crowdDelays.longest)
    }

    /// The delay of strange networks after so many failures at a person of a directory.
    func directoryDelay(after failures: Int) -> Duration {
        Self.delay(
            after: failures, free: settings.everywhereInDirectory, settings.directoryDelays.first,
            settings.directoryDelays.longest)
    }

    private static func delay(
        after failures: Int, free: Int, _ first: Duration, _ longest: Duration
    ) -> Duration {
        guard failures > free else { return .zero }
        let doublings = min(failures - free - 1, 40)
        let (product, overflow) = first.microseconds.multipliedReportingOverflow(by: 1 << doublings)
        return overflow ? longest : min(.microseconds(product), longest)
    }

    /// How much is remembered.
    var count: Int { state.withLock { $0.accounts.count + $0.networks.count } }

    private func charge(_ key: Key, at now: Timestamp, in state: inout State) throws {
        var network = state.networks[key] ?? Network(left: settings.networkFailures, filled: now)
        let interval = max(settings.networkInterval.microseconds, 1)
        let earned = (now - network.filled).microseconds / interval
        if earned > 0 {
            let most = settings.networkFailures
            network.left = min(most, network.left + Int(clamping: min(earned, Int64(most))))
            network.filled = network.filled + .microseconds(earned * interval)
        } else if earned < 0 {
            network.filled = now
        }
        let isAllowed = network.left > 0
        if isAllowed { network.left -= 1 }
        if state.networks[key] == nil { makeRoom(&state.networks, now) }
        state.networks[key] = network
        guard isAllowed else {
            throw Refusal(
                .limited, "signin.limited",
                "Too many attempts from your network. Wait a moment, then try again.",
                retryAfter: settings.networkInterval)
        }
    }

    private func refund(_ key: Key, in state: inout State) {
        guard let left = state.networks[key]?.left else { return }
        state.networks[key]?.left = min(left + 1, settings.networkFailures)
    }

    /// Forgets what is forgotten by time; when that is not enough, those with the fewest failures, the oldest first.
    private func makeRoom(_ accounts: inout [Key: Account], _ now: Timestamp) {
        guard accounts.count >= settings.capacity else { return }
        accounts = accounts.filter { now - $0.value.last <= settings.memory }
        guard accounts.count >= settings.capacity else { return }
        let order = accounts.sorted { ($0.value.failures, $0.value.last) < ($1.value.failures, $1.value.last) }
        for (key, _) in order.prefix(settings.capacity / 8 + 1) { accounts[key] = nil }
    }

    /// Forgets networks whose budget is full again; when that is not enough, those with the most left.
    private func makeRoom(_ networks: inout [Key: Network], _ now: Timestamp) {
        guard networks.count >= settings.capacity else { return }
        let interval = max(settings.networkInterval.microseconds, 1)
        let most = Int64(settings.networkFailures)
        networks = networks.filter {
            Int64($0.value.left) + min((now - $0.value.filled).microseconds / interval, most) < most
        }
        guard networks.count >= settings.capacity else { return }
        let order = networks.sorted { $0.value.left > $1.value.left }
        for (key, _) in order.prefix(settings.capacity / 8 + 1) { networks[key] = nil }
    }

    private static func network(_ origin: Origin) -> String {
        origin.address.flatMap { NetworkAddress($0) }?.surroundings.description ?? ""
    }
}
