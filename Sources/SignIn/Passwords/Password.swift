import Base
import Foundation

/// A password as somebody typed it, brought into the one form that is hashed: NFKC, so that it is the same from every
/// keyboard (NIST SP 800-63B-4, section 3.1.1.2).
struct Password: Sendable, CustomStringConvertible, CustomReflectable {
    /// The text in its one form.
    let text: String

    /// The password that somebody typed; refuses only what is too long to be looked at.
    init(_ typed: String) throws {
        guard typed.utf8.count <= SignInLimits.passwordBytes else {
            throw Refusal(
                .invalid, "password.length",
                "A password has at most \(SignInLimits.passwordCharacters) characters.")
        }
        text = typed.precomposedStringWithCompatibilityMapping
    }

    var bytes: [UInt8] { Array(text.utf8) }

    /// Never the text.
    var description: String { "password" }
    /// Never the text.
    var customMirror: Mirror { Mirror(self, children: []) }
}
