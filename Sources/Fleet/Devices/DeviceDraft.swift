public import Base

/// What somebody wants a new device to be; checked, but not yet compared with what is there.
public struct DeviceDraft: Hashable, Sendable {
    /// The name, unique in the tenant.
    public var name: Name
    /// The model by name or identifier; nil for none.
    public var model: String?
    /// The domain by identifier or path; nil for the tenant's root.
    public var domain: String?
    /// What the device can do.
    public var capabilities: Capabilities
    /// What the maker put into it.
    public var identifiers: [HardwareIdentifier]
    /// Words by which people find it.
    public var labels: [String: String]
    /// Anything else that people note about it.
    public var attributes: [String: JSONValue]
    /// Its separately versioned parts and their versions.
    public var components: [String: String]
    /// Where it stands.
    public var location: Location?
    /// Where it stands, in words.
    public var place: String?

    /// A draft with these properties; labels and the like are checked when it is registered.
    public init(
        name: Name, model: String? = nil, domain: String? = nil, capabilities: Capabilities = .usual,
        identifiers: [HardwareIdentifier] = [], labels: [String: String] = [:], attributes: [String: JSONValue] = [:],
        components: [String: String] = [:], location: Location? = nil, place: String? = nil
    ) {
        self.name = name
        self.model = model
        self.domain = domain
        self.capabilities = capabilities
        self.identifiers = identifiers
        self.labels = labels
        self.attributes = attributes
        self.components = components
        self.location = location
        self.place = place
    }

    /// The draft that `json` spells; otherwise `device.invalid` with a JSON pointer to each fault.
    public init(json: JSONValue) throws(Refusal) {
        var reader = DeviceReader(json)
        let name = reader.requiredName()
        let draft = name.map { name in
            DeviceDraft(
                name: name, model: reader.model(), domain: reader.domain(),
                capabilities: reader.capabilities() ?? .usual,
                identifiers: reader.identifiers() ?? [], labels: reader.labels() ?? [:],
                attributes: reader.attributes() ?? [:], components: reader.components() ?? [:],
                location: reader.location(), place: reader.place())
        }
        let faults = reader.finish()
        guard let draft, faults.isEmpty else { throw .faulty("device.invalid", "The device", faults) }
        self = draft
    }

    /// What is wrong with a draft that was made in the program instead of read.
    var faults: [Refusal.Fault] {
        var reader = DeviceReader(json)
        _ = (reader.requiredName(), reader.model(), reader.domain(), reader.capabilities(), reader.identifiers())
        _ = (reader.labels(), reader.attributes(), reader.components(), reader.location(), reader.place())
        return reader.finish()
    }

    private var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name.text),
            "capabilities": .array(capabilities.list.map { .string($0) }),
            "identifiers": DeviceJSON.identifiers(identifiers),
            "labels": .object(labels.mapValues { .string($0) }),
            "attributes": .object(attributes),
            "components": .object(components.mapValues { .string($0) }),
        ]
        if let model { members["model"] = .string(model) }
        if let domain { members["domain"] = .string(domain) }
        if let location { members["location"] = DeviceJSON.location(location) }
        if let place { members["place"] = .string(place) }
        return .object(members)
    }
}
