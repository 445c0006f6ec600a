public import Access
import Audit
public import Base
import Bus
import Storage

/// How somebody names the place of a layer: by names, paths or identifiers.
public enum LayerReference: Sendable, Hashable {
    /// A model.
    case model(String)
    /// A domain, for all below it.
    case domain(String)
    /// One device.
    case device(String)
}

extension Fleet {
    /// What is desired at one place.
    public func layer(
        at reference: LayerReference, in tenant: TenantID, by principal: Principal
    ) async throws -> DesiredLayer {
        try await database.tenant(tenant).read { transaction in
            let (place, _) = try self.place(reference, toChange: false, of: tenant, for: principal, in: transaction)
            return try LayerStore.find(place, with: keyRing, in: transaction)
        }
    }

    /// What it would do to devices if the layer at a place said this.
    public func previewLayer(
        _ value: JSONValue, at reference: LayerReference, in tenant: TenantID, by principal: Principal
    ) async throws -> DesiredPreview {
        try await database.tenant(tenant).read { transaction in
            try trial(value, at: reference, in: tenant, by: principal, transaction).preview
        }
    }

    /// Sets what is desired at a model or domain; the devices' documents are worked out in the background from then on,
    /// and devices that listen hear of theirs.
    ///
    /// Refused when it would break the schema of a device's model. With `version`, only when that is still the present
    /// one.
    public func setLayer(
        _ value: JSONValue, at reference: LayerReference, ifVersion version: Int64? = nil, in tenant: TenantID,
        by principal: Principal
    ) async throws -> DesiredLayer {
        // Devices are judged in a transaction that keeps nobody waiting; what was judged is what is written.
        let judged = try await database.tenant(tenant).read { transaction in
            let judged = try trial(value, at: reference, in: tenant, by: principal, transaction)
            if let version, version != judged.old.version { throw Self.desiredChanged(judged.old.version) }
            return judged
        }
        try judged.preview.refuseBroken()
        return try await writing(tenant) { transaction in
            let (place, domain) = try self.place(reference, toChange: true, of: tenant, for: principal, in: transaction)
            let old = try LayerStore.find(place, with: keyRing, in: transaction)
            guard place == judged.old.place, old.version == judged.old.version else {
                throw Self.desiredChanged(old.version)
            }
            guard judged.new.content != old.content else { return old }
            let new = old.next(judged.new.content, at: clock.now)
            try LayerStore.write([new], of: tenant, with: keyRing, in: transaction)
            try hideInherited(in: tenant, transaction)
            try audit.record(
                AuditEntry(
                    .desiredLayerChanged, tenant: tenant, domain: domain, actor: principal.actor(in: tenant),
                    object: AuditObject(kind: place.kind, id: place.id), details: Self.details(from: old, to: new)),
                in: transaction)
            try refreshDesired(.layer(place), in: transaction)
            return new
        }
    }

    /// A layer as somebody wants it, and what came of trying it.
    private struct Trial {
        var old: DesiredLayer
        var new: DesiredLayer
        var preview: DesiredPreview
    }

