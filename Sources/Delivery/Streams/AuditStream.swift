import Audit
import Base
import Logging
import ServiceLifecycle
import Storage
import Synchronization
import Trust

/// One outlet that a tenant's audit log leaves by, and how far it has come.
struct AuditStream: Sendable, Hashable {
    var tenant: TenantID
    var outlet: OutletID

    var lane: Lane { Lane(tenant: tenant, id: outlet) }
}

/// How long a stream that failed rests.
struct StreamRest: Sendable {
    var until: Timestamp
    var failures: Int
}

/// What of the streams is being moved on, so that nothing is moved twice at one time.
struct MovingStreams: Sendable {
    private var streams: Set<AuditStream> = []
    private var tenants: Set<TenantID> = []

    func isMoving(_ tenant: TenantID) -> Bool { tenants.contains(tenant) }
    mutating func begin(_ stream: AuditStream) -> Bool { streams.insert(stream).inserted }
    mutating func end(_ stream: AuditStream) { streams.remove(stream) }
    mutating func begin(_ tenant: TenantID) -> Bool {
        tenants.count < DeliveryLimits.streamingTenants && tenants.insert(tenant).inserted
    }
    mutating func end(_ tenant: TenantID) { tenants.remove(tenant) }
}

/// Audit logs leave entry by entry from a remembered position, so that none is left out and none is doubled: into the
/// queue of a webhook in the very transaction that moves the position, to a syslog receiver before it moves. A crash
/// between the two, or a receiver that loses what its system has acknowledged, is all that is left; the index in every
/// line tells.
extension Delivery {
    /// Remembers where a new stream begins; one that is there stays where it is.
    func beginStream(_ outlet: Outlet, _ tenant: TenantID, in transaction: Transaction) throws {
        let reach = try audit.reach(of: tenant, in: transaction)
        let isFromNow = outlet.kind == .webhook || outlet.settings["start"]?.string == StreamStart.now.rawValue
        try transaction.scoped(to: tenant).execute(
            """
            INSERT INTO audit_stream (tenant, outlet, position, signed_size, claimed_until) VALUES ($1, $2, $3, $4, 0)
            ON CONFLICT (tenant, outlet) DO NOTHING
            """, outlet.id, isFromNow ? reach.size : reach.keptFrom, isFromNow ? reach.signedSize : 0)
    }

