public import Access
import Audit
public import Base
import Bus
import Storage
import Trust

extension Fleet {
    /// What an edit would do to its devices; nothing is written. Random values are others when it is done.
    public func preview(
        _ order: DesiredEditOrder, in tenant: TenantID, by principal: Principal
    ) async throws -> DesiredPreview {
        try await resolve(order, in: tenant, by: principal).preview
    }

    /// Changes many devices' own layers, in the background from the answer on; a restart goes on where it was.
    ///
    /// Rights are asked for with each device: those that the caller does not control are left out of a filter or domain,
    /// and refuse a list. It is refused as a whole when one of its devices would no longer fit its model.
    public func edit(
        _ order: DesiredEditOrder, in tenant: TenantID, by principal: Principal
    ) async throws -> DesiredEdit {
        let resolved = try await resolve(order, in: tenant, by: principal)
        try resolved.preview.refuseBroken()
        let devices = resolved.devices.sorted { $0.device < $1.device }
        guard !devices.isEmpty else {
            throw Refusal(.invalid, "desired.nothing", "No device matches that you may control; choose others.")
        }
        let now = clock.now
        let edit = DesiredEdit(
            id: DesiredEdit.ID(now: now), creator: principal.id, creatorName: principal.name, created: now,
            finished: nil, total: devices.count, done: 0, refused: 0, examples: [])
        try await writing(tenant) { transaction in
            guard try EditStore.countOpen(in: transaction) < FleetLimits.openEdits else {
                throw Refusal(
                    .limited, "desired.tooMany",
                    "\(FleetLimits.openEdits) edits are under way already; wait for some.")
            }
            try EditStore.prune(in: transaction)
            try EditStore.insert(edit, order.change, of: tenant, with: keyRing, in: transaction)
        }
        do {
            // In parts, so that nobody waits long for the database; the worker has it when all are there.
            for start in stride(from: 0, to: devices.count, by: FleetLimits.editStep) {
                let part = devices[start..<min(start + FleetLimits.editStep, devices.count)]
                try await writing(tenant) { transaction in
                    try EditStore.insert(part, of: edit.id, of: tenant, with: keyRing, in: transaction)
                }
            }
            try await writing(tenant) { transaction in
                try EditStore.setReady(edit.id, in: transaction)
                try audit.record(
                    AuditEntry(
                        .desiredEdited, tenant: tenant, actor: principal.actor(in: tenant),
                        object: AuditObject(kind: "desiredEdit", id: edit.id.text),
                        details: [
                            "devices": .integer(Int64(edit.total)), "changed": Self.named(order.names.sorted()),
                        ]), in: transaction)
                transaction.afterCommit { [desiredBell] in desiredBell.ring() }
            }
        } catch {
            // What stays here the next start removes.
            try? await database.tenant(tenant).write { try EditStore.remove(halfMade: edit.id, in: $0) }
            throw error
        }
        return edit
    }

    /// Removes the edits from before `time` that a stop of the server left half made; nothing of them was done.
    func dropHalfMadeEdits(before time: Timestamp) async throws {
        for (tenant, edit) in try await database.platform.read({ try EditStore.halfMade(before: time, in: $0) }) {
            try await database.tenant(tenant).write { try EditStore.remove(halfMade: edit, in: $0) }
        }
    }

    /// An edit, for who ordered it and who controls the whole tenant's devices.
    public func edit(_ id: DesiredEdit.ID, in tenant: TenantID, by principal: Principal) async throws -> DesiredEdit {
        try await database.tenant(tenant).read { transaction in
            let own = try editor(principal, of: tenant, in: transaction)
            guard let edit = try EditStore.find(id, in: transaction), own == nil || edit.creator == own else {
                throw Refusal(.notFound, "desired.editUnknown", "There is no such edit, or it is not for you.")
            }
            return edit
        }
    }

    /// The newest edits that the caller may see, the newest first.
    public func edits(in tenant: TenantID, by principal: Principal) async throws -> [DesiredEdit] {
        try await database.tenant(tenant).read { transaction in
            try EditStore.list(of: editor(principal, of: tenant, in: transaction), in: transaction)
        }
    }

