public import Access
import Audit
public import Base
import Storage

/// The policy of a place: the one that was set there, and the one that counts there.
public struct HeartbeatView: Sendable {
    /// The policy that was set at this place.
    public let own: HeartbeatPolicy?
    /// The policy that counts; at a domain, for devices whose model has none.
    public let effective: HeartbeatPolicy
    /// Where that comes from.
    public let source: HeartbeatSource
    /// How a device stands to it.
    public let standing: HeartbeatStanding?

    /// The view as JSON.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "own": own?.json ?? .null, "effective": effective.json, "source": source.json,
        ]
        if let standing { members["standing"] = standing.json }
        return .object(members)
    }
}

extension Fleet {
    /// The policy of a tenant's devices that have no nearer one.
    public func heartbeat(in tenant: TenantID, by principal: Principal) async throws -> HeartbeatView {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .tenantRead, tenant: tenant, in: transaction)
            let own = try HeartbeatStore.find(.tenant, of: tenant, in: transaction)
            return HeartbeatView(
                own: own, effective: own ?? .builtIn, source: own == nil ? .builtIn : .tenant, standing: nil)
        }
    }

    /// The policy of a domain, named by identifier or path.
    public func heartbeat(
        ofDomain text: String, in tenant: TenantID, by principal: Principal
    ) async throws -> HeartbeatView {
        try await database.tenant(tenant).read { transaction in
            let domain = try heartbeatDomain(text, of: tenant, for: principal, toManage: false, in: transaction)
            let policies = try HeartbeatStore.policies(in: transaction)
            let (effective, source) = policies.policy(in: domain, model: nil)
            return HeartbeatView(
                own: policies.domains[domain], effective: effective, source: source, standing: nil)
        }
    }

    /// The policy of a device, and how it stands to it.
    public func heartbeat(
        ofDevice text: String, in tenant: TenantID, by principal: Principal
    ) async throws -> HeartbeatView {
        let reference = try Self.reference(text)
        return try await database.tenant(tenant).read { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRead, in: transaction)
            let policies = try HeartbeatStore.policies(in: transaction)
            let model = device.model.flatMap { directory.model($0) }
            let (effective, source) = policies.policy(of: device.id, in: device.domain, model: model)
            let stored = try HeartbeatStore.standing(of: device.id, in: transaction)
            return HeartbeatView(
                own: policies.devices[device.id], effective: effective, source: source,
                standing: heartbeats.standing(of: device.id, stored: stored))
        }
    }

    /// Sets the policy of a tenant's devices that have no nearer one; nil takes it away.
    public func setHeartbeat(_ policy: HeartbeatPolicy?, in tenant: TenantID, by principal: Principal) async throws {
        try await setHeartbeat(policy, in: tenant, by: principal) { transaction in
            try access.authorize(principal, .tenantManage, tenant: tenant, in: transaction)
            return (.tenant, nil, AuditObject(kind: "tenant", id: tenant.text))
        }
    }

    /// Sets the policy of a domain and all below it; nil takes it away.
    public func setHeartbeat(
        _ policy: HeartbeatPolicy?, ofDomain text: String, in tenant: TenantID, by principal: Principal
    ) async throws {
        try await setHeartbeat(policy, in: tenant, by: principal) { transaction in
            let domain = try heartbeatDomain(text, of: tenant, for: principal, toManage: true, in: transaction)
            return (.domain(domain), domain, AuditObject(kind: "domain", id: domain.text))
        }
    }

    /// Sets the policy of one device; nil takes it away.
    public func setHeartbeat(
        _ policy: HeartbeatPolicy?, ofDevice text: String, in tenant: TenantID, by principal: Principal
    ) async throws {
        let reference = try Self.reference(text)
        try await setHeartbeat(policy, in: tenant, by: principal) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceManage, in: transaction)
            return (.device(device.id), device.domain, AuditObject(kind: "device", id: device.id.text))
        }
    }

    /// Writes or removes the policy at the place that `find` answers with, and has put every device under what counts
    /// then before it returns.
    private func setHeartbeat(
        _ policy: HeartbeatPolicy?, in tenant: TenantID, by principal: Principal,
        at find: @escaping @Sendable (Transaction) throws -> (HeartbeatPlace, DomainID?, AuditObject)
    ) async throws {
        // One that was made in the program meets the same rules as one that was read.
        let policy = try policy.map { policy throws(Refusal) in try HeartbeatPolicy(json: policy.json) }
        try await writing(tenant) { transaction in
            let (place, domain, object) = try find(transaction)
            let old = try HeartbeatStore.find(place, of: tenant, in: transaction)
            guard old != policy else { return }
            if let policy {
                try HeartbeatStore.write(policy, place, of: tenant, at: clock.now, in: transaction)
            } else {
                try HeartbeatStore.delete(place, of: tenant, in: transaction)
            }
            try audit.record(
                AuditEntry(
                    policy == nil ? .heartbeatRemoved : .heartbeatSet, tenant: tenant, domain: domain,
                    actor: principal.actor(in: tenant), object: object,
                    details: ["from": old?.json ?? .null, "to": policy?.json ?? .null]), in: transaction)
        }
        try await heartbeats.reload(tenant)
    }

    private func heartbeatDomain(
        _ text: String, of tenant: TenantID, for principal: Principal, toManage: Bool, in transaction: Transaction
    ) throws -> DomainID {
        var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
        return try lookUp.domain(text, toManage: toManage, in: transaction)
    }
}
