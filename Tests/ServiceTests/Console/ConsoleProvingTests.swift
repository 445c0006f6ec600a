import Base
import HTTPTypes
import SignIn
import Testing

@testable import Console
@testable import Northbound

/// The pages between the right password and the session.
@Suite("The console's second step of signing in")
struct ConsoleProvingTests {
    /// Somebody with an authenticator; answers its secret and the recovery codes.
    private static func authenticator(
        _ world: ConsoleFixture
    ) async throws -> (secret: String, recovery: [String]) {
        let principal = try await world.newcomer("ann@example.com").principal
        let factors = world.api.services.factors
        let made = try await factors.enrolAuthenticator(for: .signedIn(principal))
        let code = try FactorFixture.code(made.secret, at: world.api.world.time.now)
        let confirmed = try await factors.confirm(made.id, code: code, for: .signedIn(principal))
        world.api.world.time.advance(by: .seconds(60))
        return (made.secret, confirmed.recoveryCodes)
    }

    private static func signIn(_ world: ConsoleFixture) async throws -> ConsoleFixture.Reply {
        try await world.post(
            "/sign-in",
            [("address", "ann@example.com"), ("password", ConsoleFixture.password), ("next", "/t/acme/devices")])
    }

    private static func pending(_ reply: ConsoleFixture.Reply) throws -> String {
        String(try #require(reply.text.firstMatch(of: /name="pending" value="([^"]+)"/)?.1, "\(reply.text)"))
    }

    @Test(
        "a code opens the session; a wrong one is asked for again, and the way on is kept",
        arguments: TestDatabase.engines)
    func code(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let secret = try await Self.authenticator(world).secret
            let asked = try await Self.signIn(world)
            #expect(asked.status == 200 && asked.text.contains("Code from your authenticator"))
            #expect(asked.headers[.setCookie] == nil && asked.text.contains("Recovery code"))
            let pending = try Self.pending(asked)
            let form = [("pending", pending), ("next", "/t/acme/devices"), ("method", "totp"), ("act", "prove")]
            let wrong = try await world.post("/sign-in/factor", form + [("code", "000000")])
            #expect(wrong.status == 403 && wrong.text.contains("role=\"alert\""))
            #expect(try Self.pending(wrong) == pending && wrong.text.contains("value=\"/t/acme/devices\""))
            let code = try FactorFixture.code(secret, at: world.api.world.time.now)
            let done = try await world.post("/sign-in/factor", form + [("code", code)])
            #expect(done.status == 303 && done.headers[.location] == "/t/acme/devices")
            #expect(done.headers[.setCookie]?.hasPrefix("__Host-tidegate=tg_session_") == true)
            // What was waiting is used up.
            #expect(try await world.post("/sign-in/factor", form + [("code", code)]).status == 401)
        }
    }

