/// One rule for passwords, and whether one satisfies it: what a form shows while somebody types.
public struct PasswordCheck: Sendable, Hashable {
    /// The rule's stable code, such as `password.length`.
    public let code: String
    /// The rule in a sentence.
    public let sentence: String
    /// Whether the password satisfies it.
    public let isSatisfied: Bool

    init(_ code: String, _ sentence: String, _ isSatisfied: Bool) {
        self.code = code
        self.sentence = sentence
        self.isSatisfied = isSatisfied
    }
}

/// What is known of the person whose password it is.
public struct PasswordContext: Sendable, Hashable {
    /// Words that are easily guessed for them: their names, their address, their organisation.
    public let words: [String]
    /// Whether a second factor stands beside the password.
    public let hasSecondFactor: Bool

    /// What is known of somebody; words of less than four characters are no reason to refuse anything.
    public init(words: [String] = [], hasSecondFactor: Bool = false) {
        var pieces: Set<String> = []
        for word in words + ["tidegate"] {
            let word = word.lowercased()
            for piece in [Substring(word)] + word.split(whereSeparator: { !$0.isLetter && !$0.isNumber })
            where piece.count >= 4 { pieces.insert(String(piece)) }
        }
        // Longer ones first, so that they are not broken up by the shorter ones within.
        self.words = pieces.sorted { ($1.count, $0) < ($0.count, $1) }
        self.hasSecondFactor = hasSecondFactor
    }
}

/// The rules that a tenant has for passwords.
public enum PasswordProfile: String, Sendable, CaseIterable {
    /// Length and a list of common passwords, nothing else: NIST SP 800-63B-4.
    case nist
    /// The rules that procurement often still asks for; neither NIST nor OWASP recommend them.
    case classic

    /// Every rule of the profile, and whether the password satisfies it.
    public func checks(_ typed: String, _ context: PasswordContext = PasswordContext()) -> [PasswordCheck] {
        guard let password = try? Password(typed) else {
            return checks(of: "", context).map { PasswordCheck($0.code, $0.sentence, false) }
        }
        return checks(of: password.text, context)
    }

    private func checks(of text: String, _ context: PasswordContext) -> [PasswordCheck] {
        switch self {
        case .nist: NISTRules.checks(text, context)
        case .classic: ClassicRules.checks(text)
        }
    }
}
