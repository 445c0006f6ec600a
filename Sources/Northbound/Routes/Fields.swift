public import Base

/// Values by name that were checked against a shape, read as the types they stand for.
///
/// The check comes first, so the refusals below meet only what a shape can not say.
public struct Fields: Sendable {
    private let values: [String: JSONValue]
    private let prefix: String

    /// The values of a query or path.
    init(_ values: [String: JSONValue]) {
        self.values = values
        prefix = ""
    }

    /// The members of an object at a JSON pointer of the body.
    init(object: JSONValue, at pointer: String = "") {
        if case .object(let members) = object { values = members } else { values = [:] }
        prefix = pointer + "/"
    }

    /// All values as one JSON object.
    public var json: JSONValue { .object(values) }

    /// A refusal that names the place of this value.
    public func fault(_ name: String, _ message: String) -> Refusal {
        let place = prefix.isEmpty ? name : prefix + name.jsonPointerStep
        return Refusal(
            .invalid, "request.invalid", "The request is wrong: \(place) \(message).",
            faults: [Refusal.Fault(place: place, message: message)])
    }

    /// Whether the value is there, even as null.
    public func contains(_ name: String) -> Bool { values[name] != nil }

    /// The value as it came, nil when absent or null.
    public func value(_ name: String) -> JSONValue? {
        guard let value = values[name], value != .null else { return nil }
        return value
    }

    private func require<T>(_ name: String, _ value: T?, _ message: String = "is missing") throws -> T {
        guard let value else { throw fault(name, message) }
        return value
    }

    /// A string that may be absent.
    public func textIfAny(_ name: String) -> String? { value(name)?.string }

    /// A string.
    public func text(_ name: String) throws -> String { try require(name, textIfAny(name)) }

    /// A name that may be absent.
    public func nameIfAny(_ name: String) throws -> Name? {
        try textIfAny(name).map { try require(name, Name($0), "must be a name") }
    }

    /// A name.
    public func name(_ name: String) throws -> Name { try require(name, nameIfAny(name)) }

    /// A tenant's slug that may be absent.
    public func slugIfAny(_ name: String) throws -> TenantSlug? {
        try textIfAny(name).map { try require(name, TenantSlug($0), "must be a tenant's slug") }
    }

    /// A tenant's slug.
    public func slug(_ name: String) throws -> TenantSlug { try require(name, slugIfAny(name)) }

    /// An identifier that may be absent.
    public func identifierIfAny<Kind>(_ name: String) throws -> Identifier<Kind>? {
        try textIfAny(name).map { try require(name, Identifier<Kind>(text: $0), "must be an identifier") }
    }

    /// An identifier.
    public func identifier<Kind>(_ name: String) throws -> Identifier<Kind> {
        try require(name, identifierIfAny(name))
    }

    /// A time that may be absent.
    public func timeIfAny(_ name: String) throws -> Timestamp? {
        try textIfAny(name).map { try require(name, Timestamp(rfc3339: $0), "must be an RFC 3339 time") }
    }

    /// A time.
    public func time(_ name: String) throws -> Timestamp { try require(name, timeIfAny(name)) }

    /// A whole number that may be absent.
    public func integerIfAny(_ name: String) -> Int? { value(name)?.integer.flatMap { Int(exactly: $0) } }

    /// A whole number.
    public func integer(_ name: String) throws -> Int { try require(name, integerIfAny(name)) }

    /// A number that may be absent.
    public func numberIfAny(_ name: String) -> Double? {
        switch value(name) {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A truth value that may be absent.
    public func boolIfAny(_ name: String) -> Bool? {
        if case .bool(let value) = value(name) { value } else { nil }
    }

    /// The elements of an array of strings; none when absent.
    public func texts(_ name: String) -> [String] {
        if case .array(let elements) = value(name) { elements.compactMap(\.string) } else { [] }
    }

    /// The members of an object; none when absent.
    public func members(_ name: String) -> [String: JSONValue] {
        if case .object(let members) = value(name) { members } else { [:] }
    }

    /// The fields of a nested object, nil when absent.
    public func fields(_ name: String) -> Fields? {
        guard let value = value(name), case .object = value else { return nil }
        return Fields(object: value, at: prefix + name.jsonPointerStep)
    }

    /// The fields of each object in an array; none when absent.
    public func list(_ name: String) -> [Fields] {
        guard case .array(let elements) = value(name) else { return [] }
        return elements.enumerated().map { Fields(object: $1, at: "\(prefix)\(name.jsonPointerStep)/\($0)") }
    }
}
