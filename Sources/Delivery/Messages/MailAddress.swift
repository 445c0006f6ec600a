/// A mail address that is safe in a header and in SMTP: a dot-atom, an at sign and a host name, all of ASCII.
///
/// Quoted local parts, comments and address literals of RFC 5321 are refused: hardly anybody has such an address, and
/// every one of those forms has carried attacks. An internationalised host is given in its `xn--` form.
public struct MailAddress: Hashable, Sendable, CustomStringConvertible {
    /// The checked text.
    public let text: String

    /// The address spelt by `text`, or nil when it is none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count),
            parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ Self.isAtom($0) }),
            Self.isHost(parts[1])
        else { return nil }
        self.text = String(text)
    }

    /// The part behind the at sign.
    public var host: Substring { text.split(separator: "@")[1] }

    /// The text itself.
    public var description: String { text }

    private static func isAtom(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
    }

    private static func isHost(_ text: some StringProtocol) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

/// A telephone number after E.164: a plus sign and 8 to 15 digits.
public struct PhoneNumber: Hashable, Sendable, CustomStringConvertible {
    /// The checked text.
    public let text: String

    /// The number spelt by `text`, or nil when it is none.
    public init?(_ text: some StringProtocol) {
        let digits = text.dropFirst()
        guard text.first == "+", (8...15).contains(digits.utf8.count), digits.first != "0",
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        self.text = String(text)
    }

    /// The text itself.
    public var description: String { text }
}
