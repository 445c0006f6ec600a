import Trust

/// A code from the sheet for emergencies: 24 letters of 32 carry 120 random bits, so a plain hash is enough to keep.
enum RecoveryCode {
    /// A new code in groups of four.
    static func make(using generator: inout some RandomNumberGenerator) -> String {
        let letters = Letters.random(SignInLimits.recoveryCharacters, using: &generator)
        return stride(from: 0, to: letters.count, by: 4).map { start in
            String(letters.dropFirst(start).prefix(4))
        }.joined(separator: "-")
    }

    /// What the table keeps of a code as somebody typed it; nil when it can be none.
    static func hash(of typed: String) -> [UInt8]? {
        guard typed.utf8.count <= SignInLimits.typedBytes else { return nil }
        let letters = Letters.normal(typed)
        guard letters.utf8.count == SignInLimits.recoveryCharacters,
            letters.utf8.allSatisfy({ Letters.unambiguous.contains($0) })
        else { return nil }
        return Token.hash(of: letters)
    }
}
