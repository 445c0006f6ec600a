import Base
import Crypto
import Foundation
import Storage
import Testing
import X509

@testable import Trust

@Suite("the platform's CAs")
struct CertificateAuthoritiesTests {
    private func open(_ directory: String, _ time: TrustTestClock) throws -> CertificateAuthorities {
        try CertificateAuthorities(
            paths: paths(directory), deployment: try #require(DeploymentName("fleet.example.com")), clock: time.clock)
    }

    private func paths(_ directory: String) -> AuthorityPaths {
        AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust")
    }

    private func mode(_ path: String) throws -> Int {
        let value = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        return try #require(value).intValue
    }

    @Test("the first start makes all CAs with private keys nobody else can read, and the next finds them")
    func firstStart() async throws {
        try await TestDatabase.withDirectory { directory in
            let time = TrustTestClock()
            let first = try open(directory, time)
            #expect(try mode("\(directory)/keys") == 0o700)
            #expect(try mode("\(directory)/trust") == 0o755)
            for name in ["root-ca.pem", "intermediate-ca.pem", "server-ca.pem"] {
                #expect(try mode("\(directory)/keys/\(name)") == 0o600)
            }
            for name in ["root-ca.pem", "server-ca.pem"] {
                #expect(try mode("\(directory)/trust/\(name)") == 0o644)
                let text = try String(contentsOfFile: "\(directory)/trust/\(name)", encoding: .utf8)
                #expect(!text.contains("PRIVATE"))
            }
            let second = try open(directory, time)
            #expect(second.chain.root == first.chain.root)
            #expect(second.chain.intermediate == first.chain.intermediate)
            #expect(try second.serverAuthorityPEM == first.serverAuthorityPEM)
        }
    }

    @Test("a start that was cut short after any file goes on", arguments: ["intermediate-ca.pem", "server-ca.pem"])
    func cutShort(missing: String) async throws {
        try await TestDatabase.withDirectory { directory in
            let time = TrustTestClock()
            let root = try open(directory, time).chain.root
            try SecretFile.remove("\(directory)/keys/\(missing)")
            try SecretFile.remove("\(directory)/trust/root-ca.pem")
            #expect(try open(directory, time).chain.root == root)
            #expect(SecretFile.exists("\(directory)/trust/root-ca.pem"))
        }
    }

    @Test(
        "a CA key that others can read stops the start",
        arguments: ["root-ca.pem", "intermediate-ca.pem", "server-ca.pem"])
    func readable(name: String) async throws {
        try await TestDatabase.withDirectory { directory in
            _ = try open(directory, TrustTestClock())
            #expect(chmod("\(directory)/keys/\(name)", 0o640) == 0)
            #expect(throws: Refusal(.unavailable, "trust.keyReadableByOthers", "")) {
                try open(directory, TrustTestClock())
            }
        }
    }

    @Test("the intermediate is signed again at two thirds of its life with the same key")
    func intermediateRenewal() async throws {
        try await TestDatabase.withDirectory { directory in
            let time = TrustTestClock()
            let authorities = try open(directory, time)
            let before = authorities.chain.intermediate
            try authorities.reload()
            #expect(authorities.chain.intermediate == before)
            time.advance(by: .seconds(4 * 365 * 86_400))
            try authorities.reload()
            let after = authorities.chain.intermediate
            #expect(after != before && after.publicKey == before.publicKey)
            #expect(Timestamp(after.notValidAfter) > time.now + .seconds(4 * 365 * 86_400))
        }
    }

    @Test("a server certificate stays until it is due, its names change or the server CA is another")
    func serverCertificate() async throws {
        try await TestDatabase.withDirectory { directory in
            let time = TrustTestClock()
            let authorities = try open(directory, time)
            let names = try ServerNames(["fleet.example.com", "10.0.0.1"])
            let first = try authorities.serverCertificate(for: "people", names: names)
            #expect(first.notAfter == time.now + .seconds(90 * 86_400))
            #expect(try authorities.serverCertificate(for: "people", names: names).chainPEM == first.chainPEM)
            #expect(try open(directory, time).serverCertificate(for: "people", names: names).chainPEM == first.chainPEM)
            #expect(try authorities.serverCertificate(for: "device", names: names).chainPEM != first.chainPEM)

            let renamed = try authorities.serverCertificate(for: "people", names: ServerNames(["fleet.example.com"]))
            #expect(renamed.chainPEM != first.chainPEM)

            time.advance(by: .seconds(61 * 86_400))
            let renewed = try authorities.serverCertificate(for: "people", names: ServerNames(["fleet.example.com"]))
            #expect(renewed.notAfter > renamed.notAfter)

            try SecretFile.replace("\(directory)/keys/server-people.pem", with: [1, 2, 3])
            #expect(throws: Never.self) {
                try authorities.serverCertificate(for: "people", names: ServerNames(["fleet.example.com"]))
            }

            try SecretFile.remove("\(directory)/keys/server-ca.pem")
            try authorities.reload()
            let other = try authorities.serverCertificate(for: "people", names: ServerNames(["fleet.example.com"]))
            #expect(other.chainPEM != renewed.chainPEM)
        }
    }

    @Test("an operator's certificate is taken when key, dates and use fit, and refused by name when not")
    func operatorsFiles() async throws {
        try await TestDatabase.withDirectory { directory in
            let time = TrustTestClock()
            let made = try open(directory, time).serverCertificate(for: "people", names: ServerNames(["a.example.com"]))
            let (certificate, key) = ("\(directory)/own.pem", "\(directory)/own.key")
            try SecretFile.replace(certificate, with: Array(made.chainPEM.utf8), for: .everybody)
            try SecretFile.replace(key, with: Array(made.keyPEM.utf8), for: .group)
            let loaded = try ServerCertificate.load(certificateFile: certificate, keyFile: key, now: time.now)
            #expect(loaded.chainPEM == made.chainPEM)
            #expect(loaded.notAfter == made.notAfter)

            let invalid = Refusal(.unavailable, "trust.serverCertificateInvalid", "")
            for moment in [time.now - .seconds(3600), time.now + .seconds(91 * 86_400)] {
                #expect(throws: invalid) {
                    try ServerCertificate.load(certificateFile: certificate, keyFile: key, now: moment)
                }
            }
            try SecretFile.replace(key, with: Array(P256.Signing.PrivateKey().pemRepresentation.utf8))
            #expect(throws: invalid) {
                try ServerCertificate.load(certificateFile: certificate, keyFile: key, now: time.now)
            }
            #expect(chmod(key, 0o644) == 0)
            #expect(throws: Refusal(.unavailable, "trust.keyReadableByOthers", "")) {
                try ServerCertificate.load(certificateFile: certificate, keyFile: key, now: time.now)
            }
        }
    }
}

