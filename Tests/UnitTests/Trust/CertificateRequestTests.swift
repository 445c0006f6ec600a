import Base
import SwiftASN1
import Testing
import X509

@testable import Trust

@Suite("certificate requests")
struct CertificateRequestTests {
    @Test(
        "a request of OpenSSL with a usable key is accepted, whatever else it asks for",
        arguments: [
            TrustTestRequests.p256, TrustTestRequests.p384, TrustTestRequests.rsa2048, TrustTestRequests.p256plain,
        ])
    func accepted(text: String) throws {
        #expect(throws: Never.self) { try EST.request(body: Array(text.utf8)) }
    }

    @Test(
        "a key that TLS can not use, or that is too weak, is refused by name",
        arguments: [
            (TrustTestRequests.rsa1024, "csr.malformed"), (TrustTestRequests.rsaExponent3, "csr.key"),
            (TrustTestRequests.ed25519, "csr.key"), (TrustTestRequests.p521, "csr.key"),
            (TrustTestRequests.k1, "csr.malformed"), (TrustTestRequests.sha1, "csr.signature"),
        ])
    func refusedKeys(text: String, code: String) throws {
        #expect(throws: Refusal(.invalid, code, "")) { try EST.request(body: Array(text.utf8)) }
    }

    @Test("of a request only the key reaches the certificate")
    func onlyTheKey() throws {
        let authority = try TrustTestAuthority()
        let request = try EST.request(body: Array(TrustTestRequests.p256.utf8))
        let uri = DeviceURI(host: authority.host, device: TrustTestAuthority.device, channel: .maintenance)
        let certificate = try CertificateProfiles.device(
            uri, publicKey: request.publicKey, signedBy: authority.issuing, now: TrustTestAuthority.now,
            lifetime: .seconds(3600))
        #expect(certificate.publicKey == request.publicKey)
        #expect(try certificate.subject == DistinguishedName { CommonName(TrustTestAuthority.device.text) })
        #expect(
            try certificate.extensions.subjectAlternativeNames.map(Array.init) == [.uniformResourceIdentifier(uri.text)]
        )
        #expect(try certificate.extensions.extendedKeyUsage.map(Array.init) == [.clientAuth])
        #expect(try certificate.extensions.basicConstraints == .notCertificateAuthority)
        #expect(certificate.serialNumber.bytes.count == 20)
    }

    @Test("a request that another key signed is refused")
    func foreignSignature() throws {
        var der = try EST.decode(Array(TrustTestRequests.p256.utf8))
        der[der.count - 5] ^= 1
        #expect(throws: Refusal(.invalid, "csr.signature", "")) { try CertificateRequest(der: der) }
    }

    @Test("every truncation is refused, and none traps")
    func truncated() throws {
        let der = try EST.decode(Array(TrustTestRequests.p256.utf8))
        for length in 0..<der.count {
            #expect(throws: Refusal.self) { try CertificateRequest(der: Array(der.prefix(length))) }
        }
    }

    @Test("a request larger than any honest one is refused unread")
    func tooLarge() {
        #expect(throws: Refusal(.tooLarge, "csr.tooLarge", "")) {
            try CertificateRequest(der: Array(repeating: 0x30, count: 9000))
        }
    }
}