    /// Whose edits the caller sees; nil when they are everybody's.
    private func editor(
        _ principal: Principal, of tenant: TenantID, in transaction: Transaction
    ) throws -> PrincipalID? {
        let scope = try access.visibleDevices(principal, .deviceControl, tenant: tenant, in: transaction)
        return scope == .all ? nil : principal.id
    }

    // MARK: - Resolving

    /// What an edit comes to for each device.
    private struct Resolved {
        var devices: [EditStore.Waiting] = []
        var preview = DesiredPreview()
    }

    private func resolve(
        _ order: DesiredEditOrder, in tenant: TenantID, by principal: Principal
    ) async throws -> Resolved {
        try order.check()
        let filter: DeviceFilter? = if case .filter(let text?) = order.target { try DeviceFilter(text) } else { nil }
        return try await database.tenant(tenant).read { transaction in
            var (resolved, faults) = (Resolved(), [Refusal.Fault]())
            var refresh = try DesiredRefresh(self, tenant, in: transaction)
            try targets(of: order.target, filter, in: tenant, by: principal, transaction) { page in
                let devices = try DeviceStore.devices(page.map(\.id), in: transaction)
                let own = try LayerStore.own(of: page.map(\.id), with: keyRing, in: transaction)
                for target in page {
                    guard let device = devices[target.id] else { continue }
                    let seat = DesiredRefresh.subject(device).seat
                    let schema = try refresh.schema(seat, in: transaction)
                    let number = resolved.devices.count + 1
                    let made: DesiredEditOrder.Made
                    do throws(GeneratedValue.Fault) {
                        made = try order.made(for: device, number, texts: target.texts, schema: schema)
                    } catch {
                        faults.append(.init(place: device.name.text, message: error.message))
                        continue
                    }
                    let layer = own[device.id]?.content ?? .empty
                    let edited = layer.edited(made, hiding: try refresh.secretPlaces(seat, in: transaction))
                    try resolved.preview.add(
                        device.id, device.name.text,
                        from: refresh.candidate(seat, own: layer, in: transaction),
                        to: refresh.candidate(seat, own: edited, in: transaction),
                        typed: edited.secretsTyped(in: made.change))
                    resolved.devices.append(.init(device: device.id, number: number, texts: target.texts))
                }
                return faults.count < FleetLimits.namedFaults
            }
            guard faults.isEmpty else { throw Refusal.faulty("desired.invalid", "The edit", faults) }
            return resolved
        }
    }

    /// Hands the devices of an edit to `body`, a page at a time, until it answers false.
    private func targets(
        of target: DesiredEditOrder.Target, _ filter: DeviceFilter?, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction, _ body: ([(id: DeviceID, texts: [MemberPath: String])]) throws -> Bool
    ) throws {
        let step = FleetLimits.previewStep
        switch target {
        case .devices(let named):
            var seen: Set<DeviceID> = []
            for start in stride(from: 0, to: named.count, by: step) {
                let page = try named[start..<min(start + step, named.count)].map { one in
                    let id = try self.target(one.device, of: tenant, for: principal, .deviceControl, in: transaction)
                    guard seen.insert(id).inserted else {
                        throw Refusal.faulty(
                            "desired.invalid", "The edit", [.init(place: one.device, message: "is named twice")])
                    }
                    return (id: id, texts: one.texts)
                }
                guard try body(page) else { return }
            }
        case .filter, .domain:
            var domain: String?
            if case .domain(let text) = target { domain = text }
            var (after, count): (DeviceID?, Int) = (nil, 0)
            while true {
                let page = try targets(
                    filter, in: domain, after: after, limit: step, of: tenant, for: principal, .deviceControl,
                    in: transaction)
                count += page.count
                guard count <= FleetLimits.editedDevices else {
                    throw Refusal(
                        .tooLarge, "desired.tooManyDevices",
                        "An edit is for at most \(FleetLimits.editedDevices) devices; use a domain's layer instead.")
                }
                guard try body(page.map { (id: $0, texts: [:]) }), page.count == step else { return }
                after = page.last
            }
        }
    }

}

