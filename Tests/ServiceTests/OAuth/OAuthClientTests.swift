import Base
import HTTPTypes
import Testing
import Trust

@testable import Northbound
@testable import OAuth

@Suite struct OAuthClientTests {
    private static let itself = ["grant_type": "client_credentials"]

    @Test("a client gets tokens for itself by its secret, within its rights and scope", arguments: TestDatabase.engines)
    func secret(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client()
            #expect(Token(client.secret)?.kind == "client")
            let basic = try await world.form(
                "/oauth/token", Self.itself.merging(["scope": "device.read"]) { $1 }, basic: client)
            #expect(basic.status == 200, "\(basic.text)")
            #expect(basic.text("token_type") == "Bearer" && basic.body["expires_in"] == 3600)
            #expect(basic.text("scope") == "device.read" && basic.body["refresh_token"] == nil)
            #expect(basic.headers[.cacheControl] == "no-store")
            #expect(try await world.status(basic.text("access_token")) == 200)
            #expect(try await world.status(basic.text("access_token"), "audit") == 404)
            #expect(try await world.status(basic.text("access_token"), tenant: "rival") == 404)
            let post = try await world.form(
                "/oauth/token",
                Self.itself.merging(["client_id": client.id, "client_secret": client.secret]) { $1 })
            #expect(post.status == 200 && post.text("scope") == "all")
            #expect(try await world.status(post.text("access_token"), "audit") == 200)
            world.api.world.time.advance(by: .seconds(3600))
            #expect(try await world.status(post.text("access_token")) == 401)
            #expect(try await world.log("oauth.issued") == 2)
            #expect(try await world.log("client.created") == 1)
        }
    }

    @Test("who does not prove which client it is learns nothing else", arguments: TestDatabase.engines)
    func wrong(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client()
            let other = try await world.client("none", ["code"])
            var answers: Set<String> = []
            for basic in [
                (client.id, "x"), (client.id, ""), (client.id, Token.make(kind: "client").text),
                (ClientID(now: world.api.world.time.now).text, client.secret), ("x", client.secret),
                (other.id, client.secret),
            ] {
                world.api.world.time.advance(by: .seconds(2))
                let reply = try await world.form("/oauth/token", Self.itself, basic: basic)
                #expect(reply.status == 401 && reply.text("error") == "invalid_client", "\(reply.text)")
                #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Basic") == true)
                answers.insert(reply.text)
            }
            #expect(answers.count == 1)
            for field in ["Basic !", "Basic", "Bearer x", "Basic eA", "Basic OnRva2Vu"] {
                world.api.world.time.advance(by: .seconds(2))
                let reply = try await world.form("/oauth/token", Self.itself, headers: [.authorization: field])
                #expect(reply.text("error") == "invalid_client", "\(field)")
            }
            let twice = try await world.form(
                "/oauth/token", Self.itself.merging(["client_secret": client.secret]) { $1 }, basic: client)
            #expect(twice.status == 400 && twice.text("error") == "invalid_request")
            // A client without a secret of its own may not pose as nobody either.
            let bare = try await world.form("/oauth/token", Self.itself.merging(["client_id": client.id]) { $1 })
            #expect(bare.status == 401)
            let itself = try await world.form("/oauth/token", Self.itself.merging(["client_id": other.id]) { $1 })
            #expect(itself.status == 400 && itself.text("error") == "unauthorized_client")
        }
    }

    @Test("an ended client, a new secret and a suspended tenant count at once", arguments: TestDatabase.engines)
    func ending(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let client = try await world.client()
            let path = "\(OAuthWorld.acme)/clients/\(client.id)"
            let token = try await world.form("/oauth/token", Self.itself, basic: client).text("access_token")
            let fresh = try await world.api.send(.post, path + "/secret").text("clientSecret")
            #expect(try await world.form("/oauth/token", Self.itself, basic: client).status == 401)
            let renewed = (id: client.id, secret: fresh ?? "")
            #expect(try await world.form("/oauth/token", Self.itself, basic: renewed).status == 200)
            #expect(try await world.status(token) == 200)
            _ = try await world.api.send(.post, "\(OAuthWorld.acme)/suspend")
            #expect(try await world.form("/oauth/token", Self.itself, basic: renewed).status == 401)
            #expect(try await world.status(token) == 401)
            _ = try await world.api.send(.post, "\(OAuthWorld.acme)/resume")
            #expect(try await world.api.send(.delete, path).status == 204)
            #expect(try await world.form("/oauth/token", Self.itself, basic: renewed).status == 401)
            #expect(try await world.status(token) == 401)
            #expect(try await world.api.send(.delete, path).status == 404)
            #expect(try await world.api.send(.get, "\(OAuthWorld.acme)/clients").items.isEmpty)
            #expect(try await world.log("client.ended") == 1)
            #expect(try await world.log("client.secretReplaced") == 1)
        }
    }

    @Test("a client that could not work or would be unsafe is refused with every wrong place")
    func drafts() async throws {
        try await OAuthWorld.with(.sqlite) { world in
            let key = TokenSigner()
            let cases: [([String: JSONValue], String)] = [
                (["method": "none", "flows": ["itself"], "role": "viewer"], "/method"),
                (["method": "secret", "flows": ["itself"]], "/role"), (["method": "secret", "flows": []], "/flows"),
                (["method": "secret", "flows": ["code"]], "/redirects"),
                (["method": "secret", "flows": ["code"], "redirects": ["http://a.example/"]], "/redirects/0"),
                (["method": "secret", "flows": ["device"], "redirects": ["https://a.example/"]], "/redirects"),
                (["method": "key", "flows": ["device"]], "/keys"),
                (["method": "key", "flows": ["device"], "keys": ["keys": []]], "/keys"),
                (["method": "key", "flows": ["device"], "keys": ["keys": [["kty": "EC", "d": "x"]]]], "/keys"),
                (["method": "secret", "flows": ["device"], "keys": ["keys": [key.publicKey]]], "/keys"),
                (["method": "certificate", "flows": ["device"]], "/certificate"),
                (["method": "certificate", "flows": ["device"], "certificate": "abc"], "/certificate"),
            ]
            for (draft, place) in cases {
                let reply = try await world.api.send(
                    .post, "\(OAuthWorld.acme)/clients", .object(draft.merging(["name": "x"]) { $1 }))
                #expect(reply.status == 400 && reply.text.contains("\"place\":\"\(place)\""), "\(place): \(reply.text)")
            }
            // Nobody gives a client what they do not hold.
            let token = try await world.api.token("viewer")
            let reply = try await world.api.send(
                .post, "\(OAuthWorld.acme)/clients",
                ["name": "x", "method": "secret", "flows": ["itself"], "role": "admin"], token: token)
            #expect(reply.status >= 403)
        }
    }

    @Test("a client proves itself by what it signs, each time anew", arguments: TestDatabase.engines)
    func assertions(engine: TestDatabase.Engine) async throws {
        try await OAuthWorld.with(engine) { world in
            let (key, stranger) = (TokenSigner(), TokenSigner())
            let client = try await world.client("key", ["itself"], ["keys": ["keys": [key.publicKey]]])
            let other = try await world.client("key", ["itself"], ["keys": ["keys": [stranger.publicKey]]])
            let now = world.api.world.time.now.microseconds / 1_000_000
            var number = 0
            func claims(_ more: [String: JSONValue] = [:]) -> JSONValue {
                number += 1
                return .object(
                    [
                        "iss": .string(client.id), "sub": .string(client.id),
                        "aud": "https://fleet.example.com/oauth/token", "exp": .integer(now + 60),
                        "jti": .string("n\(number)"),
                    ].merging(more) { $1 })
            }
            func ask(_ assertion: String, _ more: [String: String] = [:]) async throws -> NorthboundFixture.Reply {
                world.api.world.time.advance(by: .milliseconds(500))
                return try await world.form(
                    "/oauth/token",
                    Self.itself.merging([
                        "client_assertion": assertion,
                        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    ]) { $1 }.merging(more) { $1 })
            }
            let good = try key.sign(claims())
            #expect(try await ask(good).status == 200)
            let again = try await ask(good)
            #expect(again.status == 401, "an assertion counts once")
            #expect(try await ask(key.sign(claims(["aud": "https://fleet.example.com"]))).status == 200)
            #expect(try await ask(key.sign(claims()), ["client_id": client.id]).status == 200)
            let forged: [(String, String)] = [
                ("another's key", try stranger.sign(claims())),
                ("another's name", try key.sign(claims(["iss": .string(other.id), "sub": .string(other.id)]))),
                ("another subject", try key.sign(claims(["sub": .string(other.id)]))),
                ("another audience", try key.sign(claims(["aud": "https://other.example/oauth/token"]))),
                ("the token of a look-alike", try key.sign(claims(["aud": "https://fleet.example.com.evil.example"]))),
                ("over", try key.sign(claims(["exp": .integer(now - 120)]))),
                ("good for a year", try key.sign(claims(["exp": .integer(now + 31_536_000)]))),
                ("no end", try key.sign(claims(["exp": .null]))), ("no name", try key.sign(claims(["jti": .null]))),
                ("another sort", try key.sign(claims(), type: "at+jwt")), ("nothing", "x"), ("less", "a.b.c"),
                (
                    "unsigned",
                    Array(#"{"alg":"none"}"#.utf8).base64URL + "." + Array(claims().canonical.utf8).base64URL + "."
                ),
            ]
            for (what, assertion) in forged {
                let reply = try await ask(assertion)
                #expect(reply.status == 401 && reply.text("error") == "invalid_client", "\(what): \(reply.text)")
            }
            #expect(try await ask(key.sign(claims()), ["client_id": other.id]).status == 401)
            let type = try await ask(key.sign(claims()), ["client_assertion_type": "jwt"])
            #expect(type.status == 400)
            // Its name alone, or a secret, proves nothing.
            let bare = try await world.form("/oauth/token", Self.itself.merging(["client_id": client.id]) { $1 })
            #expect(bare.status == 401)
        }
    }

    @Test("requests that are no plain forms are refused in the words of OAuth")
    func forms() async throws {
        try await OAuthWorld.with(.sqlite) { world in
            let client = try await world.client()
            let type: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
            for (path, text, headers) in [
                ("/oauth/token", "{}", [.contentType: "application/json"]), ("/oauth/token", "", [:]),
                ("/oauth/token?grant_type=client_credentials", "", type),
                ("/oauth/token", "grant_type=client_credentials&grant_type=x", type), ("/oauth/token", "a=%zz", type),
                ("/oauth/token", String(repeating: "a", count: 40_000), type),
            ] as [(String, String, HTTPFields)] {
                let reply = try await world.visit(.post, path, text, headers: headers)
                #expect(reply.status == 400 && reply.text("error") == "invalid_request", "\(reply.text)")
            }
            let missing = try await world.form("/oauth/token", [:], basic: client)
            #expect(missing.text("error") == "invalid_request")
            let unknown = try await world.form("/oauth/token", ["grant_type": "password"], basic: client)
            #expect(unknown.text("error") == "unsupported_grant_type")
            for scope in ["root", "device.read\u{e4}", "openid", "device.read openid"] {
                let reply = try await world.form(
                    "/oauth/token", Self.itself.merging(["scope": scope]) { $1 }, basic: client)
                #expect(reply.text("error") == "invalid_scope", "\(scope)")
            }
            #expect(try await world.visit(.get, "/oauth/token").status == 405)
            #expect(try await world.visit(.get, "/oauth/unknown").status == 404)
            for _ in 0..<60 { _ = try await world.visit(.get, "/oauth/jwks") }
            #expect(try await world.visit(.get, "/oauth/jwks").status == 429)
        }
    }

    @Test("a limited client gets no more than its limit")
    func limit() async throws {
        try await OAuthWorld.with(.sqlite) { world in
            let client = try await world.client("secret", ["itself"], ["scopes": ["device.read"]])
            let all = try await world.form("/oauth/token", Self.itself, basic: client)
            #expect(all.text("scope") == "device.read")
            #expect(try await world.status(all.text("access_token"), "audit") == 404)
            let more = try await world.form(
                "/oauth/token", Self.itself.merging(["scope": "audit.read"]) { $1 }, basic: client)
            #expect(more.text("error") == "invalid_scope")
        }
    }

    @Test("programs find their way by the documents of discovery")
    func discovery() async throws {
        try await OAuthWorld.with(.sqlite) { world in
            for path in ["oauth-authorization-server", "openid-configuration"] {
                let reply = try await world.visit(.get, "/.well-known/\(path)")
                #expect(reply.status == 200 && reply.text("issuer") == "https://fleet.example.com")
                #expect(reply.body["code_challenge_methods_supported"] == ["S256"])
                #expect(reply.body["mtls_endpoint_aliases"] == nil)
            }
            let issuer = Issuer("https://a.example", certificateAddress: "https://a.example:8445")
            #expect(
                issuer.metadata["mtls_endpoint_aliases"]?["token_endpoint"] == "https://a.example:8445/oauth/token")
        }
    }
}
