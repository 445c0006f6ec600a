import Access
import Base
import Bus
import Storage
import Synchronization

/// How the devices and their policies in memory follow what is committed.
extension Heartbeats {
    /// Loads policies and who is missing, and follows changes from then on; the directory must be full.
    func start(hearing access: Access) async throws {
        bus.subscribe(to: DeviceChanged.self) { [self] in refresh($0.device, isGone: $0.change == .deleted) }
        bus.subscribe(to: ModelChanged.self) { [self] event in refresh(event.tenant) { $0.model == event.model } }
        bus.subscribe(to: DeviceOnline.self) { [self] in called($0.device, at: clock.now) }
        // A connection counted as calling until it ended.
        bus.subscribe(to: DeviceOffline.self) { [self] in called($0.device, at: clock.now) }
        // Whatever moves domains or takes them away changes rights too.
        bus.subscribe(to: CredentialsEnded.self) { [self] in if $0.principal == nil { doubt($0.tenant) } }
        bus.subscribe(to: TenantAccessEnded.self) { [self] in forgetIfGone($0.tenant) }
        access.zoneChanges.add { [self] tenant, transaction in
            let id = tenant.id
            transaction.afterCommit { [self] in doubt(id) }
        }
        let all = served.tenants
        let (read, missing, began) = try await database.platform.read { transaction in
            var read: [TenantID: HeartbeatPolicies] = [:]
            for tenant in all {
                read[tenant.id] = try HeartbeatStore.policies(in: transaction.scoped(to: tenant.id))
                read[tenant.id]?.zone = tenant.timeZone
            }
            return (read, try HeartbeatStore.missing(in: transaction), transaction.began)
        }
        let active = directory.active()
        tenants.withLock { state in
            for (tenant, policies) in read {
                state.policies[tenant] = policies
                state.read[tenant] = began
                put(active[tenant] ?? [], of: tenant, policies, missing: missing)
            }
        }
    }

    /// Notes that a tenant's policies or tree may have changed.
    func doubt(_ tenant: TenantID) { tenants.withLock { _ = $0.doubted.insert(tenant) } }

    func reloadDoubted() async throws {
        let doubted = tenants.withLock { state in
            let doubted = state.doubted
            state.doubted = []
            return doubted
        }
        for tenant in doubted where served.tenant(tenant) != nil {
            do {
                try await reload(tenant)
            } catch {
                doubt(tenant)
                throw error
            }
        }
    }

    /// Reads a tenant's policies and tree, and puts every device of it under what counts for it now.
    func reload(_ tenant: TenantID) async throws {
        var (read, began) = try await database.tenant(tenant).read {
            (try HeartbeatStore.policies(in: $0), $0.began)
        }
        read.zone = served.tenant(tenant)?.timeZone
        let hasOrphans = read.domains.keys.contains { !read.known.contains($0) }
        if hasOrphans {
            try await database.tenant(tenant).write { try HeartbeatStore.deleteOrphans(in: $0) }
            read.domains = read.domains.filter { read.known.contains($0.key) }
        }
        let policies = read
        tenants.withLock { state in
            // What was read later knows more.
            guard began > state.read[tenant] ?? 0 else { return }
            state.read[tenant] = began
            guard state.policies[tenant] != policies else { return }
            state.policies[tenant] = policies
            put(directory.active(of: tenant), of: tenant, policies)
        }
    }

    /// Puts those devices of a tenant that `isMeant` names under what counts for them now.
    private func refresh(_ tenant: TenantID, where isMeant: (DeviceDirectory.Active) -> Bool) {
        tenants.withLock { state in
            guard let policies = state.policies[tenant] else { return }
            put(directory.active(of: tenant).filter(isMeant), of: tenant, policies)
        }
    }

    /// Brings one device up to date with the directory, which changed before this was told.
    private func refresh(_ device: DeviceID, isGone: Bool) {
        tenants.withLock { state in
            guard !isGone, let (tenant, active) = directory.active(device) else {
                let wall = clock.now
                shard(of: device).state.withLock { $0.remove(device, isGone: isGone, at: wall) }
                return
            }
            let policies = state.policies[tenant] ?? HeartbeatPolicies()
            if !policies.known.contains(active.domain) { state.doubted.insert(tenant) }
            put([active], of: tenant, policies)
        }
    }

    func put(
        _ devices: [DeviceDirectory.Active], of tenant: TenantID, _ policies: HeartbeatPolicies,
        missing: [DeviceID: HeartbeatState] = [:]
    ) {
        struct Kind: Hashable {
            var domain: DomainID
            var model: ModelID?
        }
        var known: [Kind: HeartbeatPolicy] = [:]
        let (now, wall) = (second, clock.now)
        for device in devices {
            let kind = Kind(domain: device.domain, model: device.model)
            let policy: HeartbeatPolicy
            if let own = policies.devices[device.id] {
                policy = own
            } else if let found = known[kind] {
                policy = found
            } else {
                policy = policies.policy(in: device.domain, model: device.model.flatMap { directory.model($0) }).policy
                known[kind] = policy
            }
            shard(of: device.id).state.withLock {
                $0.put(
                    device.id, of: tenant, under: policy, zone: policies.zone, state: missing[device.id] ?? .calling,
                    at: now, wall)
            }
        }
    }

    private func forgetIfGone(_ tenant: TenantID) {
        guard served.tenant(tenant) == nil else { return }
        tenants.withLock { state in
            state.policies[tenant] = nil
            state.read[tenant] = nil
            state.doubted.remove(tenant)
        }
        let wall = clock.now
        for shard in shards { shard.state.withLock { $0.remove(tenant, at: wall) } }
    }
}
