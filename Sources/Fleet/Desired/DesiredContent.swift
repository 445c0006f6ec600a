import Base
import Trust

/// What a desired document or a layer of one says, its secrets kept apart from what may be shown.
struct DesiredContent: Hashable, Sendable {
    /// What stands where a secret is set, and what keeps it when it is sent back.
    static let placeholder: JSONValue = [mark: "set"]
    private static let mark = "$secret"

    /// The members as they may be shown.
    private(set) var members: [String: JSONValue]
    /// What really stands where ``members`` has the placeholder.
    private(set) var secrets: [MemberPath: JSONValue]

    /// Nothing.
    static let empty = DesiredContent(members: [:], secrets: [:])

    /// What a row holds.
    init(members: [String: JSONValue], secrets: [MemberPath: JSONValue]) {
        self.members = members
        self.secrets = secrets
    }

    /// `full`, with what stands at these places kept apart. A null there is no secret: it says that there is none.
    init(_ full: [String: JSONValue], hiding places: Set<MemberPath>) {
        var members = full
        var secrets: [MemberPath: JSONValue] = [:]
        // The outermost first, so that nothing is looked for within a secret.
        for place in places.sorted(by: { ($0.steps.count, $0) < ($1.steps.count, $1) }) {
            guard let value = members[place], value != .null else { continue }
            secrets[place] = value
            members[place] = Self.placeholder
        }
        (self.members, self.secrets) = (members, secrets)
    }

    /// Everything, as the device gets it.
    var full: [String: JSONValue] {
        var full = members
        for (place, value) in secrets { full[place] = value }
        return full
    }

    // MARK: - What somebody sends

    /// What somebody writes over `old`, where `inherited` is what the layers above say.
    ///
    /// A placeholder keeps the secret of the old layer; one that stands for a secret of the layers above is left out, so
    /// that it goes on being inherited. Any other has nothing to keep.
    init(
        sent value: JSONValue, over old: DesiredContent, below inherited: LayerStack.Inherited,
        hiding places: Set<MemberPath>
    ) throws(Refusal) {
        guard case .object(let sent) = value else {
            throw .faulty("desired.invalid", "The desired document", [.init(place: "", message: "must be an object")])
        }
        var faults: [Refusal.Fault] = []
        var kept: [MemberPath] = []
        Self.findPlaceholders(value, at: [], depth: 0, &kept, &faults)
        var full = sent
        let above = inherited.content
        for path in kept {
            if let secret = old.secrets[path] {
                full[path] = secret
            } else if above.secrets[path] != nil {
                full[path] = nil
            } else {
                faults.append(.init(place: path.pointer, message: "no secret is set here that could be kept"))
            }
        }
        guard faults.isEmpty else { throw .faulty("desired.invalid", "The desired document", faults) }
        // What was a secret stays one, whatever became of the schema, and what is one above is one here.
        self.init(full, hiding: places.union(old.secrets.keys).union(inherited.places))
    }

    /// Where this has secrets that `sent` brought, those that a placeholder kept left aside.
    func secretsTyped(in sent: JSONValue) -> Set<MemberPath> {
        guard case .object(let sent) = sent else { return [] }
        return Set(
            secrets.keys.filter { place in
                guard let value = sent[place] else { return false }
                return value != .null && value != Self.placeholder
            })
    }

    private static func findPlaceholders(
        _ value: JSONValue, at steps: [String], depth: Int, _ kept: inout [MemberPath],
        _ faults: inout [Refusal.Fault]
    ) {
        guard faults.count < FleetLimits.namedFaults else { return }
        let here = MemberPath(steps)
        guard depth <= FleetLimits.documentDepth else {
            faults.append(
                .init(place: here.pointer, message: "nests more than \(FleetLimits.documentDepth) levels deep"))
            return
        }
        switch value {
        case .object(let members):
            if members[mark] != nil {
                guard value == placeholder, !steps.isEmpty else {
                    faults.append(.init(place: here.pointer, message: "must not hold a member \(mark)"))
                    return
                }
                kept.append(here)
                return
            }
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                findPlaceholders(member, at: steps + [key], depth: depth + 1, &kept, &faults)
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                findPlaceholders(element, at: steps + ["\(index)"], depth: depth + 1, &kept, &faults)
            }
        default: break
        }
    }

    /// Refuses more than a document may hold.
    func checkSize() throws(Refusal) {
        try DeviceDocument.check(full, .desired)
    }

    // MARK: - On disk

    /// The secrets as the key ring seals them; nil when there are none.
    var secretBytes: [UInt8]? {
        guard !secrets.isEmpty else { return nil }
        let members = secrets.map { ($0.key.pointer, $0.value) }
        return Array(JSONValue.object(Dictionary(members) { first, _ in first }).canonical.utf8)
    }

    /// The secrets that these bytes spell.
    static func secrets(_ bytes: [UInt8]) throws -> [MemberPath: JSONValue] {
        guard case .object(let members) = try JSONValue(parsing: bytes) else { return [:] }
        var secrets: [MemberPath: JSONValue] = [:]
        for (pointer, value) in members {
            if let path = MemberPath(pointer: pointer) { secrets[path] = value }
        }
        return secrets
    }
}
