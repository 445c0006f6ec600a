import Access
import Base
import Delivery
import HTTPTypes
import Storage
import Testing

@testable import Northbound

/// Walks the whole route table against somebody else's tenant.
@Suite struct NorthboundIsolationTests {
    /// Real objects of `rival`, by path parameter.
    private static func objects(_ api: NorthboundFixture) async throws -> [String: String] {
        let base = "/api/v1/tenants/rival"
        func id(_ path: String, _ body: JSONValue, as name: String = "id") async throws -> String {
            let reply = try await api.send(.post, base + path, body)
            return try #require(reply.body[name]?.string, "\(path): \(reply.text)")
        }
        _ = try await api.send(.put, "\(base)/models/meter", [:])
        _ = try await api.send(.put, "\(base)/roles/own", ["permissions": ["device.read"]])
        let hall = try await id("/domains", ["name": "hall"])
        let principal = try await id("/principals", ["name": "bob", "kind": "user"])
        let user = try await api.send(
            .post, "\(base)/users", ["address": "carol@example.com", "role": "viewer"])
        #expect(user.status == 201, "\(user.text)")
        _ = try await api.send(
            .patch, "\(base)/domains/\(try await id("/domains", ["name": "moved"]))", ["parent": "hall"])
        let move = try await api.send(.get, "\(base)/moves").items.first?["id"]?.string
        let device = try await id("/devices", ["name": "secret-meter"])
        let operation = try await id("/operations", ["type": "reboot", "target": ["filter": .null]])
        let task = try await api.send(.get, "\(base)/operations/\(operation)/tasks").items.first?["id"]?.string
        let artifact = try await api.upload("secret.bin", [1, 2, 3], tenant: "rival")
        let key = try await api.send(
            .put, "\(base)/update-keys/secret-key", ["pem": .string(IsolationThings.pem), "reason": "x"])
        #expect(key.status == 200, "\(key.text)")
        let release = try await id(
            "/releases",
            ["component": "secret", "version": "1", "artifacts": [.string(artifact.body["id"]?.string ?? "")]])
        _ = try await api.send(.post, "\(base)/releases/\(release)/publish")
        let campaign = try await id(
            "/campaigns", ["release": .string(release), "target": ["filter": .null]])
        return [
            "artifact": try #require(artifact.body["id"]?.string), "updateKey": "secret-key",
            "release": release, "component": "secret", "campaign": campaign,
            "alert": try await api.alert(of: api.world.rival),
            "alertRule": try await id("/alert-rules", ["name": "r", "receivers": [["role": "viewer"]]]),
            "operation": operation, "task": try #require(task),
            "factor": Identifier<CredentialKind>(high: 1, low: 1).text,
            "user": "carol@example.com", "session": Identifier<CredentialKind>(high: 1, low: 1).text,
            "move": try #require(move),
            "group": try await id("/groups", ["name": "crew"]),
            "change": try await id(
                "/changes",
                ["kind": "role.put", "change": ["name": "x", "permissions": []], "reason": "x"]),
            "tenant": "rival", "device": device, "model": "meter",
            "domain": hall, "principal": principal, "role": "own",
            "grant": try await id("/grants", ["principal": .string(principal), "role": "viewer"]),
            "share": try await id(
                "/shares",
                [
                    "to": "platform", "holder": "admin", "role": "viewer",
                    "ends": .string((api.world.time.now + .seconds(3600)).rfc3339),
                ]),
            "releaseLine": try await id("/release-lines", ["component": "system", "to": "platform"]),
            "token": try await id("/tokens", ["role": "viewer"]), "plan": "standard",
            "outlet": try await id(
                "/outlets",
                ["name": "secret-hook", "kind": "webhook", "settings": ["url": "https://rival.example.net/"]]),
            "delivery": try await delivery(api, to: "secret-hook"),
            "directory": "corp",
            "client": try await id(
                "/clients", ["name": "c", "method": "secret", "flows": ["itself"], "role": "viewer"], as: "clientId"),
        ]
    }

    /// A delivery that rival's queue holds.
    private static func delivery(_ api: NorthboundFixture, to outlet: String) async throws -> String {
        let rival = api.world.rival
        let id = try await api.services.delivery.outlet(outlet, of: rival).id
        return try await api.world.database.tenant(rival).write { transaction in
            try api.services.delivery.send(
                .webhook(outlet: id, event: "secret", body: [:]), tenant: rival, in: transaction
            ).text
        }
    }

    private static func path(_ route: Route, _ objects: [String: String]) -> String {
        let steps = route.path.split(separator: "/").map { step in
            step.hasPrefix("{") ? objects[String(step.dropFirst().dropLast())] ?? "" : String(step)
        }
        return "/" + steps.joined(separator: "/")
    }

    @Test(
        "every role of one tenant finds nothing in another: one and the same answer for every route",
        arguments: TestDatabase.engines)
    func foreign(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let objects = try await Self.objects(api)
            var absent = objects
            absent["tenant"] = "nobody"
            let reference = try await api.send(
                .get, "/api/v1/tenants/nobody/devices", token: api.token("admin")
            ).withoutRequest
            for role in Role.builtIn.filter({ $0 != .platformAdmin }).map(\.name.text) {
                let token = try await api.token(role)
                for route in api.table.routes where route.isInTenant {
                    for objects in [objects, absent] {
                        let reply = try await api.send(route.method, Self.path(route, objects), token: token)
                        #expect(reply.status == 404, "\(role) \(route.operation)")
                        #expect(reply.withoutRequest == reference, "\(role) \(route.operation): \(reply.text)")
                    }
                }
            }
        }
    }

    @Test("whoever runs the platform gets into no tenant without a share", arguments: TestDatabase.engines)
    func platform(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let objects = try await Self.objects(api)
            let token = try await api.token("platform-admin", tenant: "platform")
            for route in api.table.routes where route.isInTenant {
                guard case .permission(let permission) = route.requirement, !permission.isPlatformOnly,
                    permission != .tenantRead
                else { continue }
                let reply = try await api.send(route.method, Self.path(route, objects), token: token)
                #expect(reply.status == 404, "\(route.operation): \(reply.text)")
                #expect(reply.body["code"] == "not.found")
            }
            #expect(try await api.send(.get, "/api/v1/tenants/rival", token: token).status == 200)
            #expect(try await api.send(.post, "/api/v1/tenants/rival/suspend", token: token).status == 200)
        }
    }

    @Test("a role without a route's permission gets no further than a refusal", arguments: TestDatabase.engines)
    func lacking(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let objects = try await Self.objects(api)
            for role in Role.builtIn where role != .platformAdmin {
                let token = try await api.token(role.name.text, tenant: "rival")
                for route in api.table.routes {
                    guard case .permission(let permission) = route.requirement, !role.permissions.contains(permission)
                    else { continue }
                    let reply = try await api.send(route.method, Self.path(route, objects), token: token)
                    let mayKnow = role.permissions.contains(permission.revealing) && !permission.isPlatformOnly
                    #expect(reply.status == (mayKnow ? 403 : 404), "\(role.name) \(route.operation): \(reply.text)")
                }
            }
        }
    }

    @Test("without a token every route but the public ones answers 401", arguments: TestDatabase.engines)
    func strangers(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let objects = try await Self.objects(api)
            for route in api.table.routes where route.requirement != .unauthenticated {
                // More than a few are slowed down; the clock is the test's.
                api.world.time.advance(by: .seconds(1))
                let reply = try await api.send(route.method, Self.path(route, objects), token: "tg_api_x_y")
                #expect(reply.status == 401, "\(route.operation): \(reply.text)")
            }
        }
    }
}
