import Base

/// Values by name as `application/x-www-form-urlencoded` writes them, in bodies and in queries.
public enum FormText {
    /// The values in `text`, or nil when it is badly encoded, has too many, or gives one twice (RFC 6749, section 3.1).
    public static func values(_ text: some StringProtocol) -> [String: String]? {
        guard text.utf8.count <= OAuthLimits.formBytes else { return nil }
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = parts.count > 1 ? decoded(parts[1]) : "",
                values[name] == nil, values.count < OAuthLimits.formValues
            else { return nil }
            values[name] = value
        }
        // RFC 6749, section 3.1: a value that is sent empty counts as not sent.
        return values.filter { !$0.value.isEmpty }
    }

    /// The text that `text` stands for, nil when it is badly encoded or holds a control character.
    static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let pair = [UInt8](hex: String(decoding: rest.prefix(2), as: UTF8.self)) else {
                    return nil
                }
                bytes += pair
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Values as text, in the order of their names.
    public static func text(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { escaped($0.key) + "=" + escaped($0.value) }.joined(separator: "&")
    }

    /// `text` with everything escaped that has a meaning of its own.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "-._~".utf8.contains(byte): escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += "%" + [byte].hex.uppercased()
            }
        }
        return escaped
    }
}
