import Access
import Base
import Delivery
import Storage

/// What is told to whom in one transaction: gathered by receiver, so that many alerts at once are one message to each.
struct AlertNotices {
    /// What is told of an alert.
    enum Notice: Sendable {
        case opened(OpenAlert)
        /// It is about many more than was told.
        case grown(OpenAlert)
        case closed(OpenAlert, AlertEnd)

        var alert: OpenAlert {
            switch self {
            case .opened(let alert), .grown(let alert), .closed(let alert, _): alert
            }
        }

        var isGrown: Bool { if case .grown = self { true } else { false } }

        var isEnd: Bool { if case .closed = self { true } else { false } }
    }

    /// How many messages went into the queue, and how many did not.
    struct Result: Sendable {
        var sent = 0
        var refused = 0
        /// What found the queue full.
        var owed: [OwedNotice] = []
        /// Whether some found the queue full.
        var isFull = false
    }

    private struct Told: Hashable {
        let alert: AlertID
        let rule: AlertRuleID
    }

    private let watch: Watch
    private let tenant: TenantID
    private let now: Timestamp
    private var order: [Destination] = []
    private var notices: [Destination: [(notice: Notice, rule: AlertRule)]] = [:]
    private var leftOut: [AlertID: Set<Destination>] = [:]
    /// How many receivers' messages are in the queue.
    private var counts: [Told: Int] = [:]
    private var people: [String: [String]] = [:]

    init(_ watch: Watch, _ tenant: TenantID, at now: Timestamp) {
        (self.watch, self.tenant, self.now) = (watch, tenant, now)
    }

    /// How many a rule has told of an alert, once it is sent.
    func receivers(of alert: AlertID, by rule: AlertRuleID) -> Int { counts[Told(alert: alert, rule: rule)] ?? 0 }

    /// Tells these nothing of an alert.
    mutating func leaveOut(_ destinations: Set<Destination>, of alert: AlertID) {
        if !destinations.isEmpty { leftOut[alert] = destinations }
    }

    /// Adds what a rule tells.
    mutating func add(_ notice: Notice, by rule: AlertRule, in transaction: Transaction) throws {
        for receiver in rule.receivers {
            switch receiver {
            case .mail(let address): add(notice, by: rule, to: .mail(address.text))
            case .sms(let number): add(notice, by: rule, to: .sms(number.text))
            case .webhook(let outlet): add(notice, by: rule, to: .webhook(outlet))
            case .role(let role):
                for address in try holders(of: role, at: notice.alert.domain, in: transaction) {
                    add(notice, by: rule, to: .mail(address))
                }
            }
        }
    }

    /// Adds what one receiver is told.
    mutating func add(_ notice: Notice, by rule: AlertRule, to destination: Destination) {
        if leftOut[notice.alert.id]?.contains(destination) ?? false { return }
        if notices[destination] == nil { order.append(destination) }
        // Two rules may name the same receiver.
        if notices[destination, default: []].contains(where: { $0.notice.alert.id == notice.alert.id }) { return }
        notices[destination, default: []].append((notice, rule))
    }

    /// The addresses of those who hold a role at a domain, or above it, and may see its alerts now.
    private mutating func holders(
        of role: String, at domain: DomainID, in transaction: Transaction
    ) throws -> [String] {
        let key = "\(domain.text) \(role)"
        if let known = people[key] { return known }
        let reach = try watch.access.reach(at: GrantPlace(domain: domain), tenant: tenant, in: transaction)
        var principals: [PrincipalID] = []
        for one in reach where one.roleName == role && one.domain != nil && one.kind == .user {
            guard case .own(let id) = one.holder, !principals.contains(id), principals.count < WatchLimits.people,
                let reader = try watch.access.orderer(id, of: tenant, in: transaction),
                try watch.access.isAllowed(
                    reader, .alertRead, tenant: tenant, domain: domain, device: nil, in: transaction)
            else { continue }
            principals.append(id)
        }
        let addresses = try watch.addresses(principals, tenant, transaction)
        let found = principals.compactMap { addresses[$0] }
        people[key] = found
        return found
    }

    // MARK: - Sending

    /// Puts the messages into the queue. What finds it full is owed, what the queue refuses for good is counted; neither
    /// holds the others up.
    mutating func send(in transaction: Transaction) throws -> Result {
        var result = Result()
        guard !order.isEmpty else { return result }
        var words = AlertWords(watch, tenant, in: transaction)
        for destination in order {
            let told = notices[destination] ?? []
            let messages = try messages(to: destination, about: told, &words)
            for (index, message) in messages.enumerated() {
                // Either each is about one alert, or one is about all of them.
                let about = messages.count == told.count ? told[index...index] : told[...]
                do {
                    try watch.delivery.send(message, tenant: tenant, in: transaction)
                    result.sent += 1
                    for (notice, rule) in about { counts[Told(alert: notice.alert.id, rule: rule.id), default: 0] += 1 }
                } catch let refusal as Refusal where refusal.kind == .limited {
                    result.isFull = true
                    // Who was told that it began is not told later that it once grew.
                    result.owed += about.filter { !$0.notice.isGrown }.map { notice, rule in
                        OwedNotice(
                            alert: notice.alert.id, rule: rule.id, receiver: destination, ends: notice.isEnd)
                    }
                } catch is Refusal {
                    result.refused += 1
                }
            }
        }
        return result
    }

    private func messages(
        to destination: Destination, about told: [(notice: Notice, rule: AlertRule)], _ words: inout AlertWords
    ) throws -> [OutboundMessage] {
        let expires = now + .seconds(WatchLimits.messageSeconds)
        switch destination {
        case .webhook(let outlet):
            return try told.map { notice, _ in
                .webhook(outlet: outlet, event: words.event(notice), body: try words.body(notice))
            }
        case .mail(let address):
            return try words.mails(told).map {
                .mail(to: address, subject: $0.subject, text: $0.text, expires: expires)
            }
        case .sms(let number):
            return try words.texts(told.map(\.notice)).map { .sms(to: number, text: $0, expires: expires) }
        }
    }
}
