import Access

/// The settings of a tenant: who may come in and how, what programs may do, what leaves.
extension PageTable {
    static func settings(_ console: ConsoleParts) -> [Page] {
        let index = Page("/settings", needs: .tenantRead) { visit in
            .show(SettingsIndex(tabs: try await SettingsVisit(console, visit, nil).tabs))
        }
        return [index] + organisation(console) + users(console) + userGroups(console) + grants(console)
            + apiKeys(console) + programs(console)
            + sessions(console) + roles(console) + signInRules(console) + directories(console) + changes(console)
            + updateKeys(console) + CampaignApproval.pages(console)
            + outlets(console) + deliveries(console) + authorities(console) + firewall(console)
    }
}
