public import Base
import Crypto
import Trust

/// What a browser gives back of a ceremony, in the JSON of WebAuthn's `toJSON()` (section 5.1).
public struct PasskeyAnswer: Sendable {
    let id: [UInt8]
    let clientData: [UInt8]
    private let attestation: [UInt8]?
    private let authenticatorData: [UInt8]?
    private let signature: [UInt8]?
    let userHandle: [UInt8]?
    /// How the browser says that the authenticator is reached, in the specification's words.
    let transports: [String]

    /// The answer that a browser's JSON spells.
    public init(_ json: JSONValue) throws {
        func bytes(_ value: JSONValue?, _ limit: Int) -> [UInt8]? {
            value?.string.flatMap { $0.utf8.count <= limit * 4 / 3 + 4 ? [UInt8](base64URL: $0) : nil }
        }
        let response = json["response"]
        guard json["type"] == "public-key", let id = bytes(json["rawId"] ?? json["id"], SignInLimits.credentialBytes),
            let clientData = bytes(response?["clientDataJSON"], SignInLimits.clientDataBytes)
        else {
            throw Refusal(.invalid, "passkey.form", "This is not what a browser's passkey ceremony gives.")
        }
        self.id = id
        self.clientData = clientData
        attestation = bytes(response?["attestationObject"], SignInLimits.attestationBytes)
        authenticatorData = bytes(response?["authenticatorData"], SignInLimits.authenticatorDataBytes)
        signature = bytes(response?["signature"], SignInLimits.signatureBytes)
        userHandle = bytes(response?["userHandle"], SignInLimits.userHandleBytes)
        if case .array(let words) = response?["transports"] {
            transports = words.prefix(8).compactMap(\.string).filter { Self.transports.contains($0) }
        } else {
            transports = []
        }
    }

    private static let transports: Set<String> = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"]

    /// What a registration promised, its challenge aside (section 7.1).
    func registered(at party: RelyingParty) throws(PasskeyFault) -> (
        client: ClientData, data: AuthenticatorData, attested: AuthenticatorData.Attested
    ) {
        let client = try ClientData(clientData, .registration, origins: party.origins)
        guard let attestation else { throw .form }
        let object: (value: CBORValue, length: Int)
        do throws(CBORFault) {
            object = try CBORValue.prefix(of: attestation, limits: CBORLimits(bytes: SignInLimits.attestationBytes))
        } catch {
            throw .attestation
        }
        guard object.length == attestation.count, case .text(let format) = object.value["fmt"],
            case .map(let statement) = object.value["attStmt"], case .bytes(let bytes) = object.value["authData"],
            format != "none" || statement.isEmpty
        else { throw .attestation }
        // Other statements are taken without trust: which maker built an authenticator decides nothing here.
        let data = try AuthenticatorData(bytes, relyingParty: party.id)
        guard let attested = data.attested else { throw .authenticatorData }
        guard attested.credential == id else { throw .credential }
        return (client, data, attested)
    }

    /// What an assertion says before its signature is checked, its challenge aside (section 7.2).
    func asserted(at party: RelyingParty) throws(PasskeyFault) -> (client: ClientData, data: AuthenticatorData) {
        let client = try ClientData(clientData, .assertion, origins: party.origins)
        guard let authenticatorData else { throw .form }
        return (client, try AuthenticatorData(authenticatorData, relyingParty: party.id))
    }

    /// Checks the signature over what was said.
    func verify(with key: COSEKey) throws(PasskeyFault) {
        guard let authenticatorData, let signature else { throw .form }
        let message = authenticatorData + Array(SHA256.hash(data: clientData))
        guard key.isValid(signature, for: message) else { throw .signature }
    }
}
