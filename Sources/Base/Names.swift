/// A tenant's short name in addresses and certificates: 1 to 63 of `a-z`, `0-9` and `-`, no dash at either end.
///
/// It is one label of a host name (RFC 1123), so it never holds a dot: a tenant can not pose as another's sub-domain.
public struct TenantSlug: Hashable, Sendable, CustomStringConvertible {
    /// The checked text.
    public let text: String

    /// The slug spelt by `text`, or nil when it breaks the rule.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-"),
            bytes.allSatisfy({ Self.isAllowed($0) })
        else { return nil }
        self.text = String(text)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-")
    }

    /// The text itself.
    public var description: String { text }

    /// The platform's own slug, which no customer can take.
    public static let platform = TenantSlug(unchecked: "platform")

    private init(unchecked text: String) { self.text = text }
}

/// A name that people give to a device, domain, model, role or series: 1 to 128 of letters, digits and `._:-`,
/// starting with a letter or digit.
///
/// The rule keeps every name safe in an address, a topic, a CSV cell and a shell word, and never mistaken for an
/// MQTT wildcard.
public struct Name: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The checked text.
    public let text: String

    /// The name spelt by `text`, or nil when it breaks the rule.
    public init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard (1...128).contains(bytes.count), let first = bytes.first, Self.isAlphanumeric(first),
            bytes.allSatisfy({ Self.isAlphanumeric($0) || "._:-".utf8.contains($0) })
        else { return nil }
        self.text = String(text)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// The text itself.
    public var description: String { text }

    /// The order of the bytes, the same as in the database.
    public static func < (left: Name, right: Name) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension TenantSlug: Codable {
    /// Reads a text that follows the rule.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = TenantSlug(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a tenant's slug is 1 to 63 of a-z, 0-9 and -, no dash at either end")
        }
        self = value
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension Name: Codable {
    /// Reads a text that follows the rule.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Name(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "a name is 1 to 128 letters, digits and ._:- and starts with a letter or digit")
        }
        self = value
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
