import Access
import Base
import Crypto
import Foundation
import NIOCore
import NIOSSL
import Testing
import X509

@testable import Fleet
@testable import Southbound
@testable import Trust

@Suite("Identity of devices on their listeners", .timeLimit(.minutes(5)))
struct SouthboundIdentityTests {
    static let reading = #"[{"n":"power","v":1}]"#

    @Test(
        "a device with its certificate sends telemetry", arguments: [TLSVersion.tlsv12, .tlsv13],
        [["http/1.1"], [], ["h2", "x"]])
    func sends(version: TLSVersion, protocols: [String]) async throws {
        try await SouthboundFixture.with { south in
            let (registered, credential) = try await south.enrolled("meter-1")
            let client = try await SouthboundClient.connect(
                port: south.device, .init(credential: credential, protocols: protocols, version: version))
            for _ in 0..<3 {
                let response = try await client.ask(
                    "POST", "/acme/telemetry", headers: ["content-type: application/senml+json"], body: Self.reading)
                #expect(response?.status == 204)
            }
            let request = try #require(south.record.telemetry.elements.last)
            #expect(request.device.device == registered.device.id)
            #expect(request.contentType == "application/senml+json")
            #expect(String(buffer: request.body) == Self.reading)
            #expect(south.server.registry.deviceCount == 1)
            #expect(south.fleet.presence.onlineCount == 1)
            await client.close()
            try await south.eventually("the connection is forgotten") {
                south.server.registry.deviceCount == 0 && south.server.openConnections == 0
                    && south.fleet.presence.onlineCount == 0
            }
        }
    }

