import Access
import Base
import HTTPTypes
import SignIn
import Testing

@testable import Console
@testable import Northbound

/// A person's own pages, and the proof that some of them ask for.
@Suite("The console's profile")
struct ConsoleProfileTests {
    /// A person's fields in a form.
    private static func field(_ name: String, in reply: ConsoleFixture.Reply) throws -> String {
        let pattern = try Regex<(Substring, Substring)>("name=\"\(name)\" value=\"([^\"]*)\"")
        return String(try #require(reply.text.firstMatch(of: pattern)?.output.1, "\(reply.text)"))
            .replacing("&amp;", with: "&").replacing("&#x3D;", with: "=")
    }

    /// Sets an authenticator up by the pages; answers its secret.
    private static func addAuthenticator(_ world: ConsoleFixture) async throws -> String {
        let begun = try await world.post(
            "/profile/factors/new", [("method", "totp"), ("act", "begin"), ("name", "Pocket")], as: "ann")
        let (secret, factor) = (try field("secret", in: begun), try field("factor", in: begun))
        let code = try FactorFixture.code(secret, at: world.api.world.time.now)
        let done = try await world.post(
            "/profile/factors/new",
            [
                ("method", "totp"), ("act", "confirm"), ("factor", factor), ("secret", secret),
                ("code", code),
            ], as: "ann")
        #expect(done.text.contains("Keep your recovery codes"), "\(done.text)")
        world.api.world.time.advance(by: .seconds(60))
        return secret
    }

    @Test("a factor is added, renamed and removed by its holder", arguments: TestDatabase.engines)
    func factors(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "ann") { world in
            #expect(
                try await world.get("/profile", as: "ann").text.contains("your password alone lets you in"))
            _ = try await Self.addAuthenticator(world)
            let page = try await world.get("/profile", as: "ann")
            #expect(
                page.text.contains("10 recovery codes are left") && page.text.contains("Authenticator"))
            let address = String(
                try #require(page.text.firstMatch(of: /action="(\/profile\/factors\/[^"]+)"/)?.1))
            let renamed = try await world.post(
                address, [("act", "rename"), ("name", "<b>Pocket</b>")], as: "ann")
            #expect(renamed.status == 303)
            #expect(try await world.get("/profile", as: "ann").text.contains("&lt;b&gt;Pocket"))
            for name in ["", String(repeating: "x", count: 500), "a\u{7}b"] {
                let reply = try await world.post(address, [("act", "rename"), ("name", name)], as: "ann")
                #expect(reply.status == 400 && reply.text.contains("role=\"alert\""))
            }
            // Another person, and one of another tenant, find none of it.
            for stranger in ["person", "rival"] {
                let reply = try await world.post(address, [("act", "remove"), ("sure", "1")], as: stranger)
                #expect(reply.status == 404 || reply.status == 409, "\(stranger) \(reply.status)")
            }
            #expect(try await world.post(address, [("act", "explode")], as: "ann").status == 400)
            let asks = try await world.post(address, [("act", "remove")], as: "ann")
            #expect(asks.status == 200 && asks.text.contains("It is your last factor"))
            #expect(
                try await world.post(address, [("act", "remove"), ("sure", "1")], as: "ann").status == 303)
            #expect(try await world.get("/profile", as: "ann").text.contains("None yet"))
        }
    }

    @Test("the first administrator is offered a factor on the way, and may leave it for later")
    func firstRun() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "ann") { world in
            let first = try await world.get("/welcome", as: "ann")
            #expect(first.headers[.location] == "/profile/factors/new?next=%2Ft%2Facme%2Fwelcome")
            let offer = try await world.get("/profile/factors/new?next=%2Ft%2Facme%2Fwelcome", as: "ann").text
            #expect(offer.contains("Protect your account") && offer.contains("href=\"/t/acme/welcome\">Not now"))
            // Nothing is offered that this server can not send.
            #expect(!offer.contains("value=\"sms\""))
            let forged = try await world.get("/profile/factors/new?next=%2F%2Fevil.example", as: "ann").text
            #expect(!forged.contains("evil"))
            _ = try await Self.addAuthenticator(world)
            #expect(try await world.get("/welcome", as: "ann").headers[.location] == "/t/acme/welcome")
        }
    }

    @Test(
        "what asks for a recent proof goes on after it, with all that was typed",
        arguments: TestDatabase.engines)
    func stepUp(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "ann") { world in
            let secret = try await Self.addAuthenticator(world)
            world.api.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            let form = [("sure", "1"), ("note", "a & b = \"c\"")]
            let asked = try await world.post("/profile/recovery-codes", form, as: "ann")
            #expect(asked.status == 403 && asked.text.contains("Prove that it is you"))
            #expect(asked.text.contains("set up a factor"), "it says what for")
            let carried = [
                ("place", try Self.field("place", in: asked)), ("form", try Self.field("form", in: asked)),
                ("back", try Self.field("back", in: asked)),
            ]
            #expect(!carried[1].1.contains("form-token"))
            let proof = carried + [("act", "prove"), ("method", "totp")]
            let wrong = try await world.post("/prove", proof + [("code", "000000")], as: "ann")
            #expect(wrong.status == 403 && wrong.text.contains("role=\"alert\""))
            #expect(try Self.field("form", in: wrong) == carried[1].1)
            #expect(try await world.post("/profile/recovery-codes", form, as: "ann").status == 403)
            // The password is not enough for who has a factor.
            let password = try await world.post(
                "/prove", carried + [("act", "prove"), ("password", ConsoleFixture.password)], as: "ann")
            #expect(password.status == 409)
            let code = try FactorFixture.code(secret, at: world.api.world.time.now)
            let again = try await world.post("/prove", proof + [("code", code)], as: "ann")
            #expect(again.status == 200 && again.text.contains("action=\"/profile/recovery-codes\""))
            #expect(again.text.contains("name=\"note\" value=\"a &amp; b = &quot;c&quot;\""))
            let done = try await world.post("/profile/recovery-codes", form, as: "ann")
            #expect(done.status == 200 && done.text.contains("Keep your recovery codes"))
        }
    }

    @Test("who has no factor proves themselves by their password, and a forged way on leads nowhere")
    func passwordProof() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "ann") { world in
            world.api.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            let asked = try await world.post(
                "/profile/factors/new", [("act", "begin"), ("method", "passkey")], as: "ann")
            #expect(asked.status == 403 && asked.text.contains("type=\"password\""))
            let forged = [
                ("place", "//evil.example"), ("back", "https://evil.example"), ("form", "a=%3Cscript%3E"),
                ("act", "prove"), ("password", ConsoleFixture.password),
            ]
            let reply = try await world.post("/prove", forged, as: "ann")
            #expect(
                reply.status == 200 && !reply.text.contains("evil") && !reply.text.contains("<script>"))
            #expect(try await world.post("/prove", forged, as: "ann", token: "wrong").status == 403)
            #expect(try await world.post("/prove", forged).status == 303, "nobody without a session")
            let looked = try await world.post(
                "/prove", [("place", "/profile"), ("act", "prove"), ("password", ConsoleFixture.password)],
                as: "ann")
            #expect(looked.status == 303 && looked.headers[.location] == "/profile")
        }
    }

    @Test("one's own password is changed by who knows the present one, and the rules are told")
    func password() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "ann") { world in
            let rules = try await world.post("/password-rules", [("password", "short")], as: "ann")
            #expect(rules.status == 200 && rules.text.contains("id=\"rules\""))
            let cases: [([(String, String)], Int)] = [
                ([("current", "wrong"), ("password", "nine quiet lanterns")], 403),
                ([("current", ConsoleFixture.password), ("password", "short")], 400),
                (
                    [
                        ("current", ConsoleFixture.password), ("password", String(repeating: "x", count: 5000)),
                    ], 400
                ),
                ([], 400),
            ]
            for (form, status) in cases {
                let reply = try await world.post("/profile/password", form, as: "ann")
                #expect(reply.status == status && reply.text.contains("role=\"alert\""), "\(form)")
            }
            let done = try await world.post(
                "/profile/password",
                [("current", ConsoleFixture.password), ("password", "nine quiet lanterns at sea")],
                as: "ann")
            #expect(done.headers[.location] == "/profile?done=own-password-changed")
        }
    }

    @Test("one's own sessions are listed and ended, nobody else's", arguments: TestDatabase.engines)
    func sessions(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "ann") { world in
            let other = try await world.enter("ann@example.com")
            let page = try await world.get("/profile/sessions", as: "ann")
            #expect(page.text.contains(other.session.text) && page.text.contains("This one"))
            for stranger in ["person", "rival"] {
                let reply = try await world.post(
                    "/profile/sessions", [("id", other.session.text), ("act", "end")], as: stranger)
                #expect(reply.status == 404, "\(stranger)")
            }
            for id in ["nonsense", CredentialID(high: 1, low: 1).text] {
                #expect(
                    try await world.post("/profile/sessions", [("id", id), ("act", "end")], as: "ann").status
                        == 404)
            }
            #expect(try await world.post("/profile/sessions", [], as: "ann").status == 400)
            let ended = try await world.post(
                "/profile/sessions", [("id", other.session.text), ("act", "end")], as: "ann")
            #expect(ended.status == 303)
            #expect(
                try await !world.get("/profile/sessions", as: "ann").text.contains(other.session.text))
            let third = try await world.enter("ann@example.com")
            #expect(
                try await world.post("/profile/sessions", [("act", "others")], as: "ann").status == 303)
            let left = try await world.get("/profile/sessions", as: "ann").text
            #expect(!left.contains(third.session.text) && left.contains("This one"))
        }
    }

    @Test("one's own reach is told with roles and devices; programs that act for one can be ended")
    func reach() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "ann") { world in
            _ = try await world.api.world.register("meter-1")
            let page = try await world.get("/profile/reach", as: "ann").text
            #expect(page.contains("viewer") && page.contains("device.read") && page.contains("1 device"))
            #expect(page.contains("href=\"/t/acme/devices\""))
            #expect(
                try await world.get("/profile/programs", as: "ann").text.contains("No program acts for you")
            )
            #expect(
                try await world.post("/profile/programs", [("id", "nonsense")], as: "ann").status == 404)
            let nobody = try await world.get("/profile/reach")
            #expect(nobody.status == 303)
        }
    }
}
