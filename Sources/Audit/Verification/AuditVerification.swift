import Base
public import Storage

/// Checks logs without any key: in a database, beside its checkpoint file, or in an exported bundle.
public enum AuditVerification {
    /// Checks every log in `database` against its own checkpoints, the platform's log, the checkpoint file in
    /// `directory` when there is one, and checkpoints `known` from elsewhere; it only reads.
    ///
    /// It reads a file: not on an event loop.
    public static func database(
        _ database: Database, directory: String?, known: KnownCheckpoints = KnownCheckpoints()
    ) async throws -> [AuditReport] {
        let lines = try directory.map { try CheckpointFile.read(directory: $0) } ?? []
        var pinned: [TenantID: Pinned] = [:]
        for line in lines {
            switch line {
            case .key(let tenant, let verifier): pinned[tenant, default: Pinned()].keys.insert(verifier)
            case .checkpoint(let tenant, let time, let note):
                pinned[tenant, default: Pinned()].checkpoints.append((time, note))
            }
        }
        known.add(to: &pinned)
        var tenants = Set(pinned.keys)
        try await tenants.formUnion(
            database.platform.read { transaction in
                try transaction.acrossTenants.rows(
                    "SELECT tenant FROM audit_head UNION SELECT tenant FROM audit_pending"
                ).map { try $0.identifier(0, as: TenantID.self) }
            })
        // The platform's log first: it holds the others' checkpoints.
        var anchors: [TenantID: (Anchor, Timestamp)] = [:]
        var reports: [AuditReport] = []
        for tenant in [.platform] + tenants.sorted().filter({ $0 != .platform }) {
            let log = StoredLog(
                database: database, tenant: tenant, pinned: pinned[tenant] ?? Pinned(), anchor: anchors[tenant])
            reports.append(
                try await log.verify { leaf in
                    if let anchor = Anchor(leaf) { anchors[anchor.tenant] = (anchor, leaf.time) }
                })
        }
        return reports
    }

    /// What the checkpoint file says of one log.
    struct Pinned: Sendable {
        var keys: Set<NoteVerifier> = []
        var checkpoints: [(time: Timestamp?, note: String)] = []
    }
}

/// One log in a database, read in pages.
struct StoredLog {
    let database: Database
    let tenant: TenantID
    let pinned: AuditVerification.Pinned
    let anchor: (Anchor, Timestamp)?
    /// Hears after each page how many entries have been read, and of how many.
    var progress: (Int64, Int64) async throws -> Void = { _, _ in }

    private static let pageEntries: Int64 = TreeTiles.width * 16

    private struct Overview: Sendable {
        var size: Int64 = 0
        var frontier: [UInt8] = []
        /// The last entry's position, wherever the head says that the log ends.
        var last: Int64?
        var keptFrom: Int64 = 0
        var keys: [NoteVerifier] = []
        var checkpoints: [(size: Int64, time: Timestamp, note: String)] = []
        var pending = 0
        var oldestPending: Timestamp?
        var trimmedTo: Int64 = 0
    }

    /// Checks the log, showing each entry's leaf to `see` on the way.
    func verify(_ see: (AuditLeaf) -> Void) async throws -> AuditReport {
        let tenant = tenant
        let overview = try await database.tenant(tenant).read { try Self.overview(of: tenant, in: $0) }
        // The file's keys count before the database's: who could replace the one can not reach the other.
        let known = pinned.keys.isEmpty ? overview.keys : overview.keys.filter { pinned.keys.contains($0) }
        let keys = known + pinned.keys.subtracting(known).sorted { $0.description < $1.description }
        var judge = CheckpointJudge(keys: keys)
        judge.adopt(overview.checkpoints.map(\.note) + pinned.checkpoints.map(\.note))
        for (size, time, note) in overview.checkpoints { judge.take(note, size: size, time: time, origin: .log) }
        for (time, note) in pinned.checkpoints { judge.take(note, size: nil, time: time, origin: .elsewhere) }
        if let anchor { judge.take(anchor.0, time: anchor.1) }
        if let head = TreeFrontier(size: overview.size, bytes: overview.frontier) { judge.take(head) }
        var examination = LogExamination(
            tenant: tenant, size: overview.size, keptFrom: overview.keptFrom, witnesses: judge.witnesses,
            keys: judge.keys)
        for forgery in judge.forgeries { examination.add(forgery) }
        var trimmedTo = overview.trimmedTo
        var times: (first: Timestamp?, last: Timestamp?) = (nil, nil)
        while examination.index < overview.size {
            let from = examination.index
            let to = min(from + Self.pageEntries, overview.size)
            let page = try await database.tenant(tenant).read { try Self.page(of: tenant, from, to, in: $0) }
            for leaf in page.leaves {
                see(leaf)
                if leaf.code == AuditCode.auditTrimmed.text, leaf.object.kind == "audit",
                    let end = Int64(leaf.object.id)
                {
                    trimmedTo = max(trimmedTo, end)
                }
            }
            // Neither entries nor hashes from here on: the end is missing.
            var places = page.places
            while let last = places.last, last.content == nil, last.stored == nil { places.removeLast() }
            examination.take(places)
            times.first = times.first ?? page.leaves.first?.time
            times.last = page.leaves.last?.time ?? times.last
            if places.count < page.places.count { break }
            try await progress(examination.index, overview.size)
        }
        let root = examination.index == overview.size ? examination.stored.root : nil
        examination.judgeWitnesses()
        if examination.index == overview.size { try await compareTree(&examination, overview) }
        if let last = overview.last, last >= overview.size {
            examination.add(
                AuditDamage(
                    kind: .added, index: overview.size, message: "There are entries beyond the end of the log."))
        }
        var report = examination.finish(trimmedTo: trimmedTo)
        report.pending = overview.pending
        report.oldestPending = overview.oldestPending
        report.root = root
        (report.firstTime, report.lastTime) = times
        report.signedTime = overview.checkpoints.last { $0.size == report.signedSize }?.time
        return report
    }

