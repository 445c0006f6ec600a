package import Base

/// Reads the members of one JSON object, collecting every fault with its JSON pointer instead of stopping at the first.
///
/// A member that nobody asked for is a fault too, so that a misspelt policy is never silently the default.
struct DocumentReader {
    private let members: [String: JSONValue]
    private let pointer: String
    private var known: Set<String> = []
    private(set) var faults: [Refusal.Fault] = []

    /// A reader of `value`, which stands at `pointer` in the whole document.
    init(_ value: JSONValue, at pointer: String = "") {
        self.pointer = pointer
        if case .object(let members) = value {
            self.members = members
        } else {
            members = [:]
            faults.append(Refusal.Fault(place: pointer, message: "must be an object"))
        }
    }

    /// Notes that the member `key`, or something within it, is wrong.
    mutating func fault(_ key: String, _ message: String) {
        faults.append(Refusal.Fault(place: place(key), message: message))
    }

    /// Notes that the element or member `step` of the member `key` is wrong.
    mutating func fault(_ key: String, _ step: String, _ message: String) {
        faults.append(Refusal.Fault(place: "\(place(key))/\(step.jsonPointerStep)", message: message))
    }

    /// The pointer to the member `key`.
    func place(_ key: String) -> String { "\(pointer)/\(key.jsonPointerStep)" }

    /// Takes over the faults that were found within a member.
    mutating func adopt(_ inner: [Refusal.Fault]) { faults += inner }

    /// The member `key`; null counts as absent.
    mutating func value(_ key: String) -> JSONValue? {
        known.insert(key)
        guard let value = members[key], value != .null else { return nil }
        return value
    }

    /// Whether the member `key` is there, be it null.
    func has(_ key: String) -> Bool { members[key] != nil }

    /// The text of 1 to `limit` bytes at `key`, without control characters.
    mutating func text(_ key: String, limit: Int) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, PlainText.isPlain(text, limit: limit) else {
            fault(key, "must be text of 1 to \(limit) bytes without control characters")
            return nil
        }
        return text
    }

    /// The name at `key`.
    mutating func name(_ key: String) -> Name? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let name = Name(text) else {
            fault(key, "must be 1 to 128 letters, digits and ._:- and start with a letter or digit")
            return nil
        }
        return name
    }

    /// True or false at `key`.
    mutating func bool(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let bool) = value else {
            fault(key, "must be true or false")
            return nil
        }
        return bool
    }

    /// The whole number within `range` at `key`.
    mutating func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(key) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            fault(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// The number within `range` at `key`.
    mutating func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.double, range.contains(number) else {
            fault(key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// One of the words of `type` at `key`.
    mutating func word<Word>(_ key: String, of type: Word.Type) -> Word?
    where Word: RawRepresentable<String> & CaseIterable {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let word = Word(rawValue: text) else {
            fault(key, "must be one of " + Word.allCases.map(\.rawValue).joined(separator: ", "))
            return nil
        }
        return word
    }

    /// The array of at most `limit` elements at `key`.
    mutating func array(_ key: String, limit: Int) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value, elements.count <= limit else {
            fault(key, "must be an array of at most \(limit) elements")
            return nil
        }
        return elements
    }

    /// The object of at most `limit` members at `key`.
    mutating func object(_ key: String, limit: Int) -> [String: JSONValue]? {
        guard let value = value(key) else { return nil }
        guard case .object(let members) = value, members.count <= limit else {
            fault(key, "must be an object of at most \(limit) members")
            return nil
        }
        return members
    }

    /// Notes each member that was not asked for; call it last.
    mutating func finish() {
        for key in members.keys.sorted() where !known.contains(key) {
            let hint = known.sorted().nearest(to: key).map { "; did you mean \($0)?" } ?? ""
            fault(key, "is not known here\(hint)")
        }
    }
}

/// What text may hold that people read and that goes into lists, CSV and logs.
enum PlainText {
    /// Whether `text` has 1 to `limit` bytes and no control character.
    static func isPlain(_ text: String, limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}

extension JSONValue {
    /// The number, when this is one.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension Refusal {
    /// The refusal of a document with these faults, the first hundred of which it names.
    package static func faulty(_ code: String, _ what: String, _ faults: [Fault]) -> Refusal {
        let more = faults.count > FleetLimits.namedFaults ? "; the first \(FleetLimits.namedFaults) are named" : ""
        return Refusal(
            .invalid, code, "\(what) has \(faults.count) fault\(faults.count == 1 ? "" : "s")\(more)",
            faults: Array(faults.prefix(FleetLimits.namedFaults)))
    }
}
