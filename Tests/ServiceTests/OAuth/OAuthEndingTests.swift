import Access
import Base
import HTTPTypes
import SignIn
import Storage
import Testing

@testable import Northbound
@testable import OAuth

/// What a program holds for a person ends with the person's own access, and does not come back.
@Suite struct OAuthEndingTests {
    private static let users = "\(OAuthWorld.acme)/users"

    /// Somebody with an account of acme's, who let the command line in.
    private struct Person {
        let world: OAuthWorld
        let principal: Principal
        let access: String
        let refresh: String

        init(_ world: OAuthWorld, role: String = "viewer") async throws {
            let invited = try await world.api.send(
                .post, users, ["address": "ann@example.com", "role": .string(role)])
            let link = try #require(invited.body["link"]?["url"]?.string, "\(invited.text)")
            let signIn = world.api.services.signIn
            let step = try await signIn.accept(
                String(link.split(separator: "=").last ?? ""), password: "correct horse battery",
                from: Origin(address: nil))
            guard case .done(let session) = step else { throw Refusal(.invalid, "test.step", "\(step)") }
            principal = try await signIn.session(session.text, from: Origin(address: nil)).principal
            self.world = world
            let tokens = try await Self.letIn(world, principal)
            access = try #require(tokens.text("access_token"), "\(tokens.text)")
            refresh = try #require(tokens.text("refresh_token"))
        }

        /// The command line's tokens, after the person let it in.
        static func letIn(_ world: OAuthWorld, _ person: Principal) async throws -> NorthboundFixture.Reply {
            let begun = try await world.form("/oauth/device_authorization", ["client_id": "tidegate"])
            try await world.api.oauth.answer(
                typed: begun.text("user_code") ?? "", letIn: true, by: person)
            return try await world.form(
                "/oauth/token",
                [
                    "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "tidegate",
                    "device_code": begun.text("device_code") ?? "",
                ])
        }

        /// The statuses of the access token and of an attempt to renew it.
        func statuses() async throws -> [Int] {
            let used = try await world.api.send(.get, "\(OAuthWorld.acme)/devices", token: access).status
            return [used, try await renewal().status]
        }

        func renewal() async throws -> NorthboundFixture.Reply {
            try await world.form(
                "/oauth/token", ["grant_type": "refresh_token", "client_id": "tidegate", "refresh_token": refresh])
        }
    }

    private typealias Way = @Sendable (OAuthWorld) async throws -> Void

    private static let ways: [(String, Way)] = [
        (
            "a new password by a link",
            { world in
                let reply = try await world.api.send(.post, "\(users)/ann/link")
                let link = try #require(reply.body["link"]?["url"]?.string)
                _ = try await world.api.services.signIn.reset(
                    String(link.split(separator: "=").last ?? ""), password: "purple monkey dishwasher",
                    from: Origin(address: nil))
            }
        ),
        (
            "a reset of the factors",
            { world in
                let reply = try await world.api.send(.post, "\(users)/ann/factor-reset", ["reason": "lost"])
                #expect(reply.status == 204)
            }
        ),
        (
            "disabling, though they are enabled again",
            { world in
                for active in [false, true] {
                    let reply = try await world.api.send(.patch, "\(users)/ann", ["active": .bool(active)])
                    #expect(reply.status == 200)
                }
            }
        ),
        (
            "disabling as a principal",
            { world in
                for active in [false, true] {
                    let path = "\(OAuthWorld.acme)/principals/ann"
                    let reply = try await world.api.send(.patch, path, ["active": .bool(active)])
                    #expect(reply.status == 200)
                }
            }
        ),
        (
            "signing them out everywhere",
            { world in
                let reply = try await world.api.send(.delete, "\(users)/ann/sessions")
                #expect(reply.status == 204)
            }
        ),
        (
            "the tenant's suspension, though it is resumed",
            { world in
                for act in ["suspend", "resume"] {
                    let reply = try await world.api.send(.post, "\(OAuthWorld.acme)/\(act)")
                    #expect(reply.status == 200, "\(reply.text)")
                }
            }
        ),
    ]

    @Test(
        "whatever ends a person's sessions ends what programs hold of theirs, refresh tokens too",
        arguments: TestDatabase.engines)
    func ends(engine: TestDatabase.Engine) async throws {
        for (what, way) in Self.ways {
            try await OAuthWorld.with(engine) { world in
                let person = try await Person(world)
                #expect(try await world.status(person.access) == 200)
                try await way(world)
                #expect(try await person.statuses() == [401, 400], "\(what)")
                #expect(try await person.renewal().text("error") == "invalid_grant", "\(what)")
            }
        }
    }

