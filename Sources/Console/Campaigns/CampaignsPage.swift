import Access
import Base
import Northbound
import Operations

/// The campaigns of a tenant, the newest first.
struct CampaignsPage: PageView {
    static let template = "campaigns"
    static let menu: MenuItem? = .firmware

    struct Row: Sendable {
        let title: String
        let address: String
        let badge: Badge
        let progress: String
        let parts: [OverviewPage.Part]
        let groups: String
        let creator: String
        let created: Moment
    }

    let title = "Campaigns"
    let tabs: [DevicesPage.Chip]
    let states: [DevicesPage.Chip]
    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let isNothingFound: Bool
    /// Where a campaign is ordered; nil for who may order none.
    let new: String?
    let address: String
    let next: String?
    let first: String?
}

extension CampaignsPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let address = "\(visit.home)/firmware/campaigns"
        let state = visit.query.text("state").flatMap { Campaign.State(rawValue: $0) }
        let after = visit.query.text("after").flatMap { CampaignID(text: $0) }
        let page = try await console.operations.campaigns(
            state: state, after: after, limit: ConsoleLimits.pageSize, in: visit.tenant.id, by: visit.principal)
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        func link(_ state: Campaign.State?, _ after: String? = nil) -> String {
            address.withQuery(["state": state?.rawValue, "after": after])
        }
        self.address = address
        tabs = try await FirmwareTab.links(.campaigns, console, visit)
        states = [
            (nil as Campaign.State?, "All"), (.awaitingApproval, "Wait for approval"), (.running, "Under way"),
            (.paused, "Paused"), (.finished, "Finished"), (.rolledBack, "Rolled back"),
        ].map { .init(label: $1, address: link($0), isOn: $0 == state) }
        rows = page.items.map { campaign in
            let begun = campaign.groups.count { $0.started != nil }
            return Row(
                title: campaign.title, address: "\(address)/\(campaign.id.text)", badge: campaign.badge,
                progress: campaign.progress, parts: campaign.meter,
                groups: "\(begun.grouped) of \(campaign.groups.count.grouped) begun", creator: campaign.creatorName,
                created: Moment(campaign.created))
        }
        hasRows = !rows.isEmpty
        isEmpty = rows.isEmpty && state == nil && after == nil
        isNothingFound = rows.isEmpty && !isEmpty
        new = held.contains(.taskInstall) && held.contains(.releaseRead) ? "\(address)/new" : nil
        next = page.next.map { link(state, $0) }
        first = after == nil ? nil : link(state)
    }
}
