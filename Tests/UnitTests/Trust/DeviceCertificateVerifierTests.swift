import Base
import Crypto
import SwiftASN1
import Testing
import X509

@testable import Trust

@Suite("device certificates in a handshake")
struct DeviceCertificateVerifierTests {
    let ours: TrustTestAuthority
    let verifier = DeviceCertificateVerifier()
    let now = TrustTestAuthority.now

    init() throws {
        ours = try TrustTestAuthority()
        verifier.trust(ours.anchor)
    }

    @Test("a certificate of a tenant's issuing CA names tenant, device and channel", arguments: Channel.allCases)
    func accepts(channel: Channel) throws {
        let uri = DeviceURI(host: ours.host, device: TrustTestAuthority.device, channel: channel)
        let der = try ours.leaf(names: [.uniformResourceIdentifier(uri.text)])
        let verified = try verifier.verify([der], at: now)
        #expect(verified.tenant == TrustTestAuthority.tenant)
        #expect(verified.device == TrustTestAuthority.device)
        #expect(verified.channel == channel)
        #expect(verified.fingerprint == Fingerprint(ofCertificate: der))
        #expect(verified.notAfter == now + .seconds(86_400))
    }

    @Test("certificates after the leaf are neither needed nor looked at")
    func leafOnly() throws {
        let der = try ours.leaf()
        #expect(throws: Never.self) { try verifier.verify([der, [0xFF], []], at: now) }
    }

    @Test("a device key on P-384 or RSA is as good as one on P-256")
    func otherKeys() throws {
        let keys = [
            Certificate.PublicKey(P384.Signing.PrivateKey().publicKey),
            try Certificate.PublicKey(pemEncoded: TrustTestRequests.rsaPublicKey),
        ]
        for key in keys {
            let uri = DeviceURI(host: ours.host, device: TrustTestAuthority.device, channel: .maintenance)
            let der = try CertificateProfiles.device(
                uri, publicKey: key, signedBy: ours.issuing, now: now, lifetime: .seconds(3600)
            ).der()
            #expect(throws: Never.self) { try verifier.verify([der], at: now) }
        }
    }

    @Test("no certificate is named as such")
    func missing() { expect(.missing, []) }

    @Test("more than five certificates are refused before any is read")
    func tooMany() throws { expect(.tooMany, Array(repeating: try ours.leaf(), count: 6)) }

    @Test("bytes that are no certificate are malformed")
    func malformed() throws {
        let der = try ours.leaf()
        expect(.malformed, [[]])
        expect(.malformed, [Array("-----BEGIN CERTIFICATE-----".utf8)])
        expect(.malformed, [der + [0]])
        expect(.malformed, [Array(repeating: 0x30, count: 9000)])
        for length in stride(from: 0, to: der.count, by: 7) { expect(.malformed, [Array(der.prefix(length))]) }
    }

    @Test("a critical extension that is not understood makes the certificate malformed")
    func unknownCritical() throws {
        expect(.malformed, [try ours.leaf(extra: .onlyHost("elsewhere.example.com"))])
    }