    private static func overview(of tenant: TenantID, in transaction: Transaction) throws -> Overview {
        var overview = Overview()
        if let row = try transaction.row("SELECT size, frontier, kept_from FROM audit_head WHERE tenant = $1") {
            overview.size = try row.integer(0)
            overview.frontier = try row.blob(1)
            overview.keptFrom = try row.integer(2)
        }
        overview.last = try transaction.row("SELECT max(position) FROM audit_entry WHERE tenant = $1")?.integerIfAny(0)
        overview.keys = try LogSigner.verifiers(of: tenant, in: transaction)
        overview.checkpoints = try transaction.rows(
            "SELECT size, made_at, note FROM audit_checkpoint WHERE tenant = $1 ORDER BY size"
        ).map { (try $0.integer(0), try $0.timestamp(1), try $0.text(2)) }
        if let row = try transaction.row("SELECT count(*), min(time) FROM audit_pending WHERE tenant = $1") {
            overview.pending = try row.int(0)
            overview.oldestPending = try row.timestampIfAny(1)
        }
        // Retention's own record may still be pending when the server was stopped just then.
        overview.trimmedTo = try transaction.rows(
            "SELECT object_id FROM audit_pending WHERE tenant = $1 AND code = $2", AuditCode.auditTrimmed.text
        ).reduce(0) { max($0, Int64(try $1.text(0)) ?? 0) }
        return overview
    }

    private static func page(
        of tenant: TenantID, _ from: Int64, _ to: Int64, in transaction: Transaction
    ) throws -> (places: [LogExamination.Place], leaves: [AuditLeaf]) {
        var places = [LogExamination.Place](repeating: .init(), count: Int(to - from))
        var leaves: [AuditLeaf] = []
        let rows = try transaction.rows(
            """
            SELECT position, leaf, \(AuditLeaf.columnList) FROM audit_entry
            WHERE tenant = $1 AND position >= $2 AND position < $3 ORDER BY position
            """, from, to)
        for row in rows {
            let offset = Int(try row.integer(0) - from)
            places[offset].stored = TreeHash(try row.blob(1))
            // A row that is no leaf has no content that could have been hashed.
            guard let leaf = try? AuditLeaf(row, from: 2, tenant: tenant) else {
                places[offset].content = []
                continue
            }
            places[offset].content = leaf.bytes
            places[offset].code = leaf.code
            places[offset].time = leaf.time
            leaves.append(leaf)
        }
        let tiles = try transaction.rows(
            """
            SELECT position, hashes FROM audit_tile
            WHERE tenant = $1 AND level = 0 AND position >= $2 AND position < $3 ORDER BY position
            """, from / TreeTiles.width, (to + TreeTiles.width - 1) / TreeTiles.width)
        for tile in tiles {
            let first = try tile.integer(0) * TreeTiles.width - from
            for (offset, hash) in TreeTiles.hashes(in: try tile.blob(1)).enumerated() {
                let place = Int(first) + offset
                // The tile counts before the copy beside the entry, which whoever changed the entry reached as well.
                if places.indices.contains(place) { places[place].stored = hash }
            }
        }
        return (places, leaves)
    }

    /// Holds the tiles above the leaves and the head, which proofs are made from, against the leaves.
    private func compareTree(_ examination: inout LogExamination, _ overview: Overview) async throws {
        if examination.stored.bytes != overview.frontier, examination.isSound {
            examination.add(
                AuditDamage(
                    kind: .treeEdited, index: nil, message: "The log's head does not fit the hashes of its entries."))
        }
        let (tiles, tenant) = (examination.tiles.complete + examination.tiles.begun, tenant)
        let wrong = try await database.tenant(tenant).read { transaction in
            let stored = TreeTiles(of: tenant, in: transaction)
            return try tiles.first { try stored.stored(level: $0.level, position: $0.position) != $0.hashes }?.level
        }
        if let wrong {
            examination.add(
                AuditDamage(
                    kind: .treeEdited, index: nil,
                    message: "Stored hashes of level \(wrong) of the tree do not fit those below."))
        }
    }
}
