public import Audit
public import Base
public import Fleet
public import NIOCore
public import Operations
public import Trust

/// What the device side asks of the rest of the server; the program connects the two.
public struct DeviceServices: Sendable {
    /// The CA certificates (DER) that devices of this tenant need, or those of the platform without a tenant.
    public var certificates: @Sendable (_ tenant: TenantSlug?) async throws -> [[UInt8]]
    /// Certifies a registered device for the first time; answers the certificate (DER).
    public var enrol: @Sendable (EnrolmentRequest) async throws -> [UInt8]
    /// Certifies an admitted device again; answers the certificate (DER).
    public var renew: @Sendable (RenewalRequest) async throws -> [UInt8]
    /// Takes telemetry; the future succeeds on the request's event loop once it is durable.
    public var telemetry: @Sendable (TelemetryRequest) -> EventLoopFuture<TelemetryAnswer>
    /// Hears of every refusal that concerns trust: from where, its stable code, and the tenant if it is known.
    public var refused: @Sendable (_ source: String, _ code: String, _ tenant: TenantID?) -> Void
    /// Keeps who is connected, if anybody does.
    public var presence: Presence?
    /// The devices' work, if they are given any.
    public var operations: Operations?
    /// The devices themselves, for those who are given work.
    public var fleet: Fleet?

    /// These services.
    public init(
        certificates: @escaping @Sendable (_ tenant: TenantSlug?) async throws -> [[UInt8]],
        enrol: @escaping @Sendable (EnrolmentRequest) async throws -> [UInt8],
        renew: @escaping @Sendable (RenewalRequest) async throws -> [UInt8],
        telemetry: @escaping @Sendable (TelemetryRequest) -> EventLoopFuture<TelemetryAnswer>,
        refused: @escaping @Sendable (_ source: String, _ code: String, _ tenant: TenantID?) -> Void,
        presence: Presence?, operations: Operations? = nil, fleet: Fleet? = nil
    ) {
        self.certificates = certificates
        self.enrol = enrol
        self.renew = renew
        self.telemetry = telemetry
        self.refused = refused
        self.presence = presence
        self.operations = operations
        self.fleet = fleet
    }

    /// The services of this fleet; refusals go to its audit log.
    public init(
        fleet: Fleet, audit: AuditLog,
        certificates: @escaping @Sendable (_ tenant: TenantSlug?) async throws -> [[UInt8]],
        telemetry: @escaping @Sendable (TelemetryRequest) -> EventLoopFuture<TelemetryAnswer>,
        operations: Operations? = nil
    ) {
        self.init(
            certificates: certificates,
            enrol: { request in
                try await fleet.enrol(
                    tenant: request.tenant, identifier: request.identifier, token: request.token, csr: request.body,
                    channel: request.channel ?? .maintenance, address: request.address
                ).certificate.der
            },
            renew: { request in
                try await fleet.reenrol(
                    request.device, csr: request.body, channel: request.channel, address: request.address
                ).certificate.der
            },
            telemetry: telemetry,
            refused: { source, code, tenant in audit.refuse(source: source, code: code, tenant: tenant) },
            presence: fleet.presence, operations: operations, fleet: fleet)
    }
}

/// A first enrolment, as it came in.
public struct EnrolmentRequest: Sendable {
    /// The tenant in the path, if the path named one.
    public let tenant: TenantSlug?
    /// The device's name or identifier.
    public let identifier: String
    /// The enrolment token.
    public let token: String
    /// The certificate request, as it was sent.
    public let body: [UInt8]
    /// The channel that the certificate is for, if the path named one.
    public let channel: Trust.Channel?
    /// Where it came from.
    public let address: String
}

/// A device's wish for its next certificate, as it came in.
public struct RenewalRequest: Sendable {
    /// Who asks, with its present certificate.
    public let device: AdmittedDevice
    /// The certificate request, as it was sent.
    public let body: [UInt8]
    /// The channel that the certificate is for, if the path named one.
    public let channel: Trust.Channel?
    /// Where it came from.
    public let address: String
}

/// Telemetry that came over HTTP.
public struct TelemetryRequest: Sendable {
    /// Who sent it.
    public let device: AdmittedDevice
    /// The field `Content-Type`.
    public let contentType: String?
    /// The field `Content-Encoding`.
    public let contentEncoding: String?
    /// The body as it was sent.
    public let body: ByteBuffer
    /// The connection's event loop.
    public let eventLoop: any EventLoop
}

/// What became of telemetry that came over HTTP.
public enum TelemetryAnswer: Sendable {
    /// All of it is durable.
    case accepted
    /// So many readings are durable; for the others the refusal says why, and that sending them again is no use.
    case partly(accepted: Int, Refusal)
    /// So many readings are durable; texts beside them are not kept, as the refusal says, which is no fault of the sender.
    case withoutTexts(accepted: Int, Refusal)
    /// None of it was taken.
    case refused(Refusal)
}
