public import Base

/// Anything with an identity of its own that calls in, as it is registered.
public struct Device: Hashable, Sendable {
    /// The identifier, which stays through renames, moves and replacements: series hang on it.
    public var id: DeviceID
    /// The name, unique in the tenant.
    public var name: Name
    /// The domain in which it lives.
    public var domain: DomainID
    /// Its model, if any.
    public var model: ModelID?
    /// Where it stands.
    public var status: DeviceStatus
    /// What it can do.
    public var capabilities: Capabilities
    /// What the maker put into it.
    public var identifiers: [HardwareIdentifier]
    /// Words by which people find it.
    public var labels: [String: String]
    /// Anything else that people note about it.
    public var attributes: [String: JSONValue]
    /// Its separately versioned parts and their versions.
    public var components: [String: String]
    /// Where it stands on earth.
    public var location: Location?
    /// Where it stands, in words.
    public var place: String?
    /// When it was registered.
    public var created: Timestamp
    /// When it first got a credential since it was registered or replaced.
    public var enrolled: Timestamp?
    /// When anything of this last changed.
    public var changed: Timestamp
    /// Counts the changes from 1.
    public var revision: Int64

    /// The device as JSON, identifiers of domain and model as they are.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id.text),
            "name": .string(name.text),
            "domain": .string(domain.text),
            "status": .string(status.rawValue),
            "capabilities": .array(capabilities.list.map { .string($0) }),
            "identifiers": DeviceJSON.identifiers(identifiers),
            "labels": .object(labels.mapValues { .string($0) }),
            "attributes": .object(attributes),
            "components": .object(components.mapValues { .string($0) }),
            "created": .string(created.rfc3339),
            "changed": .string(changed.rfc3339),
            "revision": .integer(revision),
        ]
        members["model"] = model.map { .string($0.text) } ?? .null
        members["location"] = location.map(DeviceJSON.location) ?? .null
        members["place"] = place.map { .string($0) } ?? .null
        members["enrolled"] = enrolled.map { .string($0.rfc3339) } ?? .null
        return .object(members)
    }
}
