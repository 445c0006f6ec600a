import Base
import Crypto

/// Proof Key for Code Exchange (RFC 7636), by its method S256 only.
public enum ProofKey {
    /// The name of the one method.
    public static let method = "S256"

    /// A new verifier: 256 random bits.
    public static func makeVerifier() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }.base64URL
    }

    /// Whether `text` can be a verifier: 43 to 128 unreserved characters (section 4.1).
    public static func isVerifier(_ text: some StringProtocol) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~".utf8.contains(byte)
                }
            }
    }

    /// Whether `text` can be a challenge: a SHA-256 in base64url.
    public static func isChallenge(_ text: some StringProtocol) -> Bool { [UInt8](base64URL: text)?.count == 32 }

    /// The challenge for a verifier.
    public static func challenge(of verifier: some StringProtocol) -> String {
        Array(SHA256.hash(data: Array(verifier.utf8))).base64URL
    }

    /// Whether a verifier is the one behind a challenge.
    public static func matches(_ verifier: String, challenge: String) -> Bool {
        isVerifier(verifier) && ConstantTime.equal(Array(self.challenge(of: verifier).utf8), Array(challenge.utf8))
    }
}
