/// The profile after NIST SP 800-63B-4, section 3.1.1: length, and nothing that attackers try first. No rules about
/// kinds of characters and no expiry: the standard forbids both.
enum NISTRules {
    /// Characters of a password that stands alone.
    static let aloneCharacters = 15
    /// Characters of a password beside a second factor, and what must be left of one when all that is easily guessed
    /// is taken out.
    static let leastCharacters = 8

    static func checks(_ text: String, _ context: PasswordContext) -> [PasswordCheck] {
        let least = context.hasSecondFactor ? leastCharacters : aloneCharacters
        let count = text.unicodeScalars.count
        let plain = text.lowercased()
        return [
            PasswordCheck("password.length", "Have at least \(least) characters.", count >= least),
            PasswordCheck(
                "password.maximum", "Have at most \(SignInLimits.passwordCharacters) characters.",
                count <= SignInLimits.passwordCharacters),
            PasswordCheck("password.common", "Be none of the passwords that are tried first.", !isCommon(plain)),
            PasswordCheck(
                "password.predictable", "Be more than repetitions and runs such as 12345 or qwerty.",
                !isPredictable(plain)),
            PasswordCheck(
                "password.context", "Be more than your names, your address or your organisation.",
                !isMostly(context.words, plain)),
        ]
    }

    /// Whether it is a common password, also with letters written as digits, or with digits and signs around it.
    private static func isCommon(_ plain: String) -> Bool {
        let core = trimmed(plain)
        let around = plain.unicodeScalars.count - core.unicodeScalars.count
        return CommonPasswords.contains(plain) || CommonPasswords.contains(unmasked(plain))
            || (around < leastCharacters
                && (CommonPasswords.contains(core) || CommonPasswords.contains(unmasked(core))))
    }

    private static func trimmed(_ plain: String) -> String {
        let isLetter: (Character) -> Bool = { $0.isLetter }
        guard let first = plain.firstIndex(where: isLetter), let last = plain.lastIndex(where: isLetter) else {
            return plain
        }
        return String(plain[first...last])
    }

    private static let masks: [Character: Character] = [
        "0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i",
    ]

    private static func unmasked(_ plain: String) -> String { String(plain.map { masks[$0] ?? $0 }) }

    private static func isPredictable(_ plain: String) -> Bool {
        let scalars = Array(plain.unicodeScalars)
        guard !scalars.isEmpty else { return true }
        if Set(scalars).count < 5 { return true }
        if let unit = repeatedUnit(scalars) {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars[..<unit])
            return unit < leastCharacters || isCommon(String(text)) || isPredictable(String(text))
        }
        // A run counts as one character: there is nothing more in it to guess.
        let runs = CharacterSequences.runs(in: plain, ofAtLeast: ClassicRules.sequence)
        let left = runs.reduce(scalars.count) { $0 - $1.count + 1 }
        return !runs.isEmpty && left < leastCharacters
    }

    /// The length of the piece that the whole text repeats, if there is one.
    private static func repeatedUnit(_ scalars: [Unicode.Scalar]) -> Int? {
        guard scalars.count >= 2 else { return nil }
        return (1...scalars.count / 2).first { unit in
            scalars.indices.dropFirst(unit).allSatisfy { scalars[$0] == scalars[$0 - unit] }
        }
    }

    /// Whether less than a short password is left when these words are taken out.
    private static func isMostly(_ words: [String], _ plain: String) -> Bool {
        var rest = plain
        var found = 0
        for word in words {
            let pieces = rest.split(separator: word, omittingEmptySubsequences: false)
            found += pieces.count - 1
            rest = pieces.joined()
        }
        return found > 0 && rest.unicodeScalars.count + found < leastCharacters
    }
}
