import Base
import HTTPTypes
import SignIn
import Testing

@testable import Console

/// What holds for every page of the console.
@Suite("The console's shell")
struct ConsoleShellTests {
    @Test("every answer carries the policy and the other fences, whatever it is")
    func headers() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let pages = [
                try await world.get("/t/acme", as: "admin"), try await world.get("/nothing"),
                try await world.get("/t/acme"), try await world.get("/assets/none.css"),
                try await world.post("/sign-out", as: "admin", token: "wrong"),
            ]
            for page in pages {
                let policy = page.headers[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"))
                #expect(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"))
                #expect(policy.contains("base-uri 'none'") && !policy.contains("unsafe"))
                #expect(page.headers[.xContentTypeOptions] == "nosniff")
                #expect(page.headers[.referrerPolicy] == "same-origin")
                #expect(page.headers[.crossOriginOpenerPolicy] == "same-origin")
                #expect(page.headers[.frameOptions] == "DENY")
                #expect(page.headers[.strictTransportSecurity] != nil)
            }
            #expect(pages[0].headers[.cacheControl] == "no-store")
        }
    }

    @Test("nobody sees a page of a tenant without a session; the way leads to the sign-in and back")
    func signInFirst() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let reply = try await world.get("/t/acme?filter=online")
            #expect(reply.status == 303)
            #expect(reply.headers[.location] == "/sign-in?next=%2Ft%2Facme%3Ffilter%3Donline")
            var fields: HTTPFields = [:]
            fields[.cookie] = "\(SessionCookie(.people).name)=a-session-that-has-ended"
            #expect(try await world.get("/t/acme", headers: fields).status == 303)
        }
    }

    @Test("a tenant that is not for the visitor looks like one that is not there", arguments: ["", "/live"])
    func strangers(path: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let foreign = try await world.get("/t/acme" + path, as: "rival")
            let absent = try await world.get("/t/absent" + path, as: "rival")
            #expect(foreign.status == 404 && absent.status == 404)
            func words(_ reply: ConsoleFixture.Reply) -> String {
                String(reply.text.prefix { $0 != "?" }.split(separator: "request ")[0])
            }
            #expect(words(foreign) == words(absent))
        }
    }

    @Test("a link followed on another site is asked for once more from here, so that the session comes along")
    func continuation() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            var fields: HTTPFields = [:]
            fields[.secFetchSite] = "cross-site"
            fields[.secFetchMode] = "navigate"
            let reply = try await world.get("/t/acme?a=\"><b>", headers: fields)
            #expect(reply.status == 200)
            #expect(reply.text.contains("http-equiv=\"refresh\""))
            #expect(!reply.text.contains("<b>"))
            let away = try await world.get("//evil.example/t/acme", headers: fields)
            #expect(away.text.contains("http-equiv=\"refresh\"") && !away.text.contains("evil.example"))
            fields[.secFetchSite] = "same-origin"
            #expect(try await world.get("/t/acme", headers: fields).status == 303)
        }
    }

    @Test(
        "a form counts only from our own pages",
        arguments: [
            ("the right token", nil, [:], 303), ("a wrong token", "form-of-the-viewer", [:], 403),
            ("no token", "", [:], 403), ("another origin", nil, [.origin: "https://evil.example"], 403),
            ("an opaque origin", nil, [.origin: "null"], 403),
            ("another port", nil, [.origin: "https://fleet.example.com:1"], 403),
            ("plain text", nil, [.origin: "http://fleet.example.com"], 403),
            ("another site", nil, [.secFetchSite: "cross-site"], 403),
            ("a sibling", nil, [.secFetchSite: "same-site"], 403),
            ("neither origin nor site", nil, [.origin: "", .secFetchSite: ""], 403),
            ("another kind of body", nil, [.contentType: "application/json"], 400),
        ] as [(String, String?, HTTPFields, Int)])
    func forms(name: String, token: String?, headers: HTTPFields, status: Int) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let reply = try await world.post("/sign-out", as: "admin", token: token, headers: headers)
            #expect(reply.status == status, "\(name)")
        }
    }

    @Test("a form that is too large is refused before it is read")
    func oversize() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let long = String(repeating: "x", count: ConsoleLimits.formBytes + 1)
            let large = try await world.post("/sign-out", [("a", long)], as: "admin")
            #expect(large.status == 413)
            let fields = (0...ConsoleLimits.formFields).map { ("f\($0)", "1") }
            let many = try await world.post("/sign-out", fields, as: "admin")
            #expect(many.status == 400)
        }
    }

    @Test("signing out takes the cookie away; the cookie is bound to this host and hidden from scripts")
    func cookie() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let reply = try await world.post("/sign-out", as: "admin")
            #expect(
                reply.headers[.setCookie] == "__Host-tidegate=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
            let set = SessionCookie(.people).setting("s")
            #expect(set == "__Host-tidegate=s; Path=/; Secure; HttpOnly; SameSite=Strict")
            #expect(SessionCookie(.platform).setting("s").hasPrefix("__Host-tidegate-platform=s; "))
            // Another application's cookie takes no separator into a character of its own.
            #expect(SessionCookie.value(of: "n", in: [.cookie: "a=\u{D4E}; n=x"]) == "x")
            var fields: HTTPFields = [:]
            fields[.cookie] =
                "__Host-tidegate=\(ConsoleFixture.secret("admin")); __Host-tidegate=planted-planted-planted"
            #expect(try await world.get("/t/acme", headers: fields).status == 303)
        }
    }

    @Test(
        "a redirect never leads away",
        arguments: ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "", "evil"])
    func openRedirects(place: String) {
        #expect(LocalAddress(place).text == "/")
    }

    @Test(
        "no path leads out of the assets",
        arguments: ["/assets/../Package.swift", "/assets/%2e%2e/x", "/assets/", "/assets/tidegate.css"])
    func traversal(path: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let reply = try await world.get(path)
            #expect(reply.status == 404)
        }
    }

    @Test("a forged host is in no answer")
    func forgedHost() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for path in ["/", "/t/acme", "/sign-in", "/nothing"] {
                let reply = try await world.send(.get, path, "", [:], host: "evil.example")
                #expect(!reply.text.contains("//evil") && reply.headers[.location]?.contains("evil") != true)
            }
        }
    }

    @Test("assets are packed, named by their content and kept for ever; a core page stays within its budget")
    func budget() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for number in 0..<60 { _ = try await world.api.world.register("meter-\(number)") }
            var fields: HTTPFields = [:]
            fields[.acceptEncoding] = "gzip, br"
            let page = try await world.get("/t/acme", as: "admin", headers: fields)
            #expect(page.status == 200 && page.headers[.contentEncoding] == "gzip")
            let html = try await world.get("/t/acme", as: "admin").text
            let addresses = Set(html.matches(of: /\/assets\/[a-zA-Z0-9.-]+/).map { String($0.output) })
            #expect(addresses.count <= 5, "with the page itself at most 6 requests")
            var total = page.bytes.count
            var script = 0
            for address in addresses {
                let asset = try await world.get(address, headers: fields)
                #expect(asset.status == 200 && asset.headers[.contentEncoding] == "gzip", "\(address)")
                #expect(asset.headers[.cacheControl] == "public, max-age=31536000, immutable")
                total += asset.bytes.count
                if address.hasSuffix(".js") { script += asset.bytes.count }
            }
            #expect(total <= 75 << 10, "\(total) bytes")
            #expect(script <= 20 << 10, "\(script) bytes")
        }
    }

    @Test("every count of the overview leads to the list that it counts", arguments: TestDatabase.engines)
    func overview(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            #expect(try await world.get("/t/acme", as: "admin").text.contains("No devices yet"))
            _ = try await world.api.world.register("meter-1")
            let text = try await world.get("/t/acme", as: "viewer").text
            #expect(text.contains("/t/acme/devices?state=waiting"))
            #expect(text.contains("meter-1") && !text.contains("Connect a device"))
        }
    }

    @Test(
        "who holds a session that rules for signing in have ended is told why where they sign in, and nobody else is",
        arguments: [
            (SignIn.sessionOutgrown, "asks for more at sign-in now"), (SignIn.sessionElsewhere, "certain networks"),
        ])
    func ended(refusal: Refusal, words: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            world.end("viewer", refusal)
            let sent = try await world.get("/t/acme/devices", as: "viewer")
            #expect(sent.status == 303 && sent.headers[.location] == "/sign-in?next=%2Ft%2Facme%2Fdevices")
            let told = try await world.get("/sign-in", as: "viewer")
            #expect(told.status == 200 && told.text.contains(words) && told.text.contains("role=\"status\""))
            for other in [nil, "admin", "nobody"] {
                #expect(try await !world.get("/sign-in?ended=\(refusal.code)", as: other).text.contains(words))
            }
            // A session that has ended otherwise tells nothing.
            world.end("viewer", Refusal(.unauthenticated, "session.invalid", "The session has ended."))
            #expect(try await !world.get("/sign-in", as: "viewer").text.contains("signed out because"))
        }
    }
}
