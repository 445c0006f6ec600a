public import Base
import Storage

/// A way out that somebody has set up: a mail server, an SMS gateway, a webhook or a syslog receiver.
public struct Outlet: Sendable, Hashable {
    /// The stable identifier.
    public let id: OutletID
    /// The name, unique in the tenant.
    public let name: Name
    /// By what means it sends.
    public let kind: DeliveryKind
    /// Where and how, as `docs/delivery.md` describes for each kind; never a secret.
    public let settings: JSONValue
    /// Whether it holds a secret.
    public let hasSecret: Bool
    /// Whether it is in use.
    public let isActive: Bool
    /// When it was created.
    public let created: Timestamp
    /// When it was last changed.
    public let changed: Timestamp

    static let columns =
        "id, name, kind, settings, CASE WHEN secret IS NULL THEN 0 ELSE 1 END, active, created_at, changed_at"

    init(_ row: Row) throws {
        guard let name = Name(try row.text(1)), let kind = DeliveryKind(rawValue: try row.text(2)),
            let settings = try? JSONValue(parsing: Array(row.text(3).utf8), limits: OutletPath.limits)
        else { throw StorageError(.corrupt, "an outlet's row is not readable") }
        self.init(
            id: try row.identifier(0), name: name, kind: kind, settings: settings, hasSecret: try row.bool(4),
            isActive: try row.bool(5), created: try row.timestamp(6), changed: try row.timestamp(7))
    }

    init(
        id: OutletID, name: Name, kind: DeliveryKind, settings: JSONValue, hasSecret: Bool, isActive: Bool,
        created: Timestamp, changed: Timestamp
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.settings = settings
        self.hasSecret = hasSecret
        self.isActive = isActive
        self.created = created
        self.changed = changed
    }
}

/// How the last attempts through an outlet went, as this server process knows.
public struct OutletHealth: Sendable, Hashable {
    /// Failures in a row.
    public var failures: Int
    /// While this lies ahead nothing is tried.
    public var pausedUntil: Timestamp?
    /// What the last failure was.
    public var lastFailure: String?
    /// The number of audit entries that an audit stream has sent or passed; nil where nothing streams.
    public var position: Int64?
    /// When an audit stream last sent something.
    public var sent: Timestamp?

    /// Nothing known.
    public init(
        failures: Int = 0, pausedUntil: Timestamp? = nil, lastFailure: String? = nil, position: Int64? = nil,
        sent: Timestamp? = nil
    ) {
        self.failures = failures
        self.pausedUntil = pausedUntil
        self.lastFailure = lastFailure
        self.position = position
        self.sent = sent
    }
}
