public import Base
import Storage

/// The making, the change or the end of a grant, which can be undone.
public struct GrantChange: Sendable, Hashable {
    /// What was done.
    public enum Act: String, Sendable {
        /// The role was given.
        case made
        /// The grant was ended.
        case ended
        /// The grant was replaced by another.
        case changed
    }

    /// The stable identifier.
    public let id: GrantChangeID
    /// What was done.
    public let act: Act
    /// The grant as it was made, or was before it was ended or changed; then with the identifier of what replaced it.
    public let grant: Grant
    /// By whom.
    public let principal: PrincipalID
    /// When.
    public let made: Timestamp
    /// When it was undone, if it was.
    public let undone: Timestamp?
}

/// Changes of grants between their table and memory.
enum GrantChangeRow {
    static let columns =
        "id, act, role_grant, holder, is_group, role, domain, device, expires, created, principal, undone"

    static func insert(_ change: GrantChange, in tx: Transaction) throws {
        let grant = change.grant
        try tx.execute(
            """
            INSERT INTO grant_change (tenant, \(columns))
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL)
            """, change.id, change.act.rawValue, grant.id, grant.holder.bytes, grant.holder.principal == nil,
            grant.role, grant.domain, grant.device, grant.expires, change.made, change.principal)
    }

    static func read(_ row: Row) throws -> GrantChange {
        guard let act = GrantChange.Act(rawValue: try row.text(1)) else {
            throw StorageError(.corrupt, "a grant's change is not readable")
        }
        let made = try row.timestamp(9)
        return GrantChange(
            id: try row.identifier(0), act: act,
            grant: Grant(
                id: try row.identifier(2),
                holder: try row.bool(4) ? .group(try row.identifier(3)) : .principal(try row.identifier(3)),
                role: try row.identifier(5), domain: try row.identifierIfAny(6), device: try row.identifierIfAny(7),
                expires: try row.timestampIfAny(8), created: made),
            principal: try row.identifier(10), made: made, undone: try row.timestampIfAny(11))
    }
}
