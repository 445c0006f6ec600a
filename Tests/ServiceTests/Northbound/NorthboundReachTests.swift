import Audit
import Base
import HTTPTypes
import Testing

@testable import Northbound

/// User groups, reach, moves, proposed changes and staff over the API.
@Suite struct NorthboundReachTests {
    private static let base = "/api/v1/tenants/acme"

    private static func tree(_ api: NorthboundFixture) async throws {
        for (name, parent) in [("plant", nil), ("office", nil)] as [(String, String?)] {
            var body: [String: JSONValue] = ["name": .string(name)]
            body["parent"] = parent.map { .string($0) }
            _ = try await api.send(.post, "\(base)/domains", .object(body))
        }
        for (name, domain) in [("press", "plant"), ("saw", "plant"), ("printer", "office")] {
            let made = try await api.send(
                .post, "\(base)/devices", ["name": .string(name), "domain": .string(domain)])
            #expect(made.status == 201, "\(made.text)")
        }
        for name in ["ada", "bob"] {
            _ = try await api.send(.post, "\(base)/principals", ["name": .string(name), "kind": "user"])
        }
    }

    @Test(
        "who reaches a device is told from all sides, by groups and single devices too", arguments: TestDatabase.engines
    )
    func reach(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            try await Self.tree(api)
            #expect(try await api.send(.post, "\(Self.base)/groups", ["name": "crew"]).status == 201)
            #expect(try await api.send(.put, "\(Self.base)/groups/crew/members/ada").status == 204)
            #expect(try await api.send(.get, "\(Self.base)/groups").items.first?["members"] == 1)
            #expect(try await api.send(.get, "\(Self.base)/groups/crew/members").items.map { $0["name"] } == ["ada"])
            _ = try await api.send(
                .post, "\(Self.base)/grants", ["group": "crew", "role": "operator", "domain": "plant"])
            let single = try await api.send(
                .post, "\(Self.base)/grants", ["principal": "bob", "role": "technician", "device": "press"])
            #expect(single.status == 201 && single.body["domain"] == .null, "\(single.text)")
            let ofPress = try await api.send(.get, "\(Self.base)/devices/press/reach").items
            #expect(ofPress.map { $0["name"] } == ["ada", "bob"])
            #expect(ofPress.map { $0["via"] } == ["group", "grant"])
            #expect(try await api.send(.get, "\(Self.base)/devices/saw/reach").items.map { $0["name"] } == ["ada"])
            #expect(try await api.send(.get, "\(Self.base)/domains/office/reach").items.isEmpty)
            #expect(try await api.send(.get, "\(Self.base)/principals/bob/reach").items.first?["role"] == "technician")
            func devices(of person: String) async throws -> [JSONValue?] {
                try await api.send(.get, "\(Self.base)/principals/\(person)/devices").items.map { $0["name"] }
            }
            #expect(try await devices(of: "ada") == ["press", "saw"])
            #expect(try await devices(of: "bob") == ["press"])
            // Who sees only part of the tenant sees only part of what others can see, and not who they are.
            let plant = try await api.token("operator", domain: "plant")
            let found = try await api.send(.get, "\(Self.base)/devices/press/reach", token: plant)
            #expect(found.status == 200 && found.items.count == 3)
            #expect(
                try await api.send(.get, "\(Self.base)/principals/ada/reach", token: plant).body["code"] == "not.found")
            #expect(try await api.send(.get, "\(Self.base)/devices/printer/reach", token: plant).status == 404)
            #expect(try await api.send(.get, "\(Self.base)/devices/printer", token: plant).status == 404)
            // A device's grants end with it.
            _ = try await api.send(.delete, "\(Self.base)/devices/press")
            #expect(try await api.send(.get, "\(Self.base)/principals/bob/reach").items.isEmpty)
            #expect(try await api.send(.delete, "\(Self.base)/groups/crew/members/ada").status == 204)
            #expect(try await api.send(.delete, "\(Self.base)/groups/crew").status == 204)
        }
    }

    @Test("a device's move is previewed, made and undone", arguments: TestDatabase.engines)
    func move(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            try await Self.tree(api)
            for (name, domain) in [("ada", "plant"), ("bob", "office")] {
                _ = try await api.send(
                    .post, "\(Self.base)/grants",
                    ["principal": .string(name), "role": "operator", "domain": .string(domain)])
            }
            let preview = try await api.send(
                .post, "\(Self.base)/reach/preview", ["moveDevice": ["device": "press", "to": "office"]])
            #expect(preview.body["losing"] == 1 && preview.body["gaining"] == 1, "\(preview.text)")
            let device = try await api.send(.get, "\(Self.base)/devices/press").body
            #expect(try await api.send(.get, "\(Self.base)/moves").items.isEmpty)
            // An operator of the plant alone can neither take it there nor try.
            let plant = try await api.token("operator", domain: "plant")
            for body in [["moveDevice": ["device": "press", "to": "office"]]] as [JSONValue] {
                #expect(try await api.send(.post, "\(Self.base)/reach/preview", body, token: plant).status == 404)
            }
            _ = try await api.send(.patch, "\(Self.base)/devices/press", ["domain": "office"])
            let move = try #require(try await api.send(.get, "\(Self.base)/moves").items.first)
            #expect(move["kind"] == "device" && move["object"] == device["id"] && move["undone"] == .null)
            let id = try #require(move["id"]?.string)
            #expect(try await api.send(.post, "\(Self.base)/moves/\(id)/undo", token: plant).status == 404)
            #expect(try await api.send(.post, "\(Self.base)/moves/\(id)/undo").status == 204)
            #expect(try await api.send(.get, "\(Self.base)/devices/press").body["domain"] == device["domain"])
            #expect(try await api.send(.post, "\(Self.base)/moves/\(id)/undo").body["code"] == "move.undone")
            for body in [
                [:], ["grant": ["role": "viewer", "principal": "ada"], "endGrant": .string(id)],
                ["moveDomain": ["domain": "office", "to": "nowhere"]],
            ] as [JSONValue] {
                let reply = try await api.send(.post, "\(Self.base)/reach/preview", body)
                #expect((400..<500).contains(reply.status), "\(reply.text)")
            }
            let grant = try await api.send(
                .post, "\(Self.base)/reach/preview", ["grant": ["role": "admin", "principal": "ada"]])
            #expect(grant.body["gaining"] == 1 && grant.body["losing"] == 0, "\(grant.text)")
        }
    }

    @Test("a device can not be moved to where its mover has more rights")
    func gain() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            try await Self.tree(api)
            _ = try await api.send(
                .put, "\(Self.base)/roles/mover", ["permissions": ["device.read", "device.manage", "tenant.read"]])
            let made = try await api.send(.post, "\(Self.base)/tokens", ["role": "mover"])
            let (token, client) = (try #require(made.body["token"]?.string), made.body["principal"])
            _ = try await api.send(
                .post, "\(Self.base)/grants", ["principal": client ?? .null, "role": "admin", "domain": "office"])
            let reply = try await api.send(.patch, "\(Self.base)/devices/press", ["domain": "office"], token: token)
            #expect(reply.status == 403 && reply.body["code"] == "device.moveExceeds", "\(reply.text)")
        }
    }

    @Test("what needs a second approver is proposed, and by whom it is decided", arguments: TestDatabase.engines)
    func changes(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            try await Self.tree(api)
            let owner = try await api.token("owner")
            let policy = "\(Self.base)/approval-policy"
            #expect(
                try await api.send(.put, policy, ["needsSecond": true], token: owner).body["code"] == "reason.required")
            let on = try await api.send(.put, policy, ["needsSecond": true, "reason": "four eyes"], token: owner)
            #expect(on.body["needsSecond"] == true, "\(on.text)")
            #expect(try await api.send(.get, policy, token: owner).body["needsSecond"] == true)
            let direct = try await api.send(
                .post, "\(Self.base)/grants", ["principal": "ada", "role": "admin", "reason": "x"], token: owner)
            #expect(direct.status == 409 && direct.body["code"] == "approval.needed", "\(direct.text)")
            let draft: JSONValue = [
                "kind": "grant.put", "change": ["principal": "ada", "role": "admin"], "reason": "new colleague",
            ]
            let made = try await api.send(.post, "\(Self.base)/changes", draft, token: owner)
            let id = try #require(made.body["id"]?.string, "\(made.text)")
            let approve = "\(Self.base)/changes/\(id)/approve"
            #expect(try await api.send(.post, approve, token: owner).body["code"] == "change.approver")
            #expect(try await api.send(.get, "\(Self.base)/changes?status=proposed", token: owner).items.count == 1)
            #expect(try await api.send(.post, approve).body["status"] == "approved")
            #expect(try await api.send(.get, "\(Self.base)/changes?status=proposed", token: owner).items.isEmpty)
            let second = try await api.send(.post, "\(Self.base)/changes", draft, token: owner)
            let other = try #require(second.body["id"]?.string)
            let reject = "\(Self.base)/changes/\(other)/reject"
            #expect(try await api.send(.post, reject, token: owner).body["status"] == "withdrawn")
        }
    }

    @Test(
        "all that staff do in a tenant is in its log, reading too, and nothing without a share",
        arguments: TestDatabase.engines)
    func staff(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            try await Self.tree(api)
            let staff = try await api.token("platform-admin", tenant: "platform")
            #expect(try await api.send(.get, "\(Self.base)/devices", token: staff).status == 404)
            let now = api.world.time.now
            func share(_ ends: Timestamp) async throws -> NorthboundFixture.Reply {
                try await api.send(
                    .post, "\(Self.base)/shares",
                    [
                        "to": "platform", "holder": "platform-admin", "role": "operator",
                        "ends": .string(ends.rfc3339),
                    ])
            }
            #expect(try await share(now + .seconds(31 * 86_400)).body["code"] == "share.ends")
            let id = try #require(try await share(now + .seconds(3600)).body["id"]?.string)
            // Not before it was accepted, not by the other side's own word.
            #expect(try await api.send(.get, "\(Self.base)/devices", token: staff).status == 404)
            #expect(try await api.send(.post, "\(Self.base)/shares/\(id)/accept", token: staff).status == 404)
            let accepted = try await api.send(
                .post, "/api/v1/tenants/platform/shares/\(id)/accept", token: staff)
            #expect(accepted.status == 200, "\(accepted.text)")
            #expect(try await api.send(.get, "\(Self.base)/devices", token: staff).items.count == 3)
            #expect(try await api.send(.get, "\(Self.base)/devices/press", token: staff).status == 200)
            let changed = try await api.send(
                .patch, "\(Self.base)/devices/press", ["labels": ["a": "b"]], token: staff)
            #expect(changed.status == 200)
            // They can make nothing that stays, and give nothing on.
            #expect(try await api.send(.get, "\(Self.base)/principals", token: staff).status == 404)
            try await api.world.audit.settle()
            let log = try await api.send(.get, "\(Self.base)/audit?code=staff.acted")
            let operations = log.items.compactMap { $0["objectId"]?.string }
            #expect(operations.sorted() == ["listDevices", "showDevice", "updateDevice"], "\(log.text)")
            #expect(log.items.allSatisfy { $0["home"] == .string(TenantID.platform.text) })
            // The tenant ends it when it likes, and it ends by itself.
            _ = try await api.send(.post, "\(Self.base)/shares/\(id)/end")
            #expect(try await api.send(.get, "\(Self.base)/devices", token: staff).status == 404)
        }
    }
}
