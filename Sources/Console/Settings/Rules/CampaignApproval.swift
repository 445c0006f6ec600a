import Access
import Base
import Northbound
import Operations

/// The page on which it is decided whether another person must approve campaigns.
enum CampaignApproval {
    static func pages(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("/campaigns", .signIn, needs: .approvalManage) { try await .show(form($0)) },
            console.settings(posting: "/campaigns", .signIn, needs: .approvalManage) { try await change($0) },
        ]
    }

    /// What it is now, for the page of rules; nil for who may not know.
    static func panel(_ visit: SettingsVisit) async throws -> SettingsRecord.Panel? {
        guard visit.can(.taskRead) else { return nil }
        let needs = try await visit.console.operations.needsSecondForCampaigns(
            in: visit.tenantID, by: visit.principal)
        return SettingsRecord.Panel(
            "campaigns", "Campaigns",
            facts: [.init("Campaigns", .text(needs ? "begin when another person has approved them" : "begin at once"))],
            acts: visit.can(.approvalManage)
                ? [.link("Change", visit.address("campaigns"), about: "the approval of campaigns")] : [])
    }

    private static func form(_ visit: SettingsVisit) async throws -> SettingsForm {
        let needs = try await visit.console.operations.needsSecondForCampaigns(
            in: visit.tenantID, by: visit.principal)
        let verb = needs ? "Let campaigns begin at once" : "Want another person for each campaign"
        return SettingsForm(
            visit.place, verb,
            effect: needs
                ? "Who may install on all devices of a campaign starts it alone. To decide this takes a second approver."
                : "A campaign waits until another person who may install on all its devices has approved it.",
            action: visit.address("campaigns"), fields: [.reason(visit.form, isRequired: true)], verb: verb,
            isDangerous: needs, back: visit.address(), hidden: [("needs", needs ? "no" : "yes")])
    }

    private static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let needs = visit.form.exact("needs") == "yes"
        return try await form(visit).answering {
            try await visit.change("campaign.policy", ["needsSecond": .bool(needs)], done: .saved, to: visit.address())
            {
                try await visit.console.operations.setNeedsSecondForCampaigns(
                    needs, reason: visit.reason, in: visit.tenantID, by: visit.principal)
            }
        }
    }
}
