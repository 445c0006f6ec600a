import Base
import Synchronization

/// One campaign of one tenant.
struct CampaignKey: Hashable, Comparable, Sendable {
    let tenant: TenantID
    let id: CampaignID

    static func < (left: Self, right: Self) -> Bool { (left.tenant, left.id) < (right.tenant, right.id) }
}

/// Which campaigns are to be judged, and which devices may have to join one.
///
/// Few campaigns are open at a time, while devices and tasks change all the time, so the events only look here, and one
/// turn of the clock judges what they touched. A start judges all that are open.
final class CampaignDesk: Sendable {
    /// What is known of an open campaign.
    struct Open: Sendable {
        var starts: Timestamp?
        var takesNewcomers = false
        /// Who answers for it.
        var sponsor: PrincipalID
    }

    /// Devices that changed in one tenant, or were registered since some identifier.
    struct Newcomers: Sendable {
        var changed: Set<DeviceID> = []
        /// The first of those that came in bulk; all behind it are looked at.
        var since: DeviceID?
        /// Whether all devices are looked at, because something changed for many.
        var isAll = false
    }

    private struct State {
        var open: [CampaignKey: Open] = [:]
        var operations: [OperationID: CampaignKey] = [:]
        var touched: Set<CampaignKey> = []
        var newcomers: [TenantID: Newcomers] = [:]
    }

    private let state = Mutex(State())

    /// A campaign is open, or is judged anew.
    func put(_ campaign: Campaign, of tenant: TenantID) {
        let key = CampaignKey(tenant: tenant, id: campaign.id)
        state.withLock { state in
            let operations = campaign.groups.compactMap(\.operation)
            guard campaign.finished == nil else {
                state.open[key] = nil
                for operation in operations { state.operations[operation] = nil }
                return
            }
            for operation in operations { state.operations[operation] = key }
            state.open[key] = Open(
                starts: campaign.state == .scheduled ? campaign.terms.starts ?? Timestamp(microseconds: .min) : nil,
                takesNewcomers: campaign.takesNewcomers && campaign.state.isLive, sponsor: campaign.sponsor.id)
            state.touched.insert(key)
        }
    }

    /// Operations changed; those of campaigns make these be judged.
    func touch(_ operations: Set<OperationID>) {
        state.withLock { state in
            guard !state.operations.isEmpty else { return }
            for operation in operations { if let key = state.operations[operation] { state.touched.insert(key) } }
        }
    }

    func touch(_ key: CampaignKey) {
        state.withLock { state in
            // One that is over, or whose tenant is gone, is judged no more.
            if state.open[key] != nil { state.touched.insert(key) }
        }
    }

    /// Devices of a tenant changed in a way that may let them join.
    func note(of tenant: TenantID, _ change: (inout Newcomers) -> Void) {
        state.withLock { state in
            // Without a campaign that takes newcomers nothing is kept.
            guard state.open.contains(where: { $0.key.tenant == tenant && $0.value.takesNewcomers }) else { return }
            change(&state.newcomers[tenant, default: Newcomers()])
        }
    }

    /// A principal's rights changed: more devices may join the campaigns that they answer for.
    func noteRights(of principal: PrincipalID) {
        state.withLock { state in
            for (key, open) in state.open where open.takesNewcomers && open.sponsor == principal {
                state.newcomers[key.tenant, default: Newcomers()].isAll = true
            }
        }
    }

    /// The campaigns to judge now.
    func take(at now: Timestamp) -> [CampaignKey] {
        state.withLock { state in
            defer { state.touched = [] }
            let due = state.open.filter { $0.value.starts.map { $0 <= now } ?? false }.map(\.key)
            return state.touched.union(due).sorted()
        }
    }

    /// The devices that may have to join, with the campaigns that take some.
    func takeNewcomers() -> [(tenant: TenantID, newcomers: Newcomers, campaigns: [CampaignID])] {
        state.withLock { state in
            defer { state.newcomers = [:] }
            return state.newcomers.sorted { $0.key < $1.key }.map { tenant, newcomers in
                let takers = state.open.filter { $0.key.tenant == tenant && $0.value.takesNewcomers }
                return (tenant, newcomers, takers.map(\.key.id).sorted())
            }
        }
    }

    func forget(_ tenant: TenantID) {
        state.withLock { state in
            state.open = state.open.filter { $0.key.tenant != tenant }
            state.operations = state.operations.filter { $0.value.tenant != tenant }
            state.touched = state.touched.filter { $0.tenant != tenant }
            state.newcomers[tenant] = nil
        }
    }
}
