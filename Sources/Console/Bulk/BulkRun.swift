import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Marks identifiers of bulk runs.
enum BulkRunKind {}

/// An act on all devices that match a filter, on its way through them.
struct BulkRun: Sendable, Hashable {
    typealias ID = Identifier<BulkRunKind>

    /// How far it has come.
    enum Status: String, Sendable {
        /// Works, or would if the server had not been stopped meanwhile.
        case running
        /// Went through all.
        case finished
        /// Was stopped by somebody.
        case stopped
        /// Could not go on; the reason is with it.
        case failed
    }

    let id: ID
    /// Who began it, or let it go on last.
    let principal: PrincipalID
    let act: DeviceAct
    /// Where to, for a move.
    let target: String?
    /// Which devices, in the language of filters; all when nil.
    let filter: String?
    /// How many matched when it began.
    let total: Int
    var done: Int
    var refused: Int
    /// The device behind which it goes on.
    var position: DeviceID?
    var status: Status
    /// Why it failed.
    var fault: String?
    let began: Timestamp
    var changed: Timestamp

    /// What it does to each device.
    var change: BulkChange? {
        switch act {
        case .suspend: .suspend
        case .resume: .resume
        case .revoke: .revoke
        case .move: target.map { .move(to: $0) }
        case .delete, .connect: nil
        }
    }
}

/// Bulk runs between their tables and memory; every call runs in a tenant's transaction.
enum BulkRunRow {
    private static let columns =
        "id, principal, act, target, filter, total, done, refused, position, status, fault, began, changed"

    static func insert(_ run: BulkRun, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO console_bulk (tenant, \(columns))
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """, run.id, run.principal, run.act.rawValue, run.target, run.filter, run.total, run.done, run.refused,
            run.position, run.status.rawValue, run.fault, run.began, run.changed)
    }

    static func find(_ id: BulkRun.ID, in tx: Transaction) throws -> BulkRun? {
        try tx.row("SELECT \(columns) FROM console_bulk WHERE tenant = $1 AND id = $2", id).map(read)
    }

    /// The runs before one, the newest first; only those of a principal when it is named.
    static func list(
        before id: BulkRun.ID?, of principal: PrincipalID?, limit: Int, in tx: Transaction
    ) throws -> [BulkRun] {
        var arguments: [any SQLBindable] = [id ?? BulkRun.ID(high: .max, low: .max), limit]
        var own = ""
        if let principal {
            arguments.append(principal)
            own = " AND principal = $4"
        }
        return try tx.rows(
            """
            SELECT \(columns) FROM console_bulk WHERE tenant = $1 AND id < $2\(own) ORDER BY id DESC LIMIT $3
            """, arguments: arguments
        ).map(read)
    }

    static func countRunning(in tx: Transaction) throws -> Int {
        try tx.row("SELECT count(*) FROM console_bulk WHERE tenant = $1 AND status = 'running'")?.int(0) ?? 0
    }

    /// Keeps a step; false when the run is no longer running, so that the step must not count.
    static func keep(_ step: BulkStep, of id: BulkRun.ID, at now: Timestamp, in tx: Transaction) throws -> Bool {
        let kept = try tx.execute(
            """
            UPDATE console_bulk SET done = done + $3, refused = refused + $4, position = COALESCE($5, position),
                status = $6, changed = $7
            WHERE tenant = $1 AND id = $2 AND status = 'running'
            """, id, step.done, step.refused.count, step.last,
            step.isEnd ? BulkRun.Status.finished.rawValue : BulkRun.Status.running.rawValue, now)
        guard kept > 0 else { return false }
        let named = try tx.row("SELECT count(*) FROM console_bulk_refusal WHERE tenant = $1 AND run = $2", id)?.int(0)
        for refused in step.refused.prefix(max(ConsoleLimits.namedRefusals - (named ?? 0), 0)) {
            try tx.execute(
                "INSERT INTO console_bulk_refusal (tenant, run, device, name, message) VALUES ($1, $2, $3, $4, $5)", id,
                refused.device, refused.name, refused.message)
        }
        return true
    }

    static func refusals(of id: BulkRun.ID, in tx: Transaction) throws -> [(name: String, message: String)] {
        try tx.rows(
            "SELECT name, message FROM console_bulk_refusal WHERE tenant = $1 AND run = $2 ORDER BY device", id
        ).map { (try $0.text(0), try $0.text(1)) }
    }

    /// Changes what a run is, when it is what it is thought to be.
    static func set(
        _ id: BulkRun.ID, from old: [BulkRun.Status], to status: BulkRun.Status, fault: String? = nil,
        principal: PrincipalID? = nil, at now: Timestamp, in tx: Transaction
    ) throws -> Bool {
        let words = old.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try tx.execute(
            """
            UPDATE console_bulk SET status = $3, fault = $4, principal = COALESCE($5, principal), changed = $6
            WHERE tenant = $1 AND id = $2 AND status IN (\(words))
            """, id, status.rawValue, fault, principal, now) > 0
    }

    /// Removes runs that ended long ago.
    static func prune(before time: Timestamp, in tx: Transaction) throws {
        let old = "SELECT id FROM console_bulk WHERE tenant = $1 AND status <> 'running' AND changed < $2"
        try tx.execute("DELETE FROM console_bulk_refusal WHERE tenant = $1 AND run IN (\(old))", time)
        try tx.execute(
            "DELETE FROM console_bulk WHERE tenant = $1 AND status <> 'running' AND changed < $2", time)
    }

    private static func read(_ row: Row) throws -> BulkRun {
        guard let act = DeviceAct(rawValue: try row.text(2)), let status = BulkRun.Status(rawValue: try row.text(9))
        else { throw StorageError(.corrupt, "a bulk run's row is not readable") }
        return BulkRun(
            id: try row.identifier(0), principal: try row.identifier(1), act: act, target: try row.textIfAny(3),
            filter: try row.textIfAny(4), total: try row.int(5), done: try row.int(6), refused: try row.int(7),
            position: try row.identifierIfAny(8), status: status, fault: try row.textIfAny(10),
            began: try row.timestamp(11), changed: try row.timestamp(12))
    }
}
