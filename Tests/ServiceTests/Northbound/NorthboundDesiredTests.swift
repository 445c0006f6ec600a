import Base
import HTTPTypes
import Testing

@testable import Fleet
@testable import Northbound

/// What people and programs do with devices' documents and events, through the API.
@Suite struct NorthboundDesiredTests {
    private static let device = "/api/v1/tenants/acme/devices/gw-1"

    @Test("a desired document is set, shown and guarded by its version", arguments: TestDatabase.engines)
    func desired(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.world.register("gw-1")
            let token = try await api.token("operator")
            let none = try await api.send(.get, "\(Self.device)/desired", token: token)
            #expect(none.body == ["version": 0, "desired": [:], "changed": .null])
            let set = try await api.send(
                .put, "\(Self.device)/desired?ifVersion=0", ["interval": 5, "net": ["apn": "a"]], token: token)
            #expect(set.status == 200, "\(set.text)")
            #expect(set.body["version"] == 1)
            #expect(set.body["desired"] == ["interval": 5, "net": ["apn": "a"]])
            #expect(set.body["layer"] == 1)
            let shown = try await api.send(.get, "\(Self.device)/desired", token: token)
            for member in ["version", "desired", "changed"] { #expect(shown.body[member] == set.body[member]) }
            let stale = try await api.send(.put, "\(Self.device)/desired?ifVersion=0", [:], token: token)
            #expect(stale.status == 409)
            #expect(stale.body["code"] == "desired.changed")
            let other = try await api.send(.put, "\(Self.device)/desired?ifLayer=0", [:], token: token)
            #expect(other.status == 409 && other.body["code"] == "desired.changed")
            for (body, status, code) in [
                ("[1]", 400, "request.invalid"), (#"{"a":{"$secret":"set"}}"#, 400, "desired.invalid"),
                (#"{"a":1,"a":2}"#, 400, "request.invalid"),
                (#"{"a":""# + String(repeating: "x", count: 70_000) + #""}"#, 413, "desired.size"),
            ] {
                let refused = try await api.send(
                    .put, "\(Self.device)/desired", text: body, token: token,
                    headers: [.contentType: "application/json"])
                #expect(refused.status == status, "\(refused.text)")
                #expect(refused.body["code"]?.string == code)
            }
            let viewer = try await api.token("viewer")
            #expect(try await api.send(.get, "\(Self.device)/desired", token: viewer).status == 200)
            #expect(try await api.send(.put, "\(Self.device)/desired", [:], token: viewer).status == 403)
            let foreign = try await api.token("admin", tenant: "rival")
            for path in ["desired", "reported", "events"] {
                #expect(try await api.send(.get, "\(Self.device)/\(path)", token: foreign).status == 404)
            }
        }
    }

    @Test("what a device reports and what happened to it is read back, page by page", arguments: TestDatabase.engines)
    func reported(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let device = try await api.world.enrol(api.world.register("gw-1"))
            let now = api.world.time.now
            _ = try await api.world.fleet.keep([
                DeviceReport(.reported(Array(#"{"firmware":"1.2"}"#.utf8)), of: device, received: now),
                DeviceReport(
                    .events(
                        Array(#"[{"code":"a","ts":1000},{"code":"b","ts":2000,"severity":"critical","text":"x"}]"#.utf8)
                    ),
                    of: device, received: now),
            ])
            let token = try await api.token("viewer")
            let reported = try await api.send(.get, "\(Self.device)/reported", token: token)
            #expect(reported.body["reported"] == ["firmware": "1.2"])
            #expect(reported.body["version"] == 1)
            let first = try await api.send(.get, "\(Self.device)/events?limit=1", token: token)
            #expect(
                first.items == [
                    [
                        "time": "1970-01-01T00:00:02Z",
                        "received": .string(Timestamp(microseconds: now.microseconds + 1).rfc3339),
                        "code": "b", "severity": "critical", "text": "x", "details": [:],
                    ]
                ])
            let next = try #require(first.body["next"]?.string)
            let second = try await api.send(.get, "\(Self.device)/events?limit=1&after=\(next)", token: token)
            #expect(second.items.first?["code"] == "a")
            #expect(second.body["next"] == .null)
            let part = try await api.send(
                .get, "\(Self.device)/events?from=1970-01-01T00:00:01Z&to=1970-01-01T00:00:02Z", token: token)
            #expect(part.items.compactMap { $0["code"]?.string } == ["a"])
            for query in ["from=x", "from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z", "after=zz", "limit=0"] {
                #expect(try await api.send(.get, "\(Self.device)/events?\(query)", token: token).status == 400)
            }
        }
    }
}
