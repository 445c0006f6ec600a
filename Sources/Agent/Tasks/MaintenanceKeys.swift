package import Base
import Crypto

/// The keys by which a tenant signs what its devices shall do: a JWK Set (RFC 7517) of Ed25519 keys (RFC 8037).
///
/// The first set counts as it comes, and is kept. A later one counts as far as the kept keys vouch for it, so that whoever
/// holds the server's TLS key, and not the tenant's, can put no key of his own in their place.
package struct MaintenanceKeys: Sendable {
    private let keys: [String: Curve25519.Signing.PublicKey]

    /// No keys: everything is refused.
    package init() { keys = [:] }

    private init(_ keys: [String: Curve25519.Signing.PublicKey]) { self.keys = keys }

    /// The keys of a set, the first ones when there are too many; those of other kinds do not count. Nil when it is no set.
    package init?(parsing bytes: [UInt8]) {
        guard let value = Self.json(bytes), let keys = Self.keys(of: value) else { return nil }
        self.keys = keys
    }

    /// Whether there is none.
    package var isEmpty: Bool { keys.isEmpty }

    /// Whether there is a key of this name.
    package func knows(_ kid: String) -> Bool { keys[kid] != nil }

    /// The set as it is kept.
    package var json: JSONValue {
        let entries = keys.sorted { $0.key < $1.key }.map { kid, key -> JSONValue in
            [
                "kty": "OKP", "crv": "Ed25519", "kid": .string(kid),
                "x": .string(Array(key.rawRepresentation).base64URL),
            ]
        }
        return ["keys": .array(entries)]
    }

    /// The keys that a later set shows, as far as they are known here or vouched for, one by the other, from a known one
    /// on; nil when none is. Where nothing is known yet the set counts as it is.
    package func successor(in bytes: [UInt8]) -> MaintenanceKeys? {
        guard let value = Self.json(bytes), let shown = Self.keys(of: value), !shown.isEmpty else { return nil }
        guard !isEmpty else { return MaintenanceKeys(shown) }
        var trusted = self
        if case .array(let vouchers)? = value["vouchers"] {
            for voucher in vouchers.suffix(AgentLimits.vouchers) {
                guard let text = voucher.string,
                    let payload = try? SignedEnvelope.payload(of: text, .keys, by: trusted),
                    let fresh = Self.keys(of: payload)
                else { continue }
                // A name that is known keeps its key.
                trusted = MaintenanceKeys(trusted.keys.merging(fresh) { old, _ in old })
            }
        }
        let accepted = trusted.keys.filter { shown[$0.key] != nil }
        return accepted.isEmpty ? nil : MaintenanceKeys(accepted)
    }

    func verifies(_ signature: [UInt8], of text: [UInt8], by kid: String) -> Bool {
        keys[kid]?.isValidSignature(signature, for: text) ?? false
    }

    private static func json(_ bytes: [UInt8]) -> JSONValue? {
        try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: AgentLimits.keySetBytes, depth: 8))
    }

    private static func keys(of set: JSONValue) -> [String: Curve25519.Signing.PublicKey]? {
        guard case .array(let entries)? = set["keys"] else { return nil }
        var keys: [String: Curve25519.Signing.PublicKey] = [:]
        for entry in entries.prefix(AgentLimits.keys) {
            guard entry["kty"]?.string == "OKP", entry["crv"]?.string == "Ed25519", let kid = entry["kid"]?.string,
                let text = entry["x"]?.string, let bytes = [UInt8](base64URL: text),
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
            else { continue }
            keys[kid] = key
        }
        return keys
    }
}

/// Where the keys are kept, once they are known.
package struct MaintenanceKeyStore: Sendable {
    private let path: String

    /// The store in the directory `state`.
    package init(state: String) { path = "\(state)/maintenance-keys.json" }

    /// The kept keys; a damaged file throws, because an empty set would take any other in its place.
    package func load() throws -> MaintenanceKeys {
        guard let bytes = try StateFile.read(path) else { return MaintenanceKeys() }
        guard let keys = MaintenanceKeys(parsing: bytes) else {
            throw FileFailure("\(path): is damaged; reset-pin forgets it")
        }
        return keys
    }

    /// Keeps them.
    package func keep(_ keys: MaintenanceKeys) throws {
        try StateFile.write(Array(keys.json.canonical.utf8), to: path)
    }

    /// Forgets them: the next set counts as it comes.
    package func reset() throws { try StateFile.remove(path) }
}
