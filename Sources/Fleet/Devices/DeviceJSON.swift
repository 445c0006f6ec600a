import Base

/// The JSON shapes that several values of this target share.
enum DeviceJSON {
    static func identifiers(_ identifiers: [HardwareIdentifier]) -> JSONValue {
        .array(identifiers.map { ["kind": .string($0.kind.rawValue), "value": .string($0.value)] })
    }

    static func location(_ location: Location) -> JSONValue {
        ["latitude": .number(location.latitude), "longitude": .number(location.longitude)]
    }
}

/// The form in which the database keeps a device's small documents; they were checked before they were written.
enum StoredDocument {
    static func identifiers(_ text: String) -> [HardwareIdentifier] {
        guard case .array(let elements)? = parse(text) else { return [] }
        return elements.compactMap { element in
            guard let kind = element["kind"]?.string.flatMap(HardwareIdentifier.Kind.init(rawValue:)),
                let value = element["value"]?.string
            else { return nil }
            return HardwareIdentifier(stored: kind, value: value)
        }
    }

    static func words(_ text: String) -> [String: String] {
        object(text).compactMapValues(\.string)
    }

    static func object(_ text: String) -> [String: JSONValue] {
        if text == "{}" { return [:] }
        guard case .object(let members)? = parse(text) else { return [:] }
        return members
    }

    private static func parse(_ text: String) -> JSONValue? {
        text == "[]" ? .array([]) : try? JSONValue(parsing: Array(text.utf8))
    }
}
