import Base
import Fleet

/// What a client tells of itself (`configData`): attributes that replace those it told before, are laid over them, or go.
///
/// They are the member `attributes` of the device's reported document, so that they and what the device reports over
/// MQTT do not remove each other.
struct DDIAttributes: Hashable, Sendable {
    /// What becomes of the attributes that are there.
    enum Mode: String, Sendable {
        case merge, replace, remove
    }

    let mode: Mode
    let attributes: [String: JSONValue]

    /// The attributes in a body; throws what is wrong with them.
    init(_ body: [UInt8]) throws(Refusal) {
        let json = try DDIBody.object(body, "ddi.attributes")
        guard let mode = json["mode"].map({ $0.string.flatMap(Mode.init) }) ?? .merge else {
            throw Self.wrong("mode is merge, replace or remove")
        }
        guard case .object(let data)? = json["data"], !data.isEmpty else {
            throw Self.wrong("data is an object with members")
        }
        guard data.count <= FleetLimits.attributes else {
            throw Self.wrong("data has at most \(FleetLimits.attributes) members")
        }
        for (key, value) in data {
            guard (1...Limits.attributeNameBytes).contains(key.utf8.count) else {
                throw Self.wrong("a name has 1 to \(Limits.attributeNameBytes) bytes")
            }
            switch value {
            case .string, .integer, .number, .bool: break
            // Only the names of what goes count.
            case .null where mode == .remove: break
            case .null, .array, .object: throw Self.wrong("each value is a text, a number, true or false")
            }
        }
        self.mode = mode
        attributes = data
    }

    /// The same as a report of the device.
    var report: DeviceReport.Content {
        switch mode {
        case .merge: .reported(Self.bytes(attributes))
        case .remove: .reported(Self.bytes(attributes.mapValues { _ in .null }))
        case .replace: .attributes(Self.bytes(attributes))
        }
    }

    private static func bytes(_ attributes: [String: JSONValue]) -> [UInt8] {
        Array(JSONValue.object(["attributes": .object(attributes)]).canonical.utf8)
    }

    private static func wrong(_ what: String) -> Refusal {
        Refusal(.invalid, "ddi.attributes", "The attributes can not be taken: \(what).")
    }
}
