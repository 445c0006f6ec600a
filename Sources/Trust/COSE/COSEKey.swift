public import Base
import Crypto
import CryptoExtras

/// A public key as an authenticator writes it (RFC 9053), good for checking signatures and nothing else.
public struct COSEKey: Sendable {
    private enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// The algorithms that are taken, the preferred one first, each with its number in COSE.
    public static let algorithms: [(algorithm: SignatureAlgorithm, number: Int64)] = [
        (.es256, -7), (.edDSA, -8), (.rs256, -257),
    ]

    /// The algorithm that the key is for.
    public let algorithm: SignatureAlgorithm
    private let material: Material

    /// The key that a map describes, or nil when it is of another sort or says more than a public key has to
    /// (WebAuthn, section 6.5.1.1: the algorithm is named, and nothing optional is).
    public init?(_ value: CBORValue) {
        guard case .map(let pairs) = value, case .integer(let number) = value[3],
            let algorithm = Self.algorithms.first(where: { $0.number == number })?.algorithm,
            let material = Self.material(value, algorithm, members: pairs.count)
        else { return nil }
        self.algorithm = algorithm
        self.material = material
    }

    private static func material(_ value: CBORValue, _ algorithm: SignatureAlgorithm, members: Int) -> Material? {
        switch (algorithm, value[1], value[-1], value[-2], value[-3]) {
        case (.es256, .integer(2), .integer(1), .bytes(let x), .bytes(let y)):
            guard members == 5, x.count == 32, y.count == 32 else { return nil }
            return (try? P256.Signing.PublicKey(rawRepresentation: x + y)).map { .p256($0) }
        case (.edDSA, .integer(1), .integer(6), .bytes(let x), nil):
            guard members == 4, x.count == 32 else { return nil }
            return (try? Curve25519.Signing.PublicKey(rawRepresentation: x)).map { .ed25519($0) }
        case (.rs256, .integer(3), .bytes(let n), .bytes(let e), nil):
            guard members == 4, n.count <= Limits.rsaBitsMaximum / 8, e.count <= 8,
                let key = try? _RSA.Signing.PublicKey(n: n, e: e),
                (Limits.rsaBitsMinimum...Limits.rsaBitsMaximum).contains(key.keySizeInBits)
            else { return nil }
            return .rsa(key)
        default: return nil
        }
    }

    /// Whether `signature` was made over `message` with this key's other half, in WebAuthn's form (section 6.5.5).
    public func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch material {
        case .p256(let key):
            (try? P256.Signing.ECDSASignature(derRepresentation: signature)).map {
                key.isValidSignature($0, for: message)
            } ?? false
        case .ed25519(let key): key.isValidSignature(signature, for: message)
        case .rsa(let key):
            key.isValidSignature(
                .init(rawRepresentation: signature), for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        }
    }
}
