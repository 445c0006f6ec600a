import Base

/// The fields of a form or of a query, each with its values in their order.
package struct FormFields: Sendable {
    private var values: [String: [String]] = [:]

    /// No fields.
    package init() {}

    /// The fields that `text` spells as `application/x-www-form-urlencoded`; nil when it is not well formed or has too
    /// many.
    package init?(_ text: some StringProtocol) {
        var count = 0
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            count += 1
            guard count <= ConsoleLimits.formFields else { return nil }
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = String(percentDecoding: parts[0], plusIsSpace: true),
                let value = parts.count > 1 ? String(percentDecoding: parts[1], plusIsSpace: true) : ""
            else { return nil }
            values[name, default: []].append(value)
        }
    }

    /// The first value of a field, without white space at its ends; nil when there is none or it is empty.
    package func text(_ name: String) -> String? {
        guard let value = values[name]?.first else { return nil }
        let trimmed = value.trimmingPrefix { $0.isWhitespace }
        let end = trimmed.lastIndex { !$0.isWhitespace }
        return end.map { String(trimmed[...$0]) }
    }

    /// The first value of a field exactly as it came; empty when there is none.
    package func exact(_ name: String) -> String { values[name]?.first ?? "" }

    /// All values of a field that are not empty.
    package func texts(_ name: String) -> [String] { (values[name] ?? []).filter { !$0.isEmpty } }

    /// Whether the field is there at all, as a ticked box is.
    package func has(_ name: String) -> Bool { values[name] != nil }

    /// Each field that is there once, by its name.
    package var single: [String: String] {
        values.compactMapValues { $0.count == 1 ? $0.first : nil }
    }

    /// Every field with its values, by name; each name's values in their order.
    var pairs: [(name: String, value: String)] {
        values.sorted { $0.key < $1.key }.flatMap { name, values in values.map { (name, $0) } }
    }

    /// The fields as they would be sent again, without the named one.
    func text(without left: String) -> String {
        pairs.filter { $0.name != left }.map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }
            .joined(separator: "&")
    }
}
