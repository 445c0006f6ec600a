import Access
import Base
import Delivery
import Storage

/// What is told to whom in one transaction: gathered by receiver, so that many alerts at once are one message to each.
struct AlertNotices {
    /// What is told of an alert.
    enum Notice: Sendable {
        case opened(OpenAlert)
        case closed(OpenAlert, AlertEnd)

        var alert: OpenAlert {
            switch self {
            case .opened(let alert), .closed(let alert, _): alert
            }
        }
    }

    /// How many messages went into the queue, and how many did not.
    struct Result: Sendable {
        var sent = 0
        var refused = 0
        /// Whether one was refused because the queue is full.
        var isFull = false
    }

    private enum Destination: Hashable {
        case mail(String)
        case sms(String)
        case webhook(OutletID)
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
    private var counts: [Told: Int] = [:]
    private var people: [String: [String]] = [:]

    init(_ watch: Watch, _ tenant: TenantID, at now: Timestamp) {
        (self.watch, self.tenant, self.now) = (watch, tenant, now)
    }

    /// How many a rule tells of an alert.
    func receivers(of alert: AlertID, by rule: AlertRuleID) -> Int { counts[Told(alert: alert, rule: rule)] ?? 0 }

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

    private mutating func add(_ notice: Notice, by rule: AlertRule, to destination: Destination) {
        if notices[destination] == nil { order.append(destination) }
        // Two rules may name the same receiver.
        if notices[destination, default: []].contains(where: { $0.notice.alert.id == notice.alert.id }) { return }
        notices[destination, default: []].append((notice, rule))
        counts[Told(alert: notice.alert.id, rule: rule.id), default: 0] += 1
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

    /// Puts the messages into the queue; what the queue refuses is counted and does not hold the others up.
    func send(in transaction: Transaction) throws -> Result {
        var result = Result()
        guard !order.isEmpty else { return result }
        var words = AlertWords(watch, tenant, in: transaction)
        for destination in order {
            let told = notices[destination] ?? []
            var messages: [OutboundMessage] = []
            switch destination {
            case .webhook(let outlet):
                messages = try told.map { notice, _ in
                    .webhook(
                        outlet: outlet, event: words.event(notice), body: try words.body(notice))
                }
            case .mail(let address):
                let expires = now + .seconds(WatchLimits.messageSeconds)
                messages = try words.mails(told).map {
                    .mail(to: address, subject: $0.subject, text: $0.text, expires: expires)
                }
            case .sms(let number):
                let expires = now + .seconds(WatchLimits.messageSeconds)
                messages = try words.texts(told.map(\.notice)).map { .sms(to: number, text: $0, expires: expires) }
            }
            for message in messages {
                do {
                    try watch.delivery.send(message, tenant: tenant, in: transaction)
                    result.sent += 1
                } catch let refusal as Refusal {
                    result.refused += 1
                    result.isFull = result.isFull || refusal.kind == .limited
                }
            }
        }
        return result
    }
}
