public import Base
public import Trust

/// A device with everything that belongs to it.
public struct DeviceDetails: Sendable {
    /// The device.
    public let device: Device
    /// Its model.
    public let model: Model?
    /// Its presence at this moment.
    public let presence: PresenceState
    /// How it stands to its heartbeat.
    public let heartbeat: HeartbeatStanding
    /// Its certificates, the newest first.
    public let certificates: [CertificateRecord]
    /// Its access tokens, without their secrets.
    public let accessTokens: [AccessTokenRecord]
    /// Until when its unused enrolment token works; nil when it has none.
    public let enrolment: Timestamp?
    /// Hardware identifiers of units that stood in its place before, and when each was replaced.
    public let retired: [(identifier: HardwareIdentifier, retired: Timestamp)]

    /// The details as JSON; each credential says its rank.
    public var json: JSONValue {
        guard case .object(var members) = device.json else { return .null }
        members["modelName"] = model.map { .string($0.name.text) } ?? .null
        members["presence"] = presence.json
        members["heartbeat"] = heartbeat.json
        members["certificates"] = .array(
            certificates.map { certificate in
                [
                    "fingerprint": .string(certificate.fingerprint.text),
                    "rank": "certificate",
                    "channel": .string(certificate.channel.rawValue),
                    "notBefore": .string(certificate.notBefore.rfc3339),
                    "notAfter": .string(certificate.notAfter.rfc3339),
                    "status": .string(certificate.status.rawValue),
                    "reason": certificate.reason.map { .string($0.rawValue) } ?? .null,
                ]
            })
        members["accessTokens"] = .array(accessTokens.map(\.json))
        members["enrolmentTokenExpires"] = enrolment.map { .string($0.rfc3339) } ?? .null
        members["retiredIdentifiers"] = .array(
            retired.map {
                [
                    "kind": .string($0.identifier.kind.rawValue), "value": .string($0.identifier.value),
                    "retired": .string($0.retired.rfc3339),
                ]
            })
        return .object(members)
    }
}
