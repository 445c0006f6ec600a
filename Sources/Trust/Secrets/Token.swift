import Crypto

/// A bearer secret that the server hands out once: `tg_<kind>_<27 random characters>_<checksum>`.
///
/// The prefix and the checksum let a secret scanner recognise a leaked token without asking anybody, and let the
/// server refuse a mistyped one without a look-up. The random part carries 160 bits, so a plain hash is enough to
/// store it: there is nothing to guess.
public struct Token: Sendable {
    /// The whole text, to be shown once and never stored.
    public let text: String

    /// The SHA-256 of the text: what the database keeps.
    public var hash: [UInt8] { Token.hash(of: text) }

    /// A new token of `kind`, which is 1 to 16 lower-case letters such as `enrol` or `api`.
    public static func make(kind: String) -> Token {
        var generator = SystemRandomNumberGenerator()
        return make(kind: kind, using: &generator)
    }

    /// A new token of `kind` from `generator`'s random bits.
    public static func make(kind: String, using generator: inout some RandomNumberGenerator) -> Token {
        precondition(isKind(kind[...]), "a token's kind is written in the source, never read from outside")
        var body = "tg_\(kind)_"
        for _ in 0..<bodyCharacters { body.append(character(Int.random(in: 0..<62, using: &generator))) }
        return Token(text: "\(body)_\(checksum(of: body))")
    }

    /// The token spelt by `text`, or nil when its form or checksum is wrong: then it was never handed out.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Limits.tokenBytes else { return nil }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "tg", Self.isKind(parts[1]), parts[2].utf8.count == Self.bodyCharacters,
            parts[2].utf8.allSatisfy({ Self.alphabet.contains($0) }),
            parts[3] == Self.checksum(of: "tg_\(parts[1])_\(parts[2])")
        else { return nil }
        self.text = String(text)
    }

    private init(text: String) { self.text = text }

    /// The kind in the text.
    public var kind: String { String(text.dropFirst(3).prefix { $0 != "_" }) }

    /// The SHA-256 of any secret's text, for a look-up of the stored one.
    public static func hash(of text: some StringProtocol) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    private static let bodyCharacters = 27
    private static let checksumCharacters = 6
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    private static func character(_ value: Int) -> Character { Character(Unicode.Scalar(alphabet[value])) }

    private static func isKind(_ text: some StringProtocol) -> Bool {
        (1...Limits.tokenKindBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    }

    /// The CRC-32 of the text in six base-62 digits: enough against typing errors, no defence against anybody.
    private static func checksum(of text: String) -> String {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in text.utf8 {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        var rest = ~crc
        var digits: [Character] = []
        for _ in 0..<checksumCharacters {
            digits.append(character(Int(rest % 62)))
            rest /= 62
        }
        return String(digits.reversed())
    }
}

extension Token: CustomStringConvertible, CustomReflectable {
    /// The kind only, so that a token that strays into a log stays secret.
    public var description: String { "tg_\(kind)_…" }
    /// The kind only, for debuggers and dumps.
    public var customMirror: Mirror { Mirror(self, children: ["kind": kind]) }
}
