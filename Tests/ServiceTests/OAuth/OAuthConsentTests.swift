import Access
import Base
import HTTPTypes
import Storage
import Testing
import Trust

@testable import Northbound
@testable import OAuth

@Suite struct OAuthConsentTests {
    @Test(
        "a person's consent gives a program a part of their rights, and says who they are",
        arguments: TestDatabase.engines)
    func code(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("secret", ["code"])
            let person = try await world.person()
            let verifier = ProofKey.makeVerifier()
            let query = world.query(client.id, verifier, ["scope": "openid device.read", "nonce": "n1"])
            guard case .ask(let question) = try await world.api.oauth.question(query) else {
                Issue.record("the person is not asked")
                return
            }
            #expect(question.client.name == "App" && question.destination == "app.example")
            #expect(question.scope.permissions == [.deviceRead] && question.scope.isOpenID)
            let answer = try world.values(try await world.api.oauth.approve(query, by: person))
            #expect(answer["state"] == "s&1" && answer["iss"] == "https://fleet.example.com")
            let reply = try await world.exchange(client, answer["code"] ?? "", verifier)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(try await world.status(reply.text("access_token")) == 200)
            #expect(try await world.status(reply.text("access_token"), "models") == 404)
            let keys = try await world.visit(.get, "/oauth/jwks")
            let token = try JSONWebToken(
                reply.text("id_token") ?? "", keys: #require(JSONWebKeySet(keys.body)),
                rules: TokenRules(issuer: "https://fleet.example.com", audiences: [client.id]),
                now: world.api.world.time.now)
            #expect(token.claims["sub"]?.string == person.id.text && token.claims["nonce"] == "n1")
            #expect(token.claims["tenant"] == "acme")
            #expect(!keys.text.contains("\"d\""))
            #expect(try await world.log("oauth.consentGiven") == 1)
            // A program's token lets no other program in.
            let program = try await world.api.world.access.authenticate(
                bearer: reply.text("access_token") ?? "", address: nil)
            await #expect(throws: Refusal(.forbidden, "oauth.person", "")) {
                try await world.api.oauth.approve(query, by: program)
            }
        }
    }

    @Test("a code counts once, for its program, address and proof key, for a minute", arguments: TestDatabase.engines)
    func codeBounds(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("secret", ["code"])
            let other = try await world.client("secret", ["code"])
            let person = try await world.person()
            let verifier = ProofKey.makeVerifier()
            func code() async throws -> String {
                try world.values(try await world.api.oauth.approve(world.query(client.id, verifier), by: person))[
                    "code"] ?? ""
            }
            let first = try await code()
            #expect(try await world.exchange(other, first, verifier).text("error") == "invalid_grant")
            let good = try await world.exchange(client, first, verifier)
            #expect(good.status == 200)
            #expect(try await world.status(good.text("access_token")) == 200)
            let replay = try await world.exchange(client, first, verifier)
            #expect(replay.status == 400 && replay.text("error") == "invalid_grant")
            #expect(try await world.status(good.text("access_token")) == 401, "a replayed code ends what it gave")
            #expect(try await world.refresh(client, good.text("refresh_token")).text("error") == "invalid_grant")
            #expect(try await world.log("oauth.reused") == 1)
            for (what, redirect, proof) in [
                ("proof key", OAuthWorld.redirect, ProofKey.makeVerifier()),
                ("address", OAuthWorld.redirect + "/", verifier),
            ] {
                let code = try await code()
                #expect(
                    try await world.exchange(client, code, proof, redirect: redirect).text("error") == "invalid_grant")
                // A code whose proof failed may be a thief's: it is used up.
                #expect(try await world.exchange(client, code, verifier).text("error") == "invalid_grant", "\(what)")
            }
            let late = try await code()
            world.api.world.time.advance(by: .seconds(61))
            #expect(try await world.exchange(client, late, verifier).text("error") == "invalid_grant")
        }
    }

    @Test("nothing is sent to an address that is not the client's own; the person is told instead")
    func openRedirects() async throws {
        try await OAuthWorld.with(.sqlite) { world in
            let client = try await world.client("none", ["code"])
            let ended = try await world.client("none", ["code"])
            _ = try await world.api.send(.delete, "\(OAuthWorld.acme)/clients/\(ended.id)")
            let verifier = ProofKey.makeVerifier()
            let address = "redirect_uri"
            for (id, more) in [
                (client.id, [address: "https://evil.example/cb"]), (client.id, [address: OAuthWorld.redirect + "?x"]),
                (client.id, [address: "https://app.example/cb/../evil"]), (client.id, [address: nil]),
                (client.id, [address: "https://app.example@evil.example/cb"]), (client.id, [address: "//evil.example"]),
                (client.id, [address: "javascript:alert(1)"]), (ended.id, [:]), ("x", [:]), ("", [:]),
                ("<script>alert(1)</script>", [:]),
            ] as [(String, [String: String?])] {
                let reply = try await world.visit(.get, "/oauth/authorize?" + world.query(id, verifier, more))
                #expect(reply.status == 400 && reply.headers[.location] == nil, "\(more)")
                #expect(!reply.text.contains("evil") && !reply.text.contains("script"))
            }
            let twice = world.query(client.id, verifier) + "&redirect_uri=https%3A%2F%2Fevil.example"
            #expect(try await world.visit(.get, "/oauth/authorize?" + twice).status == 400)
        }
    }

    @Test("what else is wrong with a request goes back to the program")
    func faults() async throws {
        try await OAuthWorld.with(.sqlite) { world in
            let client = try await world.client("none", ["code"], ["scopes": ["device.read"]])
            let verifier = ProofKey.makeVerifier()
            for (name, value, error) in [
                ("response_type", "token", "unsupported_response_type"),
                ("response_type", nil, "unsupported_response_type"),
                ("response_mode", "fragment", "unsupported_response_type"), ("code_challenge", nil, "invalid_request"),
                ("code_challenge_method", "plain", "invalid_request"),
                ("code_challenge_method", nil, "invalid_request"),
                ("code_challenge", "short", "invalid_request"), ("scope", "root", "invalid_scope"),
                ("scope", "audit.read", "invalid_scope"),
                ("prompt", "none", "consent_required"), ("request", "x", "request_not_supported"),
                ("request_uri", "https://a.example", "request_uri_not_supported"),
                ("state", String(repeating: "s", count: 2000), "invalid_request"),
            ] as [(String, String?, String)] {
                let query = world.query(client.id, verifier, ["scope": "device.read"].merging([name: value]) { $1 })
                let reply = try await world.visit(.get, "/oauth/authorize?" + query)
                #expect(reply.status == 303, "\(name): \(reply.text)")
                let values = try world.values(reply.headers[.location] ?? "")
                #expect(values["error"] == error && values["iss"] == "https://fleet.example.com", "\(name)")
            }
            let good = try await world.visit(
                .get, "/oauth/authorize?" + world.query(client.id, verifier, ["scope": nil, "state": "\"><b>"]))
            #expect(good.status == 200 && good.text.contains("/consent?") && !good.text.contains("<b>"))
            #expect(good.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        }
    }

    @Test("only a signed-in person of the client's tenant can let it in", arguments: TestDatabase.engines)
    func persons(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("none", ["code"])
            let query = world.query(client.id, ProofKey.makeVerifier())
            let stranger = try await world.person("eve", tenant: "rival")
            await #expect(throws: Refusal(.notFound, "client.unknown", "")) {
                try await world.api.oauth.approve(query, by: stranger)
            }
            let key = try await world.api.world.access.authenticate(
                bearer: world.api.token("admin"), address: nil)
            await #expect(throws: Refusal(.forbidden, "oauth.person", "")) {
                try await world.api.oauth.approve(query, by: key)
            }
            await #expect(throws: Refusal(.forbidden, "oauth.person", "")) {
                try await world.api.oauth.approve(query, by: .localAdministrator)
            }
            let person = try await world.person()
            let no = try world.values(try await world.api.oauth.refuse(query, by: person))
            #expect(no["error"] == "access_denied" && no["code"] == nil && no["state"] == "s&1")
            #expect(try await world.log("oauth.consentRefused") == 1)
            _ = try await world.api.send(.patch, "\(OAuthWorld.acme)/principals/ada", ["active": false])
            await #expect(throws: Refusal(.unauthenticated, "session.invalid", "")) {
                try await world.api.oauth.approve(query, by: person)
            }
        }
    }

    @Test("each refresh token gives the next pair; used twice it ends all of them", arguments: TestDatabase.engines)
    func refresh(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("secret", ["code"])
            let other = try await world.client("secret", ["code"])
            let person = try await world.person()
            let first = try await world.consent(client, person)
            let second = try await world.refresh(client, first.text("refresh_token"))
            #expect(second.status == 200, "\(second.text)")
            #expect(try await world.status(first.text("access_token")) == 401, "the token before has ended")
            #expect(try await world.status(second.text("access_token")) == 200)
            let less = try await world.refresh(client, second.text("refresh_token"), ["scope": "telemetry.read"])
            #expect(less.text("scope") == "telemetry.read")
            #expect(try await world.status(less.text("access_token")) == 404)
            for (scope, error) in [("audit.read", "invalid_scope"), ("openid", "invalid_scope"), ("all", nil)]
                as [(String, String?)]
            {
                let reply = try await world.refresh(client, less.text("refresh_token"), ["scope": scope])
                if let error { #expect(reply.text("error") == error, "\(scope): \(reply.text)") }
                if error == nil {
                    #expect(reply.text("scope") == "device.read telemetry.read", "all of what was given")
                }
            }
            // A stranger's attempt neither works nor harms.
            let third = try await world.consent(client, person)
            #expect(try await world.refresh(other, third.text("refresh_token")).text("error") == "invalid_grant")
            #expect(try await world.refresh(client, third.text("access_token")).text("error") == "invalid_grant")
            let fourth = try await world.refresh(client, third.text("refresh_token"))
            #expect(fourth.status == 200)
            #expect(try await world.refresh(client, third.text("refresh_token")).text("error") == "invalid_grant")
            #expect(try await world.status(fourth.text("access_token")) == 401)
            #expect(try await world.refresh(client, fourth.text("refresh_token")).text("error") == "invalid_grant")
            #expect(try await world.log("oauth.reused") == 1)
        }
    }

    @Test(
        "a disabled person's programs stop at once and do not go on; time ends them too",
        arguments: TestDatabase.engines)
    func disabled(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("secret", ["code"])
            let person = try await world.person()
            let tokens = try await world.consent(client, person)
            _ = try await world.api.send(.patch, "\(OAuthWorld.acme)/principals/ada", ["active": false])
            #expect(try await world.status(tokens.text("access_token")) == 401)
            #expect(try await world.refresh(client, tokens.text("refresh_token")).text("error") == "invalid_grant")
            let bob = try await world.person("bob")
            let idle = try await world.consent(client, bob)
            world.api.world.time.advance(by: .seconds(31 * 86_400))
            #expect(try await world.refresh(client, idle.text("refresh_token")).text("error") == "invalid_grant")
            try await world.api.oauth.prune()
        }
    }

    @Test(
        "a program ends its own tokens and looks at those of its tenant, never at others",
        arguments: TestDatabase.engines)
    func endingAndLooking(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("secret", ["code"])
            let other = try await world.client("secret", ["itself"])
            let foreign = try await world.client("secret", ["itself"], tenant: "rival")
            let person = try await world.person()
            let tokens = try await world.consent(client, person)
            func look(_ by: (String, String), _ token: String?) async throws -> NorthboundFixture.Reply {
                try await world.form("/oauth/introspect", ["token": token ?? ""], basic: by)
            }
            let seen = try await look(other, tokens.text("access_token"))
            #expect(seen.body["active"] == true && seen.text("client_id") == client.id, "\(seen.text)")
            #expect(seen.text("scope") == "device.read telemetry.read" && seen.text("sub") == person.id.text)
            #expect(try await look(other, tokens.text("refresh_token")).body["active"] == true)
            for token in [
                tokens.text("access_token"), Token.make(kind: "access").text, "x", try await world.api.token("viewer"),
            ] {
                #expect(try await look(foreign, token).body == ["active": false])
            }
            func end(_ by: (String, String), _ token: String?) async throws -> Int {
                try await world.form("/oauth/revoke", ["token": token ?? "", "token_type_hint": "x"], basic: by).status
            }
            #expect(try await end(other, tokens.text("access_token")) == 200)
            #expect(try await world.status(tokens.text("access_token")) == 200, "another's token is left alone")
            #expect(try await end(client, tokens.text("access_token")) == 200)
            #expect(try await world.status(tokens.text("access_token")) == 401)
            #expect(try await look(other, tokens.text("access_token")).body == ["active": false])
            let next = try await world.refresh(client, tokens.text("refresh_token"))
            #expect(next.status == 200)
            #expect(try await end(client, next.text("refresh_token")) == 200)
            #expect(try await world.status(next.text("access_token")) == 401)
            #expect(try await world.refresh(client, next.text("refresh_token")).status == 400)
            #expect(try await world.log("oauth.ended") == 2)
            let bare = try await world.client("none", ["code"])
            let asked = try await world.form("/oauth/introspect", ["token": "x", "client_id": bare.id])
            #expect(asked.text("error") == "unauthorized_client")
        }
    }

    @Test("a program without a browser waits until a person types its code", arguments: TestDatabase.engines)
    func connecting(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let oauth = world.api.oauth
            func begin() async throws -> NorthboundFixture.Reply {
                try await world.form("/oauth/device_authorization", ["client_id": "tidegate"])
            }
            func poll(_ begun: NorthboundFixture.Reply, after seconds: Int = 6) async throws -> NorthboundFixture.Reply
            {
                world.api.world.time.advance(by: .seconds(seconds))
                return try await world.form(
                    "/oauth/token",
                    [
                        "client_id": "tidegate", "device_code": begun.text("device_code") ?? "",
                        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                    ])
            }
            let begun = try await begin()
            #expect(begun.status == 200 && begun.body["interval"] == 5 && begun.body["expires_in"] == 600)
            #expect(begun.text("verification_uri") == "https://fleet.example.com/connect")
            let code = begun.text("user_code") ?? ""
            #expect(try await poll(begun).text("error") == "authorization_pending")
            #expect(try await poll(begun, after: 1).text("error") == "slow_down")
            let person = try await world.person(role: "admin")
            #expect(try await oauth.connection(typed: code.lowercased(), by: person)?.client.id == "tidegate")
            await #expect(throws: Refusal(.forbidden, "signin.stepUp", ""), "it could administer") {
                try await oauth.answer(typed: code, letIn: true, by: person)
            }
            try await world.prove(person)
            try await oauth.answer(typed: code, letIn: true, by: person)
            #expect(try await oauth.connection(typed: code, by: person) == nil)
            let tokens = try await poll(begun, after: 20)
            #expect(tokens.status == 200 && tokens.text("scope") == "all", "\(tokens.text)")
            #expect(try await world.status(tokens.text("access_token"), "audit") == 200)
            #expect(try await poll(begun, after: 20).text("error") == "invalid_grant", "a device code counts once")
            let refreshed = try await world.form(
                "/oauth/token",
                [
                    "grant_type": "refresh_token", "client_id": "tidegate",
                    "refresh_token": tokens.text("refresh_token") ?? "",
                ])
            #expect(refreshed.status == 200)
            let refused = try await begin()
            try await oauth.answer(typed: refused.text("user_code") ?? "", letIn: false, by: person)
            #expect(try await poll(refused).text("error") == "access_denied")
            let late = try await begin()
            #expect(try await poll(late, after: 601).text("error") == "expired_token")
            await #expect(throws: Refusal(.notFound, "oauth.codeUnknown", "")) {
                try await oauth.answer(typed: late.text("user_code") ?? "", letIn: true, by: person)
            }
            // Nobody finds another's code by trying.
            for _ in 0..<OAuthLimits.codeAttempts { _ = try? await oauth.connection(typed: "BCDF-GHJK", by: person) }
            await #expect(throws: Refusal(.limited, "oauth.codes", "")) {
                try await oauth.connection(typed: code, by: person)
            }
        }
    }

    @Test("a new signing key is shown before it signs, and the last one after", arguments: TestDatabase.engines)
    func keys(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let oauth = world.api.oauth
            func ids() async throws -> [String] {
                guard case .array(let keys) = try await oauth.publicKeys()["keys"] else { return [] }
                return keys.compactMap { $0["kid"]?.string }
            }
            let first = try await oauth.signer().id
            try await oauth.rotateKeys()
            #expect(try await ids() == [first])
            world.api.world.time.advance(by: OAuthLimits.keyLife + .seconds(1))
            try await oauth.rotateKeys()
            #expect(try await ids().count == 2)
            #expect(try await oauth.signer().id == first)
            world.api.world.time.advance(by: OAuthLimits.keyOverlap + .seconds(1))
            let second = try await oauth.signer().id
            #expect(second != first)
            #expect(try await ids().contains(first))
            world.api.world.time.advance(by: OAuthLimits.keyOverlap + .seconds(1))
            try await oauth.rotateKeys()
            #expect(try await ids() == [second])
        }
    }

    @Test("a deleted tenant leaves nothing behind here", arguments: TestDatabase.engines)
    func purge(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client("secret", ["code"])
            _ = try await world.consent(client, try await world.person())
            try await world.api.oauth.purge(world.api.world.acme)
            for table in ["oauth_client", "oauth_code", "oauth_family", "oauth_issue"] {
                let count = try await world.api.world.database.platform.read {
                    try $0.row("SELECT count(*) FROM \(table)")?.int(0)
                }
                #expect(count == 0, "\(table)")
            }
        }
    }
}
