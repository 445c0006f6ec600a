public import Base

/// What somebody wants to change in a device; what is nil stays.
///
/// In JSON a member that is null takes the thing away, a member that is absent leaves it (RFC 7396); labels, attributes
/// and components are merged member by member in the same way.
public struct DeviceChange: Sendable {
    /// A new value, or none at all.
    public enum Setting<Value: Sendable & Hashable>: Sendable, Hashable {
        /// Becomes this.
        case set(Value)
        /// Is taken away.
        case remove
    }

    /// The revision that the caller saw; when the device has moved on, the change is refused.
    public var revision: Int64?
    /// A new name.
    public var name: Name?
    /// A new domain, by identifier or path.
    public var domain: String?
    /// A new model, by name or identifier.
    public var model: Setting<String>?
    /// New capabilities.
    public var capabilities: Capabilities?
    /// New hardware identifiers, all of them.
    public var identifiers: [HardwareIdentifier]?
    /// Labels to set or take away.
    public var labels: [String: Setting<String>]
    /// Attributes to set or take away.
    public var attributes: [String: Setting<JSONValue>]
    /// Components to set or take away.
    public var components: [String: Setting<String>]
    /// A new position.
    public var location: Setting<Location>?
    /// A new description of the place.
    public var place: Setting<String>?

    /// A change of nothing, to be filled in.
    public init() {
        labels = [:]
        attributes = [:]
        components = [:]
    }

    /// The change that `json` spells; otherwise `device.invalid` with a JSON pointer to each fault.
    public init(json: JSONValue) throws(Refusal) {
        self.init()
        // Null members are taken out first, so that the shared reader sees only values.
        var removed: [String: Set<String>] = [:]
        var kept = json
        if case .object(var members) = json {
            for key in ["labels", "attributes", "components"] {
                guard case .object(let inner)? = members[key] else { continue }
                removed[key] = Set(inner.filter { $0.value == .null }.keys)
                members[key] = .object(inner.filter { $0.value != .null })
            }
            kept = .object(members)
        }
        var reader = DeviceReader(kept)
        revision = reader.revision()
        name = reader.name()
        domain = reader.domain()
        model = Self.setting(reader.model(), reader.has("model"))
        capabilities = reader.capabilities()
        identifiers = reader.identifiers()
        location = Self.setting(reader.location(), reader.has("location"))
        place = Self.setting(reader.place(), reader.has("place"))
        labels = Self.settings(reader.labels(), removed["labels"])
        attributes = Self.settings(reader.attributes(), removed["attributes"])
        components = Self.settings(reader.components(), removed["components"])
        let faults = reader.finish()
        guard faults.isEmpty else { throw .faulty("device.invalid", "The change", faults) }
    }

    private static func setting<Value>(_ value: Value?, _ isThere: Bool) -> Setting<Value>? {
        if let value { return .set(value) }
        return isThere ? .remove : nil
    }

    private static func settings<Value>(_ set: [String: Value]?, _ removed: Set<String>?) -> [String: Setting<Value>] {
        var result = (set ?? [:]).mapValues { Setting<Value>.set($0) }
        for key in removed ?? [] { result[key] = .remove }
        return result
    }

    /// `members` after these settings.
    static func merge<Value>(_ settings: [String: Setting<Value>], into members: [String: Value]) -> [String: Value] {
        var result = members
        for (key, setting) in settings {
            switch setting {
            case .set(let value): result[key] = value
            case .remove: result[key] = nil
            }
        }
        return result
    }
}
