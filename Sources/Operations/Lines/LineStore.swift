import Access
import Base
import Storage

/// Release lines between their table and memory. A line has two sides, so these calls run across tenants and name the
/// tenant themselves; those of a line's releases run in the taker's transaction.
enum LineStore {
    private static let columns =
        "l.id, l.tenant, l.taker, l.component, l.status, l.offered, l.accepter, l.arrived, l.problem"

    static func insert(_ line: ReleaseLine, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO release_line (tenant, id, taker, component, status, offered, arrived)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, line.id, line.taker, line.component, line.status.rawValue, line.offered, line.arrived)
    }

    /// A line of which the tenant is one side.
    static func find(_ id: ReleaseLineID, of tenant: TenantID, in transaction: Transaction) throws -> ReleaseLine? {
        try transaction.acrossTenants.row(
            "SELECT \(columns) FROM release_line l WHERE l.id = $1 AND (l.tenant = $2 OR l.taker = $2)", id, tenant
        ).map(read)
    }

    /// The lines of which the tenant is one side, the newest first.
    static func all(of tenant: TenantID, in transaction: Transaction) throws -> [ReleaseLine] {
        try transaction.acrossTenants.rows(
            """
            SELECT \(columns) FROM release_line l WHERE l.tenant = $1 OR l.taker = $1
            ORDER BY l.id DESC LIMIT \(OperationLimits.releaseLines)
            """, tenant
        ).map(read)
    }

    static func count(of owner: TenantID, in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM release_line WHERE tenant = $1")?.int(0) ?? 0
    }

    static func isOpen(
        _ component: String, to taker: TenantID, in transaction: Transaction
    ) throws -> Bool {
        try transaction.row(
            """
            SELECT 1 FROM release_line
            WHERE tenant = $1 AND taker = $2 AND component = $3 AND status IN ('offered', 'accepted')
            """, taker, component) != nil
    }

    /// The accepted lines, with those that rest: one with a problem is not tried too often.
    static func carrying(
        triedBefore moment: Timestamp, in transaction: Transaction
    ) throws -> [(line: ReleaseLine, isResting: Bool)] {
        try transaction.acrossTenants.rows(
            """
            SELECT \(columns), CASE WHEN l.problem IS NOT NULL AND l.tried >= $1 THEN 1 ELSE 0 END
            FROM release_line l WHERE l.status = 'accepted' ORDER BY l.id
            """, moment
        ).map { (try read($0), try $0.int(9) > 0) }
    }

    static func answer(
        _ line: ReleaseLine, _ status: ReleaseLine.Status, accepter: PrincipalID?, arrived: Int64,
        in transaction: Transaction
    ) throws {
        try transaction.scoped(to: line.owner).execute(
            """
            UPDATE release_line SET status = $3, accepter = COALESCE($4, accepter), arrived = $5, problem = NULL
            WHERE tenant = $1 AND id = $2
            """, line.id, status.rawValue, accepter, arrived)
    }

    /// A release has arrived, or need not any more.
    static func advance(_ line: ReleaseLine, to counter: Int64, in transaction: Transaction) throws {
        try transaction.scoped(to: line.owner).execute(
            "UPDATE release_line SET arrived = $3, problem = NULL WHERE tenant = $1 AND id = $2", line.id, counter)
    }

    static func note(
        _ problem: String, of line: ReleaseLine, at now: Timestamp, in transaction: Transaction
    ) throws {
        try transaction.scoped(to: line.owner).execute(
            "UPDATE release_line SET problem = $3, tried = $4 WHERE tenant = $1 AND id = $2", line.id, problem, now)
    }

    // MARK: - Releases of a line

    /// Notes in the taker's transaction by which line a release came, and which one it is on the other side.
    static func noteOrigin(
        of release: ReleaseID, _ line: ReleaseLineID, source: ReleaseID, in transaction: Transaction
    ) throws {
        try transaction.execute(
            "INSERT INTO release_origin (tenant, release, line, source) VALUES ($1, $2, $3, $4)", release, line, source)
    }

    /// What became, in the taker's tenant, of a release of the owner's.
    static func arrival(
        of source: ReleaseID, by line: ReleaseLineID, in transaction: Transaction
    ) throws -> ReleaseID? {
        try transaction.row(
            "SELECT release FROM release_origin WHERE tenant = $1 AND line = $2 AND source = $3", line, source
        )?.identifier(0)
    }

    private static func read(_ row: Row) throws -> ReleaseLine {
        guard let status = ReleaseLine.Status(rawValue: try row.text(4)) else {
            throw StorageError(.corrupt, "a release line's row is not readable")
        }
        return ReleaseLine(
            id: try row.identifier(0), owner: try row.identifier(1), taker: try row.identifier(2),
            component: try row.text(3), status: status, offered: try row.timestamp(5),
            accepter: try row.identifierIfAny(6), arrived: try row.integer(7), problem: try row.textIfAny(8))
    }
}
