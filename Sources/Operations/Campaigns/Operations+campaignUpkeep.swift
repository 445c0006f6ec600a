import Base
import Storage

extension Operations {
    /// Removes campaigns that have been over for longer than operations are kept; their operations go after them.
    func trimCampaigns() async throws {
        let cutoff = clock.now - .seconds(OperationLimits.keptDays * 86_400)
        while true {
            let old = try await database.platform.read { transaction in
                try transaction.acrossTenants.rows(
                    """
                    SELECT tenant, id FROM campaign WHERE finished < $1
                    ORDER BY finished, tenant, id LIMIT \(OperationLimits.removedAtOnce)
                    """, cutoff
                ).map {
                    (tenant: try $0.identifier(0, as: TenantID.self), id: try $0.identifier(1, as: CampaignID.self))
                }
            }
            for campaign in old { try await remove(campaign.id, in: campaign.tenant) }
            if old.count < OperationLimits.removedAtOnce { return }
        }
    }

    /// Removes a campaign, its members some thousand at a time and the campaign itself last.
    func remove(_ id: CampaignID, in tenant: TenantID) async throws {
        let handle = database.tenant(tenant)
        while true {
            let removed = try await handle.write { transaction in
                try transaction.execute(
                    """
                    DELETE FROM campaign_member WHERE tenant = $1 AND campaign = $2 AND device IN (
                        SELECT m.device FROM campaign_member m WHERE m.tenant = $1 AND m.campaign = $2
                        ORDER BY m.number, m.state, m.device LIMIT \(OperationLimits.tasksAtOnce))
                    """, id)
            }
            if removed < OperationLimits.tasksAtOnce { break }
        }
        try await handle.write { transaction -> Void in
            try transaction.execute("DELETE FROM campaign_group WHERE tenant = $1 AND campaign = $2", id)
            try transaction.execute("DELETE FROM campaign WHERE tenant = $1 AND id = $2", id)
        }
    }
}
