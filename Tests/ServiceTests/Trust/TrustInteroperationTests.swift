import Base
import Crypto
import Foundation
import Storage
import SwiftASN1
import Testing
import X509

@testable import Trust

/// What other people's programs make of our certificates and messages. They use the real time of day, so these tests
/// do as well.
@Suite("OpenSSL and strongSwan")
struct TrustInteroperationTests {
    /// The files of one tenant with one device's certificate, as OpenSSL and strongSwan take them.
    private func withFiles(_ body: (String, TrustFixture) async throws -> Void) async throws {
        try await TrustFixture.with(.sqlite, tenant: false) { fixture in
            fixture.time.advance(by: WallClock.system.now - fixture.time.now)
            let directory = fixture.directory
            // The CAs of the fixture were made at a fixed time, so they are made again at the real one.
            for name in ["root-ca.pem", "intermediate-ca.pem", "server-ca.pem"] {
                try SecretFile.remove("\(directory)/keys/\(name)")
            }
            try fixture.authorities.reload()
            try await fixture.createTenant()
            try await run("openssl", "ecparam -name prime256v1 -genkey -noout -out device.key", directory)
            try await run(
                "openssl", "req -new -key device.key -subj /CN=anything -outform DER -out device.csr", directory)
            let request = try EST.request(body: Array(Data(contentsOf: URL(filePath: "\(directory)/device.csr"))))
            let (issued, chain) = try await fixture.database.tenant(TrustFixture.tenant).write {
                [issuing = fixture.issuing, certificates = fixture.certificates] transaction in
                (
                    try certificates.issue(
                        request, to: TrustFixture.device, of: TrustFixture.tenant, for: .maintenance, in: transaction),
                    try issuing.certificates(of: TrustFixture.tenant, in: transaction)
                )
            }
            try write(issued.der, "device.der", directory)
            for (name, der) in zip(["issuing", "intermediate", "root", "server-ca"], chain) {
                try write(der, "\(name).der", directory)
                try await run("openssl", "x509 -inform DER -in \(name).der -out \(name).pem", directory)
            }
            try await run("openssl", "x509 -inform DER -in device.der -out device.pem", directory)
            try write(EST.body(certificates: chain), "cacerts.b64", directory)
            try write(EST.body(certificates: [issued.der]), "enrolled.b64", directory)
            try await run("sh", ["-c", "cat intermediate.pem issuing.pem > chain.pem"], directory)
            try await body(directory, fixture)
        }
    }

    @Test("OpenSSL reads the answers of EST and finds the certificates in their order")
    func messages() async throws {
        try await withFiles { directory, _ in
            for (name, count) in [("cacerts", 4), ("enrolled", 1)] {
                try await run("openssl", "base64 -d -in \(name).b64 -out \(name).p7", directory)
                let printed = try await run(
                    "openssl", "pkcs7 -inform DER -in \(name).p7 -print_certs -noout", directory)
                #expect(printed.components(separatedBy: "subject=").count - 1 == count)
            }
            let names = try await run("openssl", "pkcs7 -inform DER -in cacerts.p7 -print_certs -noout", directory)
                .split(separator: "\n").filter { $0.hasPrefix("subject=") }
                .map { String($0.suffix(from: $0.range(of: "CN = ")?.upperBound ?? $0.startIndex)) }
            #expect(names == ["Issuing CA", "Platform CA", "Root CA", "Server CA"])
        }
    }

