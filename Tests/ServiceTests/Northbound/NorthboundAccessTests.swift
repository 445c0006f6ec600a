import Access
import Audit
import Base
import HTTPTypes
import Testing

@testable import Northbound

/// Tenants, domains, rights and the audit, through the API.
@Suite struct NorthboundAccessTests {
    private static let acme = "/api/v1/tenants/acme"

    @Test(
        "the local administrator makes a tenant and its first token; the tenant's log tells it",
        arguments: TestDatabase.engines)
    func bootstrap(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let made = try await api.send(.post, "/api/v1/tenants", ["slug": "newco", "name": "New Co"])
            #expect(made.status == 201)
            #expect(made.body["plan"] == "standard")
            #expect(try await api.send(.post, "/api/v1/tenants", ["slug": "newco"]).status == 409)
            let token = try await api.token("viewer", tenant: "newco")
            let me = try await api.send(.get, "/api/v1/principal", token: token)
            #expect(me.body["tenant"] == "newco")
            #expect(me.body["kind"] == "client")
            let log = try await api.send(.get, "/api/v1/tenants/newco/audit")
            #expect(log.items.contains { $0["code"] == "token.created" && $0["actorKind"] == "system" })
            #expect(!log.text.contains(token))
            let tenants = try await api.send(.get, "/api/v1/tenants?limit=2")
            #expect(tenants.items.compactMap { $0["slug"]?.string } == ["acme", "newco"])
            let rest = try await api.send(.get, "/api/v1/tenants?after=\(tenants.body["next"]?.string ?? "")")
            #expect(rest.items.compactMap { $0["slug"]?.string } == ["platform", "rival"])
        }
    }

    @Test("a suspended tenant's tokens are refused at once, a resumed one's work", arguments: TestDatabase.engines)
    func suspend(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("viewer")
            #expect(try await api.send(.get, Self.acme, token: token).status == 200)
            #expect(try await api.send(.post, "\(Self.acme)/suspend").body["status"] == "suspended")
            #expect(try await api.send(.get, Self.acme, token: token).status == 401)
            #expect(try await api.send(.post, "\(Self.acme)/resume").body["status"] == "active")
            #expect(try await api.send(.get, Self.acme, token: token).status == 200)
            #expect(try await api.send(.delete, "/api/v1/tenants/rival").status == 204)
            #expect(try await api.send(.get, "/api/v1/tenants/rival").status == 404)
        }
    }

    @Test("domains are made, renamed, moved and deleted, by identifier or path", arguments: TestDatabase.engines)
    func domains(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("admin")
            let domains = "\(Self.acme)/domains"
            for (name, parent) in [("plants", "/"), ("north", "plants"), ("south", "plants")] {
                let body: JSONValue = ["name": .string(name), "parent": .string(parent)]
                #expect(try await api.send(.post, domains, body, token: token).status == 201)
            }
            func paths() async throws -> [String] {
                try await api.send(.get, domains, token: token).items.compactMap { $0["path"]?.string }
            }
            #expect(try await paths() == ["/", "plants", "plants/north", "plants/south"])
            let moved = try await api.send(
                .patch, "\(domains)/plants%2Fnorth", ["parent": "plants/south", "name": "n"], token: token)
            #expect(moved.status == 200, "\(moved.text)")
            #expect(try await paths() == ["/", "plants", "plants/south", "plants/south/n"])
            #expect(
                try await api.send(.patch, "\(domains)/plants", ["parent": "plants/south"], token: token).status == 409)
            _ = try await api.send(
                .post, "\(Self.acme)/devices", ["name": "d", "domain": "plants/south/n"], token: token)
            let used = try await api.send(.delete, "\(domains)/plants%2Fsouth%2Fn", token: token)
            #expect(used.body["code"] == "domain.used")
            _ = try await api.send(.delete, "\(Self.acme)/devices/d", token: token)
            #expect(try await api.send(.delete, "\(domains)/plants%2Fsouth%2Fn", token: token).status == 204)
            #expect(try await api.send(.get, "\(domains)/plants%2Fsouth", token: token).body["name"] == "south")
        }
    }

    @Test("a token at a domain sees and does only what lies below it", arguments: TestDatabase.engines)
    func scoped(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            for name in ["north", "south"] {
                _ = try await api.send(.post, "\(Self.acme)/domains", ["name": .string(name)])
                _ = try await api.send(
                    .post, "\(Self.acme)/devices", ["name": .string("in-\(name)"), "domain": .string(name)])
            }
            let token = try await api.token("operator", domain: "north")
            let seen = try await api.send(.get, "\(Self.acme)/devices", token: token)
            #expect(seen.items.compactMap { $0["name"]?.string } == ["in-north"])
            let foreign = try await api.send(.get, "\(Self.acme)/devices/in-south", token: token)
            let absent = try await api.send(.get, "\(Self.acme)/devices/nothing", token: token)
            #expect(foreign.status == 404)
            #expect(foreign.withoutRequest == absent.withoutRequest)
            for path in ["telemetry?from=2026-01-01T00:00:00Z", "series", "telemetry/live"] {
                let foreign = try await api.send(.get, "\(Self.acme)/devices/in-south/\(path)", token: token)
                let absent = try await api.send(.get, "\(Self.acme)/devices/nothing/\(path)", token: token)
                #expect(foreign.status == 404)
                #expect(foreign.withoutRequest == absent.withoutRequest)
            }
            #expect(try await api.send(.post, "\(Self.acme)/devices/in-south/revoke", token: token).status == 404)
            #expect(try await api.send(.post, "\(Self.acme)/devices/in-north/suspend", token: token).status == 200)
            #expect(try await api.send(.post, "\(Self.acme)/devices", ["name": "x"], token: token).status >= 403)
        }
    }

    @Test("principals, roles and grants are managed, and nobody gives what they lack", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let admin = try await api.token("admin")
            let made = try await api.send(
                .post, "\(Self.acme)/principals", ["name": "ada", "kind": "user"], token: admin)
            #expect(made.status == 201)
            let role = try await api.send(
                .put, "\(Self.acme)/roles/reader",
                ["permissions": ["device.read", "telemetry.read"], "reason": "reports"],
                token: admin)
            #expect(role.status == 200)
            let grant = try await api.send(
                .post, "\(Self.acme)/grants", ["principal": "ada", "role": "reader"], token: admin)
            #expect(grant.status == 201, "\(grant.text)")
            let id = try #require(grant.body["id"]?.string)
            let listed = try await api.send(.get, "\(Self.acme)/grants?principal=ada", token: admin)
            #expect(listed.items.count == 1)
            #expect(try await api.send(.delete, "\(Self.acme)/grants/\(id)", token: admin).status == 204)
            let disabled = try await api.send(.patch, "\(Self.acme)/principals/ada", ["active": false], token: admin)
            #expect(disabled.body["active"] == false)
            #expect(try await api.send(.get, "\(Self.acme)/roles", token: admin).items.count == Role.builtIn.count)
            #expect(try await api.send(.delete, "\(Self.acme)/roles/reader?reason=over", token: admin).status == 204)
            let high = try await api.send(
                .put, "\(Self.acme)/roles/high", ["permissions": ["platform.manage"]], token: admin)
            #expect(high.status == 400)
            let escalation = try await api.send(.post, "\(Self.acme)/tokens", ["role": "platform-admin"], token: admin)
            #expect(escalation.status >= 400)
        }
    }

    @Test("a token ends when it is revoked, and when its time is over", arguments: TestDatabase.engines)
    func tokens(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let admin = try await api.token("admin")
            let made = try await api.send(
                .post, "\(Self.acme)/tokens", ["role": "viewer", "name": "dashboard", "days": 1], token: admin)
            #expect(made.status == 201)
            let secret = try #require(made.body["token"]?.string)
            let id = try #require(made.body["id"]?.string)
            #expect(try await api.send(.get, Self.acme, token: secret).status == 200)
            let listed = try await api.send(.get, "\(Self.acme)/tokens", token: admin)
            #expect(listed.items.contains { $0["name"] == "dashboard" })
            #expect(!listed.text.contains(secret))
            #expect(try await api.send(.delete, "\(Self.acme)/tokens/\(id)", token: admin).status == 204)
            let refused = try await api.send(.get, Self.acme, token: secret)
            #expect(refused.status == 401)
            let second = try await api.send(.post, "\(Self.acme)/tokens", ["role": "viewer", "days": 1], token: admin)
            let short = try #require(second.body["token"]?.string)
            api.world.time.advance(by: .seconds(86_401))
            #expect(try await api.send(.get, Self.acme, token: short).withoutRequest == refused.withoutRequest)
            let both = try await api.send(
                .post, "\(Self.acme)/tokens", ["role": "viewer", "days": 1, "expires": "2030-01-01T00:00:00Z"],
                token: admin)
            #expect(both.status == 400)
        }
    }

    @Test("a share lets another tenant in with its role, from acceptance to its end", arguments: TestDatabase.engines)
    func shares(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let owner = try await api.token("admin")
            let guest = try await api.token("admin", tenant: "rival")
            let ends = (api.world.time.now + .seconds(3600)).rfc3339
            let offered = try await api.send(
                .post, "\(Self.acme)/shares",
                ["to": "rival", "holder": "admin", "role": "viewer", "ends": .string(ends)], token: owner)
            #expect(offered.status == 201, "\(offered.text)")
            let id = try #require(offered.body["id"]?.string)
            let devices = "\(Self.acme)/devices"
            let outside = try await api.send(.get, devices, token: guest)
            #expect(outside.status == 404)
            let accept = "/api/v1/tenants/rival/shares/\(id)/accept"
            #expect(try await api.send(.post, accept, token: owner).status == 404)
            #expect(try await api.send(.post, accept, token: guest).body["status"] == "accepted")
            #expect(try await api.send(.get, devices, token: guest).status == 200)
            let denied = try await api.send(.post, devices, ["name": "x"], token: guest)
            #expect(denied.status == 403)
            #expect(denied.body["code"] == "access.forbidden")
            #expect(try await api.send(.get, "\(Self.acme)/shares", token: owner).items.count == 1)
            api.world.time.advance(by: .seconds(3601))
            #expect(try await api.send(.get, devices, token: guest).withoutRequest == outside.withoutRequest)
            for tenant in ["acme", "rival"] {
                let log = try await api.send(.get, "/api/v1/tenants/\(tenant)/audit?code=share.")
                #expect(Set(log.items.compactMap { $0["code"]?.string }) == ["share.offered", "share.accepted"])
            }
        }
    }

    @Test("a plan's rate holds for its tenant, and the answer says when to come back", arguments: TestDatabase.engines)
    func rates(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            #expect(try await api.send(.put, "/api/v1/plans/tiny", ["requestsPerSecond": 1]).status == 200)
            #expect(try await api.send(.put, "/api/v1/plans/tiny", ["requestsPerSecond": 0]).status == 400)
            #expect(
                try await api.send(.put, "/api/v1/plans/tiny", ["devises": 1]).text.contains("did you mean devices?"))
            #expect(try await api.send(.put, "\(Self.acme)/plan", ["plan": "tiny"]).body["plan"] == "tiny")
            let token = try await api.token("viewer")
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await api.send(.get, Self.acme, token: token).status) }
            #expect(statuses == [200, 200, 429])
            let refused = try await api.send(.get, Self.acme, token: token)
            #expect(refused.headers[.retryAfter] == "1")
            #expect(refused.body["code"] == "rate.exceeded")
            api.world.time.advance(by: .seconds(1))
            #expect(try await api.send(.get, Self.acme, token: token).status == 200)
            #expect(try await api.send(.get, "/api/v1/plans").items.count == 2)
        }
    }

    @Test(
        "refused credentials are slowed down by address and summed up in the platform's log",
        arguments: TestDatabase.engines)
    func guessing(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            var statuses: Set<Int> = []
            for _ in 0..<50 { statuses.insert(try await api.send(.get, Self.acme, token: "guess").status) }
            #expect(statuses == [401, 429])
            try await api.world.audit.settle()
            let log = try await api.send(.get, "/api/v1/tenants/platform/audit?code=access.refused")
            #expect(log.items.count == 1)
        }
    }

    @Test(
        "the audit is read by filter and page, exported and verified, and each is itself an entry",
        arguments: TestDatabase.engines)
    func audit(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let admin = try await api.token("admin")
            for number in 1...3 {
                _ = try await api.send(.post, "\(Self.acme)/devices", ["name": .string("d\(number)")], token: admin)
            }
            let first = try await api.send(.get, "\(Self.acme)/audit?code=device.&limit=2", token: admin)
            #expect(first.items.count == 2)
            let next = try #require(first.body["next"]?.string)
            let rest = try await api.send(.get, "\(Self.acme)/audit?code=device.&limit=2&after=\(next)", token: admin)
            #expect(rest.items.count == 1)
            #expect(rest.body["next"] == .null)
            #expect(try await api.send(.get, "\(Self.acme)/audit?objectId=x", token: admin).status == 400)
            let bundle = try await api.send(.get, "\(Self.acme)/audit/export", token: admin)
            #expect(bundle.status == 200)
            #expect(bundle.text.contains("device.registered"))
            #expect(bundle.headers[.contentDisposition] == "attachment; filename=\"acme.audit\"")
            let codes = try await api.send(.get, "\(Self.acme)/audit?code=audit.", token: admin)
            #expect(Set(codes.items.compactMap { $0["code"]?.string }) == ["audit.read", "audit.exported"])
            #expect(try await api.send(.get, "\(Self.acme)/audit", token: api.token("viewer")).status == 404)
            let report = try await api.send(.get, "/api/v1/audit/verify")
            #expect(report.status == 200)
            guard case .array(let reports) = report.body["reports"] else {
                throw Refusal(.invalid, "test", report.text)
            }
            #expect(reports.count >= 2)
            #expect(reports.allSatisfy { $0["intact"] == true }, "\(report.text)")
        }
    }

    @Test("keys are rotated and the steps come to an end", arguments: TestDatabase.engines)
    func keys(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            for body in [
                ["what": "tenants"], ["what": "tenants", "tenant": "acme"], ["what": "root"], ["what": "seal"],
                ["what": "maintenance"], ["what": "maintenance", "tenant": "acme"],
            ] as [JSONValue] {
                #expect(try await api.send(.post, "/api/v1/keys/rotate", body).status == 204)
            }
            #expect(try await api.send(.post, "/api/v1/keys/rotate", ["what": "root", "tenant": "acme"]).status == 400)
            var last: JSONValue = .null
            for _ in 0..<20 where last["idle"] != true && last["finished"] != true {
                last = try await api.send(.post, "/api/v1/keys/step").body
            }
            #expect(last["idle"] == true || last["finished"] == true)
            let admin = try await api.token("admin")
            #expect(try await api.send(.post, "/api/v1/keys/step", token: admin).status == 404)
        }
    }

    @Test("the server's certificates and state can be read")
    func server() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            let pem = try await api.send(.get, "/api/v1/trust/server-ca.pem", token: "none")
            #expect(pem.text.hasPrefix("-----BEGIN CERTIFICATE-----"))
            #expect(try await api.send(.get, "/api/v1/trust/root-ca.pem").text.hasPrefix("-----BEGIN CERTIFICATE-----"))
            let server = try await api.send(.get, "/api/v1/server")
            #expect(server.body["version"] == "1.2.3")
            #expect(server.body["ready"] == true)
            #expect(try await api.send(.get, "/api/v1/server", token: "none").status == 401)
        }
    }
}
