public import Base
import Crypto
import FoundationEssentials
public import Logging
public import Storage
import SwiftASN1
import X509

/// The tenants' issuing CAs: their certificates in the clear, their private keys sealed, both in the database.
public struct IssuingAuthorities: Sendable {
    private let authorities: CertificateAuthorities
    private let keyRing: KeyRing
    private let clock: WallClock
    private let logger: Logger

    /// The column with the sealed private keys, for the key ring.
    public static let sealedColumn = SealedColumn(
        table: "issuing_ca", rowColumns: ["key_identifier"], column: "private_key")

    /// The issuing CAs below `authorities`, their keys sealed by `keyRing`.
    public init(
        authorities: CertificateAuthorities, keyRing: KeyRing, clock: WallClock = .system,
        logger: Logger = Logger(label: "tidegate.trust")
    ) {
        self.authorities = authorities
        self.keyRing = keyRing
        self.clock = clock
        self.logger = logger
    }

    /// Makes the issuing CA of a tenant, in the transaction that makes the tenant and its key; hand the anchor to the
    /// verifier after the commit.
    @discardableResult
    public func create(_ tenant: TenantID, slug: TenantSlug, in transaction: Transaction) throws -> DeviceAnchor {
        let host = authorities.deployment.host(of: slug)
        let now = clock.now
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let certificate = try CertificateProfiles.issuing(
            host: host, publicKey: publicKey, signedBy: authorities.intermediate, now: now)
        let identifier = KeyIdentifier(of: publicKey).bytes
        let der = try certificate.der()
        let sealed = try keyRing.seal(
            Array(key.rawRepresentation), at: Self.sealedColumn.place(tenant, row: identifier), in: transaction)
        try transaction.scoped(to: tenant).execute(
            """
            INSERT INTO issuing_ca (tenant, key_identifier, host, certificate, private_key, created_at, not_after)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, identifier, host, der, sealed, now, Timestamp(certificate.notValidAfter))
        return try DeviceAnchor(certificate: der, of: tenant, host: host, issuedBy: authorities.chain, at: now)
    }

    /// Makes a new issuing CA for a tenant: it signs from the commit on, and the present one's certificates stay
    /// accepted until they end, though its private key is gone.
    @discardableResult
    public func replace(_ tenant: TenantID, slug: TenantSlug, in transaction: Transaction) throws -> DeviceAnchor {
        try transaction.scoped(to: tenant).execute(
            "UPDATE issuing_ca SET retired_at = $2, private_key = NULL WHERE tenant = $1 AND retired_at IS NULL",
            clock.now)
        return try create(tenant, slug: slug, in: transaction)
    }

    /// Every issuing CA that devices' certificates may hang from, for the verifier at start-up; one that does not
    /// validate up to the root is left out and logged.
    public func anchors(in transaction: Transaction) throws -> [DeviceAnchor] {
        let chain = authorities.chain
        let now = clock.now
        let rows = try transaction.acrossTenants.rows(
            "SELECT tenant, host, certificate FROM issuing_ca WHERE not_after > $1 ORDER BY tenant", now)
        var anchors: [DeviceAnchor] = []
        for row in rows {
            let tenant = try row.identifier(0, as: TenantID.self)
            do {
                anchors.append(
                    try DeviceAnchor(certificate: row.blob(2), of: tenant, host: row.text(1), issuedBy: chain, at: now))
            } catch {
                logger.error("issuing CA left out", metadata: ["tenant": "\(tenant)", "reason": "\(error)"])
            }
        }
        return anchors
    }

    /// The CA certificates that a device of this tenant needs (DER): its issuing CAs, the newest first, what is above
    /// them, and the CA of this server's own certificates. It is the body of EST's `cacerts`.
    public func certificates(of tenant: TenantID, in transaction: Transaction) throws -> [[UInt8]] {
        let own = try transaction.scoped(to: tenant).rows(
            "SELECT certificate FROM issuing_ca WHERE tenant = $1 AND not_after > $2 ORDER BY created_at DESC",
            clock.now
        ).map { try $0.blob(0) }
        return try own + authorities.certificatesAboveIssuing.map { try $0.der() }
    }

    /// The issuing CAs of a tenant, the newest first, those that sign no more included while their certificates count.
    public func overview(of tenant: TenantID, in transaction: Transaction) throws -> [AuthorityOverview] {
        try transaction.scoped(to: tenant).rows(
            """
            SELECT certificate, host, retired_at FROM issuing_ca
            WHERE tenant = $1 AND not_after > $2 ORDER BY created_at DESC
            """, clock.now
        ).map { row in
            try AuthorityOverview(
                Certificate(derEncoded: row.blob(0)), sort: .issuing, signs: row.timestampIfAny(2) == nil)
        }
    }

    /// Signs issuing CAs again, with the same key, that are past two thirds of their life or were signed by another
    /// intermediate than the present one; answers the anchors that the verifier should trust instead.
    ///
    /// Call it daily and after ``CertificateAuthorities/reload()``. One transaction for each CA, so it can be cut
    /// short and called again.
    public func renew(in database: Database) async throws -> [DeviceAnchor] {
        let now = clock.now
        let rows = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                "SELECT tenant, key_identifier, host, certificate FROM issuing_ca WHERE not_after > $1", now)
        }
        var renewed: [DeviceAnchor] = []
        for row in rows {
            let tenant = try row.identifier(0, as: TenantID.self)
            let (identifier, host, old) = (try row.blob(1), try row.text(2), try row.blob(3))
            let chain = authorities.chain
            let certificate = try Certificate(derEncoded: old)
            let due = Validity.renewalDue(
                notBefore: Timestamp(certificate.notValidBefore), notAfter: Timestamp(certificate.notValidAfter))
            if now < due, (try? chain.validateIssuing(old, host: host, at: now)) != nil { continue }
            let fresh = try CertificateProfiles.issuing(
                host: host, publicKey: certificate.publicKey, signedBy: authorities.intermediate, now: now)
            let der = try fresh.der()
            try await database.tenant(tenant).write { transaction in
                _ = try transaction.execute(
                    """
                    UPDATE issuing_ca SET certificate = $3, not_after = $4 WHERE tenant = $1 AND key_identifier = $2
                    """, identifier, der, Timestamp(fresh.notValidAfter))
            }
            renewed.append(try DeviceAnchor(certificate: der, of: tenant, host: host, issuedBy: chain, at: now))
            logger.notice("issuing CA signed again", metadata: ["tenant": "\(tenant)", "host": "\(host)"])
        }
        return renewed
    }

    /// What signs a tenant's device certificates now, and the host in their names.
    func signer(of tenant: TenantID, in transaction: Transaction) throws -> (signer: CertificateSigner, host: String) {
        let row = try transaction.scoped(to: tenant).row(
            """
            SELECT key_identifier, host, certificate, private_key FROM issuing_ca
            WHERE tenant = $1 AND retired_at IS NULL ORDER BY created_at DESC LIMIT 1
            """)
        guard let row else {
            throw Refusal(
                .unavailable, "trust.issuingMissing", "The tenant has no issuing CA, so it can not certify devices.")
        }
        let place = Self.sealedColumn.place(tenant, row: try row.blob(0))
        let key = try P256.Signing.PrivateKey(
            rawRepresentation: keyRing.open(row.blob(3), at: place, in: transaction))
        let certificate = try Certificate(derEncoded: row.blob(2))
        return (try CertificateSigner(certificate: certificate, key: Certificate.PrivateKey(key)), try row.text(1))
    }
}