    @Test("whoever ends all other sessions through a program keeps that program", arguments: TestDatabase.engines)
    func kept(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let person = try await Person(world, role: "admin")
            let other = try await Person.letIn(world, person.principal)
            let reply = try await world.api.send(.delete, "\(Self.users)/ann/sessions", token: person.access)
            #expect(reply.status == 204, "\(reply.text)")
            #expect(try await person.statuses() == [200, 200])
            #expect(try await world.status(other.text("access_token")) == 401)
            let renewed = try await world.form(
                "/oauth/token",
                [
                    "grant_type": "refresh_token", "client_id": "tidegate",
                    "refresh_token": other.text("refresh_token") ?? "",
                ])
            #expect(renewed.status == 400)
        }
    }

    @Test(
        "from where an account and its tenant may be used counts for programs at every request",
        arguments: TestDatabase.engines)
    func allowLists(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let person = try await Person(world)
            for (path, method, more) in [
                ("\(Self.users)/ann", HTTPRequest.Method.patch, [:]),
                ("\(OAuthWorld.acme)/sign-in-policy", .put, ["reason": "office only"]),
            ] as [(String, HTTPRequest.Method, [String: JSONValue])] {
                for (ranges, expected) in [(["203.0.113.0/24"], 401), ([], 200)] as [(JSONValue, Int)] {
                    let body = JSONValue.object(more.merging(["addresses": ranges]) { $1 })
                    #expect(try await world.api.send(method, path, body).status == 200)
                    #expect(try await world.status(person.access) == expected, "\(path)")
                    if expected == 401 {
                        #expect(try await person.renewal().text("error") == "invalid_grant", "\(path)")
                    }
                }
            }
            // Nothing was used up by the refused attempts.
            #expect(try await person.statuses() == [200, 200])
        }
    }

    @Test("a token for part of somebody's rights does not reach to their factors", arguments: TestDatabase.engines)
    func narrow(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let person = try await Person(world)
            let client = try await world.client("secret", ["code"])
            let tokens = try await world.consent(client, person.principal)
            let narrow = try #require(tokens.text("access_token"))
            #expect(try await world.status(narrow) == 200)
            for (method, path, body) in [
                (HTTPRequest.Method.get, "factors", nil), (.post, "factors/authenticators", ["name": "x"]),
                (.post, "proofs", ["password": "correct horse battery"]), (.post, "recovery-codes", nil),
            ] as [(HTTPRequest.Method, String, JSONValue?)] {
                let reply = try await world.api.send(method, "/api/v1/me/\(path)", body, token: narrow)
                #expect(reply.status == 403 && reply.body["code"] == "factor.narrow", "\(path): \(reply.text)")
            }
            #expect(try await world.api.send(.get, "/api/v1/me/factors", token: person.access).status == 200)
        }
    }

    @Test(
        "what programs hold of the platform's staff counts on their listener alone, and of others on the other",
        arguments: TestDatabase.engines)
    func listeners(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let api = world.api
            let staff = api.services.frontDoor(api.table, listener: .platform, caller: .bearer)
            for (tenant, role, here, there) in [
                ("platform", "platform-admin", 401, 200), ("acme", "admin", 200, 401),
            ] {
                let person = try await world.person("ada-\(tenant)", role: role, tenant: tenant)
                try await world.prove(person)
                let tokens = try await Person.letIn(world, person)
                let token = try #require(tokens.text("access_token"), "\(tokens.text)")
                let path = "/api/v1/tenants/\(tenant)/principals"
                #expect(try await world.api.send(.get, path, token: token).status == here, "\(tenant)")
                let headers: HTTPFields = [.authorization: "Bearer \(token)"]
                #expect(try await world.visit(.get, path, headers: headers, at: staff).status == there, "\(tenant)")
            }
        }
    }

    @Test(
        "programs that wait to be let in are bounded for each network, and leave nothing behind for long",
        arguments: TestDatabase.engines)
    func flood(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let oauth = world.api.oauth
            func begin(_ address: String) async -> String? {
                do {
                    _ = try await oauth.connect(OAuthRequest(form: ["client_id": "tidegate"], address: address))
                    return nil
                } catch {
                    return (error as? OAuthError)?.code.rawValue
                }
            }
            for number in 0..<OAuthLimits.connectionsPerNetwork {
                #expect(await begin("192.0.2.\(number)") == nil)
            }
            #expect(await begin("192.0.2.200") == "temporarily_unavailable")
            #expect(await begin("198.51.100.7") == nil)
            #expect(await begin("2001:db8:1::1") == nil)
            world.api.world.time.advance(by: OAuthLimits.connectionLife)
            #expect(await begin("192.0.2.200") == nil)
            world.api.world.time.advance(by: OAuthLimits.connectionKept + .seconds(1))
            try await oauth.prune()
            let left = try await world.api.world.database.platform.read {
                try $0.row("SELECT count(*) FROM oauth_connection")?.int(0)
            }
            #expect(left == 1)
        }
    }
}
