public import Base

/// Marks identifiers of audit entries.
public enum AuditEntryKind {}
/// Names an audit entry.
public typealias AuditEntryID = Identifier<AuditEntryKind>

/// One event as the part where it happened describes it.
public struct AuditEntry: Sendable, Hashable {
    /// How the action ended.
    public enum Outcome: String, Sendable, CaseIterable {
        /// It was done.
        case success
        /// It was refused.
        case denied
        /// It was allowed, and failed.
        case failed
    }

    /// The stable code.
    public var code: AuditCode
    /// The tenant whose log it belongs to.
    public var tenant: TenantID
    /// The domain it happened in, when there is one.
    public var domain: DomainID?
    /// Who did it.
    public var actor: Actor
    /// What it was done to.
    public var object: AuditObject
    /// How it ended.
    public var outcome: Outcome
    /// When it happened; nil stands for the log's own clock.
    public var time: Timestamp?
    /// Whatever else belongs to it; stored encrypted, and never a secret.
    public var details: JSONValue

    /// An event with these traits.
    public init(
        _ code: AuditCode, tenant: TenantID, domain: DomainID? = nil, actor: Actor, object: AuditObject,
        outcome: Outcome = .success, time: Timestamp? = nil, details: JSONValue = [:]
    ) {
        self.code = code
        self.tenant = tenant
        self.domain = domain
        self.actor = actor
        self.object = object
        self.outcome = outcome
        self.time = time
        self.details = details
    }
}
