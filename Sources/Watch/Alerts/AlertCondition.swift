public import Base
public import Operations

/// Marks identifiers of alerts.
public enum AlertKind {}
/// The identifier of an alert.
public typealias AlertID = Identifier<AlertKind>

/// What an alert says has happened.
public enum AlertCondition: String, CaseIterable, Sendable {
    /// Devices of a domain have missed a few calls.
    case late
    /// Devices of a domain have missed so many calls that nobody counts on the next one.
    case silent
    /// Tasks of an operation failed.
    case taskFailed
    /// Certificates of a domain's devices end soon, or have ended.
    case certificateExpiring
    /// A campaign paused by itself.
    case campaignPaused

    /// How bad it is where no rule says that it is worse.
    var severity: AlertSeverity { self == .late ? .notice : .warning }
}

/// How bad an alert is.
public enum AlertSeverity: Int64, CaseIterable, Comparable, Sendable {
    /// Good to know: the bell does not count it.
    case notice = 1
    /// Somebody should look at it.
    case warning = 2
    /// Somebody must look at it.
    case critical = 3

    /// The word in JSON and on screens.
    public var name: String { "\(self)" }

    /// The severity of this name.
    public init?(name: some StringProtocol) {
        guard let severity = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = severity
    }

    /// The milder one comes first.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Why an alert was closed.
public enum AlertEnd: String, CaseIterable, Sendable {
    /// All its devices have called again.
    case back
    /// Nobody expects its devices to call any more: they are exempt, not let in, moved or deleted.
    case excused
    /// The failed tasks are tried again, or the operation is gone.
    case retried
    /// The certificates were renewed, or are not needed any more.
    case renewed
    /// The campaign goes on, has ended, or is gone.
    case resumed
    /// Somebody acknowledged it, and the operation is over.
    case acknowledged
    /// It stood for so long that nobody needs it.
    case aged
}

/// What an alert is about: whatever happens to the same subject within a time belongs to one alert.
public enum AlertSubject: Hashable, Sendable {
    /// Calls of a domain's devices.
    case contact(DomainID)
    /// Certificates of a domain's devices.
    case certificates(DomainID)
    /// An operation.
    case operation(OperationID)
    /// A campaign.
    case campaign(CampaignID)

    var kind: String {
        switch self {
        case .contact: "contact"
        case .certificates: "certificates"
        case .operation: "operation"
        case .campaign: "campaign"
        }
    }

    var key: [UInt8] {
        switch self {
        case .contact(let id), .certificates(let id): id.bytes
        case .operation(let id): id.bytes
        case .campaign(let id): id.bytes
        }
    }

    /// The operation that it is about.
    public var operation: OperationID? { if case .operation(let id) = self { id } else { nil } }

    /// The campaign that it is about.
    public var campaign: CampaignID? { if case .campaign(let id) = self { id } else { nil } }

    /// Whether it is about devices of a place, and not about work.
    var isPlace: Bool { operation == nil && campaign == nil }
}
