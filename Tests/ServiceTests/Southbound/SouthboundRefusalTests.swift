import Access
import Base
import Fleet
import NIOCore
import Operations
import Testing

@testable import Southbound

/// What is refused, in which order, and what of it is counted and noted.
@Suite("Refusals of the device listener")
struct SouthboundRefusalTests {
    @Test(
        "who wants to speak something else afterwards gets an answer, and then nothing that it sends is kept",
        arguments: [
            "GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            "CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        ])
    func otherProtocol(head: String) async throws {
        try await SouthboundFixture.with { south in
            let client = try await SouthboundClient.connect(port: south.device)
            client.send(head)
            let answer = try #require(try await client.response())
            #expect(answer.status == 404 && answer.headers["connection"] == "close")
            let flood = Task {
                let piece = ByteBuffer(repeating: 0, count: 1 << 16)
                for _ in 0..<512 where !client.isClosed { try await client.channel.writeAndFlush(piece) }
            }
            try await client.closed()
            flood.cancel()
            try await south.eventually("everything is given back") { south.server.openConnections == 0 }
        }
    }

    @Test("each refusal has its code, and is counted under it")
    func codes() async throws {
        try await SouthboundFixture.with { south in
            let device = try await DDIDevice(south)
            func count(_ code: String) -> Int {
                south.counter("tidegate_device_requests_refused_by_code_total{code=\"\(code)\"}")
            }
            let method = try await device.send("PUT", "", "{}")
            #expect(method.status == 405 && method.headers["allow"] == "GET" && method.body.contains("ddi.method"))
            #expect(count("ddi.method") == 1)
            #expect(south.counter(#"tidegate_ddi_refused_total{code="ddi.method"}"#) == 1)
            let path = try await device.get("/deploymentBase/x")
            #expect(path.status == 404 && path.body.contains("device.path") && count("device.path") == 1)
            let body = String(repeating: " ", count: Limits.ddiBodyBytes + 1)
            let large = try await device.send("PUT", "/configData", body)
            #expect(large.status == 413 && large.body.contains("device.body") && count("device.body") == 1)
            for (method, path, allowed) in [
                ("POST", "/acme/heartbeat", "GET"), ("GET", "/acme/telemetry", "POST"),
                ("POST", "/.well-known/est/cacerts", "GET"),
            ] {
                let other = try await SouthboundClient.connect(port: south.device, .init(credential: device.credential))
                let answer = try #require(try await other.ask(method, path))
                #expect(answer.status == 405 && answer.headers["allow"] == allowed, "\(path)")
                #expect(answer.body.contains("device.method"))
            }
            #expect(count("device.method") == 3)
        }
    }

