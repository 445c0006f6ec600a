import Access
import Base
import HTTPTypes
import SignIn
import Storage
import Testing
import Trust

@testable import Console
@testable import Northbound

@Suite("The console's sign-in by directories")
struct ConsoleDirectoryTests {
    /// A console whose tenant acme has an OpenID provider and an LDAP server, neither of which answers.
    private static func with(
        _ engine: TestDatabase.Engine = .sqlite, _ body: (ConsoleFixture) async throws -> Void
    ) async throws {
        try await ConsoleFixture.with(engine) { fixture in
            let (world, directories) = (fixture.api.world, fixture.api.services.directories)
            for (name, means) in [
                ("corp", .openID(OpenIDSettings(issuer: "https://login.example/realm", client: "tidegate"))),
                ("office", .ldap(LDAPSettings(server: "ldaps://ldap.example", base: "dc=example"))),
                ("asleep", .ldap(LDAPSettings(server: "ldaps://ldap.example", base: "dc=example"))),
            ] as [(String, Directory.Means)] {
                var draft = DirectoryDraft(means)
                draft.isEnabled = name != "asleep"
                _ = try await directories.put(
                    #require(Name(name)), draft, tenant: world.acme, by: AccessFixture.local)
            }
            try await body(fixture)
        }
    }

    private func cookies(_ reply: ConsoleFixture.Reply) -> [String] { reply.headers[values: .setCookie] }

    @Test("an organisation's ways are shown; one without and one that there is not look the same")
    func ways() async throws {
        try await Self.with { fixture in
            let start = try await fixture.get("/sign-in?next=%2Ft%2Facme%2Fdevices%3Fstate%3Doffline%26x%3D1")
            #expect(
                start.text.contains(#"action="/sign-in/organisation"><input type="hidden" name="next" value="/t/acme"#))
            let page = try await fixture.get("/sign-in/organisation?organisation=acme&next=%2Ft%2Facme")
            #expect(page.status == 200 && page.text.contains("Go on at corp") && page.text.contains("login.example"))
            #expect(page.text.contains("office") && !page.text.contains("asleep"))
            #expect(page.text.contains(#"name="next" value="/t/acme""#))
            let rival = try await fixture.get("/sign-in/organisation?organisation=rival")
            let nobody = try await fixture.get("/sign-in/organisation?organisation=nobody")
            #expect(rival.status == 200 && rival.text.contains("No organisation of this name"))
            #expect(rival.text.replacing("rival", with: "nobody") == nobody.text)
            let platform = try await fixture.get("/sign-in/organisation?organisation=platform")
            #expect(platform.text.replacing("platform", with: "nobody") == nobody.text)
        }
    }

    @Test(
        "what is typed into the address comes back as text, and leads nowhere else",
        arguments: ["%22%3E%3Cscript%3E", "%7B%7B%7Bpage%7D%7D%7D", "..%2F..", "ACME", "a%00b", "%F0%9F%98%80"])
    func typed(organisation: String) async throws {
        try await Self.with { fixture in
            for next in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example", "javascript%3A1"] {
                let page = try await fixture.get("/sign-in/organisation?organisation=\(organisation)&next=\(next)")
                #expect(page.status < 500)
                #expect(!page.text.contains("<script>") && !page.text.contains("evil.example"))
                #expect(!page.text.contains("javascript:"))
            }
        }
    }

    @Test("a provider that does not answer is told so, and nothing is kept in the browser")
    func unavailable() async throws {
        try await Self.with { fixture in
            let form = [("organisation", "acme"), ("directory", "corp"), ("next", "/t/acme")]
            let page = try await fixture.post("/sign-in/provider", form)
            #expect(page.status == 503 && page.text.contains("can not be asked just now"))
            #expect(page.text.contains("Go on at corp") && cookies(page).isEmpty)
            let server = try await fixture.post(
                "/sign-in/directory",
                [("organisation", "acme"), ("directory", "office"), ("user", "ann"), ("password", "secret words")])
            #expect(server.status == 503 && server.text.contains(#"value="ann""#))
            #expect(!server.text.contains("secret words"))
        }
    }

    @Test("wrong, absent and oversize fields get the answer of a wrong password")
    func wrong() async throws {
        try await Self.with { fixture in
            for form in [
                [("organisation", "acme"), ("directory", "corp"), ("user", "ann"), ("password", "x")],
                [("organisation", "acme"), ("directory", "asleep"), ("user", "ann"), ("password", "x")],
                [("organisation", "acme"), ("directory", "none"), ("user", "ann"), ("password", "x")],
                [("organisation", "rival"), ("directory", "office"), ("user", "ann"), ("password", "x")],
                [("organisation", "acme"), ("directory", "office")],
                [
                    ("organisation", "acme"), ("directory", "office"), ("user", String(repeating: "a", count: 5000)),
                    ("password", "x"),
                ],
            ] {
                let page = try await fixture.post("/sign-in/directory", form)
                #expect(page.status == 401 && page.text.contains("The address or the password is wrong"), "\(form)")
                #expect(cookies(page).isEmpty)
            }
            #expect(try await fixture.post("/sign-in/directory", []).status == 400)
            #expect(
                try await fixture.post(
                    "/sign-in/provider", [("organisation", "acme"), ("directory", "office")]
                ).status == 401)
            let foreign = try await fixture.post(
                "/sign-in/provider", [("organisation", "acme"), ("directory", "corp")],
                headers: [.origin: "https://evil.example", .secFetchSite: "cross-site"])
            #expect(foreign.status == 403)
        }
    }

