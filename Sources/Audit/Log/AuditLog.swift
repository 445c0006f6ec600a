public import Base
public import Logging
public import ServiceLifecycle
public import Storage
import Synchronization
public import Trust

/// The audit logs of the platform and of every tenant: records entries, orders them in a hash tree, signs checkpoints.
///
/// It is tamper-evident, never tamper-proof: whoever holds the database and the keys can write another history, but
/// not one that agrees with a checkpoint that somebody else has seen.
public final class AuditLog: Sendable, Service {
    let database: Database
    let keyRing: KeyRing
    let deployment: DeploymentName
    let clock: WallClock
    let logger: Logger
    let settings: AuditSettings
    let checkpointFile: CheckpointFile?
    private let refusals = Refusals()
    /// Tenants with entries that this process has committed since they were last looked at.
    private let touched = Mutex<Set<TenantID>>([])

    /// The logs in `database`, with a checkpoint file in `directory` (made when absent); nil keeps none.
    ///
    /// It may make a directory: call it at start-up, not on an event loop.
    public init(
        database: Database, keyRing: KeyRing, deployment: DeploymentName, directory: String?,
        clock: WallClock = .system, settings: AuditSettings = AuditSettings(),
        logger: Logger = Logger(label: "tidegate.audit")
    ) throws {
        self.database = database
        self.keyRing = keyRing
        self.deployment = deployment
        self.clock = clock
        self.settings = settings
        self.logger = logger
        checkpointFile = try directory.map { try CheckpointFile(directory: $0) }
    }

    /// Records an entry with the commit of `transaction`: the action and its entry are both there or neither is.
    public func record(_ entry: AuditEntry, in transaction: Transaction) throws {
        try record([entry], in: transaction)
    }

    /// Records many entries with the commit of `transaction`.
    public func record(_ entries: [AuditEntry], in transaction: Transaction) throws {
        for (tenant, entries) in Dictionary(grouping: entries, by: \.tenant) {
            let rows = try entries.map { try leaf(of: $0, in: transaction).values }
            try transaction.scoped(to: tenant).insert(into: "audit_pending", columns: AuditLeaf.columns, rows: rows)
            transaction.afterCommit { [weak self] in _ = self?.touched.withLock { $0.insert(tenant) } }
        }
    }

    /// Counts a caller who has not proved who it is; every few seconds one entry stands for all of one source and code.
    ///
    /// It costs no disk access, so that refusing stays cheaper than asking. `tenant` is the log that the entry belongs
    /// to; nil is the platform's.
    public func refuse(source: String, code: String, tenant: TenantID? = nil) {
        refusals.add(source: source, code: code, tenant: tenant, at: clock.now)
    }

    /// Notes that an authenticated caller was denied something; equal denials within a moment become one entry.
    ///
    /// It is not part of a transaction, because a denial ends the caller's.
    public func deny(_ entry: AuditEntry) {
        refusals.add(denied: entry, at: entry.time ?? clock.now)
    }

    private func leaf(of entry: AuditEntry, in transaction: Transaction) throws -> AuditLeaf {
        let time = entry.time ?? clock.now
        var leaf = AuditLeaf(entry, id: AuditEntryID(now: time), time: time)
        var personal = PersonalPart(entry)
        if personal.details.canonical.utf8.count > Limits.detailBytes {
            personal.details = ["omittedBytes": .integer(Int64(personal.details.canonical.utf8.count))]
        }
        if !personal.isEmpty {
            leaf.sealed = try keyRing.seal(
                personal.bytes, at: AuditSchema.personalColumn.place(entry.tenant, row: leaf.id), in: transaction)
        }
        return leaf
    }
}

// MARK: - The service

