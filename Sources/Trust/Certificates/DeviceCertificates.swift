public import Base
public import Storage
import X509

/// A certificate that was just issued.
public struct IssuedCertificate: Sendable, Hashable {
    /// The certificate in DER.
    public let der: [UInt8]
    /// Its identity in the database.
    public let fingerprint: Fingerprint
    /// The last moment at which it is valid.
    public let notAfter: Timestamp
    /// The moment from which the device should ask for the next.
    public let renewalDue: Timestamp
}

/// Issues device certificates, remembers each by its fingerprint, and takes them back.
public struct DeviceCertificates: Sendable {
    /// How long a device's certificate is valid unless its model says otherwise.
    public static let defaultLifetime: Duration = .seconds(30 * 86_400)

    private let issuing: IssuingAuthorities
    private let clock: WallClock

    /// Certificates signed by the tenants' issuing CAs.
    public init(issuing: IssuingAuthorities, clock: WallClock = .system) {
        self.issuing = issuing
        self.clock = clock
    }

    /// Certifies the key in `request` for a device. Subject and uses are the server's; of the request only the key
    /// counts.
    public func issue(
        _ request: CertificateRequest, to device: DeviceID, of tenant: TenantID, for channel: Channel,
        lifetime: Duration = DeviceCertificates.defaultLifetime, in transaction: Transaction
    ) throws -> IssuedCertificate {
        guard lifetime > Validity.backdating else {
            throw Refusal(.invalid, "certificate.lifetime", "A certificate's life must be longer than five minutes.")
        }
        let now = clock.now
        let (signer, host) = try issuing.signer(of: tenant, in: transaction)
        let certificate = try CertificateProfiles.device(
            DeviceURI(host: host, device: device, channel: channel), publicKey: request.publicKey, signedBy: signer,
            now: now, lifetime: lifetime)
        let der = try certificate.der()
        let fingerprint = Fingerprint(ofCertificate: der)
        let notBefore = Timestamp(certificate.notValidBefore)
        let notAfter = Timestamp(certificate.notValidAfter)
        try transaction.scoped(to: tenant).execute(
            """
            INSERT INTO certificate
                (tenant, fingerprint, device, serial, channel, not_before, not_after, issued_at, status)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, fingerprint, device, Array(certificate.serialNumber.bytes), channel.rawValue, notBefore, notAfter, now,
            CertificateStatus.active.rawValue)
        return IssuedCertificate(
            der: der, fingerprint: fingerprint, notAfter: notAfter,
            renewalDue: Validity.renewalDue(notBefore: notBefore, notAfter: notAfter))
    }

    /// Revokes one certificate; false when the tenant has none such that is active.
    public func revoke(
        _ fingerprint: Fingerprint, of tenant: TenantID, reason: RevocationReason, in transaction: Transaction
    ) throws -> Bool {
        try transaction.scoped(to: tenant).execute(
            """
            UPDATE certificate SET status = $3, revoked_at = $4, reason = $5
            WHERE tenant = $1 AND fingerprint = $2 AND status = $6
            """, fingerprint, CertificateStatus.revoked.rawValue, clock.now, reason.rawValue,
            CertificateStatus.active.rawValue) > 0
    }

    /// Revokes every active certificate of a device and answers which they were.
    public func revokeAll(
        of device: DeviceID, tenant: TenantID, reason: RevocationReason, in transaction: Transaction
    ) throws -> [Fingerprint] {
        try transaction.scoped(to: tenant).rows(
            """
            UPDATE certificate SET status = $3, revoked_at = $4, reason = $5
            WHERE tenant = $1 AND device = $2 AND status = $6 RETURNING fingerprint
            """, device, CertificateStatus.revoked.rawValue, clock.now, reason.rawValue,
            CertificateStatus.active.rawValue
        ).compactMap { Fingerprint(bytes: try $0.blob(0)) }
    }

    /// A device's certificates, the newest first.
    public func list(of device: DeviceID, tenant: TenantID, in transaction: Transaction) throws -> [CertificateRecord] {
        try transaction.scoped(to: tenant).rows(
            """
            SELECT \(CertificateRecord.columns) FROM certificate WHERE tenant = $1 AND device = $2
            ORDER BY issued_at DESC, fingerprint
            """, device
        ).map { try CertificateRecord($0) }
    }

    /// One certificate, or nil when the tenant has none such.
    public func find(_ fingerprint: Fingerprint, of tenant: TenantID, in transaction: Transaction) throws
        -> CertificateRecord?
    {
        try transaction.scoped(to: tenant).row(
            "SELECT \(CertificateRecord.columns) FROM certificate WHERE tenant = $1 AND fingerprint = $2", fingerprint
        ).map { try CertificateRecord($0) }
    }

    /// Hands every certificate of every tenant that is active now to `body`, for the table in memory at start-up.
    public func forEachActive(in transaction: Transaction, _ body: (CertificateRecord) throws -> Void) throws {
        try transaction.acrossTenants.forEach(
            "SELECT \(CertificateRecord.columns) FROM certificate WHERE status = $1 AND not_after > $2",
            CertificateStatus.active.rawValue, clock.now
        ) { try body(CertificateRecord($0)) }
    }

    /// The devices of all tenants whose newest certificate of a channel ends within `ahead`, and in the last quarter of
    /// its life, or ended within `behind`; found by the index over the ends.
    package func ending(
        within ahead: Duration, endedFor behind: Duration, in transaction: Transaction
    ) throws -> [(tenant: TenantID, device: DeviceID, end: Timestamp)] {
        let now = clock.now
        return try transaction.acrossTenants.rows(
            """
            SELECT c.tenant, c.device, min(c.not_after) FROM certificate c
            WHERE c.not_after >= $1 AND c.not_after < $2 AND c.status = $3
                AND (c.not_after - $4) * 4 < c.not_after - c.not_before
                AND NOT EXISTS (
                    SELECT 1 FROM certificate n WHERE n.tenant = c.tenant AND n.device = c.device
                    AND n.channel = c.channel AND n.status = c.status AND n.not_after > c.not_after)
            GROUP BY c.tenant, c.device
            """, now - behind, now + ahead, CertificateStatus.active.rawValue, now
        ).map { (try $0.identifier(0), try $0.identifier(1), try $0.timestamp(2)) }
    }

    /// Removes the records of certificates that ended more than `age` ago; how many they were.
    @discardableResult
    public func prune(endedFor age: Duration = .seconds(90 * 86_400), in transaction: Transaction) throws -> Int {
        try transaction.acrossTenants.execute("DELETE FROM certificate WHERE not_after < $1", clock.now - age)
    }
}
