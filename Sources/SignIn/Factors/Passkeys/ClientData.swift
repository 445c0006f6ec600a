import Base

/// What the browser says about a ceremony (WebAuthn, section 5.8.1), checked but for its challenge.
struct ClientData {
    enum Ceremony: String {
        case registration = "webauthn.create"
        case assertion = "webauthn.get"
    }

    /// The challenge that was answered.
    let challenge: [UInt8]

    /// Reads the browser's bytes; the order of the checks is the specification's (sections 7.1 and 7.2).
    init(_ bytes: [UInt8], _ ceremony: Ceremony, origins: Set<String>) throws(PasskeyFault) {
        let json: JSONValue
        do throws(JSONFault) {
            // Members that later versions add are to be passed over; one that is named twice is refused.
            json = try JSONValue(
                parsing: bytes, limits: JSONLimits(bytes: SignInLimits.clientDataBytes, depth: 4))
        } catch {
            throw .clientData
        }
        guard let type = json["type"]?.string, let challenge = json["challenge"]?.string,
            let origin = json["origin"]?.string
        else { throw .clientData }
        guard type == ceremony.rawValue else { throw .ceremony }
        guard let challenge = [UInt8](base64URL: challenge) else { throw .challenge }
        guard origins.contains(origin) else { throw .origin }
        // The pages can not be framed, so no honest ceremony comes from within another site.
        switch json["crossOrigin"] {
        case nil, .bool(false): break
        default: throw .crossOrigin
        }
        guard json["topOrigin"] == nil else { throw .crossOrigin }
        self.challenge = challenge
    }
}
