import Access
import Base
import Storage

/// Releases between their tables and memory; every call runs in a tenant's transaction.
enum ReleaseStore {
    private static let columns =
        "r.id, r.component, r.version, r.counter, r.hardware, r.notes, r.support_ends, r.sbom, r.state, r.creator_name, r.created, r.published, r.withdrawn"

    /// Writes a draft, new or in the place of what it was.
    static func put(
        _ id: ReleaseID, _ draft: ReleaseDraft, counter: Int64, creator: PrincipalID, named creatorName: String,
        at now: Timestamp, in transaction: Transaction
    ) throws {
        let hardware = JSONValue.array(draft.hardware.map { .string($0) }).canonical
        try transaction.execute(
            """
            INSERT INTO release (tenant, id, component, version, counter, hardware, notes, support_ends, sbom, state,
                creator, creator_name, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'draft', $10, $11, $12)
            ON CONFLICT (tenant, id) DO UPDATE SET component = excluded.component, version = excluded.version,
                counter = excluded.counter, hardware = excluded.hardware, notes = excluded.notes,
                support_ends = excluded.support_ends, sbom = excluded.sbom
            """, id, draft.component, draft.version, counter, hardware, draft.notes, draft.supportEnds, draft.sbom,
            creator, creatorName, now)
        try transaction.execute("DELETE FROM release_artifact WHERE tenant = $1 AND release = $2", id)
        try transaction.insert(
            into: "release_artifact", columns: ["release", "place", "artifact"],
            rows: draft.artifacts.enumerated().map { [id.sqlValue, Int64($0).sqlValue, $1.sqlValue] })
    }

    static func find(_ id: ReleaseID, in transaction: Transaction) throws -> Release? {
        try transaction.row("SELECT \(columns) FROM release r WHERE r.tenant = $1 AND r.id = $2", id).map {
            try read($0, in: transaction)
        }
    }

    /// The next ones from the newest on; of one component, or of all.
    static func page(
        before: ReleaseID?, component: String?, state: Release.State?, limit: Int, in transaction: Transaction
    ) throws -> [Release] {
        let last = before ?? ReleaseID(high: .max, low: .max)
        return try transaction.rows(
            """
            SELECT \(columns) FROM release r WHERE r.tenant = $1 AND r.id < $2
            AND (r.component = $3 OR $3 = '') AND (r.state = $4 OR $4 = '') ORDER BY r.id DESC LIMIT $5
            """, last, component ?? "", state?.rawValue ?? "", limit
        ).map { try read($0, in: transaction) }
    }

    static func count(in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM release WHERE tenant = $1")?.int(0) ?? 0
    }

    /// The highest counter of a component's line, drafts included or not.
    static func lastCounter(of component: String, drafts: Bool, in transaction: Transaction) throws -> Int64 {
        try transaction.row(
            """
            SELECT COALESCE(max(counter), 0) FROM release
            WHERE tenant = $1 AND component = $2 AND (state <> 'draft' OR $3 = 1)
            """, component, drafts ? Int64(1) : 0)?.integer(0) ?? 0
    }

    /// The counter of the published release before the last one; 0 when there is none.
    static func counterBeforeLast(of component: String, in transaction: Transaction) throws -> Int64 {
        let rows = try transaction.rows(
            """
            SELECT counter FROM release WHERE tenant = $1 AND component = $2 AND state = 'published'
            ORDER BY counter DESC LIMIT 2
            """, component)
        return rows.count > 1 ? try rows[1].integer(0) : 0
    }

    /// What is published of a component beyond this counter, in its order.
    static func published(of component: String, after counter: Int64, in transaction: Transaction) throws -> [Release] {
        try transaction.rows(
            """
            SELECT \(columns) FROM release r
            WHERE r.tenant = $1 AND r.component = $2 AND r.counter > $3 AND r.state = 'published' ORDER BY r.counter
            """, component, counter
        ).map { try read($0, in: transaction) }
    }

    /// What was withdrawn of a component up to this counter, the last ones.
    static func withdrawn(of component: String, upTo counter: Int64, in transaction: Transaction) throws -> [Release] {
        try transaction.rows(
            """
            SELECT \(columns) FROM release r
            WHERE r.tenant = $1 AND r.component = $2 AND r.counter <= $3 AND r.state = 'withdrawn'
            ORDER BY r.counter DESC LIMIT \(OperationLimits.releaseLines)
            """, component, counter
        ).map { try read($0, in: transaction) }
    }

