public import Base

/// One setting that a model's schema describes, for a form.
public struct SchemaField: Sendable, Hashable {
    /// How it is typed in.
    public enum Entry: Sendable, Hashable {
        /// As text.
        case text
        /// As a number.
        case number
        /// One of these values.
        case choice([JSONValue])
        /// As JSON.
        case json
    }

    /// Where the setting stands.
    public let path: MemberPath
    /// What people call it; its name when the schema has no title.
    public let title: String
    /// What it is for.
    public let note: String?
    /// How it is typed in.
    public let entry: Entry
    /// Whether it is a secret.
    public let isSecret: Bool
    private let schema: JSONSchema

    /// The value that a typed text means; nil when the schema does not say.
    public func value(of text: String) -> JSONValue? {
        // The values to choose from say more than their types.
        if case .choice(let values) = entry, let value = values.first(where: { Self.text(of: $0) == text }) {
            return value
        }
        return schema.value(of: text)
    }

    /// A value as it is typed in.
    public static func text(of value: JSONValue) -> String { value.string ?? value.canonical }

    init(_ path: MemberPath, _ schema: JSONSchema) {
        self.path = path
        self.schema = schema
        title = schema.json["title"]?.string ?? path.steps.joined(separator: " ")
        note = schema.json["description"]?.string
        isSecret = schema.isSecret
        let kinds = schema.kinds
        entry =
            if !schema.values.isEmpty {
                .choice(schema.values)
            } else if kinds == [.boolean] {
                .choice([true, false])
            } else if !kinds.isEmpty, kinds.isSubset(of: [.integer, .number]) {
                .number
            } else if kinds.contains(.string) {
                .text
            } else {
                .json
            }
    }
}

extension JSONSchema {
    /// The settings that the schema describes, those of objects within it too, in the order of their names.
    public var fields: [SchemaField] { fields(under: []) }

    private func fields(under steps: [String]) -> [SchemaField] {
        if !steps.isEmpty, properties.isEmpty || isSecret { return [SchemaField(MemberPath(steps), self)] }
        return properties.sorted { $0.key < $1.key }.flatMap { $0.value.fields(under: steps + [$0.key]) }
    }
}
