import Access
import Base
import Fleet
import Storage

/// The devices of a campaign in their groups, before anything of it is written.
struct CampaignPlan: Sendable {
    struct Member: Sendable {
        let device: DeviceID
        /// Its group, from 1.
        var number: Int
        let isUpToDate: Bool
    }

    let title: String
    /// What is kept of whom it is for.
    let target: JSONValue
    let groups: [CampaignGroup]
    /// In the order of the devices' identifiers.
    let members: [Member]
    /// Devices that match, but have hardware that the release is not for.
    let misfits: Int
}

extension Operations {
    /// Puts the devices that the caller means, and on which they may install, into groups.
    func plan(
        _ draft: CampaignDraft, _ id: CampaignID, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws -> CampaignPlan {
        try require(.taskInstall, of: principal, in: tenant, transaction)
        let release = try requirePublished(draft.release, in: transaction)
        let order = try VersionOrder(of: release.component, in: transaction)
        func isUpToDate(_ candidate: InstallCandidate) -> Bool {
            order.counter(of: candidate.version).map { $0 >= release.counter } ?? false
        }
        var members: [DeviceID: CampaignPlan.Member] = [:]
        for (index, group) in draft.groups.enumerated() {
            guard case .devices(let names) = group else { continue }
            for candidate in try named(names, of: release, in: tenant, for: principal, transaction) {
                let member = CampaignPlan.Member(
                    device: candidate.device, number: index + 1, isUpToDate: isUpToDate(candidate))
                guard members.updateValue(member, forKey: candidate.device) == nil else {
                    throw Refusal.faulty(
                        "campaign.invalid", "The campaign",
                        [.init(place: "/groups/\(index)/devices", message: "names a device that has a group already")])
                }
            }
        }
        let shared = try draft.target.map {
            try self.candidates($0, of: release, in: tenant, for: principal, transaction)
        }
        let others = (shared ?? []).filter { members[$0.device] == nil }
        let rest = others.filter { release.fits($0.hardware) }
        // Who is left out counts as well: what comes after so many was not read.
        guard members.count + others.count <= OperationLimits.campaignDevices else {
            throw Refusal(
                .tooLarge, "campaign.tooLarge",
                "A campaign has at most \(OperationLimits.campaignDevices) devices; divide it.")
        }
        let hashes = rest.map { CampaignShares.hash($0.device, in: id) }
        let bounds = CampaignShares.bounds(draft.percents, hashes.sorted())
        let numbers = draft.groups.indices.filter {
            if case .percent = draft.groups[$0] { true } else { false }
        }.map { $0 + 1 }
        for (candidate, hash) in zip(rest, hashes) {
            members[candidate.device] = CampaignPlan.Member(
                device: candidate.device, number: numbers[CampaignShares.share(of: hash, bounds)],
                isUpToDate: isUpToDate(candidate))
        }
        var sizes = Array(repeating: 0, count: draft.groups.count)
        for member in members.values { sizes[member.number - 1] += 1 }
        var shares = zip(draft.percents, bounds).makeIterator()
        let groups = draft.groups.enumerated().map { index, group in
            var share: (Int, Int64)?
            if case .percent = group { share = shares.next() }
            return CampaignGroup(
                number: index + 1, percent: share?.0, bound: share?.1, members: sizes[index], planned: sizes[index],
                upToDate: 0, leftOut: 0)
        }
        return CampaignPlan(
            title: "\(release.component) \(release.version)",
            target: try target(of: draft, tenant, transaction), groups: groups,
            members: members.values.sorted { $0.device < $1.device }, misfits: others.count - rest.count)
    }

    /// What is kept of whom a campaign is for. A domain is kept by identifier as well, for those who join later.
    private func target(of draft: CampaignDraft, _ tenant: TenantID, _ transaction: Transaction) throws -> JSONValue {
        switch draft.target {
        case .domain(let text)?:
            ["domain": .string(text), "id": .string(try access.domain(text, tenant: tenant, in: transaction).text)]
        case .filter?: draft.target?.json ?? .null
        case .devices?, nil: ["devices": .integer(Int64(draft.named))]
        }
    }

    private func candidates(
        _ target: OperationTarget, of release: Release, in tenant: TenantID, for principal: Principal,
        _ transaction: Transaction
    ) throws -> [InstallCandidate] {
        let limit = OperationLimits.campaignDevices + 1
        switch target {
        case .filter(let text):
            return try fleet.candidates(
                text.map { text throws(Refusal) in try DeviceFilter(text) }, within: nil, of: release.component,
                limit: limit, tenant: tenant, for: principal, .taskInstall, in: transaction)
        case .domain(let domain):
            return try fleet.candidates(
                nil, within: domain, of: release.component, limit: limit, tenant: tenant, for: principal, .taskInstall,
                in: transaction)
        case .devices(let named):
            return try self.named(named.map(\.device), of: release, in: tenant, for: principal, transaction)
        }
    }

    /// These devices, on each of which the caller may install, and for which the release is.
    private func named(
        _ names: [String], of release: Release, in tenant: TenantID, for principal: Principal,
        _ transaction: Transaction
    ) throws -> [InstallCandidate] {
        let devices = try names.map {
            try fleet.target($0, of: tenant, for: principal, .taskInstall, in: transaction)
        }
        let candidates = try fleet.candidates(
            among: Array(Set(devices)), of: release.component, tenant: tenant, for: principal, .taskInstall,
            in: transaction)
        let misfits = Set(candidates.filter { !release.fits($0.hardware) }.map(\.device))
        guard misfits.isEmpty else { throw try misfit(of: misfits, for: principal, tenant, in: transaction) }
        return candidates
    }
}

extension CampaignDraft {
    /// How many devices it names one by one.
    fileprivate var named: Int {
        let inGroups = groups.reduce(0) { if case .devices(let names) = $1 { $0 + names.count } else { $0 } }
        if case .devices(let named)? = target { return inGroups + named.count }
        return inGroups
    }
}
