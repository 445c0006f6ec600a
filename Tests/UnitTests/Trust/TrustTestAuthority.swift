import Base
import Crypto
import SwiftASN1
import X509

@testable import Trust

/// A whole set of CAs in memory, for tests that need real certificates.
struct TrustTestAuthority {
    static let now = Timestamp(microseconds: 1_800_000_000_000_000)
    static let tenant = TenantID(high: 1, low: 2)
    static let device = DeviceID(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)

    let host: String
    let chain: AuthorityChain
    let intermediate: CertificateSigner
    let issuing: CertificateSigner
    let anchor: DeviceAnchor

    init(host: String = "acme.fleet.example.com", tenant: TenantID = TrustTestAuthority.tenant) throws {
        guard let deployment = DeploymentName("fleet.example.com") else { throw MalformedDER() }
        let root = try CertificateProfiles.root(of: deployment, now: Self.now).signer()
        let intermediateKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let intermediate = try CertificateSigner(
            certificate: CertificateProfiles.intermediate(
                subject: CertificateProfiles.intermediateName(in: deployment), publicKey: intermediateKey.publicKey,
                signedBy: root, now: Self.now),
            key: intermediateKey)
        let issuingKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let issuing = try CertificateSigner(
            certificate: CertificateProfiles.issuing(
                host: host, publicKey: issuingKey.publicKey, signedBy: intermediate, now: Self.now),
            key: issuingKey)
        self.host = host
        self.intermediate = intermediate
        self.issuing = issuing
        chain = try AuthorityChain(root: root.certificate, intermediate: intermediate.certificate, now: Self.now)
        anchor = try DeviceAnchor(
            certificate: issuing.certificate.der(), of: tenant, host: host, issuedBy: chain, at: Self.now)
    }

    var uri: String { DeviceURI(host: host, device: Self.device, channel: .maintenance).text }

    /// A certificate as the issuing CA makes it, but with what the test wants to be different.
    func leaf(
        names: [GeneralName]? = nil, usage: ExtendedKeyUsage.Usage? = .clientAuth, isCA: Bool = false,
        keyUsage: KeyUsage = KeyUsage(digitalSignature: true), now: Timestamp = TrustTestAuthority.now,
        lifetime: Duration = .seconds(86_400), subject: DistinguishedName? = nil, signer: CertificateSigner? = nil,
        extra: CertificateExtension? = nil
    ) throws -> [UInt8] {
        var extensions: [CertificateExtension] = [
            isCA ? .authority(maximumPathLength: 0) : .notAuthority, .keyUsage(keyUsage),
        ]
        if let usage { extensions.append(.extendedKeyUsage(usage)) }
        let names = names ?? [.uniformResourceIdentifier(uri)]
        if !names.isEmpty { extensions.append(.names(names)) }
        if let extra { extensions.append(extra) }
        return try (signer ?? issuing).sign(
            subject: subject ?? DistinguishedName { CommonName(Self.device.text) },
            publicKey: Certificate.PublicKey(P256.Signing.PrivateKey().publicKey), now: now, lifetime: lifetime,
            extensions: extensions
        ).der()
    }
}
