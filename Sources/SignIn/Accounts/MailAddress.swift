/// An e-mail address by which somebody signs in: checked for what mail allows in practice, and in small letters, so
/// that nobody has a second account by writing theirs in capitals.
public struct MailAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in small letters.
    public let text: String

    /// The address that `text` spells, or nil when it is none.
    public init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= SignInLimits.addressCharacters, parts.count == 2,
            (1...64).contains(parts[0].utf8.count), !parts[0].hasPrefix("."), !parts[0].hasSuffix("."),
            !parts[0].contains(".."), parts[0].unicodeScalars.allSatisfy(Self.isLocal), Self.isDomain(parts[1])
        else { return nil }
        self.text = text
    }

    /// What stands before the @.
    public var local: Substring { text.prefix { $0 != "@" } }

    /// The address.
    public var description: String { text }

    /// RFC 5322's atoms, and letters beyond ASCII (RFC 6531). Quoted local parts are not used by anybody.
    private static func isLocal(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            let character = Character(scalar)
            return character.isLetter || character.isNumber || ".!#$%&'*+-/=?^_`{|}~".contains(character)
        }
        return scalar.properties.isAlphabetic
    }

    /// Labels of letters, digits and dashes; `localhost` and other single labels serve closed networks.
    private static func isDomain(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.unicodeScalars.allSatisfy { scalar in
                    scalar == "-"
                        || (scalar.isASCII
                            ? Character(scalar).isLetter || Character(scalar).isNumber
                            : scalar.properties.isAlphabetic)
                }
        }
    }
}