    /// The counters of a component's versions that were ever published.
    static func counters(of component: String, in transaction: Transaction) throws -> [String: Int64] {
        var counters: [String: Int64] = [:]
        try transaction.forEach(
            "SELECT version, counter FROM release WHERE tenant = $1 AND component = $2 AND state <> 'draft'", component
        ) { counters[try $0.text(0)] = try $0.integer(1) }
        return counters
    }

    /// The last published release of a component before this counter.
    static func last(of component: String, before counter: Int64, in transaction: Transaction) throws -> Release? {
        try transaction.row(
            """
            SELECT \(columns) FROM release r WHERE r.tenant = $1 AND r.component = $2 AND r.counter < $3
            AND r.state = 'published' ORDER BY r.counter DESC LIMIT 1
            """, component, counter
        ).map { try read($0, in: transaction) }
    }

    /// The components that have a published release.
    static func components(in transaction: Transaction) throws -> [String] {
        try transaction.rows("SELECT DISTINCT component FROM release WHERE tenant = $1 AND state = 'published'").map {
            try $0.text(0)
        }
    }

    /// Another release of the component that has this version or counter.
    static func isTaken(
        _ component: String, version: String, counter: Int64, but id: ReleaseID, in transaction: Transaction
    ) throws -> (version: Bool, counter: Bool) {
        let rows = try transaction.rows(
            """
            SELECT version, counter FROM release
            WHERE tenant = $1 AND component = $2 AND (version = $3 OR counter = $4) AND id <> $5
            """, component, version, counter, id)
        return (
            try rows.contains { try $0.text(0) == version }, try rows.contains { try $0.integer(1) == counter }
        )
    }

    static func set(_ state: Release.State, _ id: ReleaseID, at now: Timestamp, in transaction: Transaction) throws {
        let column = state == .published ? "published" : "withdrawn"
        try transaction.execute(
            "UPDATE release SET state = $3, \(column) = $4 WHERE tenant = $1 AND id = $2", id, state.rawValue, now)
    }

    static func delete(_ id: ReleaseID, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM release_artifact WHERE tenant = $1 AND release = $2", id)
        try transaction.execute("DELETE FROM release_origin WHERE tenant = $1 AND release = $2", id)
        try transaction.execute("DELETE FROM release WHERE tenant = $1 AND id = $2", id)
    }

    static func isOrdered(_ id: ReleaseID, in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT 1 FROM operation WHERE tenant = $1 AND release = $2 LIMIT 1", id) != nil
            || CampaignStore.names(id, in: transaction)
    }

    private static func read(_ row: Row, in transaction: Transaction) throws -> Release {
        guard let state = Release.State(rawValue: try row.text(8)),
            case .array(let hardware) = try JSONValue(parsing: Array(try row.text(4).utf8))
        else { throw StorageError(.corrupt, "a release's row is not readable") }
        let id = try row.identifier(0, as: ReleaseID.self)
        let artifacts = try transaction.rows(
            """
            SELECT \(ArtifactStore.columns) FROM release_artifact l
            JOIN artifact a ON a.tenant = $1 AND a.id = l.artifact
            WHERE l.tenant = $1 AND l.release = $2 ORDER BY l.place
            """, id
        ).map { try whole(ArtifactStore.read($0)) }
        let sbom = try row.identifierIfAny(7, as: ArtifactID.self).flatMap {
            try ArtifactStore.find($0, in: transaction)
        }
        return Release(
            id: id, component: try row.text(1), version: try row.text(2), counter: try row.integer(3),
            hardware: hardware.compactMap(\.string), notes: try row.text(5), supportEnds: try row.timestampIfAny(6),
            artifacts: artifacts, sbom: try sbom.map(whole), state: state, creatorName: try row.text(9),
            created: try row.timestamp(10), published: try row.timestampIfAny(11), withdrawn: try row.timestampIfAny(12)
        )
    }

    private static func whole(_ stored: ArtifactStore.Stored) throws -> Artifact {
        guard case .whole(let artifact) = stored else {
            throw StorageError(.corrupt, "a release names an artifact that is not whole")
        }
        return artifact
    }
}