// MARK: - Working

extension Fleet {
    /// Works on the edits that are under way, some devices of each tenant; false when nothing was done.
    func editStep(_ failed: DesiredPauses.Report = { _, _ in }) async throws -> Bool {
        let tenants = try await database.platform.read { try EditStore.tenants(in: $0) }
        return try await eachTenant(tenants, .edits, failed) { tenant in
            try await database.tenant(tenant).write { transaction in
                guard var edit = try EditStore.open(in: transaction) else { return }
                let change = try EditStore.change(of: edit.id, of: tenant, with: keyRing, in: transaction)
                let taken = try EditStore.take(
                    edit.id, FleetLimits.bulkStep, of: tenant, with: keyRing, in: transaction)
                try apply(DesiredEditOrder(.filter(nil), change: change), to: taken, &edit, in: tenant, transaction)
                if taken.count < FleetLimits.bulkStep { edit.finished = clock.now }
                try EditStore.update(edit, in: transaction)
            }
        }
    }

    private func apply(
        _ order: DesiredEditOrder, to waiting: [EditStore.Waiting], _ edit: inout DesiredEdit, in tenant: TenantID,
        _ transaction: Transaction
    ) throws {
        let ids = waiting.map(\.device)
        let devices = try DeviceStore.devices(ids, in: transaction)
        let own = try LayerStore.own(of: ids, with: keyRing, in: transaction)
        var refresh = try DesiredRefresh(self, tenant, in: transaction)
        var layers: [DeviceID: DesiredLayer] = [:]
        var subjects: [DesiredRefresh.Subject] = []
        for one in waiting {
            let id = one.device
            guard let device = devices[id] else {
                edit.refuse(id.text, "the device was deleted")
                continue
            }
            let subject = DesiredRefresh.subject(device)
            let schema = try refresh.schema(subject.seat, in: transaction)
            let made: DesiredEditOrder.Made
            do throws(GeneratedValue.Fault) {
                made = try order.made(for: device, one.number, texts: one.texts, schema: schema)
            } catch {
                edit.refuse(device.name.text, error.message)
                continue
            }
            let old = own[id] ?? .unwritten(.device(id))
            let content = old.content.edited(
                made, hiding: try refresh.secretPlaces(subject.seat, in: transaction))
            let before = try refresh.candidate(subject.seat, own: old.content, in: transaction)
            let after = try refresh.candidate(subject.seat, own: content, in: transaction)
            if let fault = after.faults.first, before.faults.isEmpty {
                edit.refuse(device.name.text, "\(fault.place) \(fault.message)")
                continue
            }
            edit.done += 1
            guard content != old.content || old.version == 0 else { continue }
            let new = old.next(content, at: clock.now)
            layers[id] = new
            subjects.append(subject)
            guard case .object(var details) = Self.details(from: old, to: new) else { continue }
            details["edit"] = .string(edit.id.text)
            try record(
                .desiredChanged, device, of: tenant, by: .system("edit"), details: .object(details), in: transaction)
        }
        try LayerStore.write(Array(layers.values), of: tenant, with: keyRing, in: transaction)
        try refresh.refresh(subjects, own: layers, writesAlways: true, in: transaction)
    }
}

extension DesiredEdit {
    /// Counts a device that it is not done to.
    fileprivate mutating func refuse(_ device: String, _ message: String) {
        refused += 1
        if examples.count < FleetLimits.previewedDevices { examples.append(.init(device: device, message: message)) }
    }
}

extension DesiredContent {
    /// This after a merge patch, what stands at these places and what was made as a secret kept apart too.
    fileprivate func edited(_ made: DesiredEditOrder.Made, hiding places: Set<MemberPath>) -> DesiredContent {
        guard case .object(let full) = JSONValue.object(full).merged(with: made.change) else { return self }
        return DesiredContent(full, hiding: places.union(secrets.keys).union(made.secrets))
    }
}
