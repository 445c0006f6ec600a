public import Base

/// Where people say what devices are wanted to be: at a model, at a domain for all below it, at one device.
///
/// The nearer layer counts: a device's own over its domain's, that over the domains above, those over its model's.
public enum LayerPlace: Hashable, Sendable {
    /// All devices of a model.
    case model(ModelID)
    /// All devices in a domain and below.
    case domain(DomainID)
    /// One device.
    case device(DeviceID)

    /// The word for the sort of place.
    public var kind: String {
        switch self {
        case .model: "model"
        case .domain: "domain"
        case .device: "device"
        }
    }

    /// The identifier's text.
    public var id: String {
        switch self {
        case .model(let id): id.text
        case .domain(let id): id.text
        case .device(let id): id.text
        }
    }

    /// The identifier as the table has it.
    var bytes: [UInt8] {
        switch self {
        case .model(let id): id.bytes
        case .domain(let id): id.bytes
        case .device(let id): id.bytes
        }
    }
}

/// What is desired at one place; the device gets all its layers merged (RFC 7396).
public struct DesiredLayer: Hashable, Sendable {
    /// Where.
    public let place: LayerPlace
    /// Counts the changes; 0 while nothing was ever written.
    public let version: Int64
    /// When it last changed.
    public let changed: Timestamp?
    /// What it says.
    let content: DesiredContent

    /// What it says, with a placeholder for each secret.
    public var members: [String: JSONValue] { content.members }

    /// The member at a path, as it may be shown.
    public func member(at path: MemberPath) -> JSONValue? { members[path] }

    /// A place at which nothing was ever written.
    static func unwritten(_ place: LayerPlace) -> DesiredLayer {
        DesiredLayer(place: place, version: 0, changed: nil, content: .empty)
    }

    /// The next version, which says this.
    func next(_ content: DesiredContent, at time: Timestamp) -> DesiredLayer {
        DesiredLayer(place: place, version: version + 1, changed: time, content: content)
    }

    /// The same with what stands at these places kept apart; nil when it is already.
    func hiding(_ places: Set<MemberPath>) -> DesiredLayer? {
        let hidden = DesiredContent(content.full, hiding: places.union(content.secrets.keys))
        guard hidden != content else { return nil }
        return DesiredLayer(place: place, version: version, changed: changed, content: hidden)
    }

    /// The layer as people read it.
    public var json: JSONValue {
        [
            "version": .integer(version), "desired": .object(members),
            "changed": changed.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
