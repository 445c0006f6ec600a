public import Base

/// What a JSON value may be: the part of JSON Schema (2020-12) with which device types describe settings and tasks.
///
/// Keywords are `type`, `enum`, `const`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `items`,
/// `properties`, `required`, `additionalProperties` as a boolean, `writeOnly` for secrets, and the notes `title`, `description`
/// and `default`. Any other is refused, so that no rule is silently without effect; there is no `pattern`, because its author would decide how
/// long the server thinks about it.
public struct JSONSchema: Hashable, Sendable {
    enum Kind: String, CaseIterable {
        case object, array, string, integer, number, boolean
    }

    private(set) var kinds: Set<Kind> = []
    private(set) var values: [JSONValue] = []
    private var minimum: Double?
    private var maximum: Double?
    private var characters: ClosedRange<Int>?
    private var elements: ClosedRange<Int>?
    /// At most one: what each element of an array is. An array, because a value can not hold itself.
    private var items: [JSONSchema] = []
    private(set) var properties: [String: JSONSchema] = [:]
    private var required: [String] = []
    private var allowsOthers = true
    /// Whether the value is a secret: kept sealed, told the device alone, and never shown again.
    private(set) var isSecret = false
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

    /// Where values are secrets, the outermost of them in the order of their names.
    var secretPlaces: [MemberPath] { secrets(under: []) }

    private func secrets(under steps: [String]) -> [MemberPath] {
        if isSecret { return [MemberPath(steps)] }
        return properties.sorted { $0.key < $1.key }.flatMap { $0.value.secrets(under: steps + [$0.key]) }
    }

    /// What the schema says of a member.
    func part(at path: MemberPath) -> JSONSchema? {
        path.steps.reduce(Optional(self)) { schema, step in schema?.properties[step] }
    }

    /// What a text means where this schema stands, as a cell of a list has it; nil when the schema does not say.
    func value(of text: String) -> JSONValue? {
        if kinds.isEmpty { return nil }
        if kinds.contains(.string) { return .string(text) }
        return try? JSONValue(parsing: Array(text.utf8))
    }

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

    /// A secret needs a name of its own, which elements of arrays and the whole document do not have.
    mutating func schema(
        _ value: JSONValue, at place: String, depth: Int, mayHide: Bool = false
    ) -> JSONSchema {
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
        schema.take(&reader, mayHide: mayHide)
        if let inner = reader.value("items") {
            schema.set(items: self.schema(inner, at: reader.place("items"), depth: depth + 1))
        }
        if let members = reader.object("properties", limit: FleetLimits.schemaNodes) {
            for (key, inner) in members.sorted(by: { $0.key < $1.key }) {
                let step = "\(reader.place("properties"))/\(key.jsonPointerStep)"
                schema.set(
                    key, self.schema(inner, at: step, depth: depth + 1, mayHide: mayHide || depth == 0))
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
    fileprivate mutating func take(_ reader: inout DocumentReader, mayHide: Bool) {
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
        if let secret = reader.bool("writeOnly") {
            isSecret = secret
            if secret, !mayHide { reader.fault("writeOnly", "must stand at a member that is in no array") }
        }
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
