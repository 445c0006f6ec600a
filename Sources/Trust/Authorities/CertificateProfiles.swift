import Base
import Crypto
import X509

/// What each kind of certificate looks like and how long it lives, on one page.
///
///     root (P-384, 20 y, pathLen 2, may be offline)
///       └ intermediate (P-256, 5 y, pathLen 1)
///           └ issuing CA of a tenant (P-256, 5 y at most, pathLen 0, only URIs of its own host)
///               └ device (30 days, client only, one URI)
///     server CA (P-256, 20 y, pathLen 0)
///       └ listener (P-256, 90 days, server only)
///
/// The server CA has no name constraint: the names of listeners come from the configuration and change with it. It
/// shares no key with the devices' side, so neither side's certificates are worth anything on the other.
enum CertificateProfiles {
    static let rootLifetime: Duration = .seconds(20 * 365 * 86_400)
    static let intermediateLifetime: Duration = .seconds(5 * 365 * 86_400)
    static let issuingLifetime: Duration = .seconds(5 * 365 * 86_400)
    static let serverLifetime: Duration = .seconds(90 * 86_400)

    static func root(of deployment: DeploymentName, now: Timestamp) throws -> KeyedChain {
        try selfSigned(
            "Root CA", in: deployment, key: Certificate.PrivateKey(P384.Signing.PrivateKey()), now: now,
            extensions: [.authority(maximumPathLength: 2), .keyUsage(authorityUsage)])
    }

    static func serverAuthority(of deployment: DeploymentName, now: Timestamp) throws -> KeyedChain {
        try selfSigned(
            "Server CA", in: deployment, key: Certificate.PrivateKey(P256.Signing.PrivateKey()), now: now,
            extensions: [
                .authority(maximumPathLength: 0), .keyUsage(authorityUsage), .extendedKeyUsage(.serverAuth),
            ])
    }

    private static func selfSigned(
        _ common: String, in deployment: DeploymentName, key: Certificate.PrivateKey, now: Timestamp,
        extensions: [CertificateExtension]
    ) throws -> KeyedChain {
        let certificate = try CertificateSigner.selfSigned(
            subject: try name(common, in: deployment), key: key, validity: Validity(now: now, lifetime: rootLifetime),
            extensions: extensions)
        return KeyedChain(key: key, certificates: [certificate])
    }

    static func intermediateName(in deployment: DeploymentName) throws -> DistinguishedName {
        try name("Platform CA", in: deployment)
    }

    static func intermediate(
        subject: DistinguishedName, publicKey: Certificate.PublicKey, signedBy root: CertificateSigner, now: Timestamp
    ) throws -> Certificate {
        try root.sign(
            subject: subject, publicKey: publicKey, now: now, lifetime: intermediateLifetime,
            extensions: [.authority(maximumPathLength: 1), .keyUsage(authorityUsage)])
    }

    /// The issuing CA of the tenant that `host` stands for; its name is the host's labels, which have no length limit.
    static func issuing(
        host: String, publicKey: Certificate.PublicKey, signedBy intermediate: CertificateSigner, now: Timestamp
    ) throws -> Certificate {
        try intermediate.sign(
            subject: try name("Issuing CA", under: host), publicKey: publicKey, now: now, lifetime: issuingLifetime,
            extensions: [
                .authority(maximumPathLength: 0), .keyUsage(authorityUsage), .extendedKeyUsage(.clientAuth),
                .onlyHost(host),
            ])
    }

    static func device(
        _ uri: DeviceURI, publicKey: Certificate.PublicKey, signedBy issuing: CertificateSigner, now: Timestamp,
        lifetime: Duration
    ) throws -> Certificate {
        try issuing.sign(
            subject: try DistinguishedName { CommonName(uri.device.text) }, publicKey: publicKey, now: now,
            lifetime: lifetime,
            extensions: [
                .notAuthority, .keyUsage(KeyUsage(digitalSignature: true)), .extendedKeyUsage(.clientAuth),
                .names([.uniformResourceIdentifier(uri.text)]),
            ])
    }

    static func server(
        _ names: ServerNames, publicKey: Certificate.PublicKey, signedBy authority: CertificateSigner, now: Timestamp
    ) throws -> Certificate {
        try authority.sign(
            subject: try DistinguishedName { CommonName(names.commonName) }, publicKey: publicKey, now: now,
            lifetime: serverLifetime,
            extensions: [
                .notAuthority, .keyUsage(KeyUsage(digitalSignature: true)), .extendedKeyUsage(.serverAuth),
                .names(names.generalNames),
            ])
    }

    private static var authorityUsage: KeyUsage { KeyUsage(keyCertSign: true, cRLSign: true) }

    private static func name(_ common: String, in deployment: DeploymentName) throws -> DistinguishedName {
        try name(common, under: deployment.text)
    }

    /// `DC=com, DC=example, DC=fleet, O=Tidegate, CN=…` (RFC 2247): one short component for each label.
    private static func name(_ common: String, under host: String) throws -> DistinguishedName {
        try DistinguishedName {
            for label in host.split(separator: ".").reversed() { DomainComponent(String(label)) }
            OrganizationName("Tidegate")
            CommonName(common)
        }
    }
}
