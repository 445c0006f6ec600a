/// What a person types to connect a program that has no browser (RFC 8628, section 6.1): eight letters, `WDJB-MJHT`.
///
/// Consonants only, so that no code spells a word, and nothing that looks like something else. 20 to the power of 8 is
/// enough for the ten minutes that a code lives, with few attempts for each person.
public struct UserCode: Hashable, Sendable {
    /// The eight letters as they are stored.
    public let letters: String

    /// The letters as they are shown, with a dash in the middle.
    public var shown: String { letters.prefix(4) + "-" + letters.suffix(4) }

    /// A new code.
    public static func make() -> UserCode {
        var generator = SystemRandomNumberGenerator()
        return make(using: &generator)
    }

    static func make(using generator: inout some RandomNumberGenerator) -> UserCode {
        UserCode(
            letters: String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }))
    }

    /// The code that somebody typed, in either case and with any spaces and dashes; nil when it can be none.
    public init?(typed text: String) {
        guard text.utf8.count <= 32 else { return nil }
        let letters = text.uppercased().filter { $0 != "-" && $0 != " " }
        guard letters.count == Self.length, letters.allSatisfy(Self.alphabet.contains) else { return nil }
        self.letters = letters
    }

    private init(letters: String) { self.letters = letters }

    private static let length = 8
    private static let alphabet: [Character] = Array("BCDFGHJKLMNPQRSTVWXZ")
}