    @Test("a self-signed certificate is named as such even when it copies everything else")
    func selfSigned() throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try CertificateSigner.selfSigned(
            subject: ours.issuing.certificate.subject, key: key,
            validity: Validity(now: now, lifetime: .seconds(3600)),
            extensions: [
                .notAuthority, .extendedKeyUsage(.clientAuth), .names([.uniformResourceIdentifier(ours.uri)]),
            ])
        expect(.selfSigned, [try certificate.der()])
    }

    @Test("a CA's certificate is no device's")
    func authority() throws {
        expect(.isCA, [try ours.leaf(isCA: true)])
        expect(.isCA, [try ours.issuing.certificate.der()])
    }

    @Test("an issuer that is not registered is unknown")
    func unknownIssuer() throws {
        let theirs = try TrustTestAuthority(host: "rival.fleet.example.com", tenant: TenantID(high: 3, low: 4))
        expect(.unknownIssuer, [try theirs.leaf()])
        verifier.trust(theirs.anchor)
        #expect(try verifier.verify([theirs.leaf()], at: now).tenant == TenantID(high: 3, low: 4))
        verifier.distrust(TenantID(high: 3, low: 4))
        expect(.unknownIssuer, [try theirs.leaf()])
        #expect(verifier.anchorCount == 1)
    }

    @Test("an issuer with another name than its key belongs to is unknown")
    func renamedIssuer() throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let renamed = try CertificateSigner(
            certificate: CertificateSigner.selfSigned(
                subject: DistinguishedName { CommonName("another name") }, key: key,
                validity: Validity(now: now, lifetime: .seconds(86_400)), extensions: []),
            key: key)
        // Its certificates carry the renamed issuer's key identifier, so it must be made to look like ours.
        var der = try ours.leaf(signer: renamed)
        let (own, foreign) = (
            KeyIdentifier(of: ours.issuing.certificate.publicKey).bytes, KeyIdentifier(of: key.publicKey).bytes
        )
        replaceFirst(foreign, by: own, in: &der)
        expect(.unknownIssuer, [der])
    }

    @Test("a signature by another key, or over other bytes, is bad")
    func badSignature() throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let twin = try CertificateSigner(
            certificate: CertificateSigner.selfSigned(
                subject: ours.issuing.certificate.subject, key: key,
                validity: Validity(now: now, lifetime: .seconds(86_400)), extensions: []),
            key: key)
        var forged = try ours.leaf(signer: twin)
        replaceFirst(
            KeyIdentifier(of: key.publicKey).bytes, by: KeyIdentifier(of: ours.issuing.certificate.publicKey).bytes,
            in: &forged)
        expect(.badSignature, [forged])
        var changed = try ours.leaf()
        replaceFirst(
            Array(TrustTestAuthority.device.text.utf8), by: Array(repeating: UInt8(ascii: "0"), count: 32), in: &changed
        )
        expect(.badSignature, [changed])
    }

    @Test("a signature algorithm that the issuing CA never uses is a bad signature")
    func otherAlgorithm() throws {
        let key = Certificate.PrivateKey(P384.Signing.PrivateKey())
        let twin = try CertificateSigner(
            certificate: CertificateSigner.selfSigned(
                subject: ours.issuing.certificate.subject, key: key,
                validity: Validity(now: now, lifetime: .seconds(86_400)), extensions: []),
            key: key)
        var forged = try ours.leaf(signer: twin)
        replaceFirst(
            KeyIdentifier(of: key.publicKey).bytes, by: KeyIdentifier(of: ours.issuing.certificate.publicKey).bytes,
            in: &forged)
        expect(.badSignature, [forged])
    }

    @Test("a certificate is good from its first to its last second and no longer")
    func validity() throws {
        let der = try ours.leaf(lifetime: .seconds(3600))
        expect(.notYetValid, [der], at: now - .seconds(301))
        #expect(throws: Never.self) { try verifier.verify([der], at: now - .seconds(300)) }
        #expect(throws: Never.self) { try verifier.verify([der], at: now + .seconds(3600)) }
        expect(.expired, [der], at: now + .seconds(3601))
    }

    @Test("a certificate never outlives its issuing CA")
    func cutAtTheEnd() throws {
        let der = try ours.leaf(lifetime: .seconds(100 * 365 * 86_400))
        #expect(try verifier.verify([der], at: now).notAfter == ours.anchor.notAfter)
        expect(.expired, [der], at: ours.anchor.notAfter + .seconds(1))
    }

    @Test("a certificate that is not for clients does not open the device side")
    func wrongUsage() throws {
        expect(.wrongUsage, [try ours.leaf(usage: .serverAuth)])
        expect(.wrongUsage, [try ours.leaf(usage: nil)])
        expect(.wrongUsage, [try ours.leaf(usage: .any)])
        expect(.wrongUsage, [try ours.leaf(keyUsage: KeyUsage(keyEncipherment: true))])
    }

    @Test("anything but exactly one subject alternative name is refused, whatever its type")
    func nameCount() throws {
        let own = GeneralName.uniformResourceIdentifier(ours.uri)
        expect(.sanCount, [try ours.leaf(names: [])])
        expect(.sanCount, [try ours.leaf(names: [own, own])])
        expect(.sanCount, [try ours.leaf(names: [own, .dnsName("acme.fleet.example.com")])])
    }

    static let strangeNames = [
        "tidegate://rival.fleet.example.com/device/0123456789abcdeffedcba9876543210",
        "tidegate://x.acme.fleet.example.com/device/0123456789abcdeffedcba9876543210",
        "tidegate://acme.fleet.example.com.evil.org/device/0123456789abcdeffedcba9876543210",
        "tidegate://ACME.fleet.example.com/device/0123456789abcdeffedcba9876543210",
        "tidegate://acme.fleet.example.com:443/device/0123456789abcdeffedcba9876543210",
        "tidegate://user@acme.fleet.example.com/device/0123456789abcdeffedcba9876543210",
        "https://acme.fleet.example.com/device/0123456789abcdeffedcba9876543210",
        "tidegate://acme.fleet.example.com/device/0123456789ABCDEFFEDCBA9876543210",
        "tidegate://acme.fleet.example.com/device/0123456789abcdeffedcba987654321",
        "tidegate://acme.fleet.example.com/device/0123456789abcdeffedcba98765432100",
        "tidegate://acme.fleet.example.com/device/0123456789abcdeffedcba9876543210/",
        "tidegate://acme.fleet.example.com/device/0123456789abcdeffedcba9876543210/stream/",
        "tidegate://acme.fleet.example.com/device/0123456789abcdeffedcba9876543210/Stream",
        "tidegate://acme.fleet.example.com/user/0123456789abcdeffedcba9876543210",
        "tidegate://acme.fleet.example.com",
        "",
    ]

    @Test("a name that is not exactly a device's of the issuing tenant is refused", arguments: strangeNames)
    func strangeName(name: String) throws {
        expect(.sanHost, [try ours.leaf(names: [.uniformResourceIdentifier(name)])])
    }

    @Test("a name of another type is refused even with the right text")
    func otherNameType() throws {
        expect(.sanHost, [try ours.leaf(names: [.dnsName(ours.uri)])])
    }

    @Test("every change of one byte is refused, and none traps")
    func everyByte() throws {
        let der = try ours.leaf()
        for index in der.indices {
            for change in [UInt8(0x01), 0x80, 0xFF] {
                var changed = der
                changed[index] ^= change
                #expect(throws: CertificateRefusal.self) { try verifier.verify([changed], at: now) }
            }
        }
    }

    @Test("an issuing CA that the intermediate did not sign, or for another host, is no anchor")
    func anchors() throws {
        let other = try TrustTestAuthority()
        #expect(throws: Refusal(.unavailable, "trust.chainInvalid", "")) {
            try DeviceAnchor(
                certificate: other.issuing.certificate.der(), of: TrustTestAuthority.tenant, host: other.host,
                issuedBy: ours.chain, at: now)
        }
        #expect(throws: Refusal(.unavailable, "trust.chainInvalid", "")) {
            try DeviceAnchor(
                certificate: ours.issuing.certificate.der(), of: TrustTestAuthority.tenant, host: "other.example.com",
                issuedBy: ours.chain, at: now)
        }
        #expect(throws: Refusal(.unavailable, "trust.chainInvalid", "")) {
            try DeviceAnchor(
                certificate: ours.intermediate.certificate.der(), of: TrustTestAuthority.tenant, host: ours.host,
                issuedBy: ours.chain, at: now)
        }
    }

    private func expect(
        _ reason: CertificateRefusal, _ presented: [[UInt8]], at time: Timestamp? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: reason, sourceLocation: sourceLocation) { try verifier.verify(presented, at: time ?? now) }
    }

    private func replaceFirst(_ old: [UInt8], by new: [UInt8], in bytes: inout [UInt8]) {
        for start in 0...(bytes.count - old.count) where bytes[start..<start + old.count].elementsEqual(old) {
            bytes.replaceSubrange(start..<start + old.count, with: new)
            return
        }
        Issue.record("the bytes to be replaced are not there")
    }
}