    @Test("who comes back without having gone is not let in, whatever the address says")
    func comingBack() async throws {
        try await Self.with { fixture in
            let browser = Token.make(kind: "browser").text
            let state = Token.make(kind: "visit").text
            for (query, cookie) in [
                ("", nil), ("?code=a&state=b", nil), ("?code=a&state=\(state)", nil),
                ("?code=a&state=\(state)", "\(VisitCookie.name)=\(browser).%2F"),
                ("?code=a&state=\(state)&state=\(state)", "\(VisitCookie.name)=\(browser).%2F"),
                ("?error=access_denied&state=\(state)", "\(VisitCookie.name)=\(browser).%2F"),
                ("?code=a&state=\(state)", "\(VisitCookie.name)=a.%2F; \(VisitCookie.name)=b.%2F"),
                ("?code=a&state=\(state)", "\(VisitCookie.name)=\(String(repeating: "a", count: 4000))"),
            ] as [(String, String?)] {
                var headers: HTTPFields = [:]
                if let cookie { headers[.cookie] = cookie }
                let page = try await fixture.get(Directories.returnPath + query, headers: headers)
                #expect(page.status == 401 && page.text.contains("could not be signed in"), "\(query)")
                #expect(cookies(page) == [VisitCookie.clearing])
            }
        }
    }

    @Test("the cookie of a visit is for this host alone and leads nowhere else")
    func cookie() {
        let set = VisitCookie.setting("tg_browser_x", next: "/t/acme?a=b&c=d;e")
        #expect(set.hasPrefix("__Host-tidegate-visit=tg_browser_x.%2Ft%2Facme"))
        #expect(set.hasSuffix("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"))
        let pair = String(set.prefix { $0 != ";" })
        let read = VisitCookie(in: [.cookie: "a=b; \(pair)"])
        #expect(read?.browser == "tg_browser_x" && read?.next == "/t/acme?a=b&c=d;e")
        for text in ["x", "x.%2F%2Fevil", "x.https%3A%2F%2Fevil", "x.%zz"] {
            let other = VisitCookie(in: [.cookie: "\(VisitCookie.name)=\(text)"])
            #expect(other == nil || other?.next == "/")
        }
    }
}