@Suite("the ceremony of the offline root")
struct RootCeremonyTests {
    let time = TrustTestClock()

    private func run(_ body: (_ server: AuthorityPaths, _ offline: String, _ deployment: DeploymentName) throws -> Void)
        async throws
    {
        let deployment = try #require(DeploymentName("fleet.example.com"))
        try await TestDatabase.withDirectory { directory in
            try body(
                AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust"), "\(directory)/offline",
                deployment)
        }
    }

    @Test("a server installs an intermediate that an offline root signed, and never holds the root's key")
    func ceremony() async throws {
        try await run { server, offline, deployment in
            let request = try RootCeremony.requestIntermediate(paths: server, for: deployment)
            #expect(throws: Refusal(.unavailable, "trust.installPending", "")) {
                try CertificateAuthorities(paths: server, deployment: deployment, clock: time.clock)
            }
            try RootCeremony.createRoot(in: offline, for: deployment, clock: time.clock)
            #expect(throws: Refusal(.conflict, "trust.rootExists", "")) {
                try RootCeremony.createRoot(in: offline, for: deployment, clock: time.clock)
            }
            let answer = try RootCeremony.sign(request: request, withRootIn: offline, clock: time.clock)
            try RootCeremony.install(answer, paths: server, clock: time.clock)
            #expect(!SecretFile.exists(server.root))
            #expect(!SecretFile.exists(server.requestedIntermediate))
            let authorities = try CertificateAuthorities(paths: server, deployment: deployment, clock: time.clock)
            #expect(try authorities.chain.rootPEM == String(contentsOfFile: "\(offline)/root-ca.pem", encoding: .utf8))
            #expect(throws: Refusal(.conflict, "trust.nothingRequested", "")) {
                try RootCeremony.install(answer, paths: server, clock: time.clock)
            }
        }
    }

    @Test("asking twice keeps the key, so that an answer to the first request still fits")
    func askedTwice() async throws {
        try await run { server, offline, deployment in
            let request = try RootCeremony.requestIntermediate(paths: server, for: deployment)
            _ = try RootCeremony.requestIntermediate(paths: server, for: deployment)
            try RootCeremony.createRoot(in: offline, for: deployment, clock: time.clock)
            let answer = try RootCeremony.sign(request: request, withRootIn: offline, clock: time.clock)
            #expect(throws: Never.self) { try RootCeremony.install(answer, paths: server, clock: time.clock) }
        }
    }

    @Test("an answer for another key, without the root, in the wrong order or garbled is refused and changes nothing")
    func wrongAnswers() async throws {
        try await run { server, offline, deployment in
            let request = try RootCeremony.requestIntermediate(paths: server, for: deployment)
            try RootCeremony.createRoot(in: offline, for: deployment, clock: time.clock)
            let answer = try RootCeremony.sign(request: request, withRootIn: offline, clock: time.clock)
            let end = "-----END CERTIFICATE-----\n"
            let blocks = answer.split(separator: end).map { String($0) + end }
            let elsewhere = AuthorityPaths(keys: server.keys + "2", trust: server.trust + "2")
            let foreign = try RootCeremony.sign(
                request: RootCeremony.requestIntermediate(paths: elsewhere, for: deployment), withRootIn: offline,
                clock: time.clock)
            try RootCeremony.createRoot(in: offline + "2", for: deployment, clock: time.clock)
            let otherRoot = try String(contentsOfFile: offline + "2/root-ca.pem", encoding: .utf8)
            for wrong in [blocks[0], blocks[1] + blocks[0], foreign, "", "x", blocks[0] + otherRoot] {
                #expect(throws: Refusal.self) { try RootCeremony.install(wrong, paths: server, clock: time.clock) }
            }
            #expect(!SecretFile.exists(server.intermediate))
            #expect(throws: Never.self) { try RootCeremony.install(answer, paths: server, clock: time.clock) }
        }
    }
}
