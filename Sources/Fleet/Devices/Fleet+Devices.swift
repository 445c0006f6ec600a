public import Access
import Audit
public import Base
import Bus
import Storage
import Trust

/// A device that was just registered, with the secret that it enrols with.
public struct RegisteredDevice: Sendable {
    /// The device.
    public let device: Device
    /// The enrolment token, shown this once.
    public let token: EnrolmentToken
}

extension Fleet {
    /// Registers one device and gives it an enrolment token.
    public func register(
        _ draft: DeviceDraft, in tenant: TenantID, by principal: Principal, tokenLife: Duration? = nil
    ) async throws -> RegisteredDevice {
        let faults = draft.faults
        guard faults.isEmpty else { throw Refusal.faulty("device.invalid", "The device", faults) }
        let life = try EnrolmentTokens.life(tokenLife)
        return try await writing(tenant) { transaction in
            let now = clock.now
            var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
            let domain = try lookUp.domain(draft.domain, toManage: true, in: transaction)
            let model = try draft.model.map { try lookUp.model($0, in: transaction) }
            try checkQuota(adding: 1, to: tenant)
            try checkName(draft.name, in: transaction)
            let retired = try checkHardware(draft.identifiers, of: tenant, in: transaction)
            let device = Device(draft, id: DeviceID(now: now), domain: domain, model: model, now: now)
            try DeviceStore.insert([device], in: transaction)
            try HardwareClaims.claim(
                draft.identifiers.map { ($0, device.id) }, tenant: tenant, at: now, takingOver: retired,
                in: transaction)
            let tokens = try EnrolmentTokens.issue(to: [device], life: life, at: now, areNew: true, in: transaction)
            guard let token = tokens.first else { throw Fleet.unknown }
            try record(
                .deviceRegistered, device, of: tenant, by: principal.actor(in: tenant),
                details: [
                    "name": .string(device.name.text), "identifiers": DeviceJSON.identifiers(device.identifiers),
                    "tokenExpires": .string(token.expires.rfc3339),
                ], in: transaction)
            try refreshDesired(.layer(.device(device.id)), in: transaction)
            announce(device, of: tenant, .registered, in: transaction)
            return RegisteredDevice(device: device, token: token)
        }
    }

