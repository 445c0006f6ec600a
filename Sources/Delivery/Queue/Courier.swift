import Audit
import Base
import Logging
public import ServiceLifecycle
import Storage
import Synchronization

extension Delivery: Service {
    /// Sends what is due until the server stops.
    public func run() async throws {
        try await release()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick() }
            group.addTask { await self.stream() }
            var rest = RestAfterFailure()
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                do {
                    for claim in try await claim() {
                        group.addTask {
                            await self.attempt(claim)
                            // Its lane may have more that is due.
                            self.wake.signal()
                        }
                    }
                    rest.end()
                } catch {
                    logger.error("deliveries can not be read", metadata: ["reason": "\(error)"])
                    await rest.take()
                }
                await wake.wait()
            }
            // What is under way may end by itself for a moment, then it is ended and comes up again.
            group.addTask {
                try? await Task.sleep(for: .seconds(DeliveryLimits.stopSeconds))
                self.interrupt()
            }
            await drained()
            group.cancelAll()
        }
    }

    /// Frees what this process had claimed before it ended.
    private func release() async throws {
        let now = clock.now
        let node = settings.node
        try await database.platform.write { transaction in
            try transaction.acrossTenants.execute(
                "UPDATE delivery SET due = $1, claimed_by = NULL WHERE claimed_by = $2 AND state = 'waiting'", now, node
            )
        }
        try await countQueues()
    }

    /// Wakes the courier now and then, because moments pass without anybody telling, and counts the queues.
    private func tick() async {
        var ticks = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            await cancelWhenGracefulShutdown { try? await Task.sleep(for: self.settings.interval) }
            ticks += 1
            if ticks.isMultiple(of: 10) {
                do {
                    if ticks.isMultiple(of: 60) { try await endOverdue() }
                    try await countQueues()
                } catch {
                    logger.error("queues can not be counted", metadata: ["reason": "\(error)"])
                }
            }
            wake.signal()
        }
        wake.signal()
    }

    /// Returns when no transfer is under way any more.
    private func drained() async {
        while slots.withLock({ $0.used }) > 0, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
    }

    // MARK: - One attempt

    /// Makes one attempt and notes how it ended.
    func attempt(_ claim: Claim) async {
        let now = clock.now
        if let (state, why) = unsendable(claim, at: now) {
            end(claim.lane, claim.breakers, claim.isSuspect, nil)
            return await note(claim, state, why)
        }
        guard let content = claim.content, let way = claim.way,
            let shipment = Shipment(content, id: claim.id, made: claim.created, along: way, at: now)
        else {
            end(claim.lane, claim.breakers, claim.isSuspect, nil)
            return await note(claim, .dead, "its outlet can not carry it")
        }
        let outcome = await transport(shipment)
        // Another outlet may have come between; what it did says nothing about the one that was asked before.
        end(claim.lane, claim.breakers, claim.isSuspect, way.breakers == claim.breakers ? outcome : nil)
        count(claim.kind, outcome)
        let attempts: Int
        var retryAfter: Duration?
        switch outcome {
        case .delivered(let words): return await note(claim, .delivered, words)
        case .refused(_, let mayChange): attempts = mayChange ? DeliveryLimits.refusedAttempts : 1
        case .failed(_, _, _, let wait):
            attempts = DeliveryLimits.attempts
            retryAfter = wait
        }
        guard claim.attempts < attempts else { return await note(claim, .dead, outcome.words) }
        let wait = Backoff.wait(after: claim.attempts, chance: .random(in: 0...1))
        await note(claim, .waiting, outcome.words, due: clock.now + (retryAfter ?? wait))
    }

    /// Why a claim is not even attempted, and what becomes of it; nil when it is.
    private func unsendable(_ claim: Claim, at now: Timestamp) -> (DeliveryState, String)? {
        guard claim.expires.map({ $0 > now }) ?? true else { return (.expired, "it came too late") }
        guard claim.content != nil else { return (.dead, "its content can not be opened") }
        guard claim.way == nil else { return nil }
        // A link or code that is good for a while must not lie where somebody else could use it.
        return claim.isConfidential && claim.expires != nil
            ? (.expired, "there was no outlet for it") : (.resting, "there is no outlet for it")
    }

    /// Writes how an attempt ended, unless a person has decided meanwhile.
    private func note(_ claim: Claim, _ state: DeliveryState, _ result: String, due: Timestamp? = nil) async {
        let now = clock.now
        let node = settings.node
        do {
            try await database.tenant(claim.lane.tenant).write { transaction in
                let keepsPayload = state.isOpen || !claim.isConfidential
                let changed = try transaction.execute(
                    """
                    UPDATE delivery SET state = $2, result = $3, due = $4, finished_at = $5, claimed_by = NULL,
                        payload = CASE WHEN $6 = 1 THEN payload ELSE NULL END
                    WHERE tenant = $1 AND id = $7 AND state = 'waiting' AND claimed_by = $8
                    """, state.rawValue, result, due ?? now, state.isOpen ? nil : now, keepsPayload, claim.id, node)
                guard changed > 0, state == .dead else { return }
                try self.recordDead(claim, result, in: transaction)
            }
        } catch {
            // The claim runs out by itself, and the delivery is attempted again under the same identifier.
            logger.error(
                "a delivery's end could not be noted",
                metadata: ["delivery": "\(claim.id)", "state": "\(state.rawValue)", "reason": "\(error)"])
        }
    }

    private func recordDead(_ claim: Claim, _ result: String, in transaction: Transaction) throws {
        try audit.record(
            .init(
                .deliveryDead, tenant: claim.lane.tenant, actor: .system("delivery"),
                object: .init(kind: "delivery", id: claim.id.text), outcome: .failed,
                details: [
                    "kind": .string(claim.kind.rawValue), "result": .string(result),
                    "attempts": .integer(Int64(claim.attempts)),
                ]), in: transaction)
    }
}

/// A growing rest while the database does not answer.
private struct RestAfterFailure {
    private var next = Duration.milliseconds(250)

    mutating func end() { next = .milliseconds(250) }

    mutating func take() async {
        await cancelWhenGracefulShutdown { [next] in try? await Task.sleep(for: next) }
        next = min(next * 2, .seconds(10))
    }
}
