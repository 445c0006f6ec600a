import Access
import Base
import Storage

/// What becomes of campaigns by what is done with the operations of their groups.
extension Operations {
    /// The campaign of which this operation is a group; nil when it is none.
    func campaign(ofGroup operation: OperationID, in transaction: Transaction) throws -> Campaign? {
        try campaignID(ofGroup: operation, in: transaction).flatMap { try CampaignStore.find($0, in: transaction) }
    }

    /// Which campaign that is.
    func campaignID(ofGroup operation: OperationID, in transaction: Transaction) throws -> CampaignID? {
        try transaction.row("SELECT campaign FROM campaign_group WHERE tenant = $1 AND operation = $2", operation)?
            .identifier(0)
    }

    /// The campaign of which this operation is a group; refuses when that has halted, because tasks that are given out
    /// again would go past its thresholds, and past whoever paused or ended it.
    func goingCampaign(ofGroup operation: OperationID, in transaction: Transaction) throws -> Campaign? {
        guard let campaign = try campaign(ofGroup: operation, in: transaction) else { return nil }
        switch campaign.state {
        case .running, .finished: return campaign
        case .paused:
            throw Refusal(
                .conflict, "campaign.state",
                "The operation is a group of the campaign \(campaign.title), which is paused; resume the campaign.")
        case .preparing, .awaitingApproval, .scheduled, .stopped, .rolledBack:
            throw Refusal(
                .conflict, "campaign.state",
                "The operation is a group of the campaign \(campaign.title), which is \(campaign.state.rawValue); order it anew."
            )
        }
    }

    /// A member of a group needs its task no more, because it has the release or a later one by another way.
    func countUpToDate(_ device: DeviceID, in operation: OperationID, _ transaction: Transaction) throws {
        guard let campaign = try campaign(ofGroup: operation, in: transaction),
            var group = campaign.groups.first(where: { $0.operation == operation })
        else { return }
        group.upToDate += 1
        try CampaignStore.update(group, of: campaign.id, in: transaction)
        try CampaignMembers.set(.upToDate, [device], in: campaign.id, transaction)
    }

    /// Lets campaigns that were taken back go on with that, when a device says after their end that it has their release.
    func reopenRolledBack(after writer: TaskWriter) throws {
        for operation in Set(writer.installs.map(\.operation)).sorted() {
            let campaign = try writer.transaction.row(
                """
                UPDATE campaign SET finished = NULL
                WHERE tenant = $1 AND state = 'rolledBack' AND finished IS NOT NULL AND id IN (
                    SELECT g.campaign FROM campaign_group g WHERE g.tenant = $1 AND g.operation = $2)
                RETURNING id
                """, operation)
            guard let campaign else { continue }
            _ = try changed(campaign.identifier(0), of: writer.tenant, in: writer.transaction)
        }
    }
}
