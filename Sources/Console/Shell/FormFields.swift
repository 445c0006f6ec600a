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
            guard let name = Self.decoded(parts[0]), let value = parts.count > 1 ? Self.decoded(parts[1]) : ""
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

    /// The text behind percent signs, nil when it is not well formed.
    static func decoded(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = true) -> String? {
        var result: [UInt8] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard rest.count >= 2,
                    let value = [UInt8](hex: String(decoding: rest.prefix(2), as: UTF8.self)), value.count == 1
                else { return nil }
                result.append(value[0])
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+") where plusIsSpace: result.append(UInt8(ascii: " "))
            default: result.append(byte)
            }
        }
        // No text of ours holds a zero, and PostgreSQL takes none.
        guard !result.contains(0) else { return nil }
        return String(validating: result, as: UTF8.self)
    }

    /// `text` with everything percent-encoded that means something in a query.
    package static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + [byte].hex.uppercased()
            }
        }
        return result
    }
}
