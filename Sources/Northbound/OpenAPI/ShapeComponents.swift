import Base

/// Collects the named shapes of a document while the others are written in place.
struct ShapeComponents {
    private(set) var schemas: [String: JSONValue] = [:]
    /// Whether objects are described as having no other members: true for what comes in, since that is refused;
    /// false for what goes out, since a later server may add members.
    var isClosed = false

    /// The JSON Shape of `shape`; a named one becomes a component and a reference to it.
    mutating func describe(_ shape: Shape) -> JSONValue {
        switch shape {
        case .any: return [:]
        case .boolean: return ["type": "boolean"]
        case .number: return ["type": "number"]
        case .integer(let range):
            var object: [String: JSONValue] = ["type": "integer", "format": "int64"]
            if range.lowerBound != .min { object["minimum"] = .integer(range.lowerBound) }
            if range.upperBound != .max { object["maximum"] = .integer(range.upperBound) }
            return .object(object)
        case .choice(let choices): return ["type": "string", "enum": .array(choices.map { .string($0) })]
        case .text(let form): return describe(form)
        case .array(let element, let limit):
            return ["type": "array", "items": describe(element), "maxItems": .integer(Int64(limit))]
        case .map(let element, let limit):
            return [
                "type": "object", "additionalProperties": describe(element), "maxProperties": .integer(Int64(limit)),
            ]
        case .object(let members): return describe(members)
        case .nullable(let inner): return nullable(describe(inner))
        case .named: return reference(shape)
        }
    }

    /// Adds a named shape and answers with a reference to it.
    mutating func reference(_ shape: Shape) -> JSONValue {
        guard case .named(let name, let inner) = shape else { return describe(shape) }
        if schemas[name] == nil {
            // Reserved first, so that a shape that contains itself ends.
            schemas[name] = [:]
            schemas[name] = describe(inner)
        }
        return ["$ref": .string("#/components/schemas/\(name)")]
    }

    private func nullable(_ value: JSONValue) -> JSONValue {
        guard case .object(var members) = value, case .string(let type) = members["type"], members["enum"] == nil else {
            return ["anyOf": [value, ["type": "null"]]]
        }
        members["type"] = [.string(type), "null"]
        return .object(members)
    }

    private mutating func describe(_ members: [Shape.Member]) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for member in members {
            var property = describe(member.shape)
            if case .object(var parts) = property {
                parts["description"] = .string(member.note)
                property = .object(parts)
            }
            properties[member.name] = property
        }
        var object: [String: JSONValue] = ["type": "object", "properties": .object(properties)]
        let required = members.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { object["required"] = .array(required) }
        if isClosed { object["additionalProperties"] = false }
        return .object(object)
    }

    private func describe(_ form: Shape.TextForm) -> JSONValue {
        switch form {
        case .free(let limit): ["type": "string", "maxLength": .integer(Int64(limit))]
        case .name: ["type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"]
        case .slug: ["type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"]
        case .identifier: ["type": "string", "pattern": "^[0-9a-fA-F]{32}$"]
        case .time: ["type": "string", "format": "date-time"]
        case .duration: ["type": "string", "pattern": "^[0-9]{1,12}(ms|s|m|h|d)$"]
        case .nameOrIdentifier: ["type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"]
        }
    }
}
