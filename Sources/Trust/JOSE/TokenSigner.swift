public import Base
import Crypto

/// A key on P-256 with which this server signs tokens (ES256).
public struct TokenSigner: Sendable {
    /// The key's name: the thumbprint of its public half (RFC 7638).
    public let id: String
    private let key: P256.Signing.PrivateKey

    /// A new key.
    public init() { self.init(P256.Signing.PrivateKey()) }

    /// The key with these bytes, as ``privateBytes`` gave them; nil when they are none.
    public init?(privateBytes: [UInt8]) {
        guard let key = try? P256.Signing.PrivateKey(rawRepresentation: privateBytes) else { return nil }
        self.init(key)
    }

    private init(_ key: P256.Signing.PrivateKey) {
        self.key = key
        var members = Self.coordinates(key)
        members["kty"] = "EC"
        members["crv"] = "P-256"
        // The canonical text has exactly the required members in the order of their names, as the RFC wants it.
        id = Array(SHA256.hash(data: Array(JSONValue.object(members).canonical.utf8))).base64URL
    }

    /// The private half, to be sealed before it is stored.
    public var privateBytes: [UInt8] { Array(key.rawRepresentation) }

    /// The public half as others read it.
    public var publicKey: JSONValue {
        var members = Self.coordinates(key)
        members["kty"] = "EC"
        members["crv"] = "P-256"
        members["kid"] = .string(id)
        members["use"] = "sig"
        members["alg"] = .string(SignatureAlgorithm.es256.rawValue)
        return .object(members)
    }

    private static func coordinates(_ key: P256.Signing.PrivateKey) -> [String: JSONValue] {
        let point = Array(key.publicKey.rawRepresentation)
        return ["x": .string(Array(point.prefix(32)).base64URL), "y": .string(Array(point.suffix(32)).base64URL)]
    }

    /// A token that makes these claims.
    public func sign(_ claims: JSONValue, type: String = "JWT") throws -> String {
        let header: JSONValue = [
            "alg": .string(SignatureAlgorithm.es256.rawValue), "kid": .string(id), "typ": .string(type),
        ]
        let message = Array(header.canonical.utf8).base64URL + "." + Array(claims.canonical.utf8).base64URL
        let signature = try key.signature(for: Array(message.utf8))
        return message + "." + Array(signature.rawRepresentation).base64URL
    }
}
