import Base
import Foundation
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization
import Testing
import Trust

@testable import Northbound

/// The listeners as they stand on the network: TLS, the socket's mode, limits, a new certificate, and their end.
@Suite struct NorthboundListenerTests {
    /// Runs a server on free ports of a fresh fixture and stops it gracefully afterwards.
    private static func withServer(
        stall: Duration = .seconds(60),
        _ body: @escaping @Sendable (NorthboundFixture, NorthboundServer, Certificates) async throws -> Void
    ) async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            let certificates = try Certificates(directory: api.world.directory)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            var configuration = NorthboundConfiguration(
                people: ListenerAddress(host: "127.0.0.1", port: 0),
                programs: ListenerAddress(host: "127.0.0.1", port: 0),
                adminSocket: api.world.directory + "/admin.sock",
                metrics: ListenerAddress(host: "127.0.0.1", port: 0), tls: { try certificates.current() })
            configuration.platform = ListenerAddress(host: "127.0.0.1", port: 0)
            configuration.stall = stall
            let server = try NorthboundServer(services: api.services, configuration: configuration, logger: logger)
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: [server], logger: logger))
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                do {
                    try await until("the listeners are open") {
                        NorthboundServer.Listener.allCases.allSatisfy { server.address(of: $0) != nil }
                    }
                    try await body(api, server, certificates)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(!FileManager.default.fileExists(atPath: api.world.directory + "/admin.sock"))
        }
    }

    /// A server CA of its own with the real time, because a client's TLS library knows no other.
    final class Certificates: Sendable {
        private let authorities: CertificateAuthorities
        private let names = Mutex(["localhost"])

        init(directory: String) throws {
            authorities = try CertificateAuthorities(
                paths: AuthorityPaths(keys: directory + "/own-keys", trust: directory + "/own-trust"),
                deployment: #require(DeploymentName("fleet.example.com")),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func rename(_ name: String) { names.withLock { $0 = [name] } }

        func current() throws -> TLSConfiguration {
            let names = names.withLock { $0 }
            let certificate = try authorities.serverCertificate(
                for: names.joined(), names: ServerNames(names))
            return .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.chainPEM.utf8))
                    .map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(certificate.keyPEM.utf8), format: .pem)))
        }

        /// A program's certificate with its key.
        func program(_ name: String) throws -> (certificate: NIOSSLCertificate, key: NIOSSLPrivateKey) {
            let made = try authorities.serverCertificate(for: name, names: ServerNames([name]))
            return (
                try #require(NIOSSLCertificate.fromPEMBytes(Array(made.chainPEM.utf8)).first),
                try NIOSSLPrivateKey(bytes: Array(made.keyPEM.utf8), format: .pem)
            )
        }

        func client(maximum: TLSVersion? = nil) throws -> TLSConfiguration {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authorities.serverAuthorityPEM.utf8)))
            configuration.maximumTLSVersion = maximum
            return configuration
        }
    }

    private static func get(
        _ server: NorthboundServer, _ path: String, _ configuration: TLSConfiguration, name: String = "localhost",
        headers: HTTPFields = [:]
    ) async throws -> TestClient.Response {
        let port = try #require(server.address(of: .people)?.port)
        return try await TestClient.withClient(
            host: "127.0.0.1", port: port,
            configuration: .init(tlsConfiguration: configuration, timeout: .seconds(120), serverName: name)
        ) { try await $0.get(path, headers: headers) }
    }

    @Test("programs come in by TLS 1.3 with a token; TLS 1.2 is refused")
    func tls() async throws {
        try await Self.withServer { api, server, certificates in
            let token = try await api.token("viewer")
            let reply = try await Self.get(
                server, "/api/v1/tenants/acme", certificates.client(), headers: [.authorization: "Bearer \(token)"])
            #expect(reply.status == .ok)
            #expect(reply.headers[.strictTransportSecurity] != nil)
            #expect(try await Self.get(server, "/api/v1/tenants/acme", certificates.client()).status == .unauthorized)
            await #expect(throws: (any Error).self) {
                try await Self.get(server, "/api/v1/openapi.json", certificates.client(maximum: .tlsv12))
            }
        }
    }

    @Test("a program proves itself by its certificate where it is asked for one, and nowhere else")
    func certificates() async throws {
        try await Self.withServer { api, server, certificates in
            let (own, key) = try certificates.program("program")
            let fingerprint = Fingerprint(ofCertificate: try own.toDERBytes())
            let made = try await api.send(
                .post, "/api/v1/tenants/acme/clients",
                [
                    "name": "p", "method": "certificate", "flows": ["itself"], "role": "viewer",
                    "certificate": .string(fingerprint.text),
                ])
            let id = try #require(made.body["clientId"]?.string, "\(made.text)")
            let stranger = try certificates.program("stranger")
            for (listener, certificate, key, status) in [
                (NorthboundServer.Listener.programs, own, key, 200), (.programs, stranger.0, stranger.1, 401),
                (.programs, nil, nil, 401), (.people, own, key, 401),
            ] as [(NorthboundServer.Listener, NIOSSLCertificate?, NIOSSLPrivateKey?, Int)] {
                var configuration = try certificates.client()
                configuration.certificateChain = certificate.map { [.certificate($0)] } ?? []
                configuration.privateKey = key.map { .privateKey($0) }
                let port = try #require(server.address(of: listener)?.port)
                let reply = try await TestClient.withClient(
                    host: "127.0.0.1", port: port,
                    configuration: .init(
                        tlsConfiguration: configuration, timeout: .seconds(120), serverName: "localhost")
                ) {
                    try await $0.post(
                        "/oauth/token", headers: [.contentType: "application/x-www-form-urlencoded"],
                        body: ByteBuffer(string: "grant_type=client_credentials&client_id=\(id)"))
                }
                #expect(reply.status.code == status, "\(listener)")
            }
        }
    }

    @Test("a new certificate is used without a restart")
    func reload() async throws {
        try await Self.withServer { _, server, certificates in
            #expect(try await Self.get(server, "/api/v1/openapi.json", certificates.client()).status == .ok)
            certificates.rename("renamed.example.com")
            try server.reloadCertificate()
            let renamed = try await Self.get(
                server, "/api/v1/openapi.json", certificates.client(), name: "renamed.example.com")
            #expect(renamed.status == .ok)
            await #expect(throws: (any Error).self) {
                try await Self.get(server, "/api/v1/openapi.json", certificates.client())
            }
        }
    }

    @Test("the administration socket is its owner's only, and its caller the local administrator")
    func socket() async throws {
        try await Self.withServer { api, _, _ in
            let path = api.world.directory + "/admin.sock"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            let reply = try await Self.raw(
                to: .init(unixDomainSocketPath: path),
                "GET /api/v1/principal HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(reply.contains("\"kind\":\"system\""))
        }
    }

    @Test("metrics, liveness and readiness are told in plain text")
    func metrics() async throws {
        try await Self.withServer { api, server, certificates in
            _ = try await Self.get(server, "/api/v1/openapi.json", certificates.client())
            let port = try #require(server.address(of: .metrics)?.port)
            for (path, words) in [
                ("/metrics", "tidegate_http_requests_total"), ("/healthz", "ok"), ("/readyz", "ready"),
            ] {
                let reply = try await TestClient.withClient(
                    host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(120))
                ) { try await $0.get(path) }
                #expect(reply.status == .ok)
                #expect(reply.body.map { String(buffer: $0).contains(words) } == true)
            }
        }
    }

    @Test(
        "what is not HTTP, or too much of it, is answered and the connection closed",
        arguments: [
            "\u{16}\u{3}\u{1}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "a: b\r\n", count: 200) + "\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "b", count: 40_000) + "\r\n\r\n",
            "POST /api/v1/tenants HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /api/v1/tenants HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        ])
    func malformed(request: String) async throws {
        try await Self.withServer { api, _, _ in
            let reply = try await Self.raw(
                to: .init(unixDomainSocketPath: api.world.directory + "/admin.sock"), request)
            #expect(reply.isEmpty || reply.hasPrefix("HTTP/1.1 400"), "\(reply.prefix(100))")
        }
    }

    @Test("a caller that never reads a large answer is cut off and counted, and others are served meanwhile")
    func neverReads() async throws {
        try await Self.withServer(stall: .milliseconds(500)) { api, server, certificates in
            let made = try await api.send(.post, "/api/v1/tenants/acme/devices", ["name": "meter-1"])
            let device = try #require(made.body["id"]?.string.flatMap { DeviceID(text: $0) })
            let start = api.world.time.clock.now.milliseconds - 20_000
            for part in 0..<4 {
                let readings = (0..<4000).map {
                    #"{"ts":\#(start + Int64(part * 4000 + $0)),"values":{"power":\#($0)}}"#
                }
                try await api.report("[\(readings.joined(separator: ","))]", device: device)
            }
            let token = try await api.token("viewer")
            let port = try #require(server.address(of: .people)?.port)
            let client = try await SouthboundClient.connect(port: port, .init(reads: false, window: 4096))
            let path =
                "/api/v1/tenants/acme/devices/meter-1/telemetry?from=2026-01-01T00:00:00Z&to=2028-01-01T00:00:00Z"
            let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n"
            // Some hundred answers of 300 KB, far more than the kernel holds.
            client.send(String(repeating: request, count: 200))
            func counted(_ name: String) -> Bool {
                api.services.metrics.text().split(separator: "\n").contains {
                    $0.hasPrefix(name) && $0.contains("listener=\"people\"") && !$0.hasSuffix(" 0")
                }
            }
            try await until("the first request is taken") {
                // Reading is needed for the handshake; afterwards the client only writes.
                client.channel.read()
                return counted("tidegate_http_requests_total")
            }
            try await until("it is cut off") { counted("tidegate_http_slow_peers_total") }
            #expect(try await Self.get(server, "/api/v1/openapi.json", certificates.client()).status == .ok)
            await client.close()
        }
    }

    @Test("a port that is taken is named, with what to do")
    func busy() async throws {
        try await Self.withServer { api, server, certificates in
            let port = try #require(server.address(of: .metrics)?.port)
            let second = try NorthboundServer(
                services: api.services,
                configuration: NorthboundConfiguration(
                    metrics: ListenerAddress(host: "127.0.0.1", port: port), tls: { try certificates.current() }),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let refusal = await #expect(throws: Refusal.self) { try await second.run() }
            #expect(refusal?.code == "listener.notOpened")
            #expect(refusal?.message.contains("127.0.0.1:\(port)") == true)
            #expect(refusal?.message.contains("listeners.metrics") == true)
        }
    }

    @Test("metrics are never offered beyond this machine, and a socket's path must fit")
    func refusedAddresses() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            for configuration in [
                NorthboundConfiguration(metrics: ListenerAddress(host: "0.0.0.0", port: 0), tls: { .clientDefault }),
                NorthboundConfiguration(adminSocket: "/" + String(repeating: "x", count: 107), tls: { .clientDefault }),
            ] {
                #expect(throws: Refusal.self) {
                    try NorthboundServer(services: api.services, configuration: configuration, logger: logger)
                }
            }
        }
    }

    /// Sends bytes to a Unix socket and returns all that comes back until the server closes.
    private static func raw(to address: SocketAddress, _ request: String) async throws -> String {
        let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(to: address) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var text = ""
            do {
                for try await bytes in inbound { text += String(buffer: bytes) }
            } catch let error as IOError where error.errnoCode == ECONNRESET {
                // The server closed while more was on its way; what it said before counts.
            }
            return text
        }
    }
}
