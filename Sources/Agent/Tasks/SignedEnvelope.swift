package import Base

/// Why something signed is not obeyed.
package enum EnvelopeRefusal: String, Error, Sendable, CaseIterable {
    /// It is not a signed envelope at all.
    case malformed
    /// It is signed by a key that the server does not publish.
    case unknownKey
    /// The signature is not the key's.
    case forged
    /// It is for another tenant.
    case otherTenant
    /// It is for another device.
    case otherDevice
    /// It counts no more.
    case expired
    /// It, or a later one, came before.
    case replayed
}

/// A task or a desired document whose signature, addressee and time are good (compact JWS, RFC 7515, EdDSA).
package struct SignedEnvelope: Sendable, Hashable {
    /// What is signed.
    package enum Kind: String, Sendable {
        /// `tidegate-task+jws`
        case task = "tidegate-task+jws"
        /// `tidegate-desired+jws`
        case desired = "tidegate-desired+jws"
        /// `tidegate-keys+jws`: keys that another one vouches for.
        case keys = "tidegate-keys+jws"
    }

    /// Whom an envelope must be for.
    package struct Addressee: Sendable, Hashable {
        /// The tenant's slug.
        package var tenant: String
        /// The device's identifier.
        package var device: String

        /// The device of this identifier.
        package init(tenant: String, device: String) {
            self.tenant = tenant
            self.device = device
        }
    }

    /// When it was signed, in microseconds: grows with each one for the same device.
    package let sequence: Int64
    /// Everything that is signed.
    package let payload: JSONValue

    /// Opens `text`, or says why it is refused; `last` is the sequence of the last one that was obeyed.
    package init(
        opening text: String, _ kind: Kind, for addressee: Addressee, keys: MaintenanceKeys, after last: Int64,
        now: Timestamp
    ) throws(EnvelopeRefusal) {
        let payload = try Self.payload(of: text, kind, by: keys)
        guard let sequence = payload["sequence"]?.integer,
            let expires = payload["expires"]?.integer, let tenant = payload["tenant"]?.string,
            let device = payload["device"]?.string
        else { throw .malformed }
        guard tenant == addressee.tenant else { throw .otherTenant }
        guard device == addressee.device else { throw .otherDevice }
        guard expires > now.seconds else { throw .expired }
        guard sequence > last else { throw .replayed }
        self.sequence = sequence
        self.payload = payload
    }

    /// What is signed in `text` by one of `keys`; whom it is for and when it counts is not looked at.
    static func payload(
        of text: String, _ kind: Kind, by keys: MaintenanceKeys
    ) throws(EnvelopeRefusal) -> JSONValue {
        guard text.utf8.count <= AgentLimits.envelopeBytes else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let kid = Self.key(ofHeader: parts[0], kind),
            let signature = [UInt8](base64URL: parts[2]), let body = [UInt8](base64URL: parts[1])
        else { throw .malformed }
        guard keys.knows(kid) else { throw .unknownKey }
        guard keys.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8), by: kid) else { throw .forged }
        guard let payload = json(body) else { throw .malformed }
        return payload
    }

    /// The key that an envelope says it is signed by, or nil when it is none of this kind; nothing is checked yet.
    package static func claimedKey(of text: String, _ kind: Kind) -> String? {
        key(ofHeader: text.prefix { $0 != "." }, kind)
    }

    private static func key(ofHeader text: Substring, _ kind: Kind) -> String? {
        guard let bytes = [UInt8](base64URL: text), let header = json(bytes), header["alg"]?.string == "EdDSA",
            header["typ"]?.string == kind.rawValue, header["crit"] == nil
        else { return nil }
        return header["kid"]?.string
    }

    private static func json(_ bytes: [UInt8]) -> JSONValue? {
        try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: AgentLimits.envelopeBytes, depth: 32))
    }
}