    @Test("OpenSSL accepts the whole chain, name constraint and purpose included, strictly")
    func chain() async throws {
        try await withFiles { directory, _ in
            let verify = "verify -x509_strict -purpose sslclient -CAfile root.pem -untrusted chain.pem"
            #expect(try await run("openssl", "\(verify) device.pem", directory).contains("device.pem: OK"))
            #expect(
                try await run(
                    "openssl",
                    "verify -x509_strict -purpose sslserver -CAfile root.pem -untrusted chain.pem device.pem",
                    directory, status: 2
                )
                .contains("unsuitable certificate purpose"))
            let text = try await run("openssl", "x509 -in device.pem -noout -text", directory)
            #expect(text.contains("URI:tidegate://acme.fleet.example.com/device/\(TrustFixture.device.text)"))
            #expect(text.contains("TLS Web Client Authentication"))
            #expect(text.contains("CN = \(TrustFixture.device.text)"))
            #expect(!text.contains("anything"))
        }
    }

    @Test("OpenSSL refuses a certificate of a tenant's issuing CA for another tenant's host")
    func nameConstraint() async throws {
        try await withFiles { directory, fixture in
            let (signer, _) = try await fixture.database.tenant(TrustFixture.tenant).read {
                [issuing = fixture.issuing] in try issuing.signer(of: TrustFixture.tenant, in: $0)
            }
            for (host, accepted) in [
                ("acme.fleet.example.com", true), ("rival.fleet.example.com", false),
                ("x.acme.fleet.example.com", false), ("fleet.example.com", false),
            ] {
                let certificate = try CertificateProfiles.device(
                    DeviceURI(host: host, device: TrustFixture.device, channel: .maintenance),
                    publicKey: Certificate.PublicKey(P256.Signing.PrivateKey().publicKey), signedBy: signer,
                    now: fixture.time.now, lifetime: .seconds(3600))
                try write(Array(certificate.serializeAsPEM().pemString.utf8), "foreign.pem", directory)
                let output = try await run(
                    "openssl", "verify -CAfile root.pem -untrusted chain.pem foreign.pem", directory,
                    status: accepted ? 0 : 2)
                #expect(output.contains(accepted ? "OK" : "permitted subtree violation"))
            }
        }
    }

    @Test("OpenSSL accepts a listener's certificate for its names and addresses and for no other")
    func server() async throws {
        try await withFiles { directory, fixture in
            let names = try ServerNames(["fleet.example.com", "10.1.2.3", "fd00::1"])
            let made = try fixture.authorities.serverCertificate(for: "people", names: names)
            try write(Array(made.chainPEM.utf8), "server.pem", directory)
            let verify = "verify -x509_strict -purpose sslserver -CAfile trust/server-ca.pem"
            for check in ["-verify_hostname fleet.example.com", "-verify_ip 10.1.2.3", "-verify_ip fd00::1"] {
                #expect(try await run("openssl", "\(verify) \(check) server.pem", directory).contains("OK"))
            }
            try await run("openssl", "\(verify) -verify_hostname other.example.com server.pem", directory, status: 2)
            try await run("openssl", "verify -CAfile root.pem server.pem", directory, status: 2)
            try await run(
                "openssl", "verify -purpose sslclient -CAfile trust/server-ca.pem server.pem", directory, status: 2)
            try write(Array(made.keyPEM.utf8), "server.key", directory)
            #expect(try await run("openssl", "pkey -in server.key -noout -check", directory).contains("valid"))
        }
    }

    @Test("strongSwan reads the certificates and verifies the chain")
    func strongSwan() async throws {
        try await withFiles { directory, _ in
            let printed = try await run("pki", "--print --in device.der", directory)
            #expect(printed.contains("CN=\(TrustFixture.device.text)"))
            #expect(printed.contains("clientAuth"))
            for name in ["issuing", "intermediate", "root", "server-ca"] {
                #expect(try await run("pki", "--print --in \(name).der", directory).contains("CA"))
            }
            let verified = try await run(
                "pki", "--verify --in device.der --ca issuing.der --ca intermediate.der --cacert root.der", directory)
            #expect(verified.contains("certificate trusted"))
        }
    }

    @Test("OpenSSL decodes what csrattrs answers")
    func attributes() async throws {
        try await TestDatabase.withDirectory { directory in
            try write(EST.attributesBody(), "attributes.b64", directory)
            try await run("openssl", "base64 -d -in attributes.b64 -out attributes.der", directory)
            let parsed = try await run("openssl", "asn1parse -inform DER -in attributes.der", directory)
            for name in ["id-ecPublicKey", "prime256v1", "ecdsa-with-SHA256"] { #expect(parsed.contains(name)) }
        }
    }

    @Test("OpenSSL reads the ceremony's request and verifies what the root signed")
    func ceremony() async throws {
        try await TestDatabase.withDirectory { directory in
            let deployment = try #require(DeploymentName("fleet.example.com"))
            let paths = AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust")
            let request = try RootCeremony.requestIntermediate(paths: paths, for: deployment)
            try write(Array(request.utf8), "request.pem", directory)
            #expect(
                try await run("openssl", "req -in request.pem -noout -verify -subject", directory).contains(
                    "Platform CA"))
            try RootCeremony.createRoot(in: "\(directory)/offline", for: deployment)
            let answer = try RootCeremony.sign(request: request, withRootIn: "\(directory)/offline")
            try write(Array(answer.utf8), "answer.pem", directory)
            #expect(
                try await run("openssl", "verify -x509_strict -CAfile offline/root-ca.pem answer.pem", directory)
                    .contains(
                        "OK"))
        }
    }

    private func write(_ bytes: [UInt8], _ name: String, _ directory: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(name)"))
    }

    @discardableResult
    private func run(
        _ program: String, _ arguments: String, _ directory: String, status: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        try await run(
            program, arguments.split(separator: " ").map(String.init), directory, status: status,
            sourceLocation: sourceLocation)
    }

    @discardableResult
    private func run(
        _ program: String, _ arguments: [String], _ directory: String, status: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let result = try await SystemProgram.run(program, arguments, in: directory)
        #expect(result.status == status, "\(program) \(arguments): \(result.output)", sourceLocation: sourceLocation)
        return result.output
    }
}
