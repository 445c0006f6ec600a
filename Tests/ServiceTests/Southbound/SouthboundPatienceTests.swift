import Base
import NIOCore
import Testing

@testable import Fleet
@testable import Southbound

/// What the device side bears: too much, too slow, broken, silent.
@Suite("Patience of the device listeners", .timeLimit(.minutes(5)))
struct SouthboundPatienceTests {
    static func limits(_ change: (inout SouthboundLimits) -> Void) -> SouthboundLimits {
        var limits = SouthboundFixture.limits
        change(&limits)
        return limits
    }

    @Test("who connects and says nothing is cut off when the handshake's time is up")
    func silence() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.handshakeTime = .milliseconds(200) }) { south in
            let silent = try await SouthboundSocket.connect(port: south.device)
            try await silent.closed()
            #expect(south.counter("tidegate_handshake_timeouts_total") == 1)
            try await south.eventually("everything is given back") { south.server.openConnections == 0 }
        }
    }

    @Test(
        "whatever is no TLS fails the handshake",
        arguments: [
            "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}",
            "\u{16}\u{3}\u{1}\u{7f}\u{7f}zzzzzzzzzzzzzzzz",
        ])
    func noTLS(bytes: String) async throws {
        try await SouthboundFixture.with { south in
            let client = try await SouthboundSocket.connect(port: south.device)
            client.send(bytes)
            if !bytes.hasPrefix("\u{16}") { try await client.closed() }
            await client.close()
            try await south.eventually("everything is given back") { south.server.openConnections == 0 }
            #expect(south.counter("tidegate_handshakes_total") == 0)
        }
    }

    @Test("the oldest handshake gives way when too many are under way")
    func eviction() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.handshakes = 3 }) { south in
            var silent: [SouthboundSocket] = []
            for _ in 0..<3 { silent.append(try await SouthboundSocket.connect(port: south.device)) }
            try await south.eventually("three are in the handshake") { south.server.openConnections == 3 }
            let client = try await SouthboundClient.connect(port: south.device)
            #expect(try await client.ask("GET", "/")?.status == 404)
            try await silent[0].closed()
            #expect(south.counter("tidegate_connections_turned_away_total{reason=\"evicted\"}") == 1)
            #expect(!silent[1].isClosed)
            await client.close()
            for socket in silent { await socket.close() }
        }
    }

    @Test("one address gets no more than its share of connections, and no more than its share of handshakes")
    func perAddress() async throws {
        let limits = Self.limits {
            $0.connectionsPerAddress = 3
            $0.handshakesPerAddress = 2
        }
        try await SouthboundFixture.with(limits: limits) { south in
            var sockets: [SouthboundSocket] = []
            for _ in 0..<2 { sockets.append(try await SouthboundSocket.connect(port: south.device)) }
            try await south.eventually("two are in the handshake") { south.server.openConnections == 2 }
            try await SouthboundSocket.isTurnedAway(port: south.device)
            #expect(south.counter("tidegate_connections_turned_away_total{reason=\"source_handshakes\"}") == 1)
            for socket in sockets { await socket.close() }
            try await south.eventually("everything is given back") { south.server.openConnections == 0 }
            var clients: [SouthboundClient] = []
            for _ in 0..<3 {
                let client = try await SouthboundClient.connect(port: south.device)
                #expect(try await client.ask("GET", "/")?.status == 404)
                clients.append(client)
            }
            try await SouthboundSocket.isTurnedAway(port: south.device)
            #expect(south.counter("tidegate_connections_turned_away_total{reason=\"source_connections\"}") == 1)
            for client in clients { await client.close() }
        }
    }

    @Test("when the server is full new connections wait, and come in when others leave")
    func full() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.connections = 2 }) { south in
            var clients: [SouthboundClient] = []
            for _ in 0..<2 {
                let client = try await SouthboundClient.connect(port: south.device)
                #expect(try await client.ask("GET", "/")?.status == 404)
                clients.append(client)
            }
            // The first one was let into the kernel's queue before the listener knew that it is full; those after it
            // wait there.
            let waiting = try await SouthboundClient.connect(port: south.device)
            waiting.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            for client in clients { await client.close() }
            _ = try await waiting.response()
            #expect(south.server.openConnections <= 2)
            await waiting.close()
        }
    }

    @Test("many tiny connections leave nothing behind")
    func tiny() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.handshakes = 50 }) { south in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<60 {
                            let socket = try await SouthboundSocket.connect(port: south.device)
                            socket.send("\u{16}\u{3}\u{1}")
                            await socket.close()
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await south.eventually("everything is given back") { south.server.openConnections == 0 }
            let client = try await SouthboundClient.connect(port: south.device)
            #expect(try await client.ask("GET", "/")?.status == 404)
            await client.close()
        }
    }

    @Test("a stranger who sends a request byte by byte is cut off")
    func slowHead() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.strangerTime = .milliseconds(300) }) { south in
            let client = try await SouthboundClient.connect(port: south.device)
            for byte in "GET / HTTP/1.1\r\nhost: x\r\nx-slow: " { client.send(String(byte)) }
            let drip = Task {
                while !Task.isCancelled, !client.isClosed {
                    client.send("a")
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            try await client.closed()
            drip.cancel()
            #expect(south.counter("tidegate_device_request_timeouts_total") == 1)
        }
    }

    @Test("a device that says nothing more is let go after its idle time")
    func idle() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.idleTime = .seconds(20) }) { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            #expect(try await client.ask("POST", "/acme/telemetry", body: "[]")?.status == 204)
            try await client.closed()
            #expect(south.counter("tidegate_device_request_timeouts_total") == 0)
        }
    }

    @Test("an answer that takes the server too long is given up")
    func slowAnswer() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.answerTime = .milliseconds(200) }) { south in
            let (_, credential) = try await south.enrolled("meter-1")
            south.record.answer.current = nil
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            #expect(try await client.ask("POST", "/acme/telemetry", body: "[]")?.status == 503)
            try await client.closed()
        }
    }

    @Test("a peer that never reads its answers is cut off, and no request is taken while an answer waits")
    func neverReads() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.writeTime = .milliseconds(500) }) { south in
            let client = try await SouthboundClient.connect(port: south.device, .init(reads: false, window: 4096))
            // Reading is needed for the handshake; afterwards the client only writes.
            while south.counter("tidegate_handshakes_total") == 0 {
                client.channel.read()
                try await Task.sleep(for: .milliseconds(5))
            }
            // Few enough in one read of the server to stay below the bound on pipelined requests, which would close the
            // connection first.
            let request =
                "GET /.well-known/est/cacerts HTTP/1.1\r\nhost: x\r\nx-padding: \(String(repeating: "p", count: 3000))\r\n\r\n"
            let pump = Task {
                // The kernel's buffers on both sides must fill before anybody notices.
                while !Task.isCancelled { try await client.channel.writeAndFlush(ByteBuffer(string: request)) }
            }
            try await south.eventually("the answers wait") { south.counter("tidegate_device_requests_total") > 20 }
            try await south.eventually("it is cut off") { south.counter("tidegate_device_write_timeouts_total") == 1 }
            try await south.eventually("everything is given back") { south.server.openConnections == 0 }
            #expect(south.counter("tidegate_device_requests_malformed_total") == 0)
            pump.cancel()
            await client.close()
        }
    }

    @Test(
        "broken HTTP is refused and closes the connection",
        arguments: [
            ("NONSENSE\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: x\r\nHost: y\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999999\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: x\r\n" + String(repeating: "x: y\r\n", count: 70) + "\r\n", 431),
            ("GET / HTTP/1.1\r\nhost: x\r\nx: " + String(repeating: "y", count: 9000) + "\r\n\r\n", 431),
            ("GET /" + String(repeating: "y", count: 9000) + " HTTP/1.1\r\nhost: x\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\n\r\n", 417),
        ])
    func broken(request: String, status: Int) async throws {
        try await SouthboundFixture.with { south in
            let client = try await SouthboundClient.connect(port: south.device)
            client.send(request)
            #expect(try await client.response()?.status == status)
            if status != 417 { try await client.closed() }
            await client.close()
        }
    }

    @Test("a body over the limit is refused, whether it is announced or comes in chunks")
    func largeBody() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.telemetryBodyBytes = 1000 }) { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            let body = String(repeating: "x", count: 1001)
            #expect(try await client.ask("POST", "/acme/telemetry", body: body)?.status == 413)
            #expect(try await client.ask("POST", "/acme/telemetry", body: String(body.dropLast()))?.status == 204)
            client.send(
                "POST /acme/telemetry HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n\(body)\r\n0\r\n\r\n"
            )
            #expect(try await client.response()?.status == 413)
            try await client.closed()
        }
    }

    @Test("bodies of all connections share one budget")
    func bodyBudget() async throws {
        try await SouthboundFixture.with(limits: Self.limits { $0.bufferedBodyBytes = 1000 }) { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let first = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            let second = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            let half = String(repeating: "x", count: 800)
            first.send(
                "POST /acme/telemetry HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\nexpect: 100-continue\r\n\r\n")
            #expect(try await first.wait { $0.hasPrefix("HTTP/1.1 100") })
            first.send(half)
            try await south.eventually("the first body is held") {
                south.counter("tidegate_device_body_bytes") == 800
            }
            #expect(try await second.ask("POST", "/acme/telemetry", body: half)?.status == 503)
            first.send(String(repeating: "y", count: 100))
            #expect(try await first.wait { $0.contains("HTTP/1.1 204") })
            let third = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            #expect(try await third.ask("POST", "/acme/telemetry", body: half)?.status == 204)
            for client in [first, second, third] { await client.close() }
        }
    }

    @Test("pipelined requests are answered in order")
    func pipelining() async throws {
        try await SouthboundFixture.with { south in
            let client = try await SouthboundClient.connect(port: south.device)
            let targets = (0..<10).map { $0 % 2 == 0 ? "/.well-known/est/csrattrs" : "/.well-known/est/cacerts" }
            client.send(targets.map { "GET \($0) HTTP/1.1\r\nhost: x\r\n\r\n" }.joined())
            for target in targets {
                let response = try #require(try await client.response())
                #expect(response.status == 200)
                #expect(
                    response.headers["content-type"]
                        == (target.hasSuffix("csrattrs") ? "application/csrattrs" : "application/pkcs7-mime"))
            }
            await client.close()
        }
    }

    @Test("more pipelined requests than anybody needs close the connection")
    func floodOfRequests() async throws {
        try await SouthboundFixture.with { south in
            let client = try await SouthboundClient.connect(port: south.device)
            client.send(String(repeating: "GET /.well-known/est/cacerts HTTP/1.1\r\nhost: x\r\n\r\n", count: 200))
            try await client.closed()
            #expect(south.counter("tidegate_device_requests_malformed_total") == 1)
        }
    }

    @Test("when the server stops, the request at hand is answered and idle connections are closed")
    func stops() async throws {
        // The one that is at work has all the time it needs.
        try await SouthboundFixture.with(limits: Self.limits { $0.drainTime = .seconds(600) }) { south in
            let (_, credential) = try await south.enrolled("meter-1")
            let idle = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            #expect(try await idle.ask("POST", "/acme/telemetry", body: "[]")?.status == 204)
            let mqtt = try await SouthboundClient.connect(port: south.mqtt, .init(credential: credential))
            #expect(try await mqtt.wait { $0.hasPrefix("meter-1") })
            south.record.answer.current = nil
            let busy = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            busy.send("POST /acme/telemetry HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n[]")
            try await south.eventually("a request is under way") { !south.record.unanswered.elements.isEmpty }
            await south.stop()
            try await idle.closed()
            try await mqtt.closed()
            #expect(mqtt.received.hasSuffix("bye serverShuttingDown\n"))
            #expect(!busy.isClosed)
            for promise in south.record.unanswered.elements { promise.succeed(.accepted) }
            let response = try #require(try await busy.response())
            #expect(response.status == 204)
            #expect(response.headers["connection"] == "close")
            try await busy.closed()
            // Another test's server may have been given the port meanwhile, so what counts is who is asked.
            let asked = south.counter("tidegate_device_requests_total")
            _ = try? await SouthboundClient.connect(port: south.device).ask("GET", "/.well-known/est/cacerts")
            #expect(south.counter("tidegate_device_requests_total") == asked)
        }
    }

    @Test("a busy port is named")
    func busyPort() async throws {
        try await SouthboundFixture.with { south in
            await #expect(throws: Refusal(.unavailable, "listener.notOpened", "")) {
                try await south.startSecond(on: south.device)
            }
        }
    }
}
