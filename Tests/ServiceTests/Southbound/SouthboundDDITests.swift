import Access
import Base
import Foundation
import Operations
import Testing
import Trust

@testable import Fleet
@testable import Southbound

/// hawkBit's Direct Device Integration over real TLS, a real fleet and real tasks.
@Suite("Update clients")
struct SouthboundDDITests {
    // MARK: - An install

    @Test("an install goes from its order to success, in the client's own steps", arguments: TestDatabase.engines)
    func install(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            #expect(try await device.links() == ["configData"])
            try await device.introduce()
            #expect(try await device.links().isEmpty)
            try await fixture.install(try await fixture.release([("app.swu", "hello")]), on: device)
            #expect(try await device.links() == ["deploymentBase"])
            #expect(try await device.states() == [.queued])

            let number = try await device.number()
            let deployment = try await device.json("/deploymentBase/\(number)?c=\(number)")
            #expect(deployment["id"]?.string == "\(number)")
            #expect(try await device.states() == [.offered])
            let again = try await device.json("/deploymentBase/\(number)")
            #expect(again == deployment)

            #expect(try await device.say("proceeding", "none", of: number, details: ["Installing"]) == 200)
            #expect(try await device.states() == [.running])
            // It restarts: the action is still there, and what it says then is kept.
            #expect(try await device.links() == ["deploymentBase"])
            #expect(
                try await device.json("/deploymentBase/\(number)?actionHistory=10")["actionHistory"] == [
                    "status": "RUNNING", "messages": ["Installing"],
                ])
            #expect(try await device.say("closed", "success", of: number) == 200)
            #expect(try await device.states() == [.succeeded])
            #expect(
                try await device.links() == ["configData", "installedBase"],
                "a device that installed something says anew what it is")

            // Repeated, and late with another result.
            #expect(try await device.say("closed", "success", of: number) == 200)
            #expect(try await device.say("closed", "failure", of: number) == 200, "SWUpdate repeats what is refused")
            #expect(try await device.say("proceeding", "none", of: number) == 410)
            #expect(try await device.states() == [.succeeded])
            #expect(try await device.get("/deploymentBase/\(number)").status == 404)
            #expect(try await device.json("/installedBase/\(number)")["id"]?.string == "\(number)")
            #expect(!fixture.record.refused.elements.contains("task.foreign"))
        }
    }

    @Test("a failure is one, and a device may not want an install", arguments: TestDatabase.engines)
    func failure(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            let release = try await fixture.release([("app.swu", "hello")])
            try await fixture.install(release, on: device)
            let failed = try await device.number()
            let details = (0..<48).map { "line \($0): " + String(repeating: "x", count: 1000) }
            #expect(try await device.say("closed", "failure", of: failed, details: details) == 200)
            #expect(try await device.say("closed", "failure", of: failed, details: details) == 200)
            try await fixture.install(release, on: device)
            let refused = try await device.number()
            #expect(try await device.say("rejected", "none", of: refused) == 200)
            #expect(try await device.states() == [.refused, .failed])
            #expect(try await device.get("/installedBase/\(failed)").status == 404)
        }
    }

    @Test(
        "an install can be ended when the device agrees, and goes on when it does not", arguments: TestDatabase.engines)
    func cancel(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            try await device.introduce()
            let release = try await fixture.release([("app.swu", "hello")])
            let operation = try await fixture.install(release, on: device)
            let number = try await device.number()
            #expect(try await device.get("/cancelAction/\(number)").status == 404)
            #expect(try await device.say("closed", "success", of: number, to: "cancelAction") == 405)
            _ = try await device.json("/deploymentBase/\(number)")

            _ = try await fixture.operations.cancel(
                operation, force: false, in: fixture.acme, by: SouthboundFixture.admin)
            #expect(try await device.links() == ["cancelAction"])
            #expect(
                try await device.get("/cancelAction/\(number)").body
                    == #"{"cancelAction":{"stopId":"\#(number)"},"id":"\#(number)"}"#)
            #expect(try await device.get("/deploymentBase/\(number)").status == 404)
            #expect(try await device.say("proceeding", "none", of: number, to: "cancelAction") == 200)
            #expect(try await device.links() == ["cancelAction"])
            // It can not be stopped any more.
            #expect(try await device.say("closed", "failure", of: number, to: "cancelAction") == 200)
            #expect(try await device.say("closed", "failure", of: number, to: "cancelAction") == 200)
            #expect(try await device.states() == [.running])
            #expect(try await device.links() == ["deploymentBase"])
        }
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            let operation = try await fixture.install(try await fixture.release([("app.swu", "hello")]), on: device)
            let number = try await device.number()
            _ = try await device.json("/deploymentBase/\(number)")
            _ = try await fixture.operations.cancel(
                operation, force: false, in: fixture.acme, by: SouthboundFixture.admin)
            #expect(try await device.say("closed", "success", of: number, to: "cancelAction") == 200)
            #expect(try await device.say("closed", "success", of: number, to: "cancelAction") == 200)
            #expect(try await device.states() == [.cancelled])
            #expect(try await device.say("closed", "success", of: number) == 200)
        }
    }

    @Test("what a device tells of itself is kept beside what it reports otherwise", arguments: TestDatabase.engines)
    func attributes(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            func reported() async throws -> JSONValue {
                .object(
                    try await fixture.fleet.document(
                        .reported, of: "meter-1", in: fixture.acme, by: SouthboundFixture.admin
                    ).members)
            }
            #expect(
                try await device.send("PUT", "/configData", #"{"mode":"merge","data":{"a":"1","b":"2"}}"#).status == 200
            )
            #expect(try await device.send("PUT", "/configData", #"{"data":{"b":"3"}}"#).status == 200)
            #expect(try await reported() == ["attributes": ["a": "1", "b": "3"]])
            #expect(try await device.send("PUT", "/configData", #"{"mode":"remove","data":{"a":""}}"#).status == 200)
            #expect(try await reported() == ["attributes": ["b": "3"]])
            #expect(try await device.send("PUT", "/configData", #"{"mode":"replace","data":{"c":"4"}}"#).status == 200)
            #expect(try await reported() == ["attributes": ["c": "4"]])
            for body in ["", "{}", #"{"data":{}}"#, #"{"mode":"x","data":{"a":"1"}}"#] {
                #expect(try await device.send("PUT", "/configData", body).status == 400)
            }
            let large = "{\"data\":{\"a\":\"\(String(repeating: "x", count: 70_000))\"}}"
            #expect(try await device.send("PUT", "/configData", large).status == 413)
            #expect(try await reported() == ["attributes": ["c": "4"]])
        }
    }

    // MARK: - Who may

    @Test("nobody gets what is another's, and trying is noticed", arguments: TestDatabase.engines)
    func foreign(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            let other = try await DDIDevice(fixture, "meter-2")
            let rival = try await DDIDevice(fixture, "meter-1", in: "rival")
            try await fixture.install(try await fixture.release([("app.swu", "hello")]), on: device)
            let number = try await device.number()
            for stranger in [other, rival] {
                for path in [
                    "/deploymentBase/\(number)", "/cancelAction/\(number)", "/installedBase/\(number)",
                    "/softwaremodules/\(number)/artifacts", "/softwaremodules/\(number)/artifacts/app.swu",
                ] {
                    #expect(try await stranger.get(path).status == 404)
                }
                #expect(try await stranger.say("closed", "success", of: number) == 404)
                #expect(try await stranger.say("closed", "success", of: number, to: "cancelAction") == 404)
            }
            #expect(fixture.record.refused.elements.filter { $0 == "task.foreign" }.count == 14)
            #expect(fixture.counter(#"tidegate_ddi_refused_total{code="task.foreign"}"#) == 14)
            #expect(try await device.states() == [.queued])
            for number in [1, 999_999, 999_999_999_999] {
                #expect(try await device.say("closed", "success", of: Int64(number)) == 404)
            }
            // Under another's name, or in another's tenant, which is noted.
            for path in ["/acme/controller/v1/meter-2", "/rival/controller/v1/meter-1", "/acme/controller/v1/nobody"] {
                #expect(try #require(try await device.client.ask("GET", path)).status == 404)
            }
            let own = "/ACME/controller/v1/\(device.device.device.id.text)"
            let answer = try #require(try await device.client.ask("GET", own))
            #expect(answer.status == 200 && answer.body.contains("https://localhost\(own)/deploymentBase/\(number)"))
        }
    }

    @Test("only the maintenance certificate, or a token where the model allows it, is let in")
    func credentials() async throws {
        try await SouthboundFixture.with { fixture in
            let model = try await fixture.fleet.createModel(
                try #require(Name("small")), ModelDocument(allowsAccessToken: true), in: fixture.acme,
                by: SouthboundFixture.admin)
            _ = try await fixture.register("token-1") { $0.model = model.name.text }
            let token = try await fixture.fleet.createAccessToken(
                "token-1", in: fixture.acme, by: SouthboundFixture.admin)
            let client = try await SouthboundClient.connect(port: fixture.device)
            func status(_ authorization: String?, _ target: String = "/acme/controller/v1/token-1") async throws -> Int
            {
                let headers = authorization.map { ["Authorization: \($0)"] } ?? []
                return try #require(try await client.ask("GET", target, headers: headers)).status
            }
            #expect(try await status("TargetToken \(token.text)") == 200)
            #expect(try await status("targettoken \(token.text)") == 200)
            #expect(try await status("TargetToken \(token.text)x") == 401)
            #expect(try await status("TargetToken ") == 401)
            #expect(try await status(nil) == 401)
            #expect(try await status("Bearer \(token.text)") == 401)
            #expect(try await status("TargetToken \(token.text)", "/acme/controller/v1/other") == 404)
            let gateway = try #require(
                try await client.ask(
                    "GET", "/acme/controller/v1/token-1", headers: ["Authorization: GatewayToken \(token.text)"]))
            #expect(gateway.status == 401 && gateway.body.contains("device.refused"), "off unless somebody makes one")
            #expect(fixture.record.refused.elements.contains("device.refused"))

            let (_, stream) = try await fixture.enrolled("stream-1", channel: .stream)
            let streaming = try await SouthboundClient.connect(port: fixture.device, .init(credential: stream))
            let refused = try #require(try await streaming.ask("GET", "/acme/controller/v1/stream-1"))
            #expect(refused.status == 403 && refused.body.contains("device.channel"))
        }
    }

    @Test(
        "a gateway speaks for the devices whose models allow tokens, while somebody wants it to",
        arguments: TestDatabase.engines)
    func gateway(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let (acme, admin) = (fixture.acme, SouthboundFixture.admin)
            let model = try await fixture.fleet.createModel(
                try #require(Name("small")), ModelDocument(allowsAccessToken: true), in: acme, by: admin)
            let first = try await fixture.register("node-1") { $0.model = model.name.text }
            #expect(try await fixture.fleet.gatewayToken(in: acme, by: admin) == nil)
            let token = try await fixture.fleet.createGatewayToken(in: acme, by: admin)
            #expect(token.utf8.count == 32)
            _ = try await fixture.register("node-2") { $0.model = model.name.text }
            _ = try await fixture.enrolled("strict-1")
            let client = try await SouthboundClient.connect(port: fixture.device)
            func status(_ name: String, _ token: String, in slug: String = "acme") async throws -> Int {
                try #require(
                    try await client.ask(
                        "GET", "/\(slug)/controller/v1/\(name)", headers: ["Authorization: GatewayToken \(token)"])
                ).status
            }
            for name in ["node-1", "node-2", first.device.id.text] {
                #expect(try await status(name, token) == 200, "\(name)")
            }
            // It registers nobody, and opens neither who must have a certificate nor another tenant.
            for name in ["node-3", "strict-1"] { #expect(try await status(name, token) == 401, "\(name)") }
            #expect(try await status("node-1", token, in: "rival") == 401)
            #expect(try await status("node-1", String(token.reversed())) == 401)
            let heartbeat = try #require(
                try await client.ask("GET", "/acme/heartbeat", headers: ["Authorization: GatewayToken \(token)"]))
            #expect(heartbeat.status == 401)

            let name = try #require(Name("node-9"))
            var change = DeviceChange()
            change.name = name
            _ = try await fixture.fleet.update("node-2", change, in: acme, by: admin)
            #expect(try await status("node-2", token) == 401)
            #expect(try await status("node-9", token) == 200)
            let next = try await fixture.fleet.createGatewayToken(in: acme, by: admin)
            #expect(try await status("node-1", token) == 401)
            #expect(try await status("node-1", next) == 200)
            _ = try await fixture.fleet.revoke("node-1", in: acme, by: admin)
            #expect(try await status("node-1", next) == 401)
            // As after a restart.
            let directory = DeviceDirectory(tenants: fixture.access.directory)
            try await DirectoryLoader(
                directory: directory, certificates: DeviceCertificates(issuing: fixture.issuing)
            ).load(from: fixture.database)
            let slug = try #require(TenantSlug("acme"))
            #expect(try directory.admit(gatewayToken: next, tenant: slug, device: "node-9").name == name)
            try await fixture.fleet.endGatewayToken(in: acme, by: admin)
            #expect(try await status("node-9", next) == 401)
        }
    }

    @Test("bad requests are told so, and harm nothing")
    func badRequests() async throws {
        try await SouthboundFixture.with { fixture in
            let device = try await DDIDevice(fixture)
            try await fixture.install(try await fixture.release([("app.swu", "hello")]), on: device)
            let number = try await device.number()
            for body in ["", "{", "[]", "{}", "\u{0}", #"{"status":{"execution":"closed"}}"#] {
                #expect(try await device.send("POST", "/deploymentBase/\(number)/feedback", body).status == 400)
            }
            #expect(try await device.send("POST", "/deploymentBase/\(number)", "{}").status == 405)
            #expect(try await device.send("PUT", "", "{}").status == 405)
            #expect(try await device.get("/configData").status == 405)
            #expect(try await device.get("/deploymentBase/x").status == 404)
            let huge = String(repeating: " ", count: Limits.ddiBodyBytes + 1)
            #expect(try await device.send("POST", "/deploymentBase/\(number)/feedback", huge).status == 413)
        }
        try await SouthboundFixture.with { fixture in
            let device = try await DDIDevice(fixture)
            device.client.send("GET \(device.base) HTTP/1.1\r\nHost: a\"b\r\n\r\n")
            #expect(try await device.client.response()?.status == 400)
        }
    }

    @Test("a device that polls as fast as it can is slowed down")
    func rate() async throws {
        try await SouthboundFixture.with { fixture in
            let device = try await DDIDevice(fixture)
            let other = try await DDIDevice(fixture, "meter-2")
            try await device.introduce()
            // A thousand a second are more than this connection does on a slow machine: a lower bound shows the same.
            try await fixture.setDeviceRate(1)
            var statuses: [Int: Int] = [:]
            for _ in 0..<200 { statuses[try await device.get("").status, default: 0] += 1 }
            #expect(Set(statuses.keys) == [200, 429], "\(statuses)")
            let refused = try await device.get("")
            if refused.status == 429 { #expect(refused.headers["retry-after"] != nil) }
            let counted = fixture.counter(#"tidegate_ddi_refused_total{code="device.rate"}"#)
            #expect(counted == (statuses[429] ?? 0) + (refused.status == 429 ? 1 : 0))
            #expect(try await other.get("").status == 200)
        }
    }
}
