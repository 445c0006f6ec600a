import Base

/// Where an attempt leaves from: one tenant's way through one outlet. What waits in one lane never holds up another.
struct Lane: Hashable, Sendable {
    var tenant: TenantID
    var id: OutletID

    /// The lane of everything a tenant sends by mail, whichever server carries it.
    static func mail(_ tenant: TenantID) -> Lane { Lane(tenant: tenant, id: OutletID(high: 0, low: 1)) }
    /// The lane of everything a tenant sends by SMS.
    static func sms(_ tenant: TenantID) -> Lane { Lane(tenant: tenant, id: OutletID(high: 0, low: 2)) }
    /// What all tenants together know of an outlet that they share; no lane, but named like one.
    static func everybodys(_ outlet: OutletID) -> Lane {
        Lane(tenant: TenantID(high: .max, low: .max), id: outlet)
    }
}

/// Who may have how many transfers under way at one time.
///
/// Three bounds make it fair: for each lane, for each tenant, and for everything whose outlet failed the last time.
/// The last one is what keeps many dead outlets together from taking every thread.
struct Slots: Sendable {
    private var byLane: [Lane: Int] = [:]
    private var byTenant: [TenantID: Int] = [:]
    private(set) var used = 0
    private var suspects = 0

    /// How many more transfers this lane may begin.
    func room(_ lane: Lane, isSuspect: Bool) -> Int {
        let room = min(
            DeliveryLimits.transfersPerLane - byLane[lane, default: 0],
            DeliveryLimits.transfersPerTenant - byTenant[lane.tenant, default: 0],
            DeliveryLimits.transfers - used)
        return isSuspect ? min(room, 1 - byLane[lane, default: 0], DeliveryLimits.suspectTransfers - suspects) : room
    }

    mutating func begin(_ lane: Lane, isSuspect: Bool) -> Bool {
        guard room(lane, isSuspect: isSuspect) > 0 else { return false }
        byLane[lane, default: 0] += 1
        byTenant[lane.tenant, default: 0] += 1
        used += 1
        suspects += isSuspect ? 1 : 0
        return true
    }

    mutating func end(_ lane: Lane, isSuspect: Bool) {
        byLane[lane] = byLane[lane].flatMap { $0 > 1 ? $0 - 1 : nil }
        byTenant[lane.tenant] = byTenant[lane.tenant].flatMap { $0 > 1 ? $0 - 1 : nil }
        used -= 1
        suspects -= isSuspect ? 1 : 0
    }
}
