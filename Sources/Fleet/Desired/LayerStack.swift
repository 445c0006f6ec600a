import Base
import Storage
import Trust

/// A tenant's layers, read once for many devices, and what they come to for each.
struct LayerStack {
    /// What the layers of a place's model and domains come to, the device's own left aside.
    struct Inherited: Hashable {
        /// All of it merged.
        var full: [String: JSONValue]
        /// Where one of the layers has a secret.
        var places: Set<MemberPath>

        /// It, its secrets apart.
        var content: DesiredContent { DesiredContent(full, hiding: places) }
    }

    /// The seat of a device among the layers.
    struct Seat: Hashable {
        var model: ModelID?
        var domain: DomainID
    }

    private var shared: [LayerPlace: DesiredLayer]
    private var parents: [DomainID: DomainID] = [:]
    private var remembered: [Seat: Inherited] = [:]

    /// The layers as a transaction sees them.
    init(with ring: KeyRing, in transaction: Transaction) throws {
        shared = try LayerStore.shared(with: ring, in: transaction)
        let hasDomains = shared.keys.contains { if case .domain = $0 { true } else { false } }
        if hasDomains { try readTree(transaction) }
    }

    private mutating func readTree(_ transaction: Transaction) throws {
        var parents: [DomainID: DomainID] = [:]
        try transaction.forEach("SELECT id, parent FROM domain WHERE tenant = $1 AND parent IS NOT NULL") { row in
            parents[try row.identifier(0)] = try row.identifier(1, as: DomainID.self)
        }
        self.parents = parents
    }

    /// The same with another layer at its place.
    func replacing(_ layer: DesiredLayer, in transaction: Transaction) throws -> LayerStack {
        var copy = self
        copy.shared[layer.place] = layer
        copy.remembered = [:]
        if copy.parents.isEmpty { try copy.readTree(transaction) }
        return copy
    }

    /// The shared layers that say in clear what is a secret above them, with that kept apart.
    ///
    /// Domains lie below all models here: which of them their devices have changes.
    var layersToHide: [DesiredLayer] {
        shared.values.compactMap { layer in
            guard case .domain = layer.place else { return nil }
            return layer.hiding(inherited(above: layer.place).places.union(modelSecrets))
        }
    }

    /// Where the layer of any model has a secret.
    var modelSecrets: Set<MemberPath> {
        var places: Set<MemberPath> = []
        for (place, layer) in shared {
            if case .model = place { places.formUnion(layer.content.secrets.keys) }
        }
        return places
    }

    /// The layers that a seat inherits from and that say something, the outermost first.
    func layers(at seat: Seat) -> [DesiredLayer] {
        var found: [DesiredLayer] = []
        var next: DomainID? = seat.domain
        // A tree has no cycle; the bound is for a damaged one.
        for _ in 0..<FleetLimits.layerDepth {
            guard let domain = next else { break }
            if let layer = shared[.domain(domain)], !layer.members.isEmpty { found.append(layer) }
            next = parents[domain]
        }
        if let model = seat.model, let layer = shared[.model(model)], !layer.members.isEmpty { found.append(layer) }
        return found.reversed()
    }

    /// What a seat inherits.
    mutating func inherited(at seat: Seat) -> Inherited {
        if let known = remembered[seat] { return known }
        let result = Self.merged(layers(at: seat))
        remembered[seat] = result
        return result
    }

    /// What a domain's layer, or a model's, inherits itself.
    func inherited(above place: LayerPlace) -> Inherited {
        guard case .domain(let domain) = place, let parent = parents[domain] else {
            return Inherited(full: [:], places: [])
        }
        return Self.merged(layers(at: Seat(model: nil, domain: parent)))
    }

    private static func merged(_ layers: [DesiredLayer]) -> Inherited {
        var (merged, places): (JSONValue, Set<MemberPath>) = ([:], [])
        for layer in layers {
            merged = merged.merged(with: .object(layer.content.full))
            places.formUnion(layer.content.secrets.keys)
        }
        guard case .object(let full) = merged else { return Inherited(full: [:], places: places) }
        return Inherited(full: full, places: places)
    }

    /// What a device is wanted to be; it never holds a null outside arrays.
    mutating func desired(at seat: Seat, own: DesiredContent?, hiding places: Set<MemberPath>) -> DesiredContent {
        let above = inherited(at: seat)
        guard let own, !own.members.isEmpty else {
            return DesiredContent(above.full, hiding: above.places.union(places))
        }
        guard case .object(let full) = JSONValue.object(above.full).merged(with: .object(own.full)) else {
            return .empty
        }
        return DesiredContent(full, hiding: above.places.union(places).union(own.secrets.keys))
    }
}
