public import Base
import Crypto
import CryptoExtras
import FoundationEssentials

/// A public key as others publish it (RFC 7517), good for checking signatures and nothing else.
public struct JSONWebKey: Sendable {
    private enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// The key's name in its set.
    public let id: String?
    /// The algorithm that the key is for, when it says so.
    public let algorithm: SignatureAlgorithm?
    private let material: Material

    /// The key that a JSON object describes, or nil when it is for something else, or of a sort that is not taken here.
    public init?(_ json: JSONValue) {
        if let use = json["use"], use != "sig" { return nil }
        if case .array(let operations) = json["key_ops"], !operations.contains("verify") { return nil }
        algorithm = json["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:))
        // A key for another algorithm must not serve for one that only fits by its form.
        if json["alg"] != nil, algorithm == nil { return nil }
        if let id = json["kid"] {
            guard let text = id.string, text.utf8.count <= Limits.keyNameBytes else { return nil }
            self.id = text
        } else {
            id = nil
        }
        guard let material = Self.material(json) else { return nil }
        self.material = material
    }

    private static func material(_ json: JSONValue) -> Material? {
        func bytes(_ name: String, atMost limit: Int) -> [UInt8]? {
            json[name]?.string.flatMap { $0.utf8.count <= limit * 2 ? [UInt8](base64URL: $0) : nil }
        }
        /// Both coordinates. RFC 7518 section 6.2.1.2 wants their full length; Authlib leaves zeros in front out.
        func point(_ length: Int) -> [UInt8]? {
            guard let x = bytes("x", atMost: length), let y = bytes("y", atMost: length),
                (1...length).contains(x.count), (1...length).contains(y.count)
            else { return nil }
            return [x, y].flatMap { [UInt8](repeating: 0, count: length - $0.count) + $0 }
        }
        switch (json["kty"]?.string, json["crv"]?.string) {
        case ("EC", "P-256"):
            return point(32).flatMap { try? P256.Signing.PublicKey(rawRepresentation: $0) }.map { .p256($0) }
        case ("EC", "P-384"):
            return point(48).flatMap { try? P384.Signing.PublicKey(rawRepresentation: $0) }.map { .p384($0) }
        case ("OKP", "Ed25519"):
            guard let x = bytes("x", atMost: 32) else { return nil }
            return (try? Curve25519.Signing.PublicKey(rawRepresentation: x)).map { .ed25519($0) }
        case ("RSA", _):
            guard let n = bytes("n", atMost: Limits.rsaBitsMaximum / 8 + 1), let e = bytes("e", atMost: 8),
                let key = try? _RSA.Signing.PublicKey(n: n, e: e),
                (Limits.rsaBitsMinimum...Limits.rsaBitsMaximum).contains(key.keySizeInBits)
            else { return nil }
            return .rsa(key)
        default: return nil
        }
    }

    /// Whether the key can check signatures of this algorithm.
    func fits(_ wanted: SignatureAlgorithm) -> Bool {
        if let algorithm, algorithm != wanted { return false }
        return switch (material, wanted) {
        case (.p256, .es256), (.p384, .es384), (.rsa, .rs256), (.rsa, .ps256), (.ed25519, .edDSA): true
        default: false
        }
    }

    /// Whether `signature` was made over `message` with this key's other half, by this algorithm.
    func isValid(_ signature: [UInt8], _ algorithm: SignatureAlgorithm, for message: [UInt8]) -> Bool {
        switch (material, algorithm) {
        case (.p256(let key), .es256):
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: message)
            } ?? false
        case (.p384(let key), .es384):
            (try? P384.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: message)
            } ?? false
        case (.ed25519(let key), .edDSA): key.isValidSignature(signature, for: message)
        case (.rsa(let key), .rs256):
            key.isValidSignature(
                .init(rawRepresentation: signature), for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .ps256):
            key.isValidSignature(.init(rawRepresentation: signature), for: SHA256.hash(data: message), padding: .PSS)
        default: false
        }
    }

    /// The members that a private or shared key has and a public one has not.
    private static let secretMembers = ["d", "p", "q", "dp", "dq", "qi", "k"]

    /// Whether a JSON object holds a private or shared key, which nobody should hand out.
    public static func isSecret(_ json: JSONValue) -> Bool { secretMembers.contains { json[$0] != nil } }
}

/// Keys that somebody publishes to have their signatures checked (RFC 7517, section 5).
public struct JSONWebKeySet: Sendable {
    /// The keys that can be used here; others in the document are passed over.
    public let keys: [JSONWebKey]

    /// The set in a JSON document, or nil when it is none or holds too many keys.
    public init?(_ json: JSONValue) {
        guard case .array(let entries) = json["keys"], entries.count <= Limits.keysInSet else { return nil }
        keys = entries.compactMap { JSONWebKey($0) }
    }

    /// A set of these keys.
    public init(_ keys: [JSONWebKey]) { self.keys = keys }

    /// The one key that a token's header means: the named one, or, when it names none, the only one that fits.
    func key(named name: String?, for algorithm: SignatureAlgorithm) -> JSONWebKey? {
        let fitting = keys.filter { $0.fits(algorithm) && (name == nil || $0.id == name) }
        return fitting.count == 1 ? fitting[0] : nil
    }
}
