public import Access
import Audit
public import Base
import Storage

extension ChangeKind {
    /// Whether another person must approve campaigns.
    static let campaignPolicy = ChangeKind("campaign.policy")
}

/// The tenant's policy of whether another person must approve each campaign before it begins.
extension Operations {
    /// Whether another person must approve campaigns.
    public func needsSecondForCampaigns(in tenant: TenantID, by principal: Principal) async throws -> Bool {
        try await database.tenant(tenant).read { transaction in
            try require(.taskRead, of: principal, in: tenant, transaction)
            return try needsSecondForCampaigns(in: transaction)
        }
    }

    /// Decides whether another person must approve campaigns. To end that need, one must approve that too.
    public func setNeedsSecondForCampaigns(
        _ needs: Bool, reason: String?, in tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { transaction in
            try setNeedsSecond(needs, .own(reason: reason), tenant, principal, transaction)
        }
    }

    func needsSecondForCampaigns(in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT needs_second FROM campaign_policy WHERE tenant = $1")?.bool(0) ?? false
    }

    private func setNeedsSecond(
        _ needs: Bool, _ authority: Authority, _ tenant: TenantID, _ principal: Principal, _ transaction: Transaction
    ) throws {
        try access.authorize(principal, .approvalManage, tenant: tenant, in: transaction)
        let scoped = transaction.scoped(to: tenant)
        try access.require(authority, of: .campaignPolicy, tenant: tenant, by: principal, in: transaction)
        if case .own = authority, !needs, !principal.isLocalAdministrator,
            try needsSecondForCampaigns(in: scoped)
        {
            throw Refusal(
                .conflict, "approval.needed",
                "Another person must approve that campaigns need no second one: propose it as a change of kind \(ChangeKind.campaignPolicy.name)."
            )
        }
        try scoped.execute(
            """
            INSERT INTO campaign_policy (tenant, needs_second) VALUES ($1, $2)
            ON CONFLICT (tenant) DO UPDATE SET needs_second = excluded.needs_second
            """, needs)
        try audit.record(
            AuditEntry(
                .campaignPolicyChanged, tenant: tenant, actor: principal.actor(in: tenant),
                object: AuditObject(kind: "tenant", id: tenant.text),
                details: authority.told(["needsSecond": .bool(needs)])),
            in: transaction)
    }

    /// Lets the policy be changed by two.
    func addCampaignApprovals() {
        access.approvals.add(
            .campaignPolicy,
            present: { [self] _, tenant, transaction in
                ["needsSecond": .bool(try needsSecondForCampaigns(in: transaction.scoped(to: tenant)))]
            }
        ) { [self] change, authority, tenant, principal, transaction in
            guard case .bool(let needs)? = change["needsSecond"] else { throw Access.unreadable("needsSecond") }
            try setNeedsSecond(needs, authority, tenant, principal, transaction)
        }
    }
}
