public import Base
import Crypto

/// An Ed25519 key with which this server signs what it tells devices to do (JWS, RFC 7515; EdDSA, RFC 8037).
///
/// Ed25519 signs without a random number, which a small machine could lack, and devices check it with little code.
public struct MaintenanceSigner: Sendable {
    /// The key's name: the thumbprint of its public half (RFC 7638).
    public let id: String
    private let key: Curve25519.Signing.PrivateKey

    /// A new key.
    public init() { self.init(Curve25519.Signing.PrivateKey()) }

    /// The key with these bytes, as ``privateBytes`` gave them; nil when they are none.
    public init?(privateBytes: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: privateBytes) else { return nil }
        self.init(key)
    }

    private init(_ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        id = Self.name(of: Array(key.publicKey.rawRepresentation))
    }

    /// The private half, to be sealed before it is stored.
    public var privateBytes: [UInt8] { Array(key.rawRepresentation) }

    /// The 32 bytes of the public half.
    public var publicBytes: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// The public half with these bytes, as others read it (RFC 7517).
    public static func publicKey(_ bytes: [UInt8]) -> JSONValue {
        [
            "kty": "OKP", "crv": "Ed25519", "x": .string(bytes.base64URL), "kid": .string(name(of: bytes)),
            "use": "sig", "alg": .string(SignatureAlgorithm.edDSA.rawValue),
        ]
    }

    /// The canonical text has exactly the required members in the order of their names, as RFC 7638 wants it.
    private static func name(of publicBytes: [UInt8]) -> String {
        let members: JSONValue = ["crv": "Ed25519", "kty": "OKP", "x": .string(publicBytes.base64URL)]
        return Array(SHA256.hash(data: Array(members.canonical.utf8))).base64URL
    }

    /// What says this, signed, in the compact form.
    public func sign(_ payload: JSONValue, type: String) throws -> String {
        let header: JSONValue = [
            "alg": .string(SignatureAlgorithm.edDSA.rawValue), "kid": .string(id), "typ": .string(type),
        ]
        let message = Array(header.canonical.utf8).base64URL + "." + Array(payload.canonical.utf8).base64URL
        return message + "." + Array(try key.signature(for: Array(message.utf8))).base64URL
    }
}
