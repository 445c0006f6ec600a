public import Base

/// An alert as people see it.
public struct Alert: Sendable, Hashable {
    /// The stable identifier.
    public let id: AlertID
    /// What it is about.
    public let subject: AlertSubject
    /// Whose alert it is.
    public let domain: DomainID
    /// The domain's path; nil for the root.
    public let place: String?
    /// What it says has happened.
    public let condition: AlertCondition
    /// How bad that is.
    public let severity: AlertSeverity
    /// What it says in a few words.
    public let summary: String
    /// When it began.
    public let opened: Timestamp
    /// Since when devices of it are silent, not only late.
    public let silentSince: Timestamp?
    /// How many devices it has been about; of an operation, how many tasks failed.
    public let devices: Int
    /// About how many it is now.
    public let missing: Int
    /// How many of these are silent.
    public let silent: Int
    /// When the first certificate ends.
    public let ends: Timestamp?
    /// When somebody took care of it.
    public let acknowledged: Timestamp?
    /// Who did.
    public let acknowledgedBy: String?
    /// What they noted.
    public let note: String?
    /// Until when it is silenced.
    public let silenced: Timestamp?
    /// When it was closed.
    public let closed: Timestamp?
    /// Why.
    public let end: AlertEnd?
    /// How many receivers were told of it.
    public let told: Int

    /// Whether it is silenced at this moment.
    public func isSilenced(at now: Timestamp) -> Bool { silenced.map { $0 > now } ?? false }

    /// The alert as JSON.
    public var json: JSONValue {
        func time(_ time: Timestamp?) -> JSONValue { time.map { .string($0.rfc3339) } ?? .null }
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return [
            "id": .string(id.text), "condition": .string(condition.rawValue), "severity": .string(severity.name),
            "domain": ["id": .string(domain.text), "path": .string(place ?? "/")],
            "operation": text(subject.operation?.text),
            "campaign": text(subject.campaign?.text), "summary": .string(summary),
            "opened": .string(opened.rfc3339), "silentSince": time(silentSince), "devices": .integer(Int64(devices)),
            "missing": .integer(Int64(missing)), "silent": .integer(Int64(silent)), "ends": time(ends),
            "acknowledged": time(acknowledged), "acknowledgedBy": text(acknowledgedBy), "note": text(note),
            "silencedUntil": time(silenced), "closed": time(closed), "reason": text(end?.rawValue),
            "told": .integer(Int64(told)),
        ]
    }
}

/// Which alerts a reader wants; parts left out do not restrict.
public struct AlertFilter: Sendable, Hashable {
    /// Whether they are open.
    public var isOpen: Bool?
    /// What they say.
    public var condition: AlertCondition?
    /// How bad they are at least.
    public var severity: AlertSeverity?
    /// Whether somebody has acknowledged or silenced them.
    public var isQuiet: Bool?

    /// A device that they are about now.
    public var device: DeviceID?

    /// A filter of these parts.
    public init(
        isOpen: Bool? = nil, condition: AlertCondition? = nil, severity: AlertSeverity? = nil, isQuiet: Bool? = nil,
        device: DeviceID? = nil
    ) {
        (self.isOpen, self.condition, self.severity, self.isQuiet) = (isOpen, condition, severity, isQuiet)
        self.device = device
    }
}

/// Some alerts, and where the next page begins.
public struct AlertPage: Sendable {
    /// The alerts, the newest first.
    public let items: [Alert]
    /// The last one, when there are more.
    public let next: AlertID?
}
