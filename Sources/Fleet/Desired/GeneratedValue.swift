import Base

/// A value that is made for each device of an edit or operation: a text with places to fill in, or a random one.
///
/// `{"$generate": "gw-{number:4}-{label.site}"}` fills in `name`, `id`, `number` (from 1 on, in the order of registration or of
/// the list, with leading zeros to a width), `label.<key>`, `attribute.<name>` and the kinds of hardware identifiers; `{{`
/// is a brace. `{"$random": 24}` is a secret of so many letters and digits.
enum GeneratedValue {
    enum Part: Hashable {
        case literal(String)
        case name
        case id
        case number(width: Int)
        case label(String)
        case attribute(String)
        case hardware(HardwareIdentifier.Kind)
    }

    case text([Part])
    case random(Int)

    /// What an object that is a recipe says; nil when the value is none.
    static func read(_ value: JSONValue) throws(Fault) -> GeneratedValue? {
        guard case .object(let members) = value, members.count == 1, let (key, recipe) = members.first else {
            return nil
        }
        switch key {
        case "$generate":
            guard let text = recipe.string, text.utf8.count <= FleetLimits.recipeBytes else {
                throw Fault(message: "$generate must be a text of at most \(FleetLimits.recipeBytes) bytes")
            }
            return .text(try parts(of: text))
        case "$random":
            guard let count = recipe.integer, FleetLimits.randomCharacters.contains(Int(clamping: count)) else {
                let range = FleetLimits.randomCharacters
                throw Fault(message: "$random must be from \(range.lowerBound) to \(range.upperBound) characters")
            }
            return .random(Int(count))
        default: return nil
        }
    }

    /// Why a recipe is none, or has nothing to fill in for a device.
    struct Fault: Error {
        var message: String
    }

    private static func parts(of text: String) throws(Fault) -> [Part] {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "{" else {
                literal.append(character)
                continue
            }
            if rest.first == "{" {
                literal.append(rest.removeFirst())
                continue
            }
            guard let end = rest.firstIndex(of: "}") else { throw Fault(message: "a { is without its }") }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
            parts.append(try part(rest[..<end]))
            rest = rest[rest.index(after: end)...]
        }
        return parts + (literal.isEmpty ? [] : [.literal(literal)])
    }

    private static func part(_ word: Substring) throws(Fault) -> Part {
        let number = word.split(separator: ":", omittingEmptySubsequences: false)
        if number.first == "number", number.count <= 2 {
            guard let width = Int(number.count == 2 ? number[1] : "1"), (1...18).contains(width) else {
                throw Fault(message: "{number} takes a width from 1 to 18, such as {number:4}")
            }
            return .number(width: width)
        }
        if word == "name" { return .name }
        if word == "id" { return .id }
        if let kind = HardwareIdentifier.Kind(rawValue: String(word)) { return .hardware(kind) }
        if word.hasPrefix("label.") { return .label(String(word.dropFirst(6))) }
        if word.hasPrefix("attribute.") { return .attribute(String(word.dropFirst(10))) }
        throw Fault(
            message: "{\(word)} is not known; use name, id, number, label.<key>, attribute.<name> or one of "
                + HardwareIdentifier.Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }

    /// The value's text for a device, the `number`th of the edit.
    func text(for device: Device, number: Int) throws(Fault) -> String {
        switch self {
        case .random(let count):
            var generator = SystemRandomNumberGenerator()
            return String((0..<count).map { _ in Self.alphabet[Int.random(in: 0..<62, using: &generator)] })
        case .text(let parts):
            var text = ""
            for part in parts { text += try Self.text(part, device, number) }
            return text
        }
    }

    /// A value with all recipes in it filled in for a device, the `number`th of the order; `secrets` gets the places of the
    /// random ones. A text is what the schema wants at its place, if it says so.
    static func filled(
        _ value: JSONValue, at steps: [String], _ device: Device, _ number: Int, _ schema: JSONSchema?,
        _ secrets: inout Set<MemberPath>
    ) throws(Fault) -> JSONValue {
        if let recipe = try read(value) {
            let text = try recipe.text(for: device, number: number)
            if case .random = recipe {
                secrets.insert(MemberPath(steps))
                return .string(text)
            }
            return schema?.part(at: MemberPath(steps))?.value(of: text) ?? .string(text)
        }
        guard case .object(var members) = value else { return value }
        for (key, member) in members {
            members[key] = try filled(member, at: steps + [key], device, number, schema, &secrets)
        }
        return .object(members)
    }

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    private static func text(_ part: Part, _ device: Device, _ number: Int) throws(Fault) -> String {
        let found: String?
        switch part {
        case .literal(let text): return text
        case .name: return device.name.text
        case .id: return device.id.text
        case .number(let width):
            let digits = "\(number)"
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        case .label(let key): found = device.labels[key]
        case .attribute(let name): found = device.attributes[name].map { $0.string ?? $0.canonical }
        case .hardware(let kind): found = device.identifiers.first { $0.kind == kind }?.value
        }
        guard let found else { throw Fault(message: "the device has no \(words(part))") }
        return found
    }

    private static func words(_ part: Part) -> String {
        switch part {
        case .label(let key): "label \(key)"
        case .attribute(let name): "attribute \(name)"
        case .hardware(let kind): kind.rawValue
        default: "such value"
        }
    }
}
