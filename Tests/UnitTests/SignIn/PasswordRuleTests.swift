import Testing

@testable import SignIn

@Suite("The rules for passwords")
struct PasswordRuleTests {
    /// The codes of the rules that a password breaks.
    private func broken(_ password: String, _ profile: PasswordProfile, _ context: PasswordContext = .init())
        -> [String]
    {
        profile.checks(password, context).filter { !$0.isSatisfied }.map {
            String($0.code.dropFirst("password.".count))
        }
    }

    @Test(
        "the classic profile has these rules and no other",
        arguments: [
            ("Tr0ub4d&r", []), ("aB3$efgh", []), ("aB3$efghijkm!no9", ["sequence"]), ("aB3$gkqwxnm!no97", []),
            ("aB3$efg", ["length"]), ("aB3$gkqwxnm!no975", ["length"]), ("aBc$efgh", ["digit"]),
            ("123$9876", ["letter"]),
            ("aB3dkfgh", ["symbol"]), ("aB3$ fgh", ["space"]), ("aB3$\u{00A0}fgh", ["space"]),
            ("aB3 efgh", ["symbol", "space"]), ("aB3\tefgh", ["symbol", "space"]),
            // Digits, forwards and backwards; four in a row are allowed.
            ("x$01234y", ["sequence"]), ("x$54321y", ["sequence"]), ("x$1234yz", []), ("x$4321yz", []),
            ("x$67890y", ["sequence"]), ("x$09876y", ["sequence"]),
            // The alphabet, whatever the case.
            ("1$abcdeX", ["sequence"]), ("1$AbCdEx", ["sequence"]), ("1$EDcbax", ["sequence"]), ("1$abcdX9", []),
            ("1$vwxyz9", ["sequence"]), ("1$yzabc9", []),
            // Rows of keys, with shift or without.
            ("1$qwertX", ["sequence"]), ("1$QwErTx", ["sequence"]), ("1$trewqX", ["sequence"]),
            ("1$asdfgX", ["sequence"]),
            ("1$zxcvbA", ["sequence"]), ("1$NBvcxa", ["sequence"]), ("1$qwerX7", []), ("1aX!@#$%", ["sequence"]),
            ("a1)(*&^x", ["sequence"]), ("1$qazwsx", []),
            // Four of a kind; three are allowed, and another case is another character.
            ("x1$aaaay", ["repeated"]), ("x1$aaay9", []), ("x1$aAaAy", []), ("x2$1111y", ["repeated"]),
            ("x1$$$$yz", ["repeated"]), ("", ["length", "digit", "letter", "symbol"]),
            ("pässwört1!", []), ("12345aaaa ", ["symbol", "space", "sequence", "repeated"]),
        ])
    func classic(password: String, expected: [String]) { #expect(broken(password, .classic) == expected) }

    @Test(
        "the NIST profile asks for length and for nothing that is tried first",
        arguments: [
            ("correct horse battery staple", []), ("Zu Hause ist es am schoensten", []),
            ("aaaaaaaaaaaaaaa", ["predictable"]),
            ("shortpassw0rd", ["length"]), (String(repeating: "xK7 ", count: 16), ["predictable"]),
            (String("The quick brown fox jumps over it".prefix(64)), []), ("passwordpassword", ["predictable"]),
            ("123456789012345", ["predictable"]), ("qwertyuiopasdfgh", ["predictable"]),
            ("abcdefghijklmnop", ["predictable"]),
            ("abababababababab", ["predictable"]), ("日本語のパスワードはとても長い", []), ("password2024!!!", ["common"]),
            ("!!!!P@ssw0rd!!!", ["common"]), ("tidegatetidegate", ["context"]),
            ("", ["length", "predictable"]),
            (String(repeating: "correct horse ", count: 20), ["maximum"]),
        ])
    func nist(password: String, expected: [String]) {
        let found = broken(password, .nist)
        if expected == ["maximum"] {
            #expect(found.contains("maximum"))
        } else {
            #expect(found == expected)
        }
    }

    @Test(
        "beside a second factor eight characters are enough, but not the common ones",
        arguments: [
            ("kV7qzpWm", []), ("kV7qzpW", ["length"]), ("baseball", ["common"]), ("BaseBall", ["common"]),
            ("p4ssw0rd", ["common"]), ("trustno1", ["common"]), ("1qaz2wsx", ["common"]),
            ("qwertyui", ["common", "predictable"]),
        ])
    func besideFactor(password: String, expected: [String]) {
        #expect(broken(password, .nist, PasswordContext(hasSecondFactor: true)) == expected)
    }

    @Test(
        "what is known of somebody is no password for them",
        arguments: [
            ("annabel.schmidt", ["context"]), ("schmidt-annabel", ["context"]), ("Annabel1Schmidt", ["context"]),
            ("acmewindpower-2024", ["context"]), ("annabel likes wind mills", []),
        ])
    func context(password: String, expected: [String]) {
        let context = PasswordContext(words: ["annabel.schmidt@acme.example", "Annabel Schmidt", "Acme Windpower"])
        #expect(broken(password, .nist, context) == expected)
    }

    @Test("every rule is there as code and sentence, whatever is typed", arguments: PasswordProfile.allCases)
    func data(profile: PasswordProfile) {
        let empty = profile.checks("")
        let long = profile.checks(String(repeating: "🦀", count: 100_000))
        #expect(empty.map(\.code) == long.map(\.code) && Set(empty.map(\.code)).count == empty.count)
        #expect(empty.allSatisfy { $0.sentence.hasSuffix(".") && $0.code.hasPrefix("password.") })
        #expect(long.contains { !$0.isSatisfied })
    }

    @Test("the same characters from another keyboard are the same password")
    func normalised() throws {
        #expect(try Password("e\u{301}").bytes == Password("\u{e9}").bytes)
        #expect(try Password("ﬁne").text == "fine")
        #expect("\(try Password("secret"))" == "password")
    }

    @Test("the list of common passwords is whole")
    func list() {
        #expect(CommonPasswords.count > 11_000)
        for word in ["password", "12345678", "iloveyou", "qwertyuiop", "sunshine"] {
            #expect(CommonPasswords.contains(word))
        }
        #expect(!CommonPasswords.contains("kV7qzpWm"))
    }
}
