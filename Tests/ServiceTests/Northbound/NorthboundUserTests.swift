import Base
import HTTPTypes
import SignIn
import Testing

@testable import Northbound

/// People's accounts and the rules of sign-in by the API.
@Suite struct NorthboundUserTests {
    private static let users = "/api/v1/tenants/acme/users"

    @Test("a user is invited, listed, changed, disabled and given a new link", arguments: TestDatabase.engines)
    func life(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let admin = try await api.token("admin")
            let made = try await api.send(
                .post, Self.users, ["address": "Ann@Example.com", "name": "Ann", "role": "viewer"], token: admin)
            #expect(made.status == 201)
            let url = try #require(made.body["link"]?["url"]?.string)
            #expect(url.hasPrefix("https://people.example/invitation?link=tg_invitation_"))
            let id = try #require(made.body["user"]?["id"]?.string)
            #expect(made.headers[.location] == "\(Self.users)/\(id)")
            let again = try await api.send(
                .post, Self.users, ["address": "ann@example.com", "role": "viewer"], token: admin)
            #expect(again.status == 409 && again.body["code"] == "account.exists")
            let secret = String(url.split(separator: "=").last ?? "")
            let office = Origin(address: "192.0.2.7")
            _ = try await api.services.signIn.accept(secret, password: "correct horse battery", from: office)
            let listed = try await api.send(.get, Self.users, token: admin)
            #expect(listed.items.count == 1 && listed.items.first?["status"] == "active")
            for name in ["ann@example.com", "ANN@example.com", "ann", id] {
                #expect(try await api.send(.get, "\(Self.users)/\(name)", token: admin).body["id"]?.string == id)
            }
            let changed = try await api.send(
                .patch, "\(Self.users)/ann",
                ["name": "Ann Example", "addresses": ["192.0.2.0/24"], "mustChangePassword": true], token: admin)
            #expect(changed.body["name"] == "Ann Example" && changed.body["addresses"] == ["192.0.2.0/24"])
            let wrong = try await api.send(
                .patch, "\(Self.users)/ann", ["addresses": ["192.0.2.0/24", "192.0.2.1/24", "x"]], token: admin)
            #expect(wrong.status == 400 && wrong.text.contains("/addresses/1") && wrong.text.contains("/addresses/2"))
            let sessions = try await api.send(.get, "\(Self.users)/ann/sessions", token: admin)
            #expect(sessions.items.count == 1 && sessions.items.first?["address"] == "192.0.2.7")
            let session = try #require(sessions.items.first?["id"]?.string)
            let audit = try await api.send(
                .get, "/api/v1/tenants/acme/audit?credential=\(session)", token: admin)
            #expect(audit.items.map { $0["code"] } == ["session.opened"], "\(audit.text)")
            #expect(
                try await api.send(.delete, "\(Self.users)/ann/sessions/\(session)", token: admin).status == 204)
            #expect(try await api.send(.delete, "\(Self.users)/ann/sessions", token: admin).status == 204)
            let ended = try await api.send(.get, "\(Self.users)/ann/sessions", token: admin)
            #expect(ended.items.first?["live"] == false && ended.items.first?["ended"] != .null)
            let link = try await api.send(.post, "\(Self.users)/ann/link", token: admin)
            #expect(link.body["link"]?["url"]?.string?.contains("/new-password?link=tg_reset_") == true)
            let off = try await api.send(.patch, "\(Self.users)/ann", ["active": false], token: admin)
            #expect(off.body["status"] == "disabled")
            #expect(try await api.send(.post, "\(Self.users)/ann/link", token: admin).status == 409)
            let unknown = try await api.send(.get, "\(Self.users)/nobody@example.com", token: admin)
            #expect(unknown.status == 404)
        }
    }

    @Test("who sees devices only finds no users, and links stay with who manages", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(.post, Self.users, ["address": "ann@example.com", "role": "viewer"])
            let viewer = try await api.token("viewer")
            for (method, path) in [
                (HTTPRequest.Method.get, Self.users), (.get, "\(Self.users)/ann"), (.post, "\(Self.users)/ann/link"),
                (.get, "\(Self.users)/ann/sessions"), (.delete, "\(Self.users)/ann/sessions"),
                (.get, "/api/v1/tenants/acme/sign-in-policy"), (.post, "/api/v1/setup-link"),
            ] {
                #expect(try await api.send(method, path, token: viewer).status == 404, "\(path)")
            }
            let admin = try await api.token("admin")
            #expect(try await api.send(.post, "/api/v1/setup-link", token: admin).status == 404)
            let link = try await api.send(.post, "/api/v1/setup-link")
            #expect(link.body["url"]?.string?.hasPrefix("https://people.example/set-up?link=tg_setup_") == true)
        }
    }

    @Test("the rules of sign-in are read and changed one by one", arguments: TestDatabase.engines)
    func policy(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let admin = try await api.token("admin")
            let path = "/api/v1/tenants/acme/sign-in-policy"
            let standard = try await api.send(.get, path, token: admin)
            #expect(
                standard.body == ["profile": "nist", "idleMinutes": 60, "sessionHours": 12, "addresses": []])
            let changed = try await api.send(
                .put, path,
                ["profile": "classic", "addresses": ["192.0.2.0/24", "2001:db8::/32"], "reason": "shop floor"],
                token: admin)
            #expect(changed.body["profile"] == "classic" && changed.body["idleMinutes"] == 60)
            #expect(changed.body["addresses"] == ["192.0.2.0/24", "2001:db8::/32"])
            #expect(try await api.send(.get, path, token: admin).body == changed.body)
            for wrong in [
                ["profile": "weak"], ["idleMinutes": 1], ["sessionHours": 100_000], ["addresses": ["x"]],
                ["password": "x"], [:],
            ] as [JSONValue] {
                #expect(try await api.send(.put, path, wrong, token: admin).status == 400, "\(wrong)")
            }
        }
    }
}
