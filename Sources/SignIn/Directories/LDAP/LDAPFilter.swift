import Base

/// Puts what somebody typed into a filter so that it can mean nothing but itself (RFC 4515, section 3).
enum LDAPFilter {
    /// `template` with each `{name}` replaced by its escaped value.
    static func filled(_ template: String, _ values: [String: String]) -> String {
        var filter = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            filter += rest[..<open]
            rest = rest[open...]
            guard let close = rest.firstIndex(of: "}"),
                let value = values[String(rest[rest.index(after: open)..<close])]
            else {
                filter.append("{")
                rest = rest.dropFirst()
                continue
            }
            filter += escaped(value)
            rest = rest[rest.index(after: close)...]
        }
        return filter + rest
    }

    /// Each byte that is no plain letter or digit as a backslash and two digits.
    static func escaped(_ value: String) -> String {
        var text = ""
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "@._- ".utf8.contains(byte): text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\" + [byte].hex
            }
        }
        return text
    }

    /// Whether a template can be a filter: parentheses that close, and the placeholder that it needs.
    static func isTemplate(_ text: String, needing name: String) -> Bool {
        var depth = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            guard depth >= 0 else { return false }
        }
        return depth == 0 && text.hasPrefix("(") && text.hasSuffix(")") && text.contains("{\(name)}")
    }
}
