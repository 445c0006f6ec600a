import Base

/// Where an attempt leaves from: one tenant's way through one outlet. What waits in one lane never holds up another.
struct Lane: Hashable, Sendable {
    var tenant: TenantID
    var id: OutletID

    /// The lane of everything a tenant sends by mail, whichever server carries it.
    static func mail(_ tenant: TenantID) -> Lane { Lane(tenant: tenant, id: OutletID(high: 0, low: 1)) }
    /// The lane of everything a tenant sends by SMS.
    static func sms(_ tenant: TenantID) -> Lane { Lane(tenant: tenant, id: OutletID(high: 0, low: 2)) }
    /// Whether it is one of these two, by which links and codes leave.
    var isMessages: Bool { self == .mail(tenant) || self == .sms(tenant) }
    /// What all tenants together know of an outlet that they share; no lane, but named like one.
    static func everybodys(_ outlet: OutletID) -> Lane {
        Lane(tenant: TenantID(high: .max, low: .max), id: outlet)
    }
}

/// Who may have how many transfers under way at one time.
///
/// Three bounds make it fair: for each lane, for each tenant, and for everything whose outlet failed the last time.
/// The last one is what keeps many dead outlets together from taking every thread, and of one tenant from taking its
/// share whole. What people wait for, mails and text messages, always finds room in it.
struct Slots: Sendable {
    private struct Use {
        var all = 0
        var events = 0
        var suspects = 0
        var trials = 0
    }

    private var byLane: [Lane: Int] = [:]
    private var byTenant: [TenantID: Use] = [:]
    private(set) var used = 0
    private var suspects = 0
    private var trials = 0

    /// How many more transfers this lane may begin.
    func room(_ lane: Lane, isSuspect: Bool) -> Int {
        let use = byTenant[lane.tenant] ?? Use()
        var room = min(
            DeliveryLimits.transfersPerLane - byLane[lane, default: 0],
            DeliveryLimits.transfersPerTenant - use.all, DeliveryLimits.transfers - used)
        if !lane.isMessages { room = min(room, DeliveryLimits.eventTransfersPerTenant - use.events) }
        guard isSuspect else { return room }
        return min(
            room, 1 - byLane[lane, default: 0], DeliveryLimits.suspectTransfersPerTenant - use.suspects,
            DeliveryLimits.suspectTransfers - suspects)
    }

    mutating func begin(_ lane: Lane, isSuspect: Bool) -> Bool {
        guard room(lane, isSuspect: isSuspect) > 0 else { return false }
        count(lane, isSuspect: isSuspect, by: 1)
        return true
    }

    mutating func end(_ lane: Lane, isSuspect: Bool) { count(lane, isSuspect: isSuspect, by: -1) }

    /// Begins a test by hand.
    mutating func beginTrial(_ lane: Lane) -> Bool {
        guard trials < DeliveryLimits.trials,
            byTenant[lane.tenant]?.trials ?? 0 < DeliveryLimits.trialsPerTenant, begin(lane, isSuspect: false)
        else { return false }
        trials += 1
        byTenant[lane.tenant]?.trials += 1
        return true
    }

    /// Ends a test by hand; its slot is ended by itself.
    mutating func endTrial(_ lane: Lane) {
        trials -= 1
        byTenant[lane.tenant]?.trials -= 1
    }

    private mutating func count(_ lane: Lane, isSuspect: Bool, by step: Int) {
        let inLane = byLane[lane, default: 0] + step
        byLane[lane] = inLane > 0 ? inLane : nil
        var use = byTenant[lane.tenant] ?? Use()
        use.all += step
        use.events += lane.isMessages ? 0 : step
        use.suspects += isSuspect ? step : 0
        byTenant[lane.tenant] = use.all > 0 ? use : nil
        used += step
        suspects += isSuspect ? step : 0
    }
}
