import Base
import HTTPTypes
import Testing

@testable import Northbound

/// Heartbeat policies through the API.
@Suite struct NorthboundHeartbeatTests {
    private static let tenant = "/api/v1/tenants/acme"

    @Test("a policy is set, shown with where it comes from, and taken away", arguments: TestDatabase.engines)
    func course(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let device = "\(Self.tenant)/devices/gw-1/heartbeat"
            _ = try await api.world.enrol(api.world.register("gw-1"))
            let admin = try await api.token("admin")
            let built = try await api.send(.get, device, token: admin)
            #expect(built.body["own"] == .null)
            #expect(built.body["source"] == ["kind": "builtIn", "id": .null])
            #expect(built.body["effective"]?["intervalSeconds"] == 300)
            #expect(
                built.body["standing"] == ["state": "calling", "since": .null, "timesLate": 0, "timesSilent": 0])
            let shown = try await api.send(.get, "\(Self.tenant)/devices/gw-1", token: admin)
            #expect(shown.body["heartbeat"] == built.body["standing"])
            _ = try await api.send(.put, "\(Self.tenant)/heartbeat", ["intervalSeconds": 600], token: admin)
            #expect(try await api.send(.get, device, token: admin).body["source"]?["kind"] == "tenant")
            _ = try await api.send(.post, "\(Self.tenant)/domains", ["name": "site"], token: admin)
            let site = try await api.send(
                .put, "\(Self.tenant)/domains/site/heartbeat",
                [
                    "intervalSeconds": 60,
                    "quietHours": ["from": "22:00", "until": "06:00", "timeZone": "Europe/Berlin"],
                ], token: admin)
            #expect(site.status == 200, "\(site.text)")
            #expect(site.body["source"]?["kind"] == "domain")
            _ = try await api.send(.patch, "\(Self.tenant)/devices/gw-1", ["domain": "site"], token: admin)
            let inherited = try await api.send(.get, device, token: admin)
            #expect(inherited.body["source"] == site.body["source"])
            #expect(inherited.body["effective"]?["quietHours"]?["timeZone"] == "Europe/Berlin")
            let own = try await api.send(.put, device, ["exempt": true], token: admin)
            #expect(own.body["source"]?["kind"] == "device")
            #expect(own.body["standing"]?["state"] == .null)
            for _ in 0..<2 { #expect(try await api.send(.delete, device, token: admin).status == 204) }
            #expect(try await api.send(.delete, "\(Self.tenant)/domains/site/heartbeat", token: admin).status == 204)
            #expect(try await api.send(.delete, "\(Self.tenant)/heartbeat", token: admin).status == 204)
            #expect(try await api.send(.get, device, token: admin).body["source"]?["kind"] == "builtIn")
            let listed = try await api.send(
                .get, "\(Self.tenant)/devices?filter=heartbeat%20%3D%20calling", token: admin)
            #expect(listed.items.count == 1)
            let wrong = try await api.send(.get, "\(Self.tenant)/devices?filter=heartbeat%20%3D%20gone", token: admin)
            #expect(wrong.body["code"] == "filter.invalid")
        }
    }

    @Test(
        "what is wrong with a policy is named at its place",
        arguments: [
            (#"{"intervalSeconds":0}"#, "request.invalid"), (#"{"intervalSeconds":-1}"#, "request.invalid"),
            (#"{"intervalSeconds":9223372036854775807}"#, "request.invalid"), (#"{"often":1}"#, "request.invalid"),
            (#"{"quietHours":{"from":"22:00","until":"6:00"}}"#, "heartbeat.invalid"),
            (#"{"quietHours":{"from":"22:00","until":"06:00","timeZone":"Mars/Base"}}"#, "heartbeat.invalid"),
            (#"{"lateAfter":3,"silentAfter":2}"#, "heartbeat.invalid"),
        ])
    func wrong(text: String, code: String) async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            _ = try await api.world.register("gw-1")
            let admin = try await api.token("admin")
            for place in ["heartbeat", "domains/%2F/heartbeat", "devices/gw-1/heartbeat"] {
                let reply = try await api.send(
                    .put, "\(Self.tenant)/\(place)", text: text, token: admin,
                    headers: [.contentType: "application/json"])
                #expect(reply.status == 400, "\(place): \(reply.text)")
                #expect(reply.body["code"]?.string == code, "\(place)")
            }
            let viewer = try await api.token("viewer")
            for place in ["heartbeat", "domains/%2F/heartbeat", "devices/gw-1/heartbeat"] {
                #expect(try await api.send(.put, "\(Self.tenant)/\(place)", [:], token: viewer).status == 403)
                #expect(try await api.send(.get, "\(Self.tenant)/\(place)", token: viewer).status == 200)
            }
        }
    }
}
