public import Access
import Audit
public import Base
import Fleet
import Storage

/// What people do with campaigns. To have one go on takes the right to install on each of its devices; to halt or end
/// one, its creator needs nothing but `task.manage`.
extension Operations {
    /// Lets a campaign begin that waits for another person.
    public func approveCampaign(
        _ id: CampaignID, in tenant: TenantID, by principal: Principal
    ) async throws -> Campaign {
        try await database.tenant(tenant).write { transaction in
            let campaign = try visible(id, in: tenant, by: principal, transaction)
            guard campaign.state == .awaitingApproval else { throw Self.wrong(campaign, "approved") }
            let isPerson = principal.kind == .user && principal.tenant == tenant
            guard isPerson || principal.isLocalAdministrator, principal.id != campaign.creator else {
                throw Refusal(
                    .forbidden, "campaign.approver",
                    "Another person of this tenant who may install on all its devices must approve it.")
            }
            // Whose program it was is not known: it could be the approver's own.
            guard campaign.sponsor.kind != Principal.Kind.client.rawValue || principal.isLocalAdministrator else {
                throw Refusal(
                    .forbidden, "campaign.program",
                    "A program ordered it, so only the server's operator can approve it. Let a person order it.")
            }
            try requireAll(campaign, .taskInstall, in: tenant, by: principal, transaction)
            try CampaignStore.set(.scheduled, of: id, in: transaction)
            try CampaignStore.set("approver_name", principal.name, of: id, in: transaction)
            try record(.campaignApproved, id, of: tenant, by: principal.actor(in: tenant), in: transaction)
            return try changed(id, of: tenant, in: transaction)
        }
    }

    /// Gives out nothing more of a campaign until it is resumed; what devices have begun goes on.
    public func pauseCampaign(_ id: CampaignID, in tenant: TenantID, by principal: Principal) async throws -> Campaign {
        try await database.tenant(tenant).write { transaction in
            let campaign = try managed(id, in: tenant, by: principal, transaction)
            if campaign.state == .paused { return campaign }
            guard campaign.state == .running || campaign.state == .scheduled else {
                throw Self.wrong(campaign, "paused")
            }
            try pause(campaign, .person, group: nil, of: tenant, by: principal, in: transaction)
            return try changed(id, of: tenant, in: transaction)
        }
    }

    /// Lets a paused campaign go on: what had gone wrong so far is not held against its groups any more, and who resumes
    /// it answers for it from now on.
    public func resumeCampaign(_ id: CampaignID, in tenant: TenantID, by principal: Principal) async throws -> Campaign
    {
        let resumed = try await database.tenant(tenant).write { transaction in
            let campaign = try managed(id, in: tenant, by: principal, transaction)
            guard campaign.state == .paused else { throw Self.wrong(campaign, "resumed") }
            try requireAll(campaign, .taskInstall, in: tenant, by: principal, transaction)
            try requirePublished(campaign.release, in: transaction)
            for var group in campaign.groups where group.started != nil {
                group.forgiven = .init(
                    failures: group.failures, judged: group.judged, isPassed: group.forgiven.isPassed || group.isOver)
                try CampaignStore.update(group, of: id, in: transaction)
            }
            try CampaignStore.set(campaign.started == nil ? .scheduled : .running, of: id, in: transaction)
            try setSponsor(principal, of: id, in: transaction)
            try hold(false, campaign, of: tenant, in: transaction)
            lookForNewcomers(campaign, of: tenant, in: transaction)
            try record(.campaignResumed, id, of: tenant, by: principal.actor(in: tenant), in: transaction)
            return try changed(id, of: tenant, in: transaction)
        }
        for operation in resumed.groups.compactMap(\.operation) {
            try await giveTime(to: operation, resumed.terms, in: tenant)
        }
        return resumed
    }

    /// Ends a campaign: what nobody has begun at once, what a device has begun when the device says so. One of which
    /// nothing is open, because it goes on only for newcomers, has finished by that.
    public func stopCampaign(_ id: CampaignID, in tenant: TenantID, by principal: Principal) async throws -> Campaign {
        try await database.tenant(tenant).write { transaction in
            let campaign = try managed(id, in: tenant, by: principal, transaction)
            guard campaign.state.isLive else { throw Self.wrong(campaign, "stopped") }
            if campaign.groups.allSatisfy(\.isOver) {
                try CampaignStore.set(.finished, of: id, in: transaction)
                try CampaignStore.set("finished", clock.now, of: id, in: transaction)
            } else {
                try CampaignStore.set(.stopped, of: id, in: transaction)
                try end(campaign, of: tenant, in: transaction)
            }
            try record(
                .campaignStopped, id, of: tenant, by: principal.actor(in: tenant), details: .object(campaign.outcome),
                in: transaction)
            return try changed(id, of: tenant, in: transaction)
        }
    }

