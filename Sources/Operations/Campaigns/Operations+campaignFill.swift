import Access
import Audit
import Base
import Fleet
import Storage

/// Giving the members of a campaign their tasks.
extension Operations {
    /// Gives the next members of a group their tasks, and writes how the group stands then.
    ///
    /// What a device has and what may be done with it is asked now, because days may have gone by since it was put into
    /// the group.
    func fill(
        _ number: Int, of campaign: Campaign, in tenant: TenantID, _ transaction: Transaction
    ) throws {
        guard var group = campaign.groups.first(where: { $0.number == number }) else { return }
        guard let release = try ReleaseStore.find(campaign.release, in: transaction), release.state == .published else {
            return try pause(campaign, .releaseWithdrawn, group: number, of: tenant, by: Self.judge, in: transaction)
        }
        guard let sponsor = try sponsor(of: campaign, in: tenant, transaction) else {
            return try pause(campaign, .rights, group: number, of: tenant, by: Self.judge, in: transaction)
        }
        let devices = try CampaignMembers.next(
            .planned, of: number, in: campaign.id, limit: OperationLimits.tasksAtOnce, transaction)
        let found = try fleet.candidates(
            among: devices, of: release.component, tenant: tenant, for: sponsor, .taskInstall, in: transaction
        ).filter { release.fits($0.hardware) }
        let order = try VersionOrder(of: release.component, in: transaction)
        let upToDate = found.filter { order.counter(of: $0.version).map { $0 >= release.counter } ?? false }
            .map(\.device)
        let behind = Set(found.map(\.device)).subtracting(upToDate).sorted()
        let leftOut = Set(devices).subtracting(found.map(\.device)).sorted()
        if !behind.isEmpty {
            group.operation = try give(
                behind, campaign.release, for: campaign, "group \(number)", ["group": .integer(Int64(number))],
                terms: campaign.terms.begun, in: group.operation, of: tenant, sponsor, transaction)
        }
        try CampaignMembers.set(.ordered, behind, in: campaign.id, transaction)
        try CampaignMembers.set(.upToDate, upToDate, in: campaign.id, transaction)
        try CampaignMembers.set(.leftOut, leftOut, in: campaign.id, transaction)
        group.planned -= devices.count
        group.upToDate += upToDate.count
        group.leftOut += leftOut.count
        try CampaignStore.update(group, of: campaign.id, in: transaction)
    }

    /// Gives devices the former release that have got the campaign's and still have it; false when there are no more now.
    func revert(_ campaign: Campaign, in tenant: TenantID, _ transaction: Transaction) throws -> Bool {
        guard let rollback = campaign.rollback, let release = try ReleaseStore.find(campaign.release, in: transaction),
            // Once it is withdrawn nobody gets it; the campaign can be taken back to another one.
            let former = try ReleaseStore.find(rollback.release, in: transaction), former.state == .published
        else { return false }
        let done = try transaction.rows(
            """
            SELECT m.device FROM campaign_member m
            JOIN campaign_group g ON g.tenant = $1 AND g.campaign = $2 AND g.number = m.number
            JOIN task t ON t.tenant = $1 AND t.operation = g.operation AND t.state = \(TaskState.succeeded.rawValue)
                AND t.device = m.device
            WHERE m.tenant = $1 AND m.campaign = $2 AND m.state = \(CampaignMemberState.ordered.rawValue)
            ORDER BY m.device LIMIT $3
            """, campaign.id, OperationLimits.tasksAtOnce
        ).map { try $0.identifier(0, as: DeviceID.self) }
        guard !done.isEmpty else { return false }
        // Who took it back did so with the right for each of its devices, and what is under way goes to its end.
        let present = try fleet.candidates(
            among: done, of: release.component, tenant: tenant, for: Self.judge, .taskInstall, in: transaction)
        let order = try VersionOrder(of: release.component, in: transaction)
        let back = present.filter {
            former.fits($0.hardware) && order.counter(of: $0.version).map { $0 == release.counter } ?? true
        }.map(\.device)
        if !back.isEmpty {
            let operation = try give(
                back.sorted(), rollback.release, for: campaign, "rollback", ["rollback": true],
                terms: campaign.terms.unconditional, in: rollback.operation, of: tenant,
                try sponsor(of: campaign, in: tenant, transaction) ?? Self.judge, transaction)
            if rollback.operation == nil { try RollbackGrant.give(operation, in: transaction) }
            try CampaignStore.set("rollback_operation", operation, of: campaign.id, in: transaction)
        }
        try CampaignMembers.set(.rolledBack, back, in: campaign.id, transaction)
        try CampaignMembers.set(.movedOn, Set(done).subtracting(back).sorted(), in: campaign.id, transaction)
        _ = try changed(campaign.id, of: tenant, in: transaction)
        return true
    }

