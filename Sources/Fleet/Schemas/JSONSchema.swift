public import Base

/// What a JSON value may be: the part of JSON Schema (2020-12) with which device types describe settings and tasks.
///
/// Keywords are `type`, `enum`, `const`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `items`,
/// `properties`, `required`, `additionalProperties` as a boolean, and the notes `title`, `description` and `default`. Any
/// other is refused, so that no rule is silently without effect; there is no `pattern`, because its author would decide how
/// long the server thinks about it.
public struct JSONSchema: Hashable, Sendable {
    enum Kind: String, CaseIterable {
        case object, array, string, integer, number, boolean
    }

    private var kinds: Set<Kind> = []
    private var values: [JSONValue] = []
    private var minimum: Double?
    private var maximum: Double?
    private var characters: ClosedRange<Int>?
    private var elements: ClosedRange<Int>?
    /// At most one: what each element of an array is. An array, because a value can not hold itself.
    private var items: [JSONSchema] = []
    private var properties: [String: JSONSchema] = [:]
    private var required: [String] = []
    private var allowsOthers = true
    /// The schema as it was written.
    public let json: JSONValue

    /// Reads a schema that stands at `place`, noting each fault; nil when there is one.
    static func read(_ value: JSONValue, at place: String, faults: inout [Refusal.Fault]) -> JSONSchema? {
        var reading = SchemaReading()
        let schema = reading.schema(value, at: place, depth: 0)
        faults += reading.faults
        return reading.faults.isEmpty ? schema : nil
    }

    fileprivate init(json: JSONValue) { self.json = json }

    // MARK: - What fits

    /// What of a value does not fit, with a JSON pointer from `place` on; at most ``FleetLimits/namedFaults`` of it.
    public func faults(of value: JSONValue, at place: String = "") -> [Refusal.Fault] {
        var faults: [Refusal.Fault] = []
        check(value, at: place, &faults)
        return faults
    }

    private func check(_ value: JSONValue, at place: String, _ faults: inout [Refusal.Fault]) {
        func fault(_ message: String) {
            if faults.count < FleetLimits.namedFaults { faults.append(.init(place: place, message: message)) }
        }
        guard kinds.isEmpty || kinds.contains(where: { $0.holds(value) }) else {
            return fault("must be \(kinds.map(\.rawValue).sorted().joined(separator: " or "))")
        }
        if !values.isEmpty, !values.contains(value) {
            fault("must be one of " + values.prefix(20).map(\.canonical).joined(separator: ", "))
        }
        if let number = value.double {
            if let minimum, number < minimum { fault("must be at least \(JSONValue.number(minimum).canonical)") }
            if let maximum, number > maximum { fault("must be at most \(JSONValue.number(maximum).canonical)") }
        }
        switch value {
        case .string(let text):
            if let characters, !characters.contains(text.unicodeScalars.count) {
                fault("must have \(characters.words) characters")
            }
        case .array(let list):
            if let elements, !elements.contains(list.count) { fault("must have \(elements.words) elements") }
            guard let items = items.first else { return }
            for (index, element) in list.enumerated() { items.check(element, at: "\(place)/\(index)", &faults) }
        case .object(let members):
            for key in required where members[key] == nil { fault("must have \(key)") }
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                let inner = "\(place)/\(key.jsonPointerStep)"
                if let schema = properties[key] {
                    schema.check(member, at: inner, &faults)
                } else if !allowsOthers, faults.count < FleetLimits.namedFaults {
                    let hint = properties.keys.sorted().nearest(to: key).map { "; did you mean \($0)?" } ?? ""
                    faults.append(.init(place: inner, message: "is not known here\(hint)"))
                }
            }
        default: break
        }
    }
}

extension JSONSchema.Kind {
    fileprivate func holds(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool), (.integer, .integer),
            (.number, .integer), (.number, .number):
            true
        case (.integer, .number(let number)): number == number.rounded() && number.isFinite
        default: false
        }
    }
}

