import Base

/// Reads a filter by recursive descent; depth and number of terms are bounded.
struct DeviceFilterParser {
    private typealias Token = DeviceFilterLexer.Token

    private static let fields = [
        "name", "state", "status", "model", "domain", "label.", "component.", "capability", "online", "enrolled",
        "drift", "heartbeat",
    ]

    /// What lists show of a device: its status and whether it is there, in one word.
    private static let states: [(word: String, expression: DeviceFilter.Expression)] = [
        ("online", .all([.term(.status(.active)), .term(.online)])),
        ("offline", .all([.term(.status(.active)), .not(.term(.online))])),
        ("waiting", .term(.status(.registered))), ("suspended", .term(.status(.suspended))),
        ("revoked", .term(.status(.revoked))),
    ]

    private var lexer: DeviceFilterLexer
    private var token = DeviceFilterLexer.Token.end
    private var column = 1
    private var terms = 0

    init(_ text: some StringProtocol) { lexer = DeviceFilterLexer(text) }

    mutating func parse() throws(Refusal) -> DeviceFilter.Expression {
        try advance()
        guard token != .end else { throw fault("a condition is missing") }
        let expression = try any(depth: 0)
        guard token == .end else { throw fault("expected and, or, or the end") }
        return expression
    }

    private mutating func advance() throws(Refusal) { (token, column) = try lexer.next() }

    private func fault(_ message: String) -> Refusal { DeviceFilterLexer.fault(message, at: column) }

    private mutating func takeWord(_ word: String) throws(Refusal) -> Bool {
        guard case .word(let text) = token, text.lowercased() == word else { return false }
        try advance()
        return true
    }

    private mutating func any(depth: Int) throws(Refusal) -> DeviceFilter.Expression {
        var parts = [try all(depth: depth)]
        while try takeWord("or") { parts.append(try all(depth: depth)) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func all(depth: Int) throws(Refusal) -> DeviceFilter.Expression {
        var parts = [try factor(depth: depth)]
        while try takeWord("and") { parts.append(try factor(depth: depth)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func factor(depth: Int) throws(Refusal) -> DeviceFilter.Expression {
        guard depth < FleetLimits.filterDepth else {
            throw fault("nested deeper than \(FleetLimits.filterDepth) levels")
        }
        if try takeWord("not") { return .not(try factor(depth: depth + 1)) }
        guard token == .open else { return try comparison() }
        try advance()
        let inner = try any(depth: depth + 1)
        guard token == .close else { throw fault("expected )") }
        try advance()
        return inner
    }

    private mutating func comparison() throws(Refusal) -> DeviceFilter.Expression {
        terms += 1
        guard terms <= FleetLimits.filterTerms else { throw fault("more than \(FleetLimits.filterTerms) comparisons") }
        guard case .word(let field) = token else { throw fault("expected a field such as name or status") }
        let start = column
        try advance()
        let operation = token
        switch operation {
        case .equal, .unequal, .contains: try advance()
        default: return .term(try standing(field, at: start))
        }
        let (value, isQuoted): (String, Bool)
        switch token {
        case .word(let text): (value, isQuoted) = (text, false)
        case .quoted(let text): (value, isQuoted) = (text, true)
        default: throw fault("expected a value")
        }
        let valueColumn = column
        try advance()
        if operation == .contains {
            guard field == "name" else { throw DeviceFilterLexer.fault("~ works with name only", at: start) }
            guard (1...128).contains(value.utf8.count) else {
                throw DeviceFilterLexer.fault("must have 1 to 128 bytes", at: valueColumn)
            }
            return .term(.nameContains(value.lowercased()))
        }
        let expression = try equals(field, at: start, value, isQuoted: isQuoted, valueAt: valueColumn)
        return operation == .unequal ? .not(expression) : expression
    }

    /// A field that stands alone.
    private func standing(_ field: String, at column: Int) throws(Refusal) -> DeviceFilter.Term {
        if field == "online" { return .online }
        if field == "enrolled" { return .enrolled }
        if field == "drift" { return .drift }
        if let key = try labelKey(field, at: column) { return .label(key: key, value: nil) }
        if let name = component(field) { return .component(name, version: nil) }
        if Self.fields.contains(field) || HardwareIdentifier.Kind(rawValue: field) != nil {
            throw fault("expected =, != or ~ after \(field)")
        }
        throw unknown(field, at: column)
    }

    private func equals(
        _ field: String, at column: Int, _ value: String, isQuoted: Bool, valueAt: Int
    ) throws(Refusal) -> DeviceFilter.Expression {
        func wrong(_ rule: String) -> Refusal { DeviceFilterLexer.fault(rule, at: valueAt) }
        switch field {
        case "name":
            if value.last == "*", !isQuoted { return .term(.namePrefix(String(value.dropLast()))) }
            guard let name = Name(value) else { throw wrong("no device can have this name") }
            return .term(.name(name))
        case "status":
            guard let status = DeviceStatus(rawValue: value) else {
                throw wrong("status is one of " + DeviceStatus.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return .term(.status(status))
        case "state":
            guard let expression = Self.states.first(where: { $0.word == value.lowercased() })?.expression else {
                throw wrong("state is one of " + Self.states.map(\.word).joined(separator: ", "))
            }
            return expression
        case "model": return .term(.model(value))
        case "domain": return .term(.domain(value))
        case "capability":
            guard let capability = Capabilities(word: value) else {
                throw wrong("capability is one of " + Capabilities.words.map(\.word).joined(separator: ", "))
            }
            return .term(.capability(capability))
        case "heartbeat":
            guard let state = HeartbeatState(rawValue: value) else {
                throw wrong("heartbeat is one of " + HeartbeatState.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return .term(.heartbeat(state))
        case "online", "enrolled", "drift":
            let term = DeviceFilter.Expression.term(try standing(field, at: column))
            switch value {
            case "true": return term
            case "false": return .not(term)
            default: throw wrong("\(field) is true or false")
            }
        default: break
        }
        if let key = try labelKey(field, at: column) {
            return .term(.label(key: key, value: value == "*" && !isQuoted ? nil : value))
        }
        if let name = component(field) {
            return .term(.component(name, version: value == "*" && !isQuoted ? nil : value))
        }
        if let kind = HardwareIdentifier.Kind(rawValue: field) {
            guard let identifier = HardwareIdentifier(kind, value) else {
                throw wrong("\(field) " + HardwareIdentifier.rule(of: kind))
            }
            return .term(.hardware(identifier))
        }
        throw unknown(field, at: column)
    }

    private func component(_ field: String) -> String? {
        let name = field.dropFirst("component.".count)
        return field.hasPrefix("component.") && !name.isEmpty ? String(name) : nil
    }

    private func labelKey(_ field: String, at column: Int) throws(Refusal) -> String? {
        guard field.hasPrefix("label.") else { return nil }
        guard let key = Name(field.dropFirst("label.".count)) else {
            throw DeviceFilterLexer.fault("label. must be followed by the label's key", at: column)
        }
        return key.text
    }

    private func unknown(_ field: String, at column: Int) -> Refusal {
        let known = Self.fields + HardwareIdentifier.Kind.allCases.map(\.rawValue)
        let hint =
            known.nearest(to: field).map { "did you mean \($0)?" } ?? "use one of \(known.joined(separator: ", "))"
        return DeviceFilterLexer.fault("\(field) is not a field; \(hint)", at: column)
    }
}