    /// Moves streams on until the server stops.
    ///
    /// What goes to a receiver takes a slot like every transfer. What goes into the queue is work in the database alone:
    /// it waits for no receiver, one tenant's streams one after the other.
    func stream() async {
        await withDiscardingTaskGroup { group in
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                var isAllBegun = true
                do {
                    let now = clock.now
                    let ready = try await behind().filter { stream, _ in
                        streamRests.withLock { $0[stream]?.until ?? now } <= now && depths.hasRoom(stream.lane)
                    }
                    for (stream, kind) in ready where kind == .syslog {
                        guard let isSuspect = begin(stream) else { continue }
                        group.addTask {
                            let isGood = await self.advance(stream)
                            self.slots.withLock { $0.end(stream.lane, isSuspect: isSuspect) }
                            self.noteRest(stream, isGood)
                            self.moving.withLock { $0.end(stream) }
                        }
                    }
                    let events = Dictionary(grouping: ready.filter { $0.1 == .webhook }.map(\.0), by: \.tenant)
                    for (tenant, streams) in events.shuffled() where !moving.withLock({ $0.isMoving(tenant) }) {
                        guard moving.withLock({ $0.begin(tenant) }) else {
                            isAllBegun = false
                            break
                        }
                        group.addTask {
                            for stream in streams { self.noteRest(stream, await self.advance(stream)) }
                            self.moving.withLock { $0.end(tenant) }
                        }
                    }
                } catch {
                    logger.error("audit streams can not be read", metadata: ["reason": "\(error)"])
                }
                let rest = isAllBegun ? settings.interval : .milliseconds(50)
                await cancelWhenGracefulShutdown { try? await Task.sleep(for: rest) }
            }
        }
    }

    /// Begins to move a stream to its receiver: whether it is suspect, nil when it has to wait.
    private func begin(_ stream: AuditStream) -> Bool? {
        guard moving.withLock({ $0.begin(stream) }) else { return nil }
        let isSuspect = streamRests.withLock { $0[stream] != nil }
        guard slots.withLock({ $0.begin(stream.lane, isSuspect: isSuspect) }) else {
            moving.withLock { $0.end(stream) }
            return nil
        }
        return isSuspect
    }

    private func noteRest(_ stream: AuditStream, _ isGood: Bool) {
        let now = clock.now
        streamRests.withLock { rests in
            guard !isGood else {
                rests[stream] = nil
                return
            }
            let failures = (rests[stream]?.failures ?? 0) + 1
            let wait = Backoff.wait(after: min(failures, 3), chance: .random(in: 0...1))
            rests[stream] = StreamRest(until: now + wait, failures: failures)
        }
    }

    /// The streams with something to send that nobody is sending.
    private func behind() async throws -> [(AuditStream, DeliveryKind)] {
        let now = clock.now
        return try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                """
                SELECT s.tenant, s.outlet, s.position, s.signed_size, o.kind FROM audit_stream s
                JOIN outlet o ON o.tenant = s.tenant AND o.id = s.outlet
                WHERE o.active = 1 AND (s.claimed_until <= $1 OR s.claimed_by = $2)
                """, now, self.settings.node
            ).compactMap { row in
                let stream = AuditStream(tenant: try row.identifier(0), outlet: try row.identifier(1))
                let reach = try self.audit.reach(of: stream.tenant, in: transaction)
                let isBehind = try reach.size > row.integer(2) || reach.signedSize > row.integer(3)
                return isBehind ? DeliveryKind(rawValue: try row.text(4)).map { (stream, $0) } : nil
            }
        }
    }

    /// What one step of a stream sends.
    private struct Step: Sendable {
        var way: Way
        var from: Int64
        var entries: [RecordedEntry] = []
        var checkpoints: [KeptCheckpoint] = []
        var position: Int64
        var signedSize: Int64

        var isEmpty: Bool { entries.isEmpty && checkpoints.isEmpty }
    }

    /// Moves one stream on until it has nothing left to send; false when it failed.
    func advance(_ stream: AuditStream) async -> Bool {
        do {
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                // A webhook that does not work keeps its events in the log until there is room for more of them.
                guard depths.hasRoom(stream.lane), let step = try await claimStep(stream) else { return true }
                if case .webhook(_, let events, _) = step.way.path {
                    try await enqueue(step, events, stream)
                    continue
                }
                guard case .syslog(let host, let port, let authorities) = step.way.path else { return true }
                let name = settings.tenantName(stream.tenant)
                var bytes: [UInt8] = []
                for entry in step.entries {
                    bytes += SyslogLine(entry, tenant: name, host: settings.host).bytes
                }
                for checkpoint in step.checkpoints {
                    bytes += SyslogLine(checkpoint, tenant: name, host: settings.host).bytes
                }
                let outcome = await transport(
                    Shipment(form: .lines(host: host, port: port, bytes), authorities: authorities))
                count(.syslog, outcome)
                try await noteStep(step, stream, outcome)
                guard outcome.isDelivered else { return false }
            }
            return true
        } catch {
            logger.error(
                "an audit stream is behind",
                metadata: ["tenant": "\(stream.tenant)", "outlet": "\(stream.outlet)", "reason": "\(error)"])
            return false
        }
    }

    /// Claims a stream and reads its next step; nil when there is nothing to send, or another node is at it.
    private func claimStep(_ stream: AuditStream) async throws -> Step? {
        let now = clock.now
        let node = settings.node
        return try await database.tenant(stream.tenant).write { transaction in
            let row = try transaction.row(
                """
                UPDATE audit_stream SET claimed_by = $3, claimed_until = $4
                WHERE tenant = $1 AND outlet = $2 AND (claimed_until <= $5 OR claimed_by = $3)
                RETURNING position, signed_size
                """, stream.outlet, node, now + .seconds(DeliveryLimits.claimSeconds), now)
            let outlet = try transaction.row(
                "SELECT \(Outlet.columns), secret FROM outlet WHERE tenant = $1 AND id = $2 AND active = 1",
                stream.outlet)
            guard let row, let outlet else { return nil }
            var position = try row.integer(0)
            let reach = try self.audit.reach(of: stream.tenant, in: transaction)
            if position < reach.keptFrom {
                try self.recordSkipped(stream, position..<reach.keptFrom, in: transaction)
                position = reach.keptFrom
            }
            var step = Step(
                way: try self.way(outlet, of: stream.tenant, for: stream.tenant, in: transaction), from: position,
                position: position,
                signedSize: try row.integer(1))
            step.entries = try self.audit.entries(
                of: stream.tenant, from: position, limit: DeliveryLimits.streamedEntries, in: transaction)
            if let last = step.entries.last { step.position = last.index + 1 }
            step.checkpoints = try self.audit.checkpoints(
                of: stream.tenant, after: step.signedSize, upTo: step.position, limit: DeliveryLimits.streamedEntries,
                in: transaction)
            if let last = step.checkpoints.last { step.signedSize = last.size }
            if step.isEmpty {
                try transaction.execute(
                    "UPDATE audit_stream SET position = $3, claimed_by = NULL, claimed_until = 0 WHERE tenant = $1 AND outlet = $2",
                    stream.outlet, position)
                return nil
            }
            return step
        }
    }

    /// Puts the entries that a webhook wants into its queue, and moves its position with the same commit.
    private func enqueue(_ step: Step, _ events: [String], _ stream: AuditStream) async throws {
        let now = clock.now
        try await database.tenant(stream.tenant).write { transaction in
            for entry in step.entries where Self.wants(entry.code, events) {
                try self.send(
                    .webhook(outlet: stream.outlet, event: entry.code, body: entry.document), tenant: stream.tenant,
                    in: transaction)
            }
            try self.move(stream, step, sent: now, in: transaction)
        }
    }

    /// Whether a webhook with these prefixes gets an event. What the queue records about itself would come back for ever.
    static func wants(_ code: String, _ events: [String]) -> Bool {
        !code.hasPrefix("delivery.") && events.contains { code.hasPrefix($0) }
    }

    private func noteStep(_ step: Step, _ stream: AuditStream, _ outcome: Outcome) async throws {
        let now = clock.now
        try await database.tenant(stream.tenant).write { transaction in
            guard !outcome.isDelivered else { return try self.move(stream, step, sent: now, in: transaction) }
            try transaction.execute(
                """
                UPDATE audit_stream SET failure = $3, claimed_by = NULL, claimed_until = 0
                WHERE tenant = $1 AND outlet = $2
                """, stream.outlet, outcome.words)
        }
    }

    private func move(_ stream: AuditStream, _ step: Step, sent: Timestamp, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE audit_stream SET position = $3, signed_size = $4, sent_at = $5, failure = NULL, claimed_by = NULL,
                claimed_until = 0
            WHERE tenant = $1 AND outlet = $2
            """, stream.outlet, step.position, step.signedSize, sent)
    }

    private func recordSkipped(
        _ stream: AuditStream, _ range: Range<Int64>, in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                .streamSkipped, tenant: stream.tenant, actor: .system("delivery"),
                object: AuditObject(kind: "outlet", id: stream.outlet.text), outcome: .failed,
                details: ["from": .integer(range.lowerBound), "to": .integer(range.upperBound)]), in: transaction)
    }
}
