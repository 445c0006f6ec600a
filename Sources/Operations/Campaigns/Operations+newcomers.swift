import Access
import Base
import Fleet
import Storage

/// Devices that come to match a campaign that takes newcomers.
extension Operations {
    /// Lets devices join that changed or were registered since the last turn.
    ///
    /// A change of one device is looked at with that device alone; all are looked at only after a start, when a campaign
    /// begins or is resumed, and when domains or rights changed.
    func takeNewcomers() async throws {
        var failure: (any Error)?
        for (tenant, newcomers, takers) in campaigns.takeNewcomers() {
            // Nobody is left out, and nobody's rights are asked for, while a tenant is suspended.
            guard isActive(tenant) else {
                campaigns.note(of: tenant) { $0.isAll = true }
                continue
            }
            do {
                for campaign in takers { try await join(campaign, newcomers, of: tenant) }
            } catch {
                campaigns.note(of: tenant) { $0.isAll = true }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    func isActive(_ tenant: TenantID) -> Bool { access.directory.tenant(tenant)?.status == .active }

    /// Has all devices looked at after the commit: some may have come to match while the campaign was being ordered, or
    /// while nobody could answer for it.
    func lookForNewcomers(_ campaign: Campaign, of tenant: TenantID, in transaction: Transaction) {
        guard campaign.takesNewcomers else { return }
        transaction.afterCommit { [campaigns] in
            campaigns.note(of: tenant) { $0.isAll = true }
        }
    }

    private func join(_ campaign: CampaignID, _ newcomers: CampaignDesk.Newcomers, of tenant: TenantID) async throws {
        let limit = OperationLimits.tasksAtOnce
        let changed = newcomers.changed.sorted()
        for start in stride(from: 0, to: changed.count, by: limit) {
            let some = Array(changed[start..<min(start + limit, changed.count)])
            _ = try await join(campaign, of: tenant) { matching, transaction in
                // Most are in it already, and need no look at the filter.
                let known = try CampaignMembers.known(some, in: campaign, transaction)
                return try matching(.among(some.filter { !known.contains($0) }))
            }
        }
        guard newcomers.isAll || newcomers.since != nil else { return }
        var after = newcomers.isAll ? nil : newcomers.since.map(\.before)
        while true {
            let from = after
            let found = try await join(campaign, of: tenant) { matching, _ in try matching(.after(from, limit)) }
            guard found.count == limit else { return }
            after = found.last
        }
    }

    /// Which devices are looked at.
    private enum Candidates {
        case among([DeviceID])
        case after(DeviceID?, Int)
    }

    /// Puts those of the devices that match, fit and are not in it yet into their groups; answers all that match.
    private func join(
        _ id: CampaignID, of tenant: TenantID,
        _ find:
            @escaping @Sendable ((Candidates) throws -> [InstallCandidate], Transaction) throws
            -> [InstallCandidate]
    ) async throws -> [DeviceID] {
        try await database.tenant(tenant).write { transaction in
            guard let campaign = try CampaignStore.find(id, in: transaction), campaign.state.isLive,
                let release = try ReleaseStore.find(campaign.release, in: transaction)
            else { return [] }
            guard let sponsor = try sponsor(of: campaign, in: tenant, transaction) else {
                try giveUp(campaign, .rights, of: tenant, transaction)
                return []
            }
            let found: [InstallCandidate]
            do {
                let filter = try campaign.target["filter"]?.string.map { try DeviceFilter($0) }
                let domain = campaign.target["id"]?.string
                found = try find(
                    { candidates in
                        switch candidates {
                        case .among(let devices):
                            try fleet.candidates(
                                among: devices, filter, within: domain, of: "", tenant: tenant, for: sponsor,
                                .taskInstall, in: transaction)
                        case .after(let last, let limit):
                            try fleet.candidates(
                                filter, within: domain, of: "", after: last, limit: limit, tenant: tenant, for: sponsor,
                                .taskInstall, in: transaction)
                        }
                    }, transaction)
            } catch is Refusal {
                try giveUp(campaign, .target, of: tenant, transaction)
                return []
            }
            let fitting = found.filter { release.fits($0.hardware) }.map(\.device)
            let known = try CampaignMembers.known(fitting, in: id, transaction)
            try join(fitting.filter { !known.contains($0) }, campaign, of: tenant, transaction)
            return found.map(\.device)
        }
    }

    private func join(
        _ devices: [DeviceID], _ campaign: Campaign, of tenant: TenantID, _ transaction: Transaction
    ) throws {
        let shares = campaign.groups.filter { $0.bound != nil }
        guard !devices.isEmpty, !shares.isEmpty,
            campaign.members + devices.count <= OperationLimits.campaignDevices
        else { return }
        let bounds = shares.compactMap(\.bound)
        let members = devices.map { device in
            let share = CampaignShares.share(of: CampaignShares.hash(device, in: campaign.id), bounds)
            return (device: device, number: shares[share].number)
        }
        try CampaignMembers.insert(members, into: campaign.id, in: transaction)
        for (number, some) in Dictionary(grouping: members, by: \.number) {
            guard var group = campaign.groups.first(where: { $0.number == number }) else { continue }
            group.members += some.count
            group.planned += some.count
            try CampaignStore.update(group, of: campaign.id, in: transaction)
        }
        _ = try changed(campaign.id, of: tenant, in: transaction)
    }

    /// Pauses a campaign that runs and can take nobody; one that does not run is asked when it does.
    private func giveUp(
        _ campaign: Campaign, _ reason: Campaign.Pause, of tenant: TenantID, _ transaction: Transaction
    ) throws {
        guard campaign.state == .running else { return }
        try pause(campaign, reason, group: nil, of: tenant, by: Self.judge, in: transaction)
        _ = try changed(campaign.id, of: tenant, in: transaction)
    }
}

extension DeviceID {
    /// The identifier right before this one.
    fileprivate var before: DeviceID {
        low == 0 ? DeviceID(high: high &- 1, low: .max) : DeviceID(high: high, low: low - 1)
    }
}
