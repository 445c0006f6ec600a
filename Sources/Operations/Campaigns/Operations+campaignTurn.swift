import Access
import Audit
import Base
import Bus
import Fleet
import Storage

/// Judging campaigns, by what became of their tasks and by the clock.
extension Operations {
    /// Judges every campaign that is open, and removes those whose order the server's stop cut short.
    func startCampaigns() async throws {
        bus.subscribe(to: TasksChanged.self) { [campaigns] in campaigns.touch($0.operations) }
        bus.subscribe(to: DeviceChanged.self) { [campaigns] event in
            guard event.change != .deleted else { return }
            campaigns.note(of: event.tenant) { $0.changed.insert(event.device) }
        }
        bus.subscribe(to: DevicesRegistered.self) { [campaigns] event in
            campaigns.note(of: event.tenant) { $0.since = $0.since.map { min($0, event.first) } ?? event.first }
        }
        // Its hardware may be another one now.
        bus.subscribe(to: ModelChanged.self) { [campaigns] event in
            campaigns.note(of: event.tenant) { $0.isAll = true }
        }
        // Whatever moves domains changes everybody's rights.
        bus.subscribe(to: CredentialsEnded.self) { [campaigns] event in
            if let principal = event.principal {
                campaigns.noteRights(of: principal)
            } else {
                campaigns.note(of: event.tenant) { $0.isAll = true }
            }
        }
        let open = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows("SELECT tenant, id, state FROM campaign WHERE finished IS NULL").map {
                (
                    key: CampaignKey(tenant: try $0.identifier(0), id: try $0.identifier(1)),
                    isCut: try $0.text(2) == Campaign.State.preparing.rawValue
                )
            }
        }
        for (key, isCut) in open {
            if isCut {
                try await remove(key.id, in: key.tenant)
            } else if let campaign = try await database.tenant(key.tenant).read({
                try CampaignStore.find(key.id, in: $0)
            }) {
                campaigns.put(campaign, of: key.tenant)
                // Some may have come to match while nobody listened.
                campaigns.note(of: key.tenant) { $0.isAll = true }
            }
        }
    }

    /// Lets devices join, then does what follows from how the touched campaigns stand.
    func turnCampaigns() async throws {
        var failure: (any Error)?
        do { try await takeNewcomers() } catch { failure = error }
        for key in campaigns.take(at: clock.now) {
            do {
                try await judge(key)
            } catch {
                campaigns.touch(key)
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func judge(_ key: CampaignKey) async throws {
        // A suspended tenant's campaigns wait, and are asked for again at each turn of the clock.
        guard isActive(key.tenant) else { return campaigns.touch(key) }
        let handle = database.tenant(key.tenant)
        let now = clock.now
        for _ in 0..<OperationLimits.campaignSteps {
            let campaign = try await handle.read { try CampaignStore.find(key.id, in: $0) }
            guard let campaign, campaign.verdict(at: now) != .wait else { return }
            let goesOn = try await handle.write { transaction in
                guard let campaign = try CampaignStore.find(key.id, in: transaction) else { return false }
                return try act(on: campaign, campaign.verdict(at: now), in: key.tenant, transaction)
            }
            guard goesOn else { return }
        }
        // The rest is done in the next turn, which begins at once.
        campaigns.touch(key)
        wake.ring()
    }

    /// Does what is to be done next; false when nothing more is to be done until something changes.
    private func act(
        on campaign: Campaign, _ verdict: CampaignVerdict, in tenant: TenantID, _ transaction: Transaction
    ) throws -> Bool {
        switch verdict {
        case .wait: return false
        case .begin:
            try CampaignStore.set(.running, of: campaign.id, in: transaction)
            try CampaignStore.set("started", clock.now, of: campaign.id, in: transaction)
            lookForNewcomers(campaign, of: tenant, in: transaction)
        case .start(let number):
            guard var group = campaign.groups.first(where: { $0.number == number }) else { return false }
            group.started = clock.now
            try CampaignStore.update(group, of: campaign.id, in: transaction)
        case .fill(let number): try fill(number, of: campaign, in: tenant, transaction)
        case .pause(let reason, let group):
            try pause(campaign, reason, group: group, of: tenant, by: Self.judge, in: transaction)
        case .end: try endSome(of: campaign, in: tenant, transaction)
        case .revert:
            if try revert(campaign, in: tenant, transaction) { return true }
            guard campaign.isThrough else { return false }
            try CampaignStore.set("finished", clock.now, of: campaign.id, in: transaction)
        case .close:
            if campaign.state == .running {
                try CampaignStore.set(.finished, of: campaign.id, in: transaction)
                try record(
                    .campaignFinished, campaign.id, of: tenant, by: Self.judge.actor(in: tenant),
                    details: .object(campaign.outcome), in: transaction)
            }
            try CampaignStore.set("finished", clock.now, of: campaign.id, in: transaction)
        }
        _ = try changed(campaign.id, of: tenant, in: transaction)
        return true
    }

    /// Has nothing more given out of a campaign, and says why.
    func pause(
        _ campaign: Campaign, _ reason: Campaign.Pause, group: Int?, of tenant: TenantID, by principal: Principal,
        in transaction: Transaction
    ) throws {
        try CampaignStore.set(.paused, of: campaign.id, reason: reason, group: group, in: transaction)
        try hold(true, campaign, of: tenant, in: transaction)
        var details = campaign.outcome
        details["reason"] = .string(reason.rawValue)
        details["group"] = group.map { .integer(Int64($0)) }
        try record(
            .campaignPaused, campaign.id, of: tenant, by: principal.actor(in: tenant), details: .object(details),
            in: transaction)
    }

    /// Holds what waits of a campaign's groups, or gives it out again.
    func hold(_ isHeld: Bool, _ campaign: Campaign, of tenant: TenantID, in transaction: Transaction) throws {
        let operations = campaign.groups.compactMap(\.operation)
        for operation in operations {
            try transaction.execute(
                "UPDATE operation SET state = $3 WHERE tenant = $1 AND id = $2 AND state = $4", operation,
                isHeld ? Operation.State.paused.rawValue : Operation.State.running.rawValue,
                isHeld ? Operation.State.running.rawValue : Operation.State.paused.rawValue)
        }
        guard !operations.isEmpty else { return }
        transaction.afterCommit { [self] in
            for operation in operations { holds.setPaused(isHeld, operation) }
            applyHolds()
            bus.publish(TasksChanged(tenant: tenant, operations: Set(operations)))
        }
    }

    /// Ends the next open tasks of a campaign, and the operations when nothing of theirs waits any more.
    private func endSome(of campaign: Campaign, in tenant: TenantID, _ transaction: Transaction) throws {
        let operations = campaign.groups.compactMap(\.operation)
        var left = OperationLimits.tasksAtOnce
        for operation in operations {
            let tasks = try transaction.rows(
                """
                SELECT \(TaskStore.columns) FROM task t WHERE t.tenant = $1 AND t.operation = $2
                AND t.state < \(TaskState.cancelling.rawValue) ORDER BY t.state, t.id LIMIT $3
                """, operation, left
            ).map(TaskStore.read)
            var writer = TaskWriter(transaction, tenant: tenant, at: clock.now)
            for task in tasks { _ = try writer.step(task, .cancel(force: false)) }
            try writer.finish(board, bus)
            left -= tasks.count
            if left == 0 { return }
        }
        for operation in operations {
            try transaction.execute(
                """
                UPDATE operation SET state = 'cancelled' WHERE tenant = $1 AND id = $2
                AND EXISTS (SELECT 1 FROM operation_count c WHERE c.tenant = $1 AND c.operation = $2
                    AND c.state IN (\(TaskState.cancelling.rawValue), \(TaskState.cancelled.rawValue)) AND c.tasks > 0)
                """, operation)
        }
        try CampaignStore.set("ending", false, of: campaign.id, in: transaction)
    }
}

extension Campaign {
    /// How its tasks stand, for the log.
    var outcome: [String: JSONValue] {
        [
            "devices": .integer(Int64(members)), "upToDate": .integer(Int64(upToDate)),
            "tasks": .object(
                Dictionary(
                    uniqueKeysWithValues: counts.filter { $0.value > 0 }.map {
                        ($0.key.name, .integer(Int64($0.value)))
                    })),
        ]
    }
}
