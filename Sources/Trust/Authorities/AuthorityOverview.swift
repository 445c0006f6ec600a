public import Base
import X509

/// A certificate authority as people see it.
public struct AuthorityOverview: Sendable, Hashable {
    /// What it is for.
    public enum Sort: String, Sendable {
        /// Signs intermediates; its key may be offline.
        case root
        /// Signs the tenants' issuing CAs.
        case intermediate
        /// Signs the certificates of one tenant's devices.
        case issuing
        /// Signs the certificates of this server's listeners.
        case server
    }

    /// What it is for.
    public let sort: Sort
    /// Its name, as its certificate says it.
    public let subject: String
    /// The fingerprint of its certificate.
    public let fingerprint: Fingerprint
    /// From when its certificate counts.
    public let notBefore: Timestamp
    /// Until when.
    public let notAfter: Timestamp
    /// Whether it still signs; one that does not is only there for what it has signed.
    public let signs: Bool

    init(_ certificate: Certificate, sort: Sort, signs: Bool = true) throws {
        self.sort = sort
        subject = String(describing: certificate.subject)
        fingerprint = Fingerprint(ofCertificate: try certificate.der())
        notBefore = Timestamp(certificate.notValidBefore)
        notAfter = Timestamp(certificate.notValidAfter)
        self.signs = signs
    }
}

extension CertificateAuthorities {
    /// What stands above the tenants' issuing CAs, and what signs this server's own certificates.
    public func overview() throws -> [AuthorityOverview] {
        let (chain, server) = (chain, serverAuthorityCertificate)
        return [
            try AuthorityOverview(chain.root, sort: .root),
            try AuthorityOverview(chain.intermediate, sort: .intermediate),
            try AuthorityOverview(server, sort: .server),
        ]
    }
}
