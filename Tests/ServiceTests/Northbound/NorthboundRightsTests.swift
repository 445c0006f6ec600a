import Base
import Delivery
import HTTPTypes
import SignIn
import Storage
import Testing
import Trust

@testable import Access
@testable import Northbound

/// Nobody comes by more rights than they hold through what somebody else holds: a secret, a link, an account.
@Suite struct NorthboundRightsTests {
    private static let acme = "/api/v1/tenants/acme"
    private static let users = "\(acme)/users"

    /// A person of acme's and their token for everything, proved just now or not.
    private static func person(
        _ api: NorthboundFixture, _ name: String, _ role: String, isProved: Bool = true
    ) async throws -> (id: String, token: String) {
        let invited = try await api.send(
            .post, users, ["address": .string("\(name)@example.com"), "role": .string(role), "reason": "test"])
        let link = try #require(invited.body["link"]?["url"]?.string, "\(invited.text)")
        _ = try await api.services.signIn.accept(
            String(link.split(separator: "=").last ?? ""), password: NorthboundFactorTests.password,
            from: Origin(address: nil))
        let id = try #require(invited.body["user"]?["id"]?.string)
        let principal = try #require(PrincipalID(text: id))
        let secret = try await api.services.database.platform.write { tx in
            try api.services.access.open(
                CredentialDraft(.access, of: principal, tenant: api.world.acme, name: "program"), in: tx
            ).secret.text
        }
        if isProved { try await prove(api, secret) }
        return (id, secret)
    }

    private static func prove(_ api: NorthboundFixture, _ token: String) async throws {
        let password = JSONValue.string(NorthboundFactorTests.password)
        let reply = try await api.send(.post, "/api/v1/me/proofs", ["password": password], token: token)
        #expect(reply.status == 204, "\(reply.text)")
    }

    /// A role for who manages principals and nothing else.
    private static func clerk(_ api: NorthboundFixture) async throws {
        let role: JSONValue = ["permissions": ["tenant.read", "principal.read", "principal.manage"]]
        #expect(try await api.send(.put, "\(acme)/roles/clerk", role).status == 200)
    }

