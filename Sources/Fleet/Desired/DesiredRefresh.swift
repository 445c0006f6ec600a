import Base
import Bus
import Storage
import Trust

/// Works out what devices are wanted to be from their layers, and writes it where it changed.
///
/// A document that does not fit the schema of its device's model is not given out: the device keeps the one before, and
/// the faults stand beside it.
struct DesiredRefresh {
    /// One device, as far as its layers are concerned.
    struct Subject {
        var id: DeviceID
        var seat: LayerStack.Seat
    }

    /// What a device would be wanted to be.
    struct Candidate: Hashable {
        var content: DesiredContent
        var faults: [Refusal.Fault]
    }

    let fleet: Fleet
    let tenant: TenantID
    var stack: LayerStack
    private var models: [ModelID: Model?] = [:]

    /// The work on this tenant's devices in a transaction of it.
    init(_ fleet: Fleet, _ tenant: TenantID, in transaction: Transaction) throws {
        self.fleet = fleet
        self.tenant = tenant
        stack = try LayerStack(with: fleet.keyRing, in: transaction)
    }

    /// The device's place among the layers.
    static func subject(_ device: Device) -> Subject {
        Subject(id: device.id, seat: .init(model: device.model, domain: device.domain))
    }

    /// What a seat's model says that its documents may be.
    ///
    /// Memory is asked only when it knows the version that the transaction sees: it hears of a change after the commit.
    mutating func schema(_ seat: LayerStack.Seat, in transaction: Transaction) throws -> JSONSchema? {
        guard let id = seat.model else { return nil }
        if let known = models[id] { return known?.document.desiredSchema }
        let version = try transaction.row("SELECT version FROM model WHERE tenant = $1 AND id = $2", id)?.int(0)
        var model = fleet.directory.model(id)
        if model?.version != version { model = try ModelStore.find(id.text, in: transaction) }
        models[id] = .some(model)
        return model?.document.desiredSchema
    }

    /// What a device would be wanted to be with this layer of its own.
    mutating func candidate(
        _ seat: LayerStack.Seat, own: DesiredContent?, in transaction: Transaction
    ) throws -> Candidate {
        let schema = try self.schema(seat, in: transaction)
        let content = stack.desired(at: seat, own: own, hiding: Set(schema?.secretPlaces ?? []))
        // Where nothing is said, nothing is missing either.
        if content.members.isEmpty, own?.members.isEmpty ?? true { return Candidate(content: content, faults: []) }
        var faults = schema?.faults(of: .object(content.full)) ?? []
        do {
            try content.checkSize()
        } catch {
            faults.append(.init(place: "", message: error.message))
        }
        return Candidate(content: content, faults: faults)
    }

    /// Brings these devices up to date; the changes leave after the commit. With `own` the layers are given, else they
    /// are read; `writesAlways` also writes what says nothing, so that somebody's word has a version.
    mutating func refresh(
        _ subjects: [Subject], own given: [DeviceID: DesiredLayer]? = nil, writesAlways: Bool = false,
        in transaction: Transaction
    ) throws {
        let ids = subjects.map(\.id)
        var own = try given ?? LayerStore.own(of: ids, with: fleet.keyRing, in: transaction)
        if given == nil { try hide(subjects, &own, in: transaction) }
        let owners = ids.map { Owner(tenant: tenant, device: $0) }
        let stored = try DocumentStore.loadDesired(
            owners.sorted(), with: fleet.keyRing, in: transaction.acrossTenants)
        let now = fleet.clock.now
        var written: [DesiredRow] = []
        var told: [DesiredChanged] = []
        for subject in subjects {
            guard let old = stored[subject.id] else { continue }
            let candidate = try self.candidate(subject.seat, own: own[subject.id]?.content, in: transaction)
            var new = old
            new.faults = Array(candidate.faults.prefix(FleetLimits.keptDesiredFaults))
            let document = old.documents.desired
            let isNews =
                candidate.content != document.content
                || (document.version == 0 && (writesAlways || !candidate.content.members.isEmpty))
            if isNews, candidate.faults.isEmpty {
                new.documents.desired = document.next(candidate.content, at: now)
                new.drift = Drift(new.documents).count
                let change = DesiredChanged(
                    tenant: tenant, device: subject.id, previous: document, document: new.documents.desired)
                // What only became a secret, or ceased to be one, is no news to the device.
                if change.previous.told == change.document.told, document.version > 0 {
                    new.documents.desired.version = document.version
                    new.documents.desired.changed = document.changed
                } else {
                    told.append(change)
                }
            }
            if new != old { written.append(new) }
        }
        try DocumentStore.writeDesired(written, with: fleet.keyRing, in: transaction.acrossTenants)
        transaction.afterCommit { [told, bus = fleet.bus] in
            for change in told { bus.publish(change) }
        }
    }

    /// Where values are secrets in a device's own layer: as its model says, and where a layer above has one.
    mutating func secretPlaces(
        _ seat: LayerStack.Seat, in transaction: Transaction
    ) throws -> Set<MemberPath> {
        stack.inherited(at: seat).places.union(try schema(seat, in: transaction)?.secretPlaces ?? [])
    }

    /// Keeps apart in devices' own layers what their model or a layer above calls secret by now.
    private mutating func hide(
        _ subjects: [Subject], _ own: inout [DeviceID: DesiredLayer], in transaction: Transaction
    ) throws {
        var hidden: [DesiredLayer] = []
        for subject in subjects {
            guard let layer = own[subject.id],
                let changed = layer.hiding(try secretPlaces(subject.seat, in: transaction))
            else { continue }
            own[subject.id] = changed
            hidden.append(changed)
        }
        try LayerStore.write(hidden, of: tenant, with: fleet.keyRing, in: transaction)
    }
}
