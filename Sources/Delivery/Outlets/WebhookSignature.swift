import Base
import Crypto
import FoundationEssentials

/// The signature of a webhook after the Standard Webhooks specification: HMAC-SHA256 over identifier, time and body.
///
/// The receiver refuses what is old and what it has seen: the time is signed, and the identifier stays the same over
/// all attempts.
struct WebhookSignature: Sendable {
    /// How a secret's text begins.
    static let prefix = "whsec_"

    private let key: SymmetricKey

    /// A signer with the secret spelt by `text`, `whsec_` and base64 of 24 to 64 bytes; nil when it is none.
    init?(secret text: String) {
        guard text.hasPrefix(Self.prefix), let bytes = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))),
            (24...64).contains(bytes.count)
        else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The text of a new secret.
    static func makeSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return prefix + Data(bytes).base64EncodedString()
    }

    /// The value of `webhook-signature`.
    func sign(id: String, timestamp: Int64, body: [UInt8]) -> String {
        let signed = Array("\(id).\(timestamp).".utf8) + body
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: key)
        return "v1," + Data(code).base64EncodedString()
    }
}
