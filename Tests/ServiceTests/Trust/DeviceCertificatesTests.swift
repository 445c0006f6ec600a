import Base
import Crypto
import Foundation
import Storage
import SwiftASN1
import Testing
import X509

@testable import Trust

@Suite("issued certificates")
struct DeviceCertificatesTests {
    private func request() throws -> CertificateRequest {
        let request = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName { CommonName("whatever the device likes") },
            privateKey: Certificate.PrivateKey(P256.Signing.PrivateKey()), attributes: .init(),
            signatureAlgorithm: .ecdsaWithSHA256)
        var coder = DER.Serializer()
        try coder.serialize(request)
        return try CertificateRequest(der: coder.serializedBytes)
    }

    private func issue(
        _ fixture: TrustFixture, _ channel: Channel = .maintenance,
        lifetime: Duration = DeviceCertificates.defaultLifetime,
        to device: DeviceID = TrustFixture.device
    ) async throws -> IssuedCertificate {
        let request = try request()
        return try await fixture.database.tenant(TrustFixture.tenant).write { [certificates = fixture.certificates] in
            try certificates.issue(
                request, to: device, of: TrustFixture.tenant, for: channel, lifetime: lifetime, in: $0)
        }
    }

    @Test(
        "an issued certificate is accepted in a handshake and found by its fingerprint", arguments: TestDatabase.engines
    )
    func issued(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            let verifier = DeviceCertificateVerifier()
            let anchors = try await fixture.database.platform.read { [issuing = fixture.issuing] in
                try issuing.anchors(in: $0)
            }
            #expect(anchors.count == 1)
            for anchor in anchors { verifier.trust(anchor) }
            for channel in Channel.allCases {
                let issued = try await issue(fixture, channel)
                let verified = try verifier.verify([issued.der], at: fixture.time.now)
                #expect(verified.tenant == TrustFixture.tenant && verified.device == TrustFixture.device)
                #expect(verified.channel == channel && verified.fingerprint == issued.fingerprint)
                #expect(verified.notAfter == issued.notAfter)
                #expect(issued.notAfter == fixture.time.now + .seconds(30 * 86_400))
                #expect(issued.renewalDue < issued.notAfter - .seconds(9 * 86_400))
                let record = try await fixture.database.tenant(TrustFixture.tenant).read {
                    try fixture.certificates.find(issued.fingerprint, of: TrustFixture.tenant, in: $0)
                }
                #expect(record?.device == TrustFixture.device && record?.status == .active)
                #expect(record?.serial.count == 20 && record?.channel == channel)
            }
        }
    }

    @Test("a revoked certificate is told once and is no longer among the active ones", arguments: TestDatabase.engines)
    func revoked(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            let first = try await issue(fixture)
            let second = try await issue(fixture, .stream)
            let certificates = fixture.certificates
            let tenant = fixture.database.tenant(TrustFixture.tenant)
            #expect(
                try await tenant.write {
                    try certificates.revoke(first.fingerprint, of: TrustFixture.tenant, reason: .keyCompromise, in: $0)
                })
            #expect(
                try await tenant.write {
                    try certificates.revoke(first.fingerprint, of: TrustFixture.tenant, reason: .superseded, in: $0)
                } == false)
            let listed = try await tenant.read {
                try certificates.list(of: TrustFixture.device, tenant: TrustFixture.tenant, in: $0)
            }
            let record = try #require(listed.first { $0.fingerprint == first.fingerprint })
            #expect(
                record.status == .revoked && record.reason == .keyCompromise && record.revokedAt == fixture.time.now)
            #expect(listed.count == 2)
            #expect(try await active(fixture) == [second.fingerprint])
            let rest = try await tenant.write {
                try certificates.revokeAll(
                    of: TrustFixture.device, tenant: TrustFixture.tenant, reason: .cessationOfOperation, in: $0)
            }
            #expect(rest == [second.fingerprint])
            #expect(try await active(fixture).isEmpty)
        }
    }

    @Test("a tenant can not revoke another's certificate", arguments: TestDatabase.engines)
    func foreignRevocation(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            let rival = TenantID(high: 5, low: 2)
            try await fixture.createTenant(rival, slug: "rival")
            let issued = try await issue(fixture)
            let certificates = fixture.certificates
            #expect(
                try await fixture.database.tenant(rival).write {
                    try certificates.revoke(issued.fingerprint, of: rival, reason: .unspecified, in: $0)
                } == false)
            #expect(try await active(fixture) == [issued.fingerprint])
        }
    }

    @Test("ended certificates are not active, and are pruned after their time", arguments: TestDatabase.engines)
    func pruned(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            let certificates = fixture.certificates
            _ = try await issue(fixture, lifetime: .seconds(3600))
            let long = try await issue(fixture)
            fixture.time.advance(by: .seconds(3601))
            #expect(try await active(fixture) == [long.fingerprint])
            #expect(try await fixture.database.platform.write { try certificates.prune(in: $0) } == 0)
            #expect(
                try await fixture.database.platform.write { try certificates.prune(endedFor: .zero, in: $0) } == 1)
        }
    }

    @Test("a tenant without issuing CA certifies nothing", arguments: TestDatabase.engines)
    func withoutIssuing(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine, tenant: false) { fixture in
            await #expect(throws: Refusal(.unavailable, "trust.issuingMissing", "")) { try await issue(fixture) }
        }
    }

    @Test(
        "after the issuing CA was replaced, old certificates stay good and new ones hang from the new",
        arguments: TestDatabase.engines)
    func replacedIssuing(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            let old = try await issue(fixture)
            let issuing = fixture.issuing
            let slug = try #require(TenantSlug("acme"))
            try await fixture.database.tenant(TrustFixture.tenant).write {
                _ = try issuing.replace(TrustFixture.tenant, slug: slug, in: $0)
            }
            let new = try await issue(fixture)
            let verifier = DeviceCertificateVerifier()
            for anchor in try await fixture.database.platform.read({ try issuing.anchors(in: $0) }) {
                verifier.trust(anchor)
            }
            #expect(verifier.anchorCount == 2)
            for issued in [old, new] {
                #expect(throws: Never.self) { try verifier.verify([issued.der], at: fixture.time.now) }
            }
            let chain = try await fixture.database.tenant(TrustFixture.tenant).read {
                try issuing.certificates(of: TrustFixture.tenant, in: $0)
            }
            #expect(chain.count == 5)  // Two issuing CAs, intermediate, root, server CA.
            let keys = try await fixture.database.tenant(TrustFixture.tenant).read {
                try $0.rows("SELECT private_key FROM issuing_ca WHERE tenant = $1 AND retired_at IS NOT NULL")
                    .map { $0.isNull(0) }
            }
            #expect(keys == [true])
        }
    }

    @Test(
        "after another root took over, devices keep their certificates and cacerts carries both roots",
        arguments: TestDatabase.engines)
    func anotherRoot(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            let issuing = fixture.issuing
            let old = try await issue(fixture)
            let oldRoot = fixture.authorities.chain.root
            let deployment = fixture.authorities.deployment
            let request = try RootCeremony.requestIntermediate(paths: fixture.paths, for: deployment)
            let offline = "\(fixture.directory)/offline"
            try RootCeremony.createRoot(in: offline, for: deployment, clock: fixture.time.clock)
            let answer = try RootCeremony.sign(request: request, withRootIn: offline, clock: fixture.time.clock)
            try RootCeremony.install(answer, paths: fixture.paths, clock: fixture.time.clock)
            try fixture.authorities.reload()
            #expect(!SecretFile.exists(fixture.paths.root))
            #expect(try await fixture.database.platform.read { try issuing.anchors(in: $0) }.isEmpty)

            let renewed = try await issuing.renew(in: fixture.database)
            #expect(renewed.count == 1)
            #expect(try await issuing.renew(in: fixture.database).isEmpty)
            let verifier = DeviceCertificateVerifier()
            for anchor in renewed { verifier.trust(anchor) }
            #expect(throws: Never.self) { try verifier.verify([old.der], at: fixture.time.now) }
            let chain = try await fixture.database.tenant(TrustFixture.tenant).read {
                try issuing.certificates(of: TrustFixture.tenant, in: $0)
            }
            #expect(try chain.contains(oldRoot.der()))
            #expect(try chain.contains(fixture.authorities.chain.root.der()))
        }
    }

    @Test("an issuing CA is signed again at two thirds of its life", arguments: TestDatabase.engines)
    func renewedIssuing(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            fixture.time.advance(by: .seconds(4 * 365 * 86_400))
            try fixture.authorities.reload()
            let renewed = try await fixture.issuing.renew(in: fixture.database)
            #expect(renewed.count == 1)
            #expect(try #require(renewed.first).notAfter > fixture.time.now + .seconds(4 * 365 * 86_400))
        }
    }

    @Test("a tenant made long after the start gets an issuing CA that counts", arguments: TestDatabase.engines)
    func laterTenant(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine, tenant: false) { fixture in
            fixture.time.advance(by: .seconds(100 * 86_400))
            let anchor = try await fixture.createTenant()
            #expect(anchor.tenant == TrustFixture.tenant)
        }
    }

    private func active(_ fixture: TrustFixture) async throws -> [Fingerprint] {
        try await fixture.database.platform.read { [certificates = fixture.certificates] transaction in
            var found: [Fingerprint] = []
            try certificates.forEachActive(in: transaction) { found.append($0.fingerprint) }
            return found
        }
    }
}
