import Base
package import Storage

/// A campaign as far as alerts go.
package struct CampaignStanding: Sendable, Hashable {
    /// What people call it.
    package let title: String
    /// The domain it was ordered for; nil when it was ordered otherwise.
    package let domain: String?
    /// How many of its tasks failed, timed out, were refused or expired.
    package let failures: Int
    /// Whether it is paused, and by nobody.
    package let isPausedByItself: Bool
}

extension Operations {
    /// How a campaign of the transaction's tenant stands; nil when it is gone.
    package func standing(of id: CampaignID, in transaction: Transaction) throws -> CampaignStanding? {
        try CampaignStore.find(id, in: transaction).map { campaign in
            CampaignStanding(
                title: campaign.title, domain: campaign.target["id"]?.string,
                failures: campaign.counts.reduce(0) { $0 + ($1.key.isFailure ? $1.value : 0) },
                isPausedByItself: campaign.state == .paused && campaign.reason != .person)
        }
    }

    /// The campaigns of the transaction's tenant that are paused.
    package func pausedCampaigns(in transaction: Transaction) throws -> [CampaignID] {
        try transaction.rows(
            "SELECT id FROM campaign WHERE tenant = $1 AND finished IS NULL AND state = 'paused' ORDER BY id"
        ).map { try $0.identifier(0) }
    }
}