extension AuditLog {
    /// Orders entries, signs checkpoints and writes summaries until the server stops, then once more.
    public func run() async throws {
        let clock = ContinuousClock()
        var due = (search: clock.now, summary: clock.now + settings.summaryInterval, checkpoint: clock.now)
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let now = clock.now
            await attempt("sequencing") {
                if now >= due.summary { try await self.writeSummaries() }
                try await self.writeDenials()
                try await self.sequence(search: now >= due.search)
            }
            if now >= due.summary { due.summary = now + settings.summaryInterval }
            if now >= due.search { due.search = now + settings.searchInterval }
            if now >= due.checkpoint {
                await attempt("checkpoint") { _ = try await self.checkpoint() }
                due.checkpoint = now + settings.checkpointInterval
            }
            await cancelWhenGracefulShutdown { try? await Task.sleep(for: self.settings.sequencingInterval) }
        }
        await attempt("last checkpoint") { try await self.settle() }
    }

    /// Writes what is counted, places every pending entry and signs for all of them.
    public func settle() async throws {
        try await writeSummaries()
        try await writeDenials()
        try await sequence(search: true)
        _ = try await checkpoint()
    }

    private func attempt(_ what: String, _ act: () async throws -> Void) async {
        do {
            try await act()
        } catch {
            // The entries stay pending and the next round takes them: nothing is lost, so the server goes on.
            logger.error("audit log is behind", metadata: ["step": "\(what)", "reason": "\(error)"])
        }
    }

    private func writeSummaries() async throws { try await write(refusals.takeSources()) }

    private func writeDenials() async throws { try await write(refusals.takeDenials()) }

    private func write(_ entries: [AuditEntry]) async throws {
        guard !entries.isEmpty else { return }
        try await database.platform.write { transaction in
            for entry in entries {
                do {
                    try self.record(entry, in: transaction)
                } catch let refusal as Refusal where entry.tenant != .platform {
                    // The tenant has gone meanwhile and its key with it; the refusal is still worth knowing.
                    var entry = entry
                    entry.tenant = .platform
                    try self.record(entry, in: transaction)
                    self.logger.debug("refusal moved to the platform", metadata: ["reason": "\(refusal)"])
                }
            }
        }
    }

    /// Places pending entries: those of the tenants that this process has touched, or of all.
    func sequence(search: Bool) async throws {
        let own = touched.withLock { touched in
            defer { touched = [] }
            return touched
        }
        do {
            var tenants = Array(own)
            if search { tenants = try await database.platform.read { try Sequencer.waiting(in: $0) } }
            try await sequence(tenants)
        } catch {
            touched.withLock { $0.formUnion(own) }
            throw error
        }
    }

    /// Places all pending entries of these tenants.
    func sequence(_ tenants: [TenantID]) async throws {
        var rest = tenants[...]
        while !rest.isEmpty {
            // Several tenants share a transaction, because each commit waits for the disk.
            let group = Array(rest.prefix(Limits.batchTenants))
            do {
                rest = rest.dropFirst(try await sequence(group: group))
            } catch {
                guard group.count > 1 else { throw error }
                // One tenant's damaged row must not hold up the others.
                try await eachOnItsOwn(group) { _ = try await self.sequence(group: [$0]) }
                rest = rest.dropFirst(group.count)
            }
        }
    }

    /// Does one transaction's worth, and answers how many of the tenants have nothing left.
    private func sequence(group: [TenantID]) async throws -> Int {
        try await database.platform.write { transaction in
            var room = Limits.batchEntries
            var done = 0
            for tenant in group where room > 0 {
                room -= try Sequencer.move(tenant, limit: room, in: transaction)
                if room > 0 { done += 1 }
            }
            return done
        }
    }

    /// Acts for each tenant, whatever happens with the others, and throws the last failure at the end.
    func eachOnItsOwn(_ tenants: [TenantID], _ act: (TenantID) async throws -> Void) async throws {
        var failure: (any Error)?
        for tenant in tenants {
            do {
                try await act(tenant)
            } catch {
                logger.error("a tenant's audit log is behind", metadata: ["tenant": "\(tenant)", "reason": "\(error)"])
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
