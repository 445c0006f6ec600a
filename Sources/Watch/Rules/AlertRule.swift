public import Base
public import Delivery
import Fleet

/// Marks identifiers of alert rules.
public enum AlertRuleKind {}
/// The identifier of an alert rule.
public typealias AlertRuleID = Identifier<AlertRuleKind>

/// Whom a rule tells.
public enum AlertReceiver: Hashable, Sendable {
    /// By mail, those who hold a role at the alert's domain, by this name, and may see its alerts.
    case role(String)
    /// A mail address.
    case mail(MailAddress)
    /// A telephone, by text message.
    case sms(PhoneNumber)
    /// An application, by a webhook.
    case webhook(OutletID)

    var json: JSONValue {
        switch self {
        case .role(let name): ["role": .string(name)]
        case .mail(let address): ["mail": .string(address.text)]
        case .sms(let number): ["sms": .string(number.text)]
        case .webhook(let outlet): ["webhook": .string(outlet.text)]
        }
    }

    /// The receiver that is written so; nil when it is none.
    init?(stored json: JSONValue) {
        if let name = json["role"]?.string {
            self = .role(name)
        } else if let address = json["mail"]?.string.flatMap({ MailAddress($0) }) {
            self = .mail(address)
        } else if let number = json["sms"]?.string.flatMap({ PhoneNumber($0) }) {
            self = .sms(number)
        } else if let outlet = json["webhook"]?.string.flatMap({ OutletID(text: $0) }) {
            self = .webhook(outlet)
        } else {
            return nil
        }
    }
}

/// Who is told of which alerts of a domain and all below it, and how soon.
public struct AlertRule: Hashable, Sendable {
    /// The stable identifier.
    public let id: AlertRuleID
    /// The name, unique in the tenant.
    public let name: Name
    /// Whose alerts it is about, with all below.
    public let domain: DomainID
    /// Which alerts.
    public let conditions: Set<AlertCondition>
    /// How bad these alerts are at least.
    public let severity: AlertSeverity?
    /// Seconds for which an alert must stand before it is told.
    public let wait: Int64
    /// Whether those who were told of an alert are told when it is over.
    public let tellsBack: Bool
    /// Who is told.
    public let receivers: [AlertReceiver]
    /// Whether it is in use.
    public let isActive: Bool
    /// When it was made.
    public let created: Timestamp
    /// When it was last changed.
    public let changed: Timestamp

    /// The rule as JSON.
    public var json: JSONValue {
        [
            "id": .string(id.text), "name": .string(name.text), "domain": .string(domain.text),
            "conditions": .array(AlertCondition.allCases.filter(conditions.contains).map { .string($0.rawValue) }),
            "severity": severity.map { .string($0.name) } ?? .null, "waitSeconds": .integer(wait),
            "tellsBack": .bool(tellsBack), "receivers": .array(receivers.map(\.json)), "active": .bool(isActive),
            "created": .string(created.rfc3339), "changed": .string(changed.rfc3339),
        ]
    }
}

/// An alert rule as somebody wants it.
public struct AlertRuleDraft: Sendable {
    /// A receiver as it was written: one of its members is there.
    public struct Receiver: Sendable, Hashable {
        /// The name of a role.
        public var role: String?
        /// A mail address.
        public var mail: String?
        /// A telephone's number.
        public var sms: String?
        /// The name or identifier of a webhook.
        public var webhook: String?

        /// Who is told: exactly one of these.
        public init(role: String? = nil, mail: String? = nil, sms: String? = nil, webhook: String? = nil) {
            (self.role, self.mail, self.sms, self.webhook) = (role, mail, sms, webhook)
        }
    }

    /// The name.
    public var name: Name
    /// The domain, by identifier or path; the root when nil.
    public var domain: String?
    /// Which alerts; all but those of devices that are only late when it is not said.
    public var conditions = AlertRuleDraft.usualConditions
    /// How bad these alerts are at least.
    public var severity: AlertSeverity?
    /// Seconds for which an alert must stand before it is told.
    public var wait = WatchLimits.usualWait
    /// Whether those who were told of an alert are told when it is over.
    public var tellsBack = true
    /// Who is told.
    public var receivers: [Receiver] = []
    /// Whether it is in use.
    public var isActive = true

    /// Which alerts a rule is about that does not say it: everything serious.
    public static let usualConditions: Set<AlertCondition> = [
        .silent, .taskFailed, .certificateExpiring, .campaignPaused,
    ]

    /// A rule of this name that tells of everything serious.
    public init(name: Name, domain: String? = nil, receivers: [Receiver] = []) {
        (self.name, self.domain, self.receivers) = (name, domain, receivers)
    }

    /// What is wrong with it beside its receivers.
    var faults: [Refusal.Fault] {
        var faults: [Refusal.Fault] = []
        if conditions.isEmpty { faults.append(.init(place: "/conditions", message: "names one at least")) }
        if !WatchLimits.wait.contains(wait) {
            faults.append(
                .init(place: "/waitSeconds", message: "is from 0 to \(WatchLimits.wait.upperBound) seconds"))
        }
        if receivers.isEmpty || receivers.count > WatchLimits.receivers {
            faults.append(.init(place: "/receivers", message: "names 1 to \(WatchLimits.receivers)"))
        }
        return faults
    }
}