    /// Takes a campaign back: what is open ends, and the devices that have its release get a former one, which is the
    /// last published one before it when none is named.
    public func rollBackCampaign(
        _ id: CampaignID, to release: ReleaseID? = nil, in tenant: TenantID, by principal: Principal
    ) async throws -> Campaign {
        try await database.tenant(tenant).write { transaction in
            let campaign = try managed(id, in: tenant, by: principal, transaction)
            guard campaign.started != nil, campaign.state != .rolledBack else {
                throw Self.wrong(campaign, "rolled back")
            }
            try requireAll(campaign, .taskInstall, in: tenant, by: principal, transaction)
            let former = try former(release, of: campaign, in: transaction)
            try CampaignStore.set(.rolledBack, of: id, in: transaction)
            try CampaignStore.set("rollback_release", former.id, of: id, in: transaction)
            try CampaignStore.set("finished", Timestamp?.none, of: id, in: transaction)
            try setSponsor(principal, of: id, in: transaction)
            try end(campaign, of: tenant, in: transaction)
            var details = campaign.outcome
            details["release"] = .string(former.id.text)
            details["version"] = .string(former.version)
            try record(
                .campaignRolledBack, id, of: tenant, by: principal.actor(in: tenant), details: .object(details),
                in: transaction)
            return try changed(id, of: tenant, in: transaction)
        }
    }

    private func former(_ id: ReleaseID?, of campaign: Campaign, in transaction: Transaction) throws -> Release {
        guard let present = try ReleaseStore.find(campaign.release, in: transaction) else { throw Self.unknownRelease }
        guard let id else {
            var before = present.counter
            while let found = try ReleaseStore.last(of: present.component, before: before, in: transaction) {
                if found.sharesHardware(with: present) { return found }
                before = found.counter
            }
            throw Refusal(
                .conflict, "campaign.noFormer",
                "\(present.component) has no earlier release that is published, and for this hardware.")
        }
        let former = try requirePublished(id, in: transaction)
        guard former.component == present.component, former.counter < present.counter else {
            throw Refusal(
                .invalid, "campaign.noFormer",
                "A rollback brings an earlier release of \(present.component).",
                faults: [.init(place: "/release", message: "is no earlier release of \(present.component)")])
        }
        guard former.sharesHardware(with: present) else { throw Self.misfit("The campaign's devices have") }
        return former
    }

    /// Has what is open ended from now on; the clock goes on with it, also after a restart.
    private func end(_ campaign: Campaign, of tenant: TenantID, in transaction: Transaction) throws {
        try hold(true, campaign, of: tenant, in: transaction)
        try CampaignStore.set("ending", true, of: campaign.id, in: transaction)
    }

    private func setSponsor(_ principal: Principal, of id: CampaignID, in transaction: Transaction) throws {
        try CampaignStore.set("sponsor", principal.id, of: id, in: transaction)
        try CampaignStore.set("sponsor_home", principal.tenant, of: id, in: transaction)
    }

    /// A campaign that the caller may halt or end: their own, or one of devices that they may all manage.
    private func managed(
        _ id: CampaignID, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> Campaign {
        let campaign = try visible(id, in: tenant, by: principal, transaction)
        try require(.taskManage, of: principal, in: tenant, transaction)
        guard campaign.state != .preparing else {
            throw Refusal(.conflict, "campaign.state", "The campaign is being prepared; try again in a moment.")
        }
        if campaign.creator != principal.id {
            try requireAll(campaign, .taskManage, in: tenant, by: principal, transaction)
        }
        return campaign
    }

    /// Refuses unless the caller may do this to every device of a campaign.
    func requireAll(
        _ campaign: Campaign, _ permission: Permission, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws {
        try require(permission, of: principal, in: tenant, transaction)
        var sql = SQLBuilder()
        let id = sql.bind(campaign.id)
        guard let within = try fleet.scope(permission, of: tenant, for: principal, &sql, in: transaction) else {
            return
        }
        let other = try transaction.row(
            """
            SELECT 1 FROM campaign_member m JOIN device d ON d.tenant = $1 AND d.id = m.device
            WHERE m.tenant = $1 AND m.campaign = \(id) AND NOT (\(within)) LIMIT 1
            """, arguments: sql.arguments)
        guard other == nil else {
            throw Refusal(
                .forbidden, "campaign.devices",
                "The campaign has devices on which you may not do that; it takes \(permission.rawValue) for each of them."
            )
        }
    }

    private static func wrong(_ campaign: Campaign, _ act: String) -> Refusal {
        Refusal(
            .conflict, "campaign.state", "The campaign is \(campaign.state.rawValue), so it can not be \(act).")
    }
}