    /// A device with its presence, credentials and history.
    public func show(_ text: String, in tenant: TenantID, by principal: Principal) async throws -> DeviceDetails {
        let reference = try Self.reference(text)
        return try await database.tenant(tenant).read { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRead, in: transaction)
            let stored = try DeviceStore.presence(of: device.id, in: transaction)
            return DeviceDetails(
                device: device, model: device.model.flatMap { directory.model($0) },
                presence: presence.state(of: device.id, stored: stored),
                heartbeat: heartbeats.standing(
                    of: device.id, stored: try HeartbeatStore.standing(of: device.id, in: transaction)),
                certificates: try certificates.list(of: device.id, tenant: tenant, in: transaction),
                accessTokens: try AccessTokens.list(of: device.id, in: transaction),
                enrolment: try EnrolmentTokens.outstanding(device.id, in: transaction),
                retired: try HardwareClaims.retired(of: device.id, in: transaction))
        }
    }

    /// Changes a device's properties.
    public func update(
        _ text: String, _ change: DeviceChange, in tenant: TenantID, by principal: Principal
    ) async throws -> Device {
        let reference = try Self.reference(text)
        return try await writing(tenant) { transaction in
            try update(reference, change, in: tenant, by: principal, transaction)
        }
    }

    /// In the caller's transaction; `isMove` says whether a move is noted, so that it can be undone.
    func update(
        _ reference: DeviceReference, _ change: DeviceChange, in tenant: TenantID, by principal: Principal,
        isMove: Bool = true, _ transaction: Transaction
    ) throws -> Device {
        let old = try device(reference, of: tenant, for: principal, .deviceManage, in: transaction)
        if let revision = change.revision, revision != old.revision {
            throw Refusal(
                .conflict, "device.changed",
                "The device is at revision \(old.revision) now; read it again and repeat the change.")
        }
        let now = clock.now
        var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
        var device = old
        if let name = change.name, name != old.name {
            try checkName(name, in: transaction)
            device.name = name
        }
        if let domain = change.domain {
            device.domain = try lookUp.domain(domain, toManage: true, in: transaction)
            try access.refuseGain(
                of: principal, from: GrantPlace(domain: old.domain, device: old.id),
                to: GrantPlace(domain: device.domain, device: old.id), tenant: tenant, in: transaction)
        }
        switch change.model {
        case .set(let model): device.model = try lookUp.model(model, in: transaction)
        case .remove: device.model = nil
        case nil: break
        }
        if let capabilities = change.capabilities { device.capabilities = capabilities }
        switch change.location {
        case .set(let location): device.location = location
        case .remove: device.location = nil
        case nil: break
        }
        switch change.place {
        case .set(let place): device.place = place
        case .remove: device.place = nil
        case nil: break
        }
        device.labels = DeviceChange.merge(change.labels, into: old.labels)
        device.attributes = DeviceChange.merge(change.attributes, into: old.attributes)
        device.components = DeviceChange.merge(change.components, into: old.components)
        if let identifiers = change.identifiers { device.identifiers = identifiers.sorted() }
        let faults = device.faults
        guard faults.isEmpty else { throw Refusal.faulty("device.invalid", "The device after the change", faults) }
        // As JSON, which goes by bytes: é as one scalar and as two is a change to whoever reads it.
        guard device.json != old.json else { return old }
        try rewriteHardware(from: old, to: device, of: tenant, at: now, in: transaction)
        device.changed = now
        device.revision += 1
        try DeviceStore.update(device, from: old, in: transaction)
        try record(
            .deviceUpdated, device, of: tenant, by: principal.actor(in: tenant), details: device.changes(from: old),
            in: transaction)
        if isMove, device.domain != old.domain {
            try access.noteMove(
                of: .device(device.id), from: old.domain, to: device.domain, tenant: tenant, by: principal,
                in: transaction)
        }
        if device.domain != old.domain || device.model != old.model {
            try refreshDesired(.layer(.device(device.id)), in: transaction)
        }
        announce(device, of: tenant, .updated, in: transaction)
        if directory.isTighter(device.model, than: old.model) {
            announceEnd(of: device, of: tenant, .policyChanged, in: transaction)
        }
        return device
    }

    // MARK: - Checks and announcements that several acts share

    /// Runs a write of this tenant; a row that another write put there at the same moment is a conflict for the caller.
    func writing<Value: Sendable>(
        _ tenant: TenantID, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        do {
            return try await database.tenant(tenant).write(body)
        } catch let error as StorageError where error.isDuplicate {
            throw Refusal(
                .conflict, "device.taken", "A name or hardware identifier was taken at this very moment; try again.",
                detail: error.message)
        }
    }

    /// Refuses when the tenant's plan has no room. The count is memory's, so calls at the same moment can together
    /// exceed a plan by as many devices as they add.
    func checkQuota(adding count: Int, to tenant: TenantID) throws(Refusal) {
        guard let plan = directory.plan(of: tenant) else { return }
        guard directory.count(of: tenant) + count <= plan.devices else {
            throw Refusal(
                .limited, "plan.devices",
                "The tenant's plan \(plan.name) allows \(plan.devices) devices; delete some or change the plan.")
        }
    }

    private func checkName(_ name: Name, in transaction: Transaction) throws {
        guard try transaction.row("SELECT 1 FROM device WHERE tenant = $1 AND name = $2", name) == nil else {
            throw Refusal(
                .conflict, "device.nameTaken", "The tenant has a device called \(name); choose another name.",
                faults: [Refusal.Fault(place: "/name", message: "is taken")])
        }
    }

    /// Refuses identifiers that are taken, and answers those that are the tenant's own retired ones.
    func checkHardware(
        _ identifiers: [HardwareIdentifier], of tenant: TenantID, in transaction: Transaction
    ) throws -> Set<HardwareIdentifier> {
        let standing = try HardwareClaims.standing(of: identifiers, for: tenant, in: transaction)
        guard standing.taken.isEmpty else {
            throw Refusal(
                .conflict, "device.identifierTaken",
                "A hardware identifier is registered already; it can belong to one device only.",
                faults: standing.taken.sorted().map {
                    Refusal.Fault(place: "/identifiers", message: "\($0) is registered already")
                })
        }
        return standing.retired
    }

    private func rewriteHardware(
        from old: Device, to new: Device, of tenant: TenantID, at now: Timestamp, in transaction: Transaction
    ) throws {
        guard old.identifiers != new.identifiers else { return }
        let added = new.identifiers.filter { !old.identifiers.contains($0) }
        let retired = try checkHardware(added, of: tenant, in: transaction)
        try HardwareClaims.release(
            old.identifiers.filter { !new.identifiers.contains($0) }, of: new.id, in: transaction)
        try HardwareClaims.claim(
            added.map { ($0, new.id) }, tenant: tenant, at: now, takingOver: retired, in: transaction)
    }

    /// Brings the directory up to date and tells the others, once the transaction has committed.
    func announce(
        _ device: Device, of tenant: TenantID, _ change: DeviceChanged.Change, in transaction: Transaction
    ) {
        let entry = device.entry(of: tenant)
        transaction.afterCommit { [directory, bus] in
            directory.change { $0.put(entry) }
            bus.publish(DeviceChanged(tenant: tenant, device: entry.id, change: change))
        }
    }

    /// Tells whoever holds connections of the device to close them, once the transaction has committed.
    func announceEnd(
        of device: Device, of tenant: TenantID, _ reason: DeviceAccessEnded.Reason, in transaction: Transaction
    ) {
        let id = device.id
        transaction.afterCommit { [bus] in
            bus.publish(DeviceAccessEnded(tenant: tenant, device: id, fingerprint: nil, reason: reason))
        }
    }
}

extension Device {
    /// A new device as `draft` wants it.
    init(_ draft: DeviceDraft, id: DeviceID, domain: DomainID, model: ModelID?, now: Timestamp) {
        self.init(
            id: id, name: draft.name, domain: domain, model: model, status: .registered,
            capabilities: draft.capabilities, identifiers: draft.identifiers.sorted(), labels: draft.labels,
            attributes: draft.attributes, components: draft.components, location: draft.location, place: draft.place,
            created: now, enrolled: nil, changed: now, revision: 1)
    }

    /// What is wrong with the device after changes were merged in.
    var faults: [Refusal.Fault] {
        DeviceDraft(
            name: name, capabilities: capabilities, identifiers: identifiers, labels: labels, attributes: attributes,
            components: components, location: location, place: place
        ).faults
    }

    /// The members that differ, as they are now, for the audit.
    func changes(from old: Device) -> JSONValue {
        guard case .object(let new) = json, case .object(let before) = old.json else { return [:] }
        let ignored: Set<String> = ["changed", "revision"]
        return .object(new.filter { before[$0.key] != $0.value && !ignored.contains($0.key) })
    }
}