    @Test(
        "a client's new secret goes to who holds what the client holds, and has proved it",
        arguments: TestDatabase.engines)
    func secrets(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            try await Self.clerk(api)
            let made = try await api.send(
                .post, "\(Self.acme)/clients",
                ["name": "App", "method": "secret", "flows": ["itself"], "role": "operator"])
            let path = "\(Self.acme)/clients/\(made.body["clientId"]?.string ?? "")/secret"
            let clerk = try await Self.person(api, "clerk", "clerk")
            let refused = try await api.send(.post, path, token: clerk.token)
            #expect(refused.status == 403 && refused.body["code"] == "access.beyondOwn", "\(refused.text)")
            let admin = try await Self.person(api, "admin", "admin", isProved: false)
            let early = try await api.send(.post, path, token: admin.token)
            #expect(early.status == 403 && early.body["code"] == "signin.stepUp")
            try await Self.prove(api, admin.token)
            #expect(try await api.send(.post, path, token: admin.token).status == 200)
        }
    }

    @Test(
        "disabling, enabling, allow-lists and demands of a new password take all that the account holds, and a proof",
        arguments: TestDatabase.engines)
    func accounts(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let owner = try await Self.person(api, "owner", "owner")
            let admin = try await Self.person(api, "admin", "admin", isProved: false)
            let changes: [(String, JSONValue)] = [
                ("\(Self.acme)/principals/\(owner.id)", ["active": false]),
                ("\(Self.acme)/principals/\(owner.id)", ["active": true]),
                ("\(Self.users)/\(owner.id)", ["active": false]), ("\(Self.users)/\(owner.id)", ["active": true]),
                ("\(Self.users)/\(owner.id)", ["addresses": ["203.0.113.7"]]),
                ("\(Self.users)/\(owner.id)", ["mustChangePassword": true]),
            ]
            for expected in ["signin.stepUp", "access.beyondOwn"] {
                for (path, change) in changes {
                    let reply = try await api.send(.patch, path, change, token: admin.token)
                    #expect(reply.status == 403 && reply.body["code"]?.string == expected, "\(path) \(reply.text)")
                }
                try await Self.prove(api, admin.token)
            }
            for path in ["\(Self.acme)/principals/\(admin.id)", "\(Self.users)/\(admin.id)"] {
                let own = try await api.send(.patch, path, ["active": false], token: admin.token)
                #expect(own.status == 409 && own.body["code"] == "principal.own", "\(own.text)")
            }
            // Nobody is locked out: the owner still is who they were.
            #expect(try await api.send(.get, Self.users, token: owner.token).items.count == 2)
            let addresses = try await api.send(.get, "\(Self.users)/\(owner.id)", token: owner.token)
            #expect(addresses.body["addresses"] == [] && addresses.body["mustChangePassword"] == false)
            // The owner holds all that an admin does.
            for (path, change) in [
                ("\(Self.users)/\(admin.id)", ["mustChangePassword": true]),
                ("\(Self.acme)/principals/\(admin.id)", ["active": false]),
            ] as [(String, JSONValue)] {
                #expect(try await api.send(.patch, path, change, token: owner.token).status == 200)
            }
        }
    }

    @Test(
        "where two must agree nobody is shown a link to another administrator's account",
        arguments: TestDatabase.engines)
    func links(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let owner = try await Self.person(api, "owner", "owner")
            _ = try await Self.person(api, "active", "admin")
            _ = try await Self.person(api, "daily", "viewer")
            let invited = try await api.send(
                .post, Self.users, ["address": "invited@example.com", "role": "admin", "reason": "test"])
            #expect(invited.status == 201)
            for name in ["active", "invited", "daily"] {
                #expect(try await api.send(.post, "\(Self.users)/\(name)/link", token: owner.token).status == 200)
            }
            let needed = try await api.send(
                .put, "\(Self.acme)/approval-policy", ["needsSecond": true, "reason": "audit"], token: owner.token)
            #expect(needed.status == 200, "\(needed.text)")
            for name in ["active", "invited"] {
                let reply = try await api.send(.post, "\(Self.users)/\(name)/link", token: owner.token)
                #expect(reply.status == 409 && reply.body["code"] == "approval.ownSecond", "\(name): \(reply.text)")
            }
            #expect(try await api.send(.post, "\(Self.users)/daily/link", token: owner.token).status == 200)
            // The operator at the server's own socket has the server itself.
            #expect(try await api.send(.post, "\(Self.users)/active/link").status == 200)
        }
    }

    @Test("a delivery for its receiver alone is shown to nobody", arguments: TestDatabase.engines)
    func confidential(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let (delivery, acme) = (api.services.delivery, api.world.acme)
            let id = try await api.world.database.tenant(acme).write { transaction in
                try delivery.send(
                    .mail(to: "ada@example.org", subject: "Link", text: "a secret", isConfidential: true),
                    tenant: acme, in: transaction)
            }
            for token in [nil, try await api.token("owner")] {
                let reply = try await api.send(.get, "\(Self.acme)/deliveries/\(id)/content", token: token)
                #expect(reply.status == 409 && reply.body["code"] == "delivery.confidential")
                #expect(!reply.text.contains("a secret"))
            }
        }
    }

    @Test(
        "who is here by a share sets up no credential, account, client, outlet or rule of sign-in",
        arguments: TestDatabase.engines)
    func guests(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let days = api.world.time.now + .seconds(86_400)
            let offered = try await api.send(
                .post, "\(Self.acme)/shares",
                ["role": "owner", "to": "rival", "holder": "owner", "ends": .string(days.rfc3339)])
            let share = try #require(offered.body["id"]?.string, "\(offered.text)")
            #expect(try await api.send(.post, "/api/v1/tenants/rival/shares/\(share)/accept").status == 200)
            _ = try await api.send(.post, "\(Self.acme)/principals", ["name": "ada", "kind": "user"])
            let client = try await api.send(
                .post, "\(Self.acme)/clients",
                ["name": "App", "method": "secret", "flows": ["itself"], "role": "viewer"])
            let guest = try await api.token("owner", tenant: "rival")
            #expect(try await api.send(.get, Self.users, token: guest).status == 200)
            for (method, path, body) in [
                (HTTPRequest.Method.post, "users", ["address": "eve@example.com", "role": "viewer"]),
                (.post, "principals", ["name": "eve", "kind": "user"]), (.post, "tokens", ["role": "viewer"]),
                (.post, "clients", ["name": "Own", "method": "none", "flows": ["device"]]),
                (.post, "clients/\(client.body["clientId"]?.string ?? "")/secret", nil),
                (.post, "grants", ["principal": "ada", "role": "viewer"]),
                (.put, "roles/own", ["permissions": ["device.read"], "reason": "x"]),
                (.put, "sign-in-policy", ["idleMinutes": 5, "reason": "x"]),
                (.put, "factor-policy", ["level": "none", "reason": "x"]),
                (.post, "outlets", ["name": "w", "kind": "webhook", "settings": ["url": "https://x.example.net/"]]),
                (.patch, "principals/ada", ["active": false]),
            ] as [(HTTPRequest.Method, String, JSONValue?)] {
                let reply = try await api.send(method, "\(Self.acme)/\(path)", body, token: guest)
                #expect(reply.status == 403 && reply.body["code"] == "share.outlived", "\(path): \(reply.text)")
            }
        }
    }
}
