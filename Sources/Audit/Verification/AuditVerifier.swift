public import Base
import Logging
public import ServiceLifecycle
import Storage
import Synchronization

/// What one verification of a tenant's log has found, and when.
public struct AuditFinding: Sendable, Hashable {
    /// What was found.
    public let report: AuditReport
    /// When it began.
    public let began: Timestamp
    /// When it ended.
    public let ended: Timestamp
    /// Who asked for it.
    public let reader: Actor
}

/// Verifies tenants' logs while the server runs: one after the other, and resting as long as it works, so that nobody
/// else waits for it. What it finds is itself recorded.
public final class AuditVerifier: Sendable, Service {
    /// How far the verification of a log is.
    public enum State: Sendable, Hashable {
        /// Nobody has asked since the server started.
        case idle
        /// It waits for its turn.
        case waiting
        /// So many entries have been read.
        case running(entries: Int64, of: Int64)
        /// It is done.
        case found(AuditFinding)
        /// It could not be done; the sentence says why.
        case failed(String)

        /// Whether it waits or runs.
        public var isUnderway: Bool {
            switch self {
            case .waiting, .running: true
            default: false
            }
        }
    }

    private let log: AuditLog
    private let moved: @Sendable (TenantID) -> Void
    private let states = Mutex<[TenantID: State]>([:])
    private let wishes: AsyncStream<(TenantID, Actor)>
    private let wish: AsyncStream<(TenantID, Actor)>.Continuation

    /// A verifier of this log, beside its checkpoint file; `moved` hears of each step of a tenant's verification.
    public init(_ log: AuditLog, moved: @escaping @Sendable (TenantID) -> Void = { _ in }) {
        self.log = log
        self.moved = moved
        (wishes, wish) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Limits.waitingVerifications))
    }

    /// How far the verification of a tenant's log is.
    public func state(of tenant: TenantID) -> State { states.withLock { $0[tenant] ?? .idle } }

    /// Asks for a verification; one that is under way goes on. The caller has checked that `reader` may read the log.
    public func start(_ tenant: TenantID, reader: Actor) throws(Refusal) {
        let isAccepted = states.withLock { states in
            if states[tenant]?.isUnderway == true { return true }
            guard case .enqueued = wish.yield((tenant, reader)) else { return false }
            if states.count >= Limits.keptVerifications { states = states.filter { $0.value.isUnderway } }
            states[tenant] = .waiting
            return true
        }
        guard isAccepted else {
            throw Refusal(
                .limited, "audit.verifying", "Many logs wait to be verified. Try again in a minute.",
                retryAfter: .seconds(60))
        }
    }

    /// Verifies what is asked for until the server stops.
    public func run() async throws {
        for await (tenant, reader) in wishes.cancelOnGracefulShutdown() {
            do {
                set(.found(try await verify(tenant, reader)), of: tenant)
            } catch {
                log.logger.error(
                    "a log could not be verified", metadata: ["tenant": "\(tenant)", "reason": "\(error)"])
                set(.failed((error as? Refusal)?.message ?? "The database did not answer. Try again."), of: tenant)
            }
        }
    }

    private func set(_ state: State, of tenant: TenantID) {
        states.withLock { $0[tenant] = state }
        moved(tenant)
    }

    private func verify(_ tenant: TenantID, _ reader: Actor) async throws -> AuditFinding {
        let began = log.clock.now
        var pinned = AuditVerification.Pinned()
        for line in try await log.checkpointFile?.read() ?? [] {
            switch line {
            case .key(tenant, let verifier): pinned.keys.insert(verifier)
            case .checkpoint(tenant, let time, let note): pinned.checkpoints.append((time, note))
            default: continue
            }
        }
        let clock = ContinuousClock()
        var working = clock.now
        var told = clock.now
        var stored = StoredLog(
            database: log.database, tenant: tenant, pinned: pinned, anchor: try await log.anchor(of: tenant))
        stored.progress = { entries, size in
            self.states.withLock { $0[tenant] = .running(entries: entries, of: size) }
            if clock.now - told >= .seconds(1) {
                told = clock.now
                self.moved(tenant)
            }
            try await Task.sleep(for: min(clock.now - working, .milliseconds(200)))
            working = clock.now
        }
        let report = try await stored.verify { _ in }
        let finding = AuditFinding(report: report, began: began, ended: log.clock.now, reader: reader)
        try await log.database.tenant(tenant).write { [log] in try log.record(finding.entry, in: $0) }
        return finding
    }
}

extension AuditFinding {
    /// The entry that keeps what was found.
    var entry: AuditEntry {
        var details: [String: JSONValue] = [
            "intact": .bool(report.isIntact), "entries": .integer(report.entries), "size": .integer(report.size),
            "signed": .integer(report.signedSize), "first": .string(began.rfc3339),
        ]
        details["root"] = report.root.map { .string($0.description) }
        if !report.isIntact {
            details["damages"] = .integer(Int64(report.damageCount))
            details["damage"] = report.damages.first.map { damage in
                .string((damage.index.map { "entry \($0): " } ?? "") + damage.message)
            }
        }
        return AuditEntry(
            .auditVerified, tenant: report.tenant, actor: reader,
            object: AuditObject(kind: "audit", id: report.tenant.text), outcome: report.isIntact ? .success : .failed,
            time: ended, details: .object(details))
    }
}

extension AuditLog {
    /// The newest verification that was recorded.
    package func lastVerification(of tenant: TenantID) async throws -> RecordedEntry? {
        try await sequence(search: false)
        let keyRing = keyRing
        return try await database.tenant(tenant).read { transaction in
            try PageQuery(filter: AuditFilter(codePrefix: AuditCode.auditVerified.text), limit: 1).run(in: transaction)
                .found.first.map {
                    try RecordedEntry($0.leaf, at: $0.position, keyRing: keyRing, in: transaction)
                }
        }
    }

    /// The newest checkpoint of a tenant's log that the platform's own log holds.
    func anchor(of tenant: TenantID) async throws -> (Anchor, Timestamp)? {
        guard tenant != .platform else { return nil }
        return try await database.platform.read { transaction in
            guard let head = try LogHead.read(tenant, in: transaction), head.anchoredSize > 0 else { return nil }
            // All anchors of this size begin alike; what follows them in the order of bytes begins with a semicolon.
            let stem = "\(tenant.text):\(head.anchoredSize)"
            let row = try transaction.scoped(to: .platform).row(
                """
                SELECT \(AuditLeaf.columnList) FROM audit_entry
                WHERE tenant = $1 AND object_kind = 'checkpoint' AND object_id > $2 AND object_id < $3
                ORDER BY object_id, time LIMIT 1
                """, stem + ":", stem + ";")
            guard let row, case let leaf = try AuditLeaf(row, from: 0, tenant: .platform), let anchor = Anchor(leaf)
            else { return nil }
            return (anchor, leaf.time)
        }
    }
}
