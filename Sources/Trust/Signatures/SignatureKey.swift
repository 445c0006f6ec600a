import Crypto
import CryptoExtras
import X509

/// A public key of a kind that signs files.
struct SignatureKey: Sendable {
    /// How a signature is made with a key.
    enum Scheme: Sendable, Hashable {
        case rsaPKCS1
        case rsaPSS
        case ecdsa
        case ed25519
    }

    private enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    private let material: Material
    /// What people call keys of this kind and size.
    let name: String

    /// The key of a certificate; nil when it is too weak or of a sort that is not taken here.
    init?(_ key: Certificate.PublicKey) {
        if let key = P256.Signing.PublicKey(key) {
            (material, name) = (.p256(key), "P-256")
        } else if let key = P384.Signing.PublicKey(key) {
            (material, name) = (.p384(key), "P-384")
        } else if let key = P521.Signing.PublicKey(key) {
            (material, name) = (.p521(key), "P-521")
        } else if let key = Curve25519.Signing.PublicKey(key) {
            (material, name) = (.ed25519(key), "Ed25519")
        } else if let key = _RSA.Signing.PublicKey(key),
            (Limits.rsaBitsMinimum...Limits.rsaBitsMaximum).contains(key.keySizeInBits)
        {
            (material, name) = (.rsa(key), "RSA \(key.keySizeInBits)")
        } else {
            return nil
        }
    }

    /// The ways in which a plain signature, which does not say how it was made, may have been made with this key.
    var schemes: [Scheme] {
        switch material {
        case .p256, .p384, .p521: [.ecdsa]
        case .rsa: [.rsaPKCS1, .rsaPSS]
        case .ed25519: [.ed25519]
        }
    }

    /// Whether `signature` was made over `message` with this key's other half.
    ///
    /// RSA-PSS is known with a salt as long as the digest only: the library checks no other.
    func isValid(_ signature: [UInt8], over message: [UInt8], _ scheme: Scheme, _ digest: SignatureDigest) -> Bool {
        if case .ed25519(let key) = material {
            return scheme == .ed25519 && key.isValidSignature(signature, for: message)
        }
        return switch digest {
        case .sha256: isValid(signature, of: SHA256.hash(data: message), scheme)
        case .sha384: isValid(signature, of: SHA384.hash(data: message), scheme)
        case .sha512: isValid(signature, of: SHA512.hash(data: message), scheme)
        }
    }

    private func isValid(_ signature: [UInt8], of digest: some Digest, _ scheme: Scheme) -> Bool {
        switch (material, scheme) {
        case (.p256(let key), .ecdsa):
            (try? P256.Signing.ECDSASignature(derRepresentation: signature)).map {
                key.isValidSignature($0, for: digest)
            } ?? false
        case (.p384(let key), .ecdsa):
            (try? P384.Signing.ECDSASignature(derRepresentation: signature)).map {
                key.isValidSignature($0, for: digest)
            } ?? false
        case (.p521(let key), .ecdsa):
            (try? P521.Signing.ECDSASignature(derRepresentation: signature)).map {
                key.isValidSignature($0, for: digest)
            } ?? false
        case (.rsa(let key), .rsaPKCS1):
            key.isValidSignature(.init(rawRepresentation: signature), for: digest, padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .rsaPSS):
            key.isValidSignature(.init(rawRepresentation: signature), for: digest, padding: .PSS)
        default: false
        }
    }
}

/// A digest that is still good for signatures; SHA-1 is missing on purpose.
enum SignatureDigest: Sendable, Hashable {
    case sha256
    case sha384
    case sha512

    /// The digest of a message.
    func hash(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .sha256: Array(SHA256.hash(data: message))
        case .sha384: Array(SHA384.hash(data: message))
        case .sha512: Array(SHA512.hash(data: message))
        }
    }
}
