public import Base
import Storage

/// Whether a certificate is still accepted.
public enum CertificateStatus: String, Sendable, Hashable, Codable {
    /// Accepted until it ends.
    case active
    /// Refused for good.
    case revoked
}

/// Why a certificate was revoked, in the words of RFC 5280.
public enum RevocationReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// No reason was given.
    case unspecified
    /// The private key is or may be known to somebody else.
    case keyCompromise
    /// Another certificate took its place.
    case superseded
    /// The device is no longer in use.
    case cessationOfOperation
    /// The device may no longer have what the certificate gave it.
    case privilegeWithdrawn
}

/// One issued device certificate as the database has it.
public struct CertificateRecord: Sendable, Hashable {
    /// Whose it is.
    public let tenant: TenantID
    /// Its identity.
    public let fingerprint: Fingerprint
    /// The device that it names.
    public let device: DeviceID
    /// Its serial number.
    public let serial: [UInt8]
    /// The channel that it opens.
    public let channel: Channel
    /// The first moment at which it is valid.
    public let notBefore: Timestamp
    /// The last moment at which it is valid.
    public let notAfter: Timestamp
    /// When it was issued.
    public let issuedAt: Timestamp
    /// Whether it is accepted.
    public let status: CertificateStatus
    /// When it was revoked, if it was.
    public let revokedAt: Timestamp?
    /// Why it was revoked, if it was.
    public let reason: RevocationReason?

    static let columns = """
        tenant, fingerprint, device, serial, channel, not_before, not_after, issued_at, status, revoked_at, reason
        """

    init(_ row: Row) throws {
        guard let fingerprint = Fingerprint(bytes: try row.blob(1)), let channel = Channel(rawValue: try row.text(4)),
            let status = CertificateStatus(rawValue: try row.text(8))
        else { throw StorageError(.corrupt, "a certificate's row holds values that the program does not know") }
        tenant = try row.identifier(0)
        self.fingerprint = fingerprint
        device = try row.identifier(2)
        serial = try row.blob(3)
        self.channel = channel
        notBefore = try row.timestamp(5)
        notAfter = try row.timestamp(6)
        issuedAt = try row.timestamp(7)
        self.status = status
        revokedAt = try row.timestampIfAny(9)
        reason = try row.textIfAny(10).flatMap { RevocationReason(rawValue: $0) }
    }
}
