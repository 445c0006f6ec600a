import Base
import Crypto

/// The keys by which a tenant signs what its devices shall do: a JWK Set (RFC 7517) of Ed25519 keys (RFC 8037).
package struct MaintenanceKeys: Sendable {
    private let keys: [String: Curve25519.Signing.PublicKey]

    /// No keys: everything is refused.
    package init() { keys = [:] }

    /// The keys of a set; those of other kinds do not count. Nil when it is no set.
    package init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: 64 << 10, depth: 8)),
            case .array(let entries)? = value["keys"], entries.count <= AgentLimits.keys
        else { return nil }
        var keys: [String: Curve25519.Signing.PublicKey] = [:]
        for entry in entries {
            guard entry["kty"]?.string == "OKP", entry["crv"]?.string == "Ed25519", let kid = entry["kid"]?.string,
                let text = entry["x"]?.string, let bytes = [UInt8](base64URL: text),
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
            else { continue }
            keys[kid] = key
        }
        self.keys = keys
    }

    /// Whether there is a key of this name.
    package func knows(_ kid: String) -> Bool { keys[kid] != nil }

    func verifies(_ signature: [UInt8], of text: [UInt8], by kid: String) -> Bool {
        keys[kid]?.isValidSignature(signature, for: text) ?? false
    }
}
