import Base
import Fleet
import Trust

/// What somebody sent from the form of a layer.
struct ConfigurationForm: Sendable {
    let fields: FormFields
    /// The version of the layer that they saw.
    let version: Int64
    let isJSON: Bool

    init(_ fields: FormFields) {
        self.fields = fields
        version = fields.text("version").flatMap { Int64($0) } ?? 0
        isJSON = fields.text("mode") == "json"
    }

    /// The document as it was typed.
    var text: String { fields.exact("document") }

    /// The name of a setting's field.
    static func name(_ path: MemberPath) -> String { "set:" + path.pointer }

    /// The name of the box that takes a secret away.
    static func removal(_ path: MemberPath) -> String { "remove:" + path.pointer }

    /// The layer that the form means, and whether it has a secret that was typed in.
    func layer(over place: ConfigurationPlace) throws(Refusal) -> (value: JSONValue, hasSecret: Bool) {
        guard !isJSON else {
            do {
                let limits = JSONLimits(bytes: FleetLimits.documentBytes * 2, depth: FleetLimits.documentDepth + 4)
                let value = try JSONValue(parsing: Array(text.utf8), limits: limits)
                return (value, false)
            } catch {
                throw Refusal(
                    .invalid, "desired.invalid", "This is not JSON: \(error.message), at byte \(error.offset).")
            }
        }
        var members = place.layer.members
        var hasSecret = false
        for field in place.fields {
            let typed = fields.text(Self.name(field.path))
            let own = place.layer.member(at: field.path)
            if let typed {
                // What the schema does not take goes as text, so that the refusal names its place.
                members.setMember(field.value(of: typed) ?? Self.json(typed), at: field.path)
                hasSecret = hasSecret || field.isSecret
            } else if field.isSecret ? fields.has(Self.removal(field.path)) : own != .null {
                members.setMember(nil, at: field.path)
            }
        }
        return (.object(members), hasSecret)
    }

    private static func json(_ text: String) -> JSONValue {
        (try? JSONValue(parsing: Array(text.utf8))) ?? .string(text)
    }

    /// What a question was about: another layer, or another version below it, is asked about anew.
    static func mark(_ value: JSONValue, _ version: Int64) -> String {
        Token.hash(of: "\(version) \(value.canonical)").hex
    }

    /// JSON with a line for each member.
    static func pretty(_ value: JSONValue, indent: String = "") -> String {
        guard case .object(let members) = value, !members.isEmpty else { return value.canonical }
        let lines = members.sorted { $0.key < $1.key }.map { key, member in
            "\(indent)  \(JSONValue.string(key).canonical): \(pretty(member, indent: indent + "  "))"
        }
        return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
}
