public import Access
import Audit
public import Base
public import Bus
import Fleet
import Storage

extension Operations {
    /// What a campaign would do, if it were ordered now.
    public func previewCampaign(
        _ draft: CampaignDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> CampaignPreview {
        try draft.check(now: clock.now)
        let id = CampaignID(now: clock.now)
        return try await database.tenant(tenant).read { transaction in
            let plan = try self.plan(draft, id, in: tenant, by: principal, transaction)
            var groups = plan.groups.map { _ in CampaignPreview.Group() }
            for member in plan.members {
                groups[member.number - 1].members += 1
                if member.isUpToDate { groups[member.number - 1].upToDate += 1 }
            }
            return CampaignPreview(groups: groups, misfits: plan.misfits)
        }
    }

    /// Orders a campaign; answers when each of its devices is in its group. Its groups begin by themselves.
    ///
    /// Rights are asked for with each device, as for an operation; those on which the caller may not install are left out
    /// of a filter or domain, and refuse a list. They are asked again when a device's turn comes.
    public func createCampaign(
        _ draft: CampaignDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> Campaign {
        let now = clock.now
        try draft.check(now: now)
        let id = CampaignID(now: now)
        let handle = database.tenant(tenant)
        let plan = try await handle.read { try self.plan(draft, id, in: tenant, by: principal, $0) }
        guard !plan.members.isEmpty || draft.takesNewcomers else {
            throw CampaignPreview.nothing(misfits: plan.misfits)
        }
        let campaign = Campaign(
            id: id, title: draft.title ?? plan.title, release: draft.release, target: plan.target, terms: draft.terms,
            rules: draft.rules, takesNewcomers: draft.takesNewcomers, creator: principal.id,
            creatorName: principal.name, approverName: nil, state: .preparing, reason: nil, reasonGroup: nil,
            created: now, started: nil, finished: nil, groups: plan.groups, rollback: nil,
            sponsor: CampaignSponsor(id: principal.id, home: principal.tenant, kind: principal.kind.rawValue),
            isEnding: false)
        try await handle.write { transaction in
            try require(.taskInstall, of: principal, in: tenant, transaction)
            try requirePublished(draft.release, in: transaction)
            guard try CampaignStore.countOpen(in: transaction) < OperationLimits.openCampaigns else {
                throw Refusal(
                    .limited, "campaign.tooMany",
                    "\(OperationLimits.openCampaigns) campaigns are under way already; wait for some, or stop them.")
            }
            try CampaignStore.insert(campaign, in: transaction)
        }
        do {
            for start in stride(from: 0, to: plan.members.count, by: OperationLimits.tasksAtOnce) {
                let some = plan.members[start..<min(start + OperationLimits.tasksAtOnce, plan.members.count)]
                try await handle.write { transaction in
                    try CampaignMembers.insert(
                        some.lazy.map { (device: $0.device, number: $0.number) }, into: id, in: transaction)
                }
            }
            return try await handle.write { transaction in
                try begin(campaign, in: tenant, by: principal, transaction)
            }
        } catch {
            // Nobody gets half of a campaign.
            try? await remove(id, in: tenant)
            throw error
        }
    }

    private func begin(
        _ campaign: Campaign, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> Campaign {
        let isWaiting = try needsSecondForCampaigns(in: transaction)
        try CampaignStore.set(isWaiting ? .awaitingApproval : .scheduled, of: campaign.id, in: transaction)
        try record(
            .campaignOrdered, campaign.id, of: tenant, by: principal.actor(in: tenant),
            details: [
                "title": .string(campaign.title), "release": .string(campaign.release.text),
                "target": campaign.target, "devices": .integer(Int64(campaign.members)),
                "groups": .integer(Int64(campaign.groups.count)),
            ], in: transaction)
        return try changed(campaign.id, of: tenant, in: transaction)
    }

    /// The campaigns, the newest first: all of them for who sees every device's tasks, one's own for everybody else.
    public func campaigns(
        state: Campaign.State? = nil, after: CampaignID? = nil, limit: Int, in tenant: TenantID,
        by principal: Principal
    ) async throws -> OperationPage<Campaign> {
        try await database.tenant(tenant).read { transaction in
            try require(.taskRead, of: principal, in: tenant, transaction)
            var sql = SQLBuilder()
            var condition = ""
            if !(try seesAll(principal, in: tenant, transaction)) {
                condition += " AND c.creator = \(sql.bind(principal.id))"
            }
            if let state { condition += " AND c.state = \(sql.bind(state.rawValue))" }
            if let after { condition += " AND c.id < \(sql.bind(after))" }
            let found = try CampaignStore.page(
                condition, arguments: sql.arguments, limit: limit + 1, in: transaction)
            let items = Array(found.prefix(limit))
            return OperationPage(items: items, next: found.count > limit ? items.last?.id.text : nil)
        }
    }

    /// A campaign, for a caller who may see it.
    public func campaign(_ id: CampaignID, in tenant: TenantID, by principal: Principal) async throws -> Campaign {
        try await database.tenant(tenant).read { try visible(id, in: tenant, by: principal, $0) }
    }

    /// The campaigns that a device is in, the newest first, for a caller who may see its tasks.
    public func campaigns(
        ofDevice device: String, limit: Int, in tenant: TenantID, by principal: Principal
    ) async throws -> [Campaign] {
        try await database.tenant(tenant).read { transaction in
            let id = try fleet.target(device, of: tenant, for: principal, .taskRead, in: transaction)
            return try CampaignStore.page(
                " AND c.id IN (SELECT m.campaign FROM campaign_member m WHERE m.tenant = $1 AND m.device = $2)",
                arguments: [id], limit: limit, in: transaction)
        }
    }

    /// A campaign that the caller may see; throws `campaign.unknown` else.
    func visible(
        _ id: CampaignID, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> Campaign {
        try require(.taskRead, of: principal, in: tenant, transaction)
        guard let campaign = try CampaignStore.find(id, in: transaction),
            try campaign.creator == principal.id || seesAll(principal, in: tenant, transaction)
        else { throw Self.unknownCampaign }
        return campaign
    }

    /// The campaign after a change, of which those who watch hear after the commit.
    func changed(_ id: CampaignID, of tenant: TenantID, in transaction: Transaction) throws -> Campaign {
        guard let campaign = try CampaignStore.find(id, in: transaction) else { throw Self.unknownCampaign }
        transaction.afterCommit { [campaigns, wake, bus] in
            campaigns.put(campaign, of: tenant)
            wake.ring()
            bus.publish(CampaignChanged(tenant: tenant, campaign: id))
        }
        return campaign
    }

    func record(
        _ code: AuditCode, _ campaign: CampaignID, of tenant: TenantID, by actor: Actor, details: JSONValue = [:],
        in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: actor, object: AuditObject(kind: "campaign", id: campaign.text),
                details: details),
            in: transaction)
    }

    static let unknownCampaign = Refusal(
        .notFound, "campaign.unknown", "There is no such campaign, or it is not for you.")
}

/// A campaign changed: pages that show it are out of date.
public struct CampaignChanged: Event, Hashable {
    /// The tenant.
    public let tenant: TenantID
    /// The campaign.
    public let campaign: CampaignID
}