    private func trial(
        _ value: JSONValue, at reference: LayerReference, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws -> Trial {
        let (place, _) = try self.place(reference, toChange: true, of: tenant, for: principal, in: transaction)
        let old = try LayerStore.find(place, with: keyRing, in: transaction)
        var before = try DesiredRefresh(self, tenant, in: transaction)
        let (inherited, secrets) = try surroundings(of: place, &before, in: transaction)
        let content = try DesiredContent(sent: value, over: old.content, below: inherited, hiding: secrets)
        try content.checkSize()
        let typed = content.secretsTyped(in: value)
        let new = old.next(content, at: clock.now)
        var after = before
        after.stack = try before.stack.replacing(new, in: transaction)
        var preview = DesiredPreview()
        var position: DeviceID?
        repeat {
            let page = try RefreshQueue.page(of: place, after: position, in: transaction)
            let own = try LayerStore.own(of: page.map(\.id), with: keyRing, in: transaction)
            for subject in page {
                let layer = own[subject.id]?.content
                try preview.add(
                    subject.id, DeviceStore.find(.id(subject.id), in: transaction)?.name.text ?? subject.id.text,
                    from: before.candidate(subject.seat, own: layer, in: transaction),
                    // A device's own layer is not among those of the stack.
                    to: after.candidate(
                        subject.seat, own: place == .device(subject.id) ? content : layer, in: transaction),
                    typed: typed)
            }
            position = page.count < FleetLimits.previewStep ? nil : page.last?.id
        } while position != nil
        return Trial(old: old, new: new, preview: preview)
    }

    /// What a layer inherits itself, and where values are secrets in it.
    private func surroundings(
        of place: LayerPlace, _ refresh: inout DesiredRefresh, in transaction: Transaction
    ) throws -> (inherited: LayerStack.Inherited, secrets: Set<MemberPath>) {
        if case .device = place, let subject = try RefreshQueue.page(of: place, after: nil, in: transaction).first {
            let secrets = try refresh.secretPlaces(subject.seat, in: transaction)
            return (refresh.stack.inherited(at: subject.seat), secrets)
        }
        var secrets = try secretPlaces(at: place, in: transaction)
        if case .domain = place { secrets.formUnion(refresh.stack.modelSecrets) }
        return (refresh.stack.inherited(above: place), secrets)
    }

    /// Where values are secrets in a layer: as its model says, or at a domain as any model of the tenant does.
    private func secretPlaces(at place: LayerPlace, in transaction: Transaction) throws -> Set<MemberPath> {
        Set(
            try ModelStore.all(in: transaction).flatMap { model in
                if case .model(let id) = place, model.id != id { return [MemberPath]() }
                return model.document.desiredSchema?.secretPlaces ?? []
            })
    }

    /// Keeps apart in the layers of domains and of this model what the model calls secret from now on.
    func hideSecrets(of model: Model, in tenant: TenantID, _ transaction: Transaction) throws {
        guard let places = model.document.desiredSchema?.secretPlaces, !places.isEmpty else { return }
        let layers = try LayerStore.shared(with: keyRing, in: transaction).values.filter { layer in
            if case .model(let id) = layer.place { id == model.id } else { true }
        }
        try write(hidden: layers.compactMap { $0.hiding(Set(places)) }, in: tenant, transaction)
    }

    /// Keeps apart in the layers of domains what is a secret in a layer above; devices' own follow with their refresh.
    func hideInherited(in tenant: TenantID, _ transaction: Transaction) throws {
        let stack = try LayerStack(with: keyRing, in: transaction)
        try write(hidden: stack.layersToHide, in: tenant, transaction)
    }

    private func write(hidden: [DesiredLayer], in tenant: TenantID, _ transaction: Transaction) throws {
        try LayerStore.write(hidden, of: tenant, with: keyRing, in: transaction)
        // Devices of other models, or of none, have it in their documents too.
        for layer in hidden { try refreshDesired(.layer(layer.place), in: transaction) }
    }

    /// The place that a caller names, and the domain it belongs to.
    private func place(
        _ reference: LayerReference, toChange: Bool, of tenant: TenantID, for principal: Principal,
        in transaction: Transaction
    ) throws -> (LayerPlace, DomainID?) {
        switch reference {
        case .model(let text):
            try access.authorize(principal, .modelRead, tenant: tenant, in: transaction)
            guard let model = try ModelStore.find(text, in: transaction) else { throw Self.unknownModel }
            // It reaches devices wherever they are.
            if toChange { try access.authorize(principal, .deviceControl, tenant: tenant, in: transaction) }
            return (.model(model.id), nil)
        case .domain(let text):
            var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
            let domain = try lookUp.domain(text, toManage: false, in: transaction)
            if toChange {
                try access.authorize(principal, .deviceControl, tenant: tenant, domain: domain, in: transaction)
            }
            return (.domain(domain), domain)
        case .device(let text):
            let device = try device(
                try Self.reference(text), of: tenant, for: principal, toChange ? .deviceControl : .deviceRead,
                in: transaction)
            return (.device(device.id), device.domain)
        }
    }
}
