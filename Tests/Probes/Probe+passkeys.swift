import Base
import Trust

@testable import SignIn

extension Probe {
    /// Bytes as CBOR: refused with a place inside them, or read as exactly what they spell.
    ///
    /// The same bytes as JSON in CBOR: what is read is spelt anew, and read as the same again.
    public static func cbor(_ bytes: [UInt8]) throws {
        let limits = CBORLimits(bytes: 512, depth: 4, items: 64)
        var json: JSONValue?
        do throws(CBORFault) {
            json = try JSONValue(cbor: bytes, limits: limits)
        } catch {
            try check((0...bytes.count).contains(error.offset), "a fault lies within the bytes")
        }
        if let json {
            let roomy = CBORLimits(bytes: bytes.count * 9, depth: limits.depth, items: limits.items)
            try check((try? JSONValue(cbor: json.cbor, limits: roomy)) == json, "what is spelt anew is the same")
        }
        let read: (value: CBORValue, length: Int)
        do throws(CBORFault) {
            read = try CBORValue.prefix(of: bytes, limits: limits)
        } catch {
            try check((0...bytes.count).contains(error.offset), "a fault lies within the bytes")
            return
        }
        try check(read.length <= min(bytes.count, limits.bytes), "no more is read than there is or may be")
        try check(read.value.encoded == Array(bytes[..<read.length]), "each value has one spelling")
        _ = COSEKey(read.value)
    }

    /// Bytes as a passkey's answer: the first says which part they stand in for, the rest of the answer is in order.
    public static func passkeyAnswer(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        let party = party
        switch first % 4 {
        case 0:
            for ceremony in [ClientData.Ceremony.registration, .assertion] {
                guard let data = try? ClientData(rest, ceremony, origins: party.origins) else { continue }
                let text = String(decoding: rest, as: UTF8.self)
                try check(
                    text.contains("\\")
                        || text.contains(ceremony.rawValue) && text.contains(data.challenge.base64URL),
                    "ceremony and challenge stand in the bytes")
            }
        case 1:
            guard let data = try? AuthenticatorData(rest, relyingParty: party.id) else { return }
            try check(rest[32] & 1 == 1, "somebody was present")
            if let attested = data.attested {
                try check((1...SignInLimits.credentialBytes).contains(attested.credential.count), "a name is bounded")
                let again = try? CBORValue.prefix(of: attested.keyBytes)
                try check(again.flatMap { COSEKey($0.value) } != nil, "a kept key can be read again")
            }
        case 2:
            let answer = try PasskeyAnswer([
                "type": "public-key", "rawId": "AAAA",
                "response": [
                    "clientDataJSON": .string(clientData.base64URL), "attestationObject": .string(rest.base64URL),
                ],
            ])
            if let registered = try? answer.registered(at: party) {
                try check(registered.attested.credential == [0, 0, 0], "the name is the one that the browser gave")
            }
        default:
            guard let json = try? JSONValue(parsing: rest), let answer = try? PasskeyAnswer(json) else { return }
            _ = try? answer.registered(at: party)
            _ = try? answer.asserted(at: party)
        }
    }

    private static var party: RelyingParty {
        RelyingParty(id: "example.org", origins: ["https://example.org"])
    }

    private static let clientData = Array(
        #"{"type":"webauthn.create","challenge":"AAAA","origin":"https://example.org","crossOrigin":false}"#.utf8)
}
