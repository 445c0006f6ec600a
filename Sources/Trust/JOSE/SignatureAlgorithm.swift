/// A way of signing tokens (RFC 7518, section 3.1; RFC 8037) that this server takes.
///
/// `none` and the algorithms with a shared secret are missing on purpose: what is not listed can not be asked for.
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// ECDSA on P-384 with SHA-384.
    case es384 = "ES384"
    /// RSA with PKCS #1 1.5 padding and SHA-256, which most providers still use.
    case rs256 = "RS256"
    /// RSA with PSS padding and SHA-256.
    case ps256 = "PS256"
    /// Ed25519.
    case edDSA = "EdDSA"
}
