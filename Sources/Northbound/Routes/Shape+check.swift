public import Base

extension Shape {
    /// Every place where `value` differs from this shape, at most `NorthboundLimits.faults` of them.
    public func faults(in value: JSONValue) -> [Refusal.Fault] {
        var checker = ShapeChecker()
        checker.check(value, self, at: "")
        return checker.faults
    }
}

private struct ShapeChecker {
    var faults: [Refusal.Fault] = []

    private mutating func add(_ place: String, _ message: String) {
        guard faults.count < NorthboundLimits.faults else { return }
        faults.append(Refusal.Fault(place: place, message: message))
    }

    mutating func check(_ value: JSONValue, _ shape: Shape, at place: String) {
        switch shape {
        case .any: break
        case .named(_, let inner): check(value, inner, at: place)
        case .nullable(let inner): if value != .null { check(value, inner, at: place) }
        case .boolean: if case .bool = value {} else { add(place, "must be true or false") }
        case .number:
            switch value {
            case .integer, .number: break
            default: add(place, "must be a number")
            }
        case .integer(let range):
            guard let number = value.integer else { return add(place, "must be a whole number") }
            if !range.contains(number) { add(place, "must be from \(range.lowerBound) to \(range.upperBound)") }
        case .choice(let choices):
            guard let text = value.string, choices.contains(text) else {
                return add(place, "must be one of " + choices.joined(separator: ", "))
            }
        case .text(let form):
            guard let text = value.string else { return add(place, "must be a string") }
            if let message = form.fault(in: text) { add(place, message) }
        case .array(let element, let limit):
            guard case .array(let elements) = value else { return add(place, "must be an array") }
            guard elements.count <= limit else { return add(place, "must have at most \(limit) elements") }
            for (index, value) in elements.enumerated() { check(value, element, at: "\(place)/\(index)") }
        case .map(let element, let limit):
            guard case .object(let members) = value else { return add(place, "must be an object") }
            guard members.count <= limit else { return add(place, "must have at most \(limit) members") }
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                check(value, element, at: "\(place)/\(name.jsonPointerStep)")
            }
        case .object(let members): checkObject(value, members, at: place)
        }
    }

    private mutating func checkObject(_ value: JSONValue, _ members: [Shape.Member], at place: String) {
        guard case .object(let present) = value else { return add(place, "must be an object") }
        for member in members {
            if let value = present[member.name] {
                check(value, member.shape, at: "\(place)/\(member.name.jsonPointerStep)")
            } else if member.isRequired {
                add("\(place)/\(member.name.jsonPointerStep)", "is missing")
            }
        }
        let known = members.map(\.name)
        for name in present.keys.sorted() where !known.contains(name) {
            // Looking for the nearest name costs far more than sending an unknown one.
            guard faults.count < NorthboundLimits.faults else { return }
            let hint = known.nearest(to: name).map { "; did you mean \($0)?" } ?? ""
            add("\(place)/\(name.jsonPointerStep)", "is not known here" + hint)
        }
    }
}

extension Shape.TextForm {
    /// What is wrong with `text`, or nil when it has this form.
    func fault(in text: String) -> String? {
        switch self {
        case .free(let limit):
            // PostgreSQL keeps no text with a zero in it, SQLite would cut some off there.
            text.utf8.contains(0)
                ? "must not hold the character U+0000"
                : text.utf8.count <= limit ? nil : "must have at most \(limit) bytes"
        case .name:
            Name(text) == nil
                ? "must be a name: 1 to 128 letters, digits and . _ : -, starting with a letter or digit" : nil
        case .slug:
            TenantSlug(text) == nil ? "must be 1 to 63 of a-z, 0-9 and -, no dash at either end" : nil
        case .identifier: DeviceID(text: text) == nil ? "must be an identifier of 32 hexadecimal digits" : nil
        case .time:
            Timestamp(rfc3339: text) == nil ? "must be an RFC 3339 time such as 2025-03-01T12:00:00Z" : nil
        case .duration:
            StepLength(text) == nil ? "must be a length of time such as 500ms, 10s, 15m, 1h or 1d" : nil
        case .nameOrIdentifier:
            Name(text) == nil ? "must be a name or an identifier of 32 hexadecimal digits" : nil
        }
    }
}
