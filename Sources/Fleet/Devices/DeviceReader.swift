import Base

/// Reads the members of a device's JSON, which drafts and changes share.
struct DeviceReader {
    private var reader: DocumentReader

    init(_ json: JSONValue) { reader = DocumentReader(json) }

    /// All faults, those of unknown members included; call it last.
    mutating func finish() -> [Refusal.Fault] {
        reader.finish()
        return reader.faults
    }

    /// Whether the member is there, be it null.
    func has(_ key: String) -> Bool { reader.has(key) }

    mutating func requiredName() -> Name? {
        let name = name()
        if name == nil, !reader.has("name") { reader.fault("name", "is missing") }
        return name
    }

    mutating func name() -> Name? {
        guard let name = reader.name("name") else { return nil }
        guard DeviceReference.isUsable(name) else {
            reader.fault("name", "must not be 32 hexadecimal digits, which are a device's identifier")
            return nil
        }
        return name
    }

    mutating func revision() -> Int64? { reader.integer("revision", in: 0...Int64.max) }
    mutating func model() -> String? { reader.text("model", limit: 128) }
    mutating func domain() -> String? { reader.text("domain", limit: 1024) }
    mutating func place() -> String? { reader.text("place", limit: FleetLimits.placeBytes) }

    mutating func capabilities() -> Capabilities? {
        guard let elements = reader.array("capabilities", limit: 16) else { return nil }
        var result: Capabilities = []
        for (index, element) in elements.enumerated() {
            if let capability = element.string.flatMap({ Capabilities(word: $0) }) {
                result.insert(capability)
            } else {
                let words = Capabilities.words.map(\.word).joined(separator: ", ")
                reader.fault("capabilities", "\(index)", "must be one of \(words)")
            }
        }
        return result
    }

    mutating func identifiers() -> [HardwareIdentifier]? {
        guard let elements = reader.array("identifiers", limit: FleetLimits.hardwareIdentifiers) else { return nil }
        var result: [HardwareIdentifier] = []
        for (index, element) in elements.enumerated() {
            let place = "\(reader.place("identifiers"))/\(index)"
            var inner = DocumentReader(element, at: place)
            let kind = inner.word("kind", of: HardwareIdentifier.Kind.self)
            let value = inner.text("value", limit: FleetLimits.hardwareIdentifierBytes)
            inner.finish()
            if inner.faults.isEmpty {
                switch (kind, value) {
                case (nil, _): inner.fault("kind", "is missing")
                case (_, nil): inner.fault("value", "is missing")
                case (let kind?, let value?):
                    if let identifier = HardwareIdentifier(kind, value) {
                        if result.contains(identifier) {
                            inner.fault("value", "is there twice")
                        } else {
                            result.append(identifier)
                        }
                    } else {
                        inner.fault("value", HardwareIdentifier.rule(of: kind))
                    }
                }
            }
            reader.adopt(inner.faults)
        }
        return result.sorted()
    }

    mutating func labels() -> [String: String]? {
        words("labels", limit: FleetLimits.labels, bytes: FleetLimits.labelValueBytes)
    }

    mutating func components() -> [String: String]? {
        words("components", limit: FleetLimits.components, bytes: FleetLimits.versionBytes)
    }

    mutating func attributes() -> [String: JSONValue]? {
        guard let members = reader.object("attributes", limit: FleetLimits.attributes) else { return nil }
        for key in members.keys where Name(key) == nil {
            reader.fault("attributes", key, "must have a name as its key")
        }
        if JSONValue.object(members).canonical.utf8.count > FleetLimits.attributesBytes {
            reader.fault("attributes", "must not exceed \(FleetLimits.attributesBytes) bytes")
        }
        return members
    }

    mutating func location() -> Location? {
        guard let value = reader.value("location") else { return nil }
        var inner = DocumentReader(value, at: reader.place("location"))
        let latitude = inner.number("latitude", in: -90...90)
        let longitude = inner.number("longitude", in: -180...180)
        inner.finish()
        if inner.faults.isEmpty, latitude == nil || longitude == nil {
            inner.fault(latitude == nil ? "latitude" : "longitude", "is missing")
        }
        reader.adopt(inner.faults)
        guard let latitude, let longitude else { return nil }
        return Location(latitude: latitude, longitude: longitude)
    }

    private mutating func words(_ key: String, limit: Int, bytes: Int) -> [String: String]? {
        guard let members = reader.object(key, limit: limit) else { return nil }
        var result: [String: String] = [:]
        for (name, value) in members {
            guard Name(name) != nil else {
                reader.fault(key, name, "must have a name as its key")
                continue
            }
            // An empty value is a plain tag.
            guard let text = value.string, text.isEmpty || PlainText.isPlain(text, limit: bytes) else {
                reader.fault(key, name, "must be text of at most \(bytes) bytes without control characters")
                continue
            }
            result[name] = text
        }
        return result
    }
}