    /// Gives devices an install as tasks of an operation, which is made with the first of them.
    private func give(
        _ devices: [DeviceID], _ release: ReleaseID, for campaign: Campaign, _ part: String,
        _ details: [String: JSONValue], terms: OperationTerms, in known: OperationID?, of tenant: TenantID,
        _ sponsor: Principal,
        _ transaction: Transaction
    ) throws -> OperationID {
        let now = clock.now
        let id = known ?? OperationID(now: now)
        if terms.confirm { board.ask(for: [id]) }
        if known == nil {
            var target = details
            target["campaign"] = .string(campaign.id.text)
            let operation = Operation(
                id: id, type: .install, title: "\(campaign.title), \(part)", target: .object(target),
                release: release, terms: terms, creator: campaign.creator, creatorName: campaign.creatorName,
                state: .running, created: now, started: nil, finished: nil, counts: [:])
            try OperationStore.insert(operation, input: nil, in: transaction)
            try record(
                .operationOrdered, id, of: tenant, by: sponsor.actor(in: tenant),
                details: [
                    "type": .string(operation.type.rawValue), "title": .string(operation.title),
                    "target": operation.target,
                ], in: transaction)
        } else {
            // Its last task may have ended before the next devices joined.
            try transaction.execute(
                """
                UPDATE operation SET state = 'running', finished = NULL
                WHERE tenant = $1 AND id = $2 AND state = 'finished'
                """, id)
        }
        transaction.afterCommit { [self] in
            holds.setWindows(terms.windows, of: id)
            applyHolds()
        }
        let numbers = try TaskNumber.take(devices.count, in: transaction.acrossTenants)
        // They are given out at once, and the start and pauses of the campaign are its own.
        let tasks = zip(devices, numbers).map { device, number in
            DeviceTask(
                id: TaskID(now: now), number: number, device: device, operation: id, type: .install, state: .queued,
                release: release, attempt: 1, created: now, changed: now, due: terms.end(from: now), code: nil,
                detail: nil)
        }
        var writer = TaskWriter(transaction, tenant: tenant, at: now)
        try writer.insert(tasks.map { (task: $0, input: nil) })
        try writer.finish(board, bus)
        return id
    }

    /// Whoever answers for a campaign, with the rights that they hold now; nil when they may not install anywhere.
    func sponsor(of campaign: Campaign, in tenant: TenantID, _ transaction: Transaction) throws -> Principal? {
        let found =
            campaign.sponsor.id == Principal.localAdministrator.id
            ? Principal.localAdministrator
            : try access.orderer(campaign.sponsor.id, of: campaign.sponsor.home, in: transaction)
        guard let found,
            try access.visibleDevices(found, .taskInstall, tenant: tenant, in: transaction)
                != .some(domains: [], devices: []),
            try access.visibleDevices(found, .deviceRead, tenant: tenant, in: transaction)
                != .some(domains: [], devices: [])
        else { return nil }
        return found
    }

    /// The server itself, where it judges campaigns.
    static let judge = Principal.acting(as: "campaigns")
}

extension OperationTerms {
    /// The same once their start has come.
    fileprivate var begun: OperationTerms {
        var begun = self
        begun.starts = nil
        return begun
    }

    /// The same for going back, which waits for no window and asks nobody.
    fileprivate var unconditional: OperationTerms {
        var terms = begun
        terms.windows = []
        terms.confirm = false
        return terms
    }
}