extension ClosedRange<Int> {
    fileprivate var words: String {
        upperBound == .max ? "at least \(lowerBound)" : "\(lowerBound) to \(upperBound)"
    }
}

/// One reading of a schema: how much of it there may be is counted over all of it.
private struct SchemaReading {
    var faults: [Refusal.Fault] = []
    private var nodes = 0

    mutating func schema(_ value: JSONValue, at place: String, depth: Int) -> JSONSchema {
        var schema = JSONSchema(json: value)
        nodes += 1
        guard depth <= FleetLimits.schemaDepth, nodes <= FleetLimits.schemaNodes else {
            // Said once: all that follows would say the same.
            if nodes <= FleetLimits.schemaNodes || nodes == FleetLimits.schemaNodes + 1 {
                faults.append(
                    .init(
                        place: place,
                        message: "is more than \(FleetLimits.schemaDepth) levels deep or the schema has more than "
                            + "\(FleetLimits.schemaNodes) parts"))
            }
            return schema
        }
        var reader = DocumentReader(value, at: place)
        for note in ["title", "description"] { _ = reader.text(note, limit: FleetLimits.descriptionBytes) }
        _ = reader.value("default")
        schema.take(&reader)
        if let inner = reader.value("items") {
            schema.set(items: self.schema(inner, at: reader.place("items"), depth: depth + 1))
        }
        if let members = reader.object("properties", limit: FleetLimits.schemaNodes) {
            for (key, inner) in members.sorted(by: { $0.key < $1.key }) {
                let step = "\(reader.place("properties"))/\(key.jsonPointerStep)"
                schema.set(key, self.schema(inner, at: step, depth: depth + 1))
            }
        }
        reader.finish()
        faults += reader.faults
        return schema
    }
}

extension JSONSchema {
    fileprivate mutating func set(items schema: JSONSchema) { items = [schema] }

    fileprivate mutating func set(_ property: String, _ schema: JSONSchema) { properties[property] = schema }

    /// Takes what one level says without its inner schemas.
    fileprivate mutating func take(_ reader: inout DocumentReader) {
        readKinds(&reader)
        if let allowed = reader.array("enum", limit: FleetLimits.schemaValues) {
            values = allowed
            if allowed.isEmpty { reader.fault("enum", "must have an element") }
        }
        if let constant = reader.value("const") { values = [constant] }
        let numbers = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        minimum = reader.number("minimum", in: numbers)
        maximum = reader.number("maximum", in: numbers)
        if let minimum, let maximum, minimum > maximum { reader.fault("maximum", "must not be below minimum") }
        characters = Self.count("minLength", "maxLength", &reader)
        elements = Self.count("minItems", "maxItems", &reader)
        for (index, key) in (reader.array("required", limit: FleetLimits.schemaNodes) ?? []).enumerated() {
            if let name = key.string {
                required.append(name)
            } else {
                reader.fault("required", "\(index)", "must be text")
            }
        }
        if let others = reader.bool("additionalProperties") { allowsOthers = others }
    }

    private mutating func readKinds(_ reader: inout DocumentReader) {
        guard let value = reader.value("type") else { return }
        let words = if case .array(let list) = value { list } else { [value] }
        for word in words {
            if let kind = word.string.flatMap(Kind.init(rawValue:)) {
                kinds.insert(kind)
            } else {
                reader.fault("type", "must be of " + Kind.allCases.map(\.rawValue).joined(separator: ", "))
            }
        }
    }

    private static func count(_ least: String, _ most: String, _ reader: inout DocumentReader) -> ClosedRange<Int>? {
        let counts = Int64(0)...Int64(FleetLimits.documentBytes)
        let (low, high) = (reader.integer(least, in: counts), reader.integer(most, in: counts))
        guard low != nil || high != nil else { return nil }
        guard (low ?? 0) <= (high ?? .max) else {
            reader.fault(most, "must not be below \(least)")
            return nil
        }
        return Int(low ?? 0)...(high.map(Int.init) ?? .max)
    }
}
