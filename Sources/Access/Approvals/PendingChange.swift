public import Base
import Storage

/// A change of security settings that waits, or waited, for a second approver.
public struct PendingChange: Sendable, Hashable {
    /// How far it has come.
    public enum Status: String, Sendable, CaseIterable {
        /// Waits for a second approver.
        case proposed
        /// Was approved, and made.
        case approved
        /// Was turned down.
        case rejected
        /// Was taken back by its proposer.
        case withdrawn
        /// Nobody decided in time.
        case expired
    }

    /// The stable identifier.
    public let id: PendingChangeID
    /// What sort of change.
    public let kind: String
    /// What it would change.
    public private(set) var change: JSONValue
    /// Why.
    public let reason: String
    /// Who proposed it.
    public let proposer: PrincipalID
    /// When.
    public let proposed: Timestamp
    /// Until when it can be approved.
    public let expires: Timestamp
    /// How far it has come.
    public let status: Status
    /// Who decided.
    public let decider: PrincipalID?
    /// When.
    public let decided: Timestamp?
    /// What it was about when it was proposed; nil for one from before this was kept.
    public let told: ChangeView?
    /// What the identifiers in it are called: now while it waits, afterwards as when it was proposed.
    public private(set) var names: [String: String] = [:]

    init(
        id: PendingChangeID, kind: String, change: JSONValue, reason: String, proposer: PrincipalID,
        proposed: Timestamp, expires: Timestamp, status: Status, decider: PrincipalID?, decided: Timestamp?,
        told: ChangeView?
    ) {
        self.id = id
        self.kind = kind
        self.change = change
        self.reason = reason
        self.proposer = proposer
        self.proposed = proposed
        self.expires = expires
        self.status = status
        self.decider = decider
        self.decided = decided
        self.told = told
        names = told?.names ?? [:]
    }

    /// The same with these names.
    func named(_ names: [String: String]) -> PendingChange {
        var change = self
        change.names = names
        return change
    }

    /// The same with other words of what it changes.
    func showing(_ words: JSONValue) -> PendingChange {
        var change = self
        change.change = words
        return change
    }

    /// As it is at this time: it expires by itself.
    func asOf(_ now: Timestamp) -> PendingChange {
        status == .proposed && expires <= now ? decided(.expired, by: nil, at: nil) : self
    }

    func decided(_ status: Status, by decider: PrincipalID?, at time: Timestamp?) -> PendingChange {
        PendingChange(
            id: id, kind: kind, change: change, reason: reason, proposer: proposer, proposed: proposed,
            expires: expires, status: status, decider: decider, decided: time, told: told)
    }
}

/// Pending changes between their table and memory.
enum PendingChangeRow {
    static let columns = "id, kind, change, reason, proposer, proposed, expires, status, decider, decided, told"

    static func insert(_ change: PendingChange, tenant: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO pending_change (tenant, id, kind, change, reason, proposer, proposed, expires, status, told)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """, change.id, change.kind, change.change.canonical, change.reason, change.proposer, change.proposed,
            change.expires, change.status.rawValue, change.told?.json.canonical)
    }

    static func find(_ id: PendingChangeID, in tx: Transaction) throws -> PendingChange? {
        try tx.row("SELECT \(columns) FROM pending_change WHERE tenant = $1 AND id = $2", id).map { try read($0) }
    }

    static func read(_ row: Row) throws -> PendingChange {
        guard let status = PendingChange.Status(rawValue: try row.text(7)) else {
            throw StorageError(.corrupt, "a pending change's row is not readable")
        }
        return PendingChange(
            id: try row.identifier(0), kind: try row.text(1), change: try JSONValue(parsing: Array(row.text(2).utf8)),
            reason: try row.text(3), proposer: try row.identifier(4), proposed: try row.timestamp(5),
            expires: try row.timestamp(6), status: status, decider: try row.identifierIfAny(8),
            decided: try row.timestampIfAny(9),
            told: try row.textIfAny(10).flatMap { ChangeView(json: try JSONValue(parsing: Array($0.utf8))) })
    }
}
