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
            let own = place.layer.member(at: field.path)
            // What nobody touched stays as it is, whatever a form can say of it.
            guard let typed = typed(field.path), typed != Self.shown(own, field) else {
                if field.isSecret, fields.has(Self.removal(field.path)) { members.removeMember(at: field.path) }
                continue
            }
            if let value = Self.value(of: typed, field, over: own) {
                members.setMember(value, at: field.path)
                hasSecret = hasSecret || field.isSecret
            } else {
                members.removeMember(at: field.path)
            }
        }
        return (.object(members), hasSecret)
    }

    /// What was sent for a setting, with the line ends that were shown; nil when the form has no such field.
    func typed(_ path: MemberPath) -> String? {
        let name = Self.name(path)
        return fields.has(name) ? Self.lines(fields.exact(name)) : nil
    }

    /// What the form shows of a value of the layer; nothing of a secret, nor of a null.
    static func shown(_ own: JSONValue?, _ field: SchemaField) -> String {
        guard let own, !field.isSecret, own != .null, own != ["$secret": "set"] else { return "" }
        return lines(SchemaField.text(of: own))
    }

    /// The value that somebody typed over another; nil when it is to go.
    private static func value(of typed: String, _ field: SchemaField, over own: JSONValue?) -> JSONValue? {
        if typed.isEmpty { return nil }
        if field.entry == .text || field.isSecret, let value = field.value(of: typed) { return value }
        let trimmed = typed.trimmingPrefix { $0.isWhitespace }
        guard let end = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        let text = String(trimmed[...end])
        if let value = field.value(of: text) { return value }
        // Where the schema does not say, a text stays one; what does not fit goes as it is, so that the refusal names
        // its place.
        if own?.string != nil { return .string(typed) }
        return (try? JSONValue(parsing: Array(text.utf8))) ?? .string(typed)
    }

    /// Browsers send each end of a line as CR LF.
    private static func lines(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\r")) else { return text }
        var (lines, wasReturn): ([UInt8], Bool) = ([], false)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\r") {
                lines.append(UInt8(ascii: "\n"))
            } else if byte != UInt8(ascii: "\n") || !wasReturn {
                lines.append(byte)
            }
            wasReturn = byte == UInt8(ascii: "\r")
        }
        return String(decoding: lines, as: UTF8.self)
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
