public import Base

/// Which entries of a log are wanted; parts left out do not restrict.
public struct AuditFilter: Sendable, Hashable {
    /// How the codes begin: `device.` for all of devices, or a whole code.
    public var codePrefix: String?
    /// The identifier of the actor.
    public var actor: String?
    /// The identifier of the credential that the actor used, such as a session's.
    public var credential: String?
    /// The kind of object.
    public var objectKind: String?
    /// The identifier of the object; counts only together with its kind.
    public var objectID: String?
    /// How the action ended.
    public var outcome: AuditEntry.Outcome?
    /// The first moment wanted.
    public var from: Timestamp?
    /// The first moment no longer wanted.
    public var to: Timestamp?

    /// A filter of these parts.
    public init(
        codePrefix: String? = nil, actor: String? = nil, credential: String? = nil, objectKind: String? = nil,
        objectID: String? = nil, outcome: AuditEntry.Outcome? = nil, from: Timestamp? = nil, to: Timestamp? = nil
    ) {
        self.codePrefix = codePrefix
        self.actor = actor
        self.credential = credential
        self.objectKind = objectKind
        self.objectID = objectID
        self.outcome = outcome
        self.from = from
        self.to = to
    }
}

/// One entry as a reader of the log sees it.
public struct RecordedEntry: Sendable, Hashable {
    /// The place in the log, counted from zero.
    public var index: Int64
    /// The identifier given when it was recorded.
    public var id: AuditEntryID
    /// The stable code.
    public var code: String
    /// When it happened.
    public var time: Timestamp
    /// The domain it happened in.
    public var domain: DomainID?
    /// Who did it; name and address are empty when `isShredded`.
    public var actor: Actor
    /// What it was done to.
    public var object: AuditObject
    /// How it ended.
    public var outcome: AuditEntry.Outcome
    /// Whatever else belongs to it; null when `isShredded`.
    public var details: JSONValue
    /// True when the personal details can no longer be opened because the tenant's key was destroyed.
    public var isShredded: Bool
}

/// A stretch of a log, newest first.
public struct AuditPage: Sendable, Hashable {
    /// The entries.
    public var entries: [RecordedEntry]
    /// Where the next page begins, or nil at the end; opaque.
    public var next: String?
    /// How far back was looked when the page has fewer entries than asked for and yet a next one; nil otherwise.
    public var searchedTo: Timestamp?
}
