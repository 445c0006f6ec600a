import Access
import Base
import Northbound
import Operations

/// The pages about staged roll-outs of releases.
extension PageTable {
    static func campaigns(_ console: ConsoleParts) -> [Page] {
        let one = "/firmware/campaigns/{campaign}"
        return [
            Page("/firmware/campaigns", needs: .taskRead) { visit in
                try await .show(CampaignsPage(console, visit), live: "\(visit.home)/live")
            },
            Page("/firmware/campaigns/new", needs: .taskInstall) { visit in
                try await .show(CampaignForm(console, visit, visit.query))
            },
            Page(posting: "/firmware/campaigns/new", needs: .taskInstall) { visit in
                try await CampaignForm.take(console, visit)
            },
            Page(one, needs: .taskRead) { visit in
                try await .show(CampaignPage(console, visit), live: "\(visit.home)/live")
            },
        ]
            + CampaignAct.allCases.flatMap { act in
                [
                    Page("\(one)/\(act.rawValue)", needs: act.permission) { visit in
                        try await act.ask(console, visit)
                    },
                    Page(posting: "\(one)/\(act.rawValue)", needs: act.permission) { visit in
                        try await act.run(console, visit)
                    },
                ]
            }
    }
}

extension ConsoleParts {
    /// The campaign in the path, for a visitor who may see it.
    func campaign(_ visit: TenantVisit) async throws -> Campaign {
        guard let id = CampaignID(text: visit.path("campaign")) else {
            throw Refusal(.notFound, "campaign.unknown", "There is no such campaign, or it is not for you.")
        }
        return try await operations.campaign(id, in: visit.tenant.id, by: visit.principal)
    }
}
