/// The classic profile: exactly these rules, each on its own.
enum ClassicRules {
    static let length = 8...16
    /// How long a sequence must be to be refused.
    static let sequence = 5
    /// How often a character must stand in a row to be refused.
    static let repetitions = 4

    static func checks(_ text: String) -> [PasswordCheck] {
        let scalars = Array(text.unicodeScalars)
        return [
            PasswordCheck(
                "password.length", "Have \(length.lowerBound) to \(length.upperBound) characters.",
                length.contains(scalars.count)),
            PasswordCheck("password.digit", "Hold a digit.", scalars.contains(where: isDigit)),
            PasswordCheck("password.letter", "Hold a letter.", scalars.contains(where: isLetter)),
            PasswordCheck(
                "password.symbol", "Hold a character that is neither a letter nor a digit.",
                scalars.contains { !isDigit($0) && !isLetter($0) && !$0.properties.isWhitespace }),
            PasswordCheck(
                "password.space", "Hold no white space.", !scalars.contains { $0.properties.isWhitespace }),
            PasswordCheck(
                "password.sequence",
                "Hold no five characters in the order of digits, the alphabet or a row of keys, forwards or backwards.",
                CharacterSequences.runs(in: text, ofAtLeast: sequence).isEmpty),
            PasswordCheck(
                "password.repeated", "Hold no character four times in a row.",
                !hasRepetition(scalars)),
        ]
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.numericType == .decimal }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isAlphabetic }

    private static func hasRepetition(_ scalars: [Unicode.Scalar]) -> Bool {
        var length = 0
        var last: Unicode.Scalar?
        for scalar in scalars {
            length = scalar == last ? length + 1 : 1
            if length == repetitions { return true }
            last = scalar
        }
        return false
    }
}