    @Test("wrong codes make the next one wait, and another method stays free")
    func waits() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let recovery = try await Self.authenticator(world).recovery
            let pending = try Self.pending(try await Self.signIn(world))
            let form = [("pending", pending), ("act", "prove")]
            for _ in 0..<3 {
                let wrong = try await world.post("/sign-in/factor", form + [("method", "totp"), ("code", "000000")])
                #expect(wrong.status == 403)
            }
            let late = try await world.post("/sign-in/factor", form + [("method", "totp"), ("code", "000000")])
            #expect(late.status == 429 && late.text.contains("Too many wrong tries"))
            let code = try #require(recovery.first)
            let done = try await world.post("/sign-in/factor", form + [("method", "recovery"), ("code", code)])
            #expect(done.status == 303 && done.headers[.location] == "/")
        }
    }

    @Test(
        "what belongs to no sign-in that waits leads back to its beginning",
        arguments: ["/sign-in/factor", "/sign-in/enrol", "/sign-in/go-on"])
    func ended(path: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for pending in ["", "nonsense", "tg_session_0123456789abcdefghijklmnopqrstuvwxyz", "tg_pending_x"] {
                let reply = try await world.post(path, [("pending", pending), ("next", "//evil.example")])
                #expect(reply.status == 401 && reply.text.contains("Sign in"), "\(pending)")
                #expect(!reply.text.contains("evil") && reply.headers[.setCookie] == nil)
            }
            _ = try await Self.authenticator(world)
            let pending = try Self.pending(try await Self.signIn(world))
            world.api.world.time.advance(by: .seconds(SignInLimits.pendingMinutes * 60 + 1))
            #expect(try await world.post(path, [("pending", pending)]).status == 401)
        }
    }

    @Test("nobody gets past the factor by skipping its page, setting up another one or choosing a method they lack")
    func skipping() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await Self.authenticator(world)
            let pending = try Self.pending(try await Self.signIn(world))
            let forms: [(String, [(String, String)])] = [
                ("/sign-in/go-on", []), ("/sign-in/factor", []), ("/sign-in/factor", [("act", "prove")]),
                ("/sign-in/factor", [("act", "prove"), ("password", ConsoleFixture.password)]),
                ("/sign-in/factor", [("act", "prove"), ("method", "passkey"), ("answer", "{}")]),
                ("/sign-in/factor", [("act", "prove"), ("method", "totp")]),
                ("/sign-in/factor", [("act", "send"), ("method", "sms")]),
                ("/sign-in/factor", [("act", "prove"), ("method", "nonsense"), ("code", "1")]),
                ("/sign-in/enrol", [("act", "begin"), ("method", "totp")]),
                ("/sign-in/enrol", [("act", "confirm"), ("method", "totp"), ("factor", "nonsense"), ("code", "1")]),
                ("/sign-in/enrol", [("act", "send"), ("method", "sms"), ("number", "+49 151 23456789")]),
            ]
            for (path, form) in forms {
                world.api.world.time.advance(by: .seconds(20))
                let reply = try await world.post(path, [("pending", pending)] + form)
                #expect(reply.headers[.setCookie] == nil && reply.headers[.location] == nil, "\(path) \(form)")
                #expect(reply.text.contains("One more step"), "\(path) \(form)")
            }
        }
    }

    @Test(
        "who must set up a factor does it on the way in, and gets recovery codes once", arguments: TestDatabase.engines)
    func enrolment(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            _ = try await world.newcomer("ann@example.com")
            _ = try await world.api.send(
                .put, "/api/v1/tenants/acme/factor-policy", ["level": "code", "reason": "audit"])
            let asked = try await Self.signIn(world)
            #expect(asked.status == 200 && asked.text.contains("Set up a second factor"))
            // A text message would not be enough.
            #expect(!asked.text.contains("value=\"sms\"") && asked.text.contains("value=\"totp\""))
            let pending = try Self.pending(asked)
            let form = [("pending", pending), ("next", "/t/acme"), ("method", "totp")]
            let begun = try await world.post("/sign-in/enrol", form + [("act", "begin")])
            let secret = String(try #require(begun.text.firstMatch(of: /name="secret" value="([A-Z2-7]+)"/)?.1))
            let factor = String(try #require(begun.text.firstMatch(of: /name="factor" value="([^"]+)"/)?.1))
            #expect(begun.text.contains("data:image/svg+xml,"))
            let confirm = form + [("act", "confirm"), ("factor", factor), ("secret", secret)]
            let wrong = try await world.post("/sign-in/enrol", confirm + [("code", "000000")])
            #expect(wrong.status == 403 && wrong.text.contains(secret), "the secret is still there to be typed")
            let code = try FactorFixture.code(secret, at: world.api.world.time.now)
            let codes = try await world.post("/sign-in/enrol", confirm + [("code", code)])
            #expect(codes.status == 200 && codes.text.contains("Keep your recovery codes"))
            #expect(codes.text.matches(of: /(?m)^[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){5}$/).count == 10)
            let done = try await world.post("/sign-in/go-on", [("pending", pending), ("next", "/t/acme")])
            #expect(done.status == 303 && done.headers[.location] == "/t/acme")
            #expect(done.headers[.setCookie]?.contains("tg_session_") == true)
        }
    }

    @Test("a passkey's answer that is none is refused in words, whatever its form")
    func passkeyAnswers() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for answer in ["", "{", "null", "{\"type\":\"public-key\"}", String(repeating: "x", count: 70_000)] {
                let reply = try await world.post("/sign-in/passkey", [("answer", answer)])
                #expect((400..<500).contains(reply.status) && reply.text.contains("role=\"alert\""))
            }
            let options = try await world.post("/sign-in/passkey-options")
            #expect(options.status == 200 && options.text.contains("\"challenge\""))
            let ended = try await world.post("/sign-in/passkey-options", [("pending", "tg_pending_x")])
            #expect(ended.text.contains("challenge"), "what is no secret of a sign-in is one's own passkey alone")
        }
    }

    @Test("where passkeys do not work, the pages say where they do")
    func elsewhere() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            #expect(try await !world.get("/sign-in").text.contains("Sign in with a passkey"))
            let there = try await world.send(.get, "/sign-in", "", [:], host: "people.example")
            #expect(there.text.contains("Sign in with a passkey"))
            _ = try await world.newcomer("ann@example.com")
            _ = try await world.api.send(
                .put, "/api/v1/tenants/acme/factor-policy", ["level": "passkey", "reason": "audit"])
            let pending = try Self.pending(try await Self.signIn(world))
            let page = try await world.post(
                "/sign-in/enrol", [("pending", pending), ("method", "passkey"), ("act", "begin")])
            #expect(page.text.contains("https://people.example/") && !page.text.contains("Make the passkey"))
        }
    }
}
