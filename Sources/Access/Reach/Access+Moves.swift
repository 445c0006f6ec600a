import Audit
public import Base
package import Storage

/// A move of a device or domain in the tree, which can be undone.
public struct Move: Sendable, Hashable {
    /// What was moved.
    public enum Object: Sendable, Hashable {
        /// A device.
        case device(DeviceID)
        /// A domain with all below it.
        case domain(DomainID)
    }

    /// The stable identifier.
    public let id: MoveID
    /// What was moved.
    public let object: Object
    /// From where.
    public let origin: DomainID
    /// To where.
    public let target: DomainID
    /// By whom.
    public let principal: PrincipalID
    /// When.
    public let made: Timestamp
    /// When it was undone, if it was.
    public let undone: Timestamp?
}

extension Access {
    /// The moves that are kept and ended where the caller sees domains, the newest first.
    public func moves(tenant: TenantID, by principal: Principal) async throws -> [Move] {
        try await database.tenant(tenant).read { tx in
            let scope = try visibleDomains(principal, .domainRead, tenant: tenant, in: tx)
            if scope == .roots([]) { throw Self.notHere }
            var (within, arguments): (String, [any SQLBindable]) = ("", [])
            if case .roots(let roots) = scope {
                arguments = Array(roots)
                within = """
                     AND target IN (WITH RECURSIVE below (id) AS (
                        SELECT r.id FROM domain r
                        WHERE r.tenant = $1 AND r.id IN (\(arguments.indices.map { "$\($0 + 2)" }.joined(separator: ", ")))
                        UNION SELECT c.id FROM domain c JOIN below b ON c.parent = b.id WHERE c.tenant = $1
                    ) SELECT below.id FROM below)
                    """
            }
            return try tx.rows(
                """
                SELECT \(Self.moveColumns) FROM move WHERE tenant = $1\(within)
                ORDER BY id DESC LIMIT \(AccessLimits.page)
                """, arguments: arguments
            ).map(Self.readMove)
        }
    }

    /// The latest move of this by the caller, who has just made it.
    public func latestMove(of object: Move.Object, tenant: TenantID, by principal: Principal) async throws -> MoveID? {
        try await database.tenant(tenant).read { tx in
            try tx.row(
                """
                SELECT id FROM move WHERE tenant = $1 AND kind = $2 AND object = $3 AND principal = $4
                    AND undone IS NULL ORDER BY id DESC LIMIT 1
                """, object.kind, object.bytes, principal.id
            ).map { try $0.identifier(0) }
        }
    }

    /// Whether a move that can be undone is of a device; devices are moved by another part.
    public func isMoveOfDevice(_ id: MoveID, tenant: TenantID, by principal: Principal) async throws -> Bool {
        try await database.tenant(tenant).read { tx in
            if case .device = try openMove(id, tenant: tenant, by: principal, in: tx).object { return true }
            return false
        }
    }

    /// Undoes the move of a domain: it goes back to where it was.
    public func undoMove(ofDomain id: MoveID, tenant: TenantID, by principal: Principal) async throws -> Domain {
        try await database.tenant(tenant).write { tx in
            let move = try openMove(id, tenant: tenant, by: principal, in: tx)
            guard case .domain(let domain) = move.object else { throw Self.unknown("move") }
            guard
                try tx.row("SELECT 1 FROM domain WHERE tenant = $1 AND id = $2 AND parent = $3", domain, move.target)
                    != nil
            else { throw Self.movedOn }
            let back = try changeDomain(
                domain, name: nil, below: move.origin.text, tenant: tenant, by: principal, isMove: false, in: tx)
            try closeMove(move, tenant: tenant, by: principal, in: tx)
            return back
        }
    }

    /// One move that can still be undone, for a caller who sees the domain where it ended.
    package func openMove(_ id: MoveID, tenant: TenantID, by principal: Principal, in tx: Transaction) throws -> Move {
        let row = try tx.row("SELECT \(Self.moveColumns) FROM move WHERE tenant = $1 AND id = $2", id)
        guard let move = try row.map(Self.readMove) else {
            try authorize(principal, .domainRead, tenant: tenant, in: tx)
            throw Self.unknown("move")
        }
        do {
            try authorize(principal, .domainRead, tenant: tenant, domain: move.target, in: tx)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            // As for one that is absent.
            try authorize(principal, .domainRead, tenant: tenant, in: tx)
            throw Self.unknown("move")
        }
        guard move.undone == nil else { throw Refusal(.conflict, "move.undone", "The move was undone already.") }
        guard move.made + .seconds(AccessLimits.undoDays * 86_400) > clock.now else {
            throw Refusal(
                .conflict, "move.old", "A move can be undone for \(AccessLimits.undoDays) days; move it yourself.")
        }
        return move
    }

    /// Notes that a move was undone, in the transaction that undid it.
    package func closeMove(_ move: Move, tenant: TenantID, by principal: Principal, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute(
            "UPDATE move SET undone = $3 WHERE tenant = $1 AND id = $2", move.id, clock.now)
        rightsChanged(tenant, in: tx)
        try recordMove(.moveUndone, move, tenant: tenant, by: principal, in: tx)
    }

    /// Notes a move, in the transaction that made it, so that it can be undone.
    @discardableResult
    package func noteMove(
        of object: Move.Object, from origin: DomainID, to target: DomainID, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws -> Move {
        let now = clock.now
        let move = Move(
            id: MoveID(now: now), object: object, origin: origin, target: target, principal: principal.id, made: now,
            undone: nil)
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO move (tenant, id, kind, object, origin, target, principal, made)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """, move.id, object.kind, object.bytes, origin, target, principal.id, now)
        rightsChanged(tenant, in: tx)
        try recordMove(.moved, move, tenant: tenant, by: principal, in: tx)
        return move
    }

    /// What somebody is told whose undo comes too late.
    package static let movedOn = Refusal(
        .conflict, "move.superseded", "It has been moved again since, or is no more; nothing was undone.")

    /// Refuses a move by which somebody would gain rights over what they move.
    package func refuseGain(
        of principal: Principal, from origin: GrantPlace, to target: GrantPlace, tenant: TenantID, in tx: Transaction
    ) throws {
        guard
            try permissions(of: principal, tenant: tenant, at: target, in: tx)
                .isSubset(of: permissions(of: principal, tenant: tenant, at: origin, in: tx))
        else {
            let kind = origin.device == nil ? "domain" : "device"
            throw Refusal(
                .forbidden, "\(kind).moveExceeds",
                "You would gain rights over the \(kind) that you do not have where it is.")
        }
    }

    private func recordMove(
        _ code: AuditCode, _ move: Move, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        try record(
            code, tenant, by: principal, move.object.kind, move.object.bytes.hex,
            domain: code == .moved ? move.target : move.origin,
            details: [
                "move": .string(move.id.text), "from": .string(move.origin.text), "to": .string(move.target.text),
            ], in: tx)
    }

    private static let moveColumns = "id, kind, object, origin, target, principal, made, undone"

    private static func readMove(_ row: Row) throws -> Move {
        Move(
            id: try row.identifier(0),
            object: try row.text(1) == "device" ? .device(try row.identifier(2)) : .domain(try row.identifier(2)),
            origin: try row.identifier(3), target: try row.identifier(4), principal: try row.identifier(5),
            made: try row.timestamp(6), undone: try row.timestampIfAny(7))
    }
}

extension Move.Object {
    /// The word for its kind.
    public var kind: String { if case .device = self { "device" } else { "domain" } }

    var bytes: [UInt8] {
        switch self {
        case .device(let id): id.bytes
        case .domain(let id): id.bytes
        }
    }
}