    @Test("another's name is refused like one that nobody has, and is noted")
    func foreign() async throws {
        try await SouthboundFixture.with { south in
            let device = try await DDIDevice(south)
            _ = try await south.enrolled("meter-2")
            _ = try await south.enrolled("meter-1", in: "rival")
            var answers: Set<String> = []
            for path in ["acme/controller/v1/meter-2", "rival/controller/v1/meter-1", "acme/controller/v1/nobody"] {
                let answer = try #require(try await device.client.ask("GET", "/\(path)"))
                #expect(answer.status == 404)
                answers.insert(answer.body)
            }
            #expect(answers.count == 1)
            answers = []
            for path in ["rival/heartbeat", "nobody/heartbeat", "rival/desired"] {
                answers.insert(try #require(try await device.client.ask("GET", "/\(path)")).body)
            }
            #expect(answers.count == 1)
            #expect(south.record.refused.elements == Array(repeating: "device.foreign", count: 6))
        }
    }

    @Test("what is refused counts against the rate, too")
    func rateFirst() async throws {
        try await SouthboundFixture.with { south in
            try await south.setDeviceRate(1)
            for (number, path) in ["/acme/controller/v1/nobody", "/rival/heartbeat"].enumerated() {
                let device = try await DDIDevice(south, "meter-\(number)")
                var statuses: Set<Int> = []
                for _ in 0..<100 { statuses.insert(try #require(try await device.client.ask("GET", path)).status) }
                #expect(statuses == [404, 429], "\(path)")
            }
        }
    }

    @Test("bytes of bodies count against the plan, and are paid back before the next request")
    func bytes() async throws {
        try await SouthboundFixture.with { south in
            let device = try await DDIDevice(south)
            let other = try await WorkDevice(south, "meter-2")
            var plan = try #require(south.fleet.directory.plan(of: south.acme))
            plan.deviceBytesPerSecond = 100
            _ = try await south.access.putPlan(plan, by: SouthboundFixture.admin)
            let data = "{\"data\":{\"a\":\"\(String(repeating: "x", count: 2000))\"}}"
            #expect(try await device.send("PUT", "/configData", data).status == 200)
            let refused = try await device.get("")
            #expect(refused.status == 429 && refused.body.contains("device.rate"))
            #expect(try await other.get("/heartbeat").status == 200, "another device's bytes are its own")
            let report = "{\"a\":\"\(String(repeating: "x", count: 2000))\"}"
            #expect(try await other.post("/reported", report).status == 200)
            #expect(try await other.get("/heartbeat").status == 429)
        }
    }

    @Test("connections of tokens count against the plan like those of certificates", arguments: TestDatabase.engines)
    func tokens(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let (acme, admin) = (south.acme, SouthboundFixture.admin)
            let model = try await south.fleet.createModel(
                try #require(Name("small")), ModelDocument(allowsAccessToken: true), in: acme, by: admin)
            var tokens: [String] = []
            for name in ["node-1", "node-2"] {
                _ = try await south.register(name) { $0.model = model.name.text }
                tokens.append(try await south.fleet.createAccessToken(name, in: acme, by: admin).text)
            }
            let gateway = try await south.fleet.createGatewayToken(in: acme, by: admin)
            var plan = try #require(south.fleet.directory.plan(of: acme))
            (plan.deviceConnections, plan.tenantConnections) = (2, 3)
            _ = try await south.access.putPlan(plan, by: admin)
            func connect() async throws -> SouthboundClient { try await SouthboundClient.connect(port: south.device) }
            func poll(_ client: SouthboundClient, _ name: String, _ authorization: String) async throws -> Int? {
                try await client.ask(
                    "GET", "/acme/controller/v1/\(name)", headers: ["Authorization: \(authorization)"])?.status
            }
            let (first, second, third) = (try await connect(), try await connect(), try await connect())
            for client in [first, second] {
                #expect(try await poll(client, "node-1", "TargetToken \(tokens[0])") == 200)
            }
            #expect(south.server.registry.count(of: acme) == 2)
            // Over its own limit a device loses its oldest connection.
            #expect(try await poll(third, "node-1", "TargetToken \(tokens[0])") == 200)
            try await first.closed()
            #expect(south.server.registry.count(of: acme) == 2)
            // A token names another device: the connection is that one's from then on.
            #expect(try await poll(second, "node-2", "TargetToken \(tokens[1])") == 200)
            #expect(south.server.registry.count(of: acme) == 2 && south.server.registry.deviceCount == 2)
            // A gateway's connection counts once, for whomever it speaks.
            let fourth = try await connect()
            for name in ["node-1", "node-2", "node-1"] {
                #expect(try await poll(fourth, name, "GatewayToken \(gateway)") == 200)
            }
            #expect(south.server.registry.count(of: acme) == 3)
            let fifth = try await connect()
            #expect(try await poll(fifth, "node-2", "GatewayToken \(gateway)") == 429)
            try await fifth.closed()
            let sixth = try await connect()
            #expect(try await poll(sixth, "node-2", "TargetToken \(tokens[1])") == 429)
            try await sixth.closed()
            for client in [second, third, fourth] { await client.close() }
            try await south.eventually("nothing is left") { south.server.registry.count(of: acme) == 0 }
        }
    }
}
