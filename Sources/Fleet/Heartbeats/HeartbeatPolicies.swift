import Access
public import Base

/// Where the policy comes from that counts for a device.
public enum HeartbeatSource: Hashable, Sendable {
    /// It is the device's own.
    case device
    /// It was set for the domain in which the device lives, or one above it.
    case domain(DomainID)
    /// Its model has it.
    case model(ModelID)
    /// The tenant has it.
    case tenant
    /// Nobody has set one.
    case builtIn

    /// The source as JSON.
    public var json: JSONValue {
        switch self {
        case .device: ["kind": "device", "id": .null]
        case .domain(let id): ["kind": "domain", "id": .string(id.text)]
        case .model(let id): ["kind": "model", "id": .string(id.text)]
        case .tenant: ["kind": "tenant", "id": .null]
        case .builtIn: ["kind": "builtIn", "id": .null]
        }
    }
}

/// Where a policy is set.
enum HeartbeatPlace: Hashable, Sendable {
    case tenant
    case domain(DomainID)
    case device(DeviceID)
}

/// One tenant's policies and the tree along which they come down.
struct HeartbeatPolicies: Equatable, Sendable {
    var zone: TimeZoneName?
    var tenant: HeartbeatPolicy?
    var domains: [DomainID: HeartbeatPolicy] = [:]
    var devices: [DeviceID: HeartbeatPolicy] = [:]
    /// The domain above each.
    var parents: [DomainID: DomainID] = [:]
    /// Every domain that there is.
    var known: Set<DomainID> = []

    /// The policy that counts for a device and where it comes from: the nearest.
    func policy(
        of device: DeviceID, in domain: DomainID, model: Model?
    ) -> (policy: HeartbeatPolicy, source: HeartbeatSource) {
        if let own = devices[device] { return (own, .device) }
        return policy(in: domain, model: model)
    }

    /// The policy that counts for the devices of a model in a domain.
    func policy(in domain: DomainID, model: Model?) -> (policy: HeartbeatPolicy, source: HeartbeatSource) {
        var next: DomainID? = domain
        var levels = 0
        // The bound is there so that a damaged tree ends too.
        while let current = next, levels <= AccessLimits.domainDepth {
            if let found = domains[current] { return (found, .domain(current)) }
            next = parents[current]
            levels += 1
        }
        if let model, let policy = model.heartbeat { return (policy, .model(model.id)) }
        return tenant.map { ($0, .tenant) } ?? (.builtIn, .builtIn)
    }
}