    @Test("a peer that agrees on mqtt, or comes to the MQTT listener, reaches MQTT with its identity")
    func mqtt() async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("meter-1")
            for (port, protocols) in [
                (south.device, ["mqtt"]), (south.mqtt, ["mqtt"]), (south.mqtt, []), (south.mqtt, ["x-other"]),
            ] {
                let known = try await SouthboundClient.connect(
                    port: port, .init(credential: credential, protocols: protocols))
                known.send("hello\n")
                #expect(try await known.wait { $0 == "meter-1 127.0.0.1\nhello\n" })
                let unknown = try await SouthboundClient.connect(port: port, .init(protocols: protocols))
                #expect(try await unknown.wait { $0 == "nobody 127.0.0.1\n" })
                await known.close()
                await unknown.close()
            }
        }
    }

    enum Bad: String, CaseIterable, Sendable {
        case foreignAuthority, expired, notYetValid, foreignTenant, revoked, suspended, serverUsage, authority
        case selfSigned, twoNames, neverIssued, tenantSuspended

        var counter: String {
            switch self {
            case .foreignAuthority: "unknownIssuer"
            case .expired: "expired"
            case .notYetValid: "notYetValid"
            case .foreignTenant: "sanHost"
            case .revoked, .suspended, .neverIssued, .tenantSuspended: "notAdmitted"
            case .serverUsage: "wrongUsage"
            case .authority: "isCA"
            case .selfSigned: "selfSigned"
            case .twoNames: "sanCount"
            }
        }
    }

    static func credential(_ bad: Bad, _ south: SouthboundFixture) async throws -> SouthboundFixture.Credential {
        let registered = try await south.register("other")
        func name(_ host: String = "acme.fleet.example.com") -> GeneralName {
            .uniformResourceIdentifier(DeviceURI(host: host, device: registered.device.id, channel: .maintenance).text)
        }
        let now = WallClock.system.now
        switch bad {
        case .expired:
            return try await south.forged(names: [name()], lifetime: .seconds(60), issuedAt: now - .seconds(86_400))
        case .notYetValid: return try await south.forged(names: [name()], issuedAt: now + .seconds(86_400))
        case .foreignTenant: return try await south.forged(names: [name("rival.fleet.example.com")])
        case .serverUsage: return try await south.forged(names: [name()], usage: .serverAuth)
        case .authority: return try await south.forged(names: [name()], isCA: true)
        case .twoNames: return try await south.forged(names: [name(), .dnsName("localhost")])
        case .neverIssued: return try await south.forged(names: [name()])
        case .revoked:
            let (_, credential) = try await south.enrolled("meter-1")
            _ = try await south.fleet.revoke("meter-1", in: south.acme, by: SouthboundFixture.admin)
            return credential
        case .suspended:
            let (_, credential) = try await south.enrolled("meter-1")
            _ = try await south.fleet.suspend("meter-1", in: south.acme, by: SouthboundFixture.admin)
            return credential
        case .tenantSuspended:
            let (_, credential) = try await south.enrolled("meter-1")
            _ = try await south.access.suspendTenant(try #require(TenantSlug("acme")), by: SouthboundFixture.admin)
            return credential
        case .foreignAuthority, .selfSigned:
            let key = P256.Signing.PrivateKey()
            let (subject, issuer) = (
                try DistinguishedName { CommonName("x") },
                try DistinguishedName { CommonName(bad == .selfSigned ? "x" : "Issuing CA") }
            )
            let signing = Certificate.PrivateKey(bad == .selfSigned ? key : P256.Signing.PrivateKey())
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
                notValidBefore: .init(timeIntervalSince1970: Double(now.seconds) - 60),
                notValidAfter: .init(timeIntervalSince1970: Double(now.seconds) + 3600), issuer: issuer,
                subject: subject,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    try ExtendedKeyUsage([.clientAuth])
                    SubjectAlternativeNames([name()])
                    AuthorityKeyIdentifier(keyIdentifier: [UInt8](repeating: 7, count: 20)[...])
                }, issuerPrivateKey: signing)
            return SouthboundFixture.Credential(key: key, der: try certificate.der())
        }
    }

    @Test("a bad certificate fails the handshake, is counted and recorded", arguments: Bad.allCases)
    func bad(bad: Bad) async throws {
        try await SouthboundFixture.with { south in
            let credential = try await Self.credential(bad, south)
            for (version, port) in [(TLSVersion.tlsv12, south.device), (.tlsv13, south.mqtt)] {
                let client = try await SouthboundClient.connect(
                    port: port, .init(credential: credential, version: version))
                client.send("POST /acme/telemetry HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n[]")
                try await client.closed()
                #expect(client.received.isEmpty)
            }
            #expect(south.counter("tidegate_certificates_refused_total{reason=\"\(bad.counter)\"}") == 2)
            #expect(south.counter("tidegate_handshakes_total") == 0)
            #expect(south.record.refused.elements == ["certificate.\(bad.counter)", "certificate.\(bad.counter)"])
            #expect(south.record.telemetry.elements.isEmpty)
            #expect(south.server.registry.deviceCount == 0)
        }
    }

    @Test("a revoked device's live connections, HTTP and MQTT, end at once")
    func revokesLive() async throws {
        try await SouthboundFixture.with(loops: 2) { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let (_, other) = try await south.enrolled("meter-2")
            var clients: [SouthboundClient] = []
            for _ in 0..<3 {
                let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
                #expect(try await client.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
                clients.append(client)
            }
            let bystander = try await SouthboundClient.connect(port: south.device, .init(credential: other))
            #expect(try await bystander.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
            // How fast it is the acceptance tests measure, on real processes.
            _ = try await south.fleet.revoke("meter-1", in: south.acme, by: SouthboundFixture.admin)
            for client in clients { try await client.closed() }
            #expect(try await bystander.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
            #expect(south.counter("tidegate_connections_ended_total") == 3)
            await bystander.close()
        }
    }

    @Test("an answer that is under way when access ends does not go out")
    func revokesUnderWay() async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("meter-1")
            south.record.answer.current = nil
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            client.send("POST /acme/telemetry HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n[]")
            try await south.eventually("the request is under way") { !south.record.unanswered.elements.isEmpty }
            _ = try await south.fleet.suspend("meter-1", in: south.acme, by: SouthboundFixture.admin)
            try await client.closed()
            #expect(client.received.isEmpty)
        }
    }

    @Test("a suspended tenant's devices lose their connections")
    func suspendsTenant() async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let (_, rival) = try await south.enrolled("meter-2", in: "rival")
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            let other = try await SouthboundClient.connect(port: south.device, .init(credential: rival))
            #expect(try await client.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
            #expect(try await other.ask("POST", "/rival/telemetry", body: Self.reading)?.status == 204)
            _ = try await south.access.suspendTenant(try #require(TenantSlug("acme")), by: SouthboundFixture.admin)
            try await client.closed()
            #expect(try await other.ask("POST", "/rival/telemetry", body: Self.reading)?.status == 204)
            await other.close()
        }
    }

    @Test(
        "a session resumed by OpenSSL works, and is refused once its certificate is revoked",
        arguments: ["-tls1_2", "-tls1_3"])
    func resumes(version: String) async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let directory = south.directory
            let files = try credential.write(to: directory, name: "meter-1")
            let request =
                "POST /acme/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
            func connect(_ arguments: [String]) async throws -> String {
                try await SystemProgram.run(
                    "openssl",
                    ["s_client", "-connect", "127.0.0.1:\(south.device)", version, "-ign_eof"] + arguments,
                    in: directory, input: request
                ).output
            }
            let session = ["-sess_out", "session.pem"]
            let first = try await connect(["-cert", files.certificate, "-key", files.key] + session)
            #expect(first.contains("HTTP/1.1 204"))
            let second = try await connect(["-sess_in", "session.pem"])
            #expect(second.contains("Reused, TLSv1"))
            #expect(second.contains("HTTP/1.1 204"))
            #expect(south.counter("tidegate_handshakes_resumed_total") == 1)
            _ = try await south.fleet.revoke("meter-1", in: south.acme, by: SouthboundFixture.admin)
            let third = try await connect(["-sess_in", "session.pem"])
            #expect(!third.contains("HTTP/1.1"))
            #expect(south.counter("tidegate_certificates_refused_total{reason=\"notAdmitted\"}") == 1)
            #expect(south.record.telemetry.elements.count == 2)
        }
    }

    @Test(
        "OpenSSL finds nothing older than TLS 1.2, and no cipher without ephemeral keys and authenticated encryption",
        arguments: [
            ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
            ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
            ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
        ])
    func oldCiphers(arguments: [String]) async throws {
        try await SouthboundFixture.with { south in
            let result = try await SystemProgram.run(
                "openssl", ["s_client", "-connect", "127.0.0.1:\(south.device)"] + arguments,
                in: south.directory, input: "")
            #expect(result.output.contains("Cipher is (NONE)"))
        }
    }

    @Test("a new server certificate is shown to new connections and leaves open ones alone")
    func reloads() async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            #expect(try await client.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
            func shown() async throws -> String {
                try await SystemProgram.run(
                    "openssl", ["s_client", "-connect", "127.0.0.1:\(south.device)", "-showcerts"],
                    in: south.directory, input: ""
                ).output.components(separatedBy: "BEGIN CERTIFICATE-----").dropFirst().first?
                .components(separatedBy: "-----END").first ?? ""
            }
            let before = try await shown()
            #expect(before.count > 500)
            #expect(try await shown() == before)
            try south.contexts.show(
                south.authorities.serverCertificate(for: "device", names: ServerNames(["localhost", "other.example"])))
            let after = try await shown()
            #expect(!after.isEmpty)
            #expect(after != before)
            #expect(try await client.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
            await client.close()
        }
    }

    @Test("an access token stands in for a certificate where the model allows it, until it ends")
    func accessToken() async throws {
        try await SouthboundFixture.with { south in
            let (fleet, acme) = (south.fleet, south.acme)
            var document = ModelDocument()
            document.allowsAccessToken = true
            let model = try await fleet.createModel(
                try #require(Name("weak")), document, in: acme, by: SouthboundFixture.admin)
            _ = try await south.register("meter-1") { $0.model = model.name.text }
            let token = try await fleet.createAccessToken("meter-1", in: acme, by: SouthboundFixture.admin)
            let client = try await SouthboundClient.connect(port: south.device)
            func post(_ secret: String) async throws -> Int? {
                try await client.ask(
                    "POST", "/acme/telemetry", headers: ["authorization: Bearer \(secret)"], body: Self.reading)?.status
            }
            #expect(try await post(token.text) == 204)
            #expect(try await post("0123456789abcdef0123456789abcdef") == 401)
            #expect(try await post(token.text) == 204)
            try await fleet.endAccessToken(token.record.id, of: "meter-1", in: acme, by: SouthboundFixture.admin)
            try await client.closed()
            let again = try await SouthboundClient.connect(port: south.device)
            #expect(
                try await again.ask(
                    "POST", "/acme/telemetry", headers: ["authorization: Bearer \(token.text)"], body: Self.reading)?
                    .status
                    == 401)
            await again.close()
        }
    }

    @Test("who has no certificate, or that of another tenant, gets no further than a status")
    func strangers() async throws {
        try await SouthboundFixture.with { south in
            let (_, rival) = try await south.enrolled("meter-2", in: "rival")
            let stranger = try await SouthboundClient.connect(port: south.device)
            let response = try #require(try await stranger.ask("POST", "/acme/telemetry", body: Self.reading))
            #expect(response.status == 401)
            #expect(response.body == "{\"title\":\"Unauthorized\",\"status\":401}\n")
            #expect(try await stranger.ask("GET", "/")?.status == 404)
            #expect(try await stranger.ask("GET", "/acme/telemetry")?.status == 405)
            #expect(try await stranger.ask("POST", "/acme/.well-known/est/simplereenroll", body: "x")?.status == 403)
            await stranger.close()
            let other = try await SouthboundClient.connect(port: south.device, .init(credential: rival))
            #expect(try await other.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 404)
            #expect(try await other.ask("GET", "/acme/.well-known/est/cacerts")?.status == 404)
            #expect(try await other.ask("GET", "/.well-known/est/cacerts")?.status == 200)
            await other.close()
            #expect(south.record.telemetry.elements.isEmpty)
        }
    }

    @Test("a device's oldest connection gives way to one too many")
    func displaces() async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("meter-1")
            var clients: [SouthboundClient] = []
            for _ in 0..<9 {
                let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
                #expect(try await client.ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
                clients.append(client)
            }
            try await clients[0].closed()
            #expect(south.server.registry.count(of: south.acme) == 8)
            #expect(try await clients[1].ask("POST", "/acme/telemetry", body: Self.reading)?.status == 204)
            for client in clients { await client.close() }
        }
    }
}
