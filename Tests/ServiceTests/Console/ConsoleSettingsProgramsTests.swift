import Access
import Base
import HTTPTypes
import SignIn
import Storage
import Testing

@testable import Console
@testable import Northbound

/// What the pages about programs and sessions do.
@Suite("The console's settings: programs")
struct ConsoleSettingsProgramsTests {
    private static let keys = "/t/acme/settings/api-keys"
    private static let programs = "/t/acme/settings/programs"

    @Test(
        "an API key is made with its limits, works, is listed without its secret, and ends",
        arguments: TestDatabase.engines)
    func apiKeys(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let form = [
                ("name", "meter reader"), ("role", "viewer"), ("until", "2099-01-01"), ("addresses", "192.0.2.0/24"),
                ("scopes", "device.read"), ("scopes", "telemetry.read"),
            ]
            let made = try await world.post(Self.keys + "/new", form, as: "admin")
            let secret = String(try #require(made.text.firstMatch(of: /tg_api_[A-Za-z0-9_-]+/)?.0, "\(made.text)"))
            let found = try await world.api.world.access.authenticate(bearer: secret, address: "192.0.2.9")
            #expect(found.credential?.permissions == [.deviceRead, .telemetryRead])
            let list = try await world.get(Self.keys, as: "admin").text
            #expect(list.contains("meter reader") && list.contains("2 permissions") && list.contains("192.0.2.0/24"))
            #expect(!list.contains(secret))
            let end = String(
                try #require(list.firstMatch(of: /href="([^"]*\/end)">End<span class="hidden"> meter reader/)?.1))
            #expect(try await world.get(end, as: "admin").text.contains("meter reader"))
            let rival = end.replacing("/t/acme/", with: "/t/rival/")
            #expect(try await world.get(rival, as: "rival").status == 404)
            #expect(try await world.post(rival, as: "rival").status == 404)
            #expect(try await world.post(end, as: "viewer").status == 404)
            #expect(try await world.post(end, as: "admin").headers[.location] == Self.keys + "?done=ended")
            await #expect(throws: Refusal.self) {
                try await world.api.world.access.authenticate(bearer: secret, address: "192.0.2.9")
            }
            #expect(!(try await world.get(Self.keys, as: "admin").text.contains("meter reader")))
            let all = try await world.get(Self.keys + "?state=all", as: "admin").text
            #expect(all.contains("meter reader") && all.contains("Ended"))
            let cases: [([(String, String)], String)] = [
                ([("name", "x"), ("role", "nonsense")], "no role nonsense"),
                ([("name", "x"), ("role", "viewer"), ("addresses", "here")], "address range is wrong"),
                ([("name", "x"), ("role", "viewer"), ("until", "2001-01-01")], "must end in the future"),
                ([("name", String(repeating: "x", count: 300)), ("role", "viewer")], "name"),
            ]
            for (form, words) in cases {
                let reply = try await world.post(Self.keys + "/new", form, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(words)")
            }
        }
    }

    @Test("a list of keys goes on by pages, the newest first")
    func pages() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let api = world.api.world
            for number in 100..<160 {
                // Identifiers begin with the time.
                api.time.advance(by: .milliseconds(10))
                _ = try await api.access.createToken(
                    role: "viewer", name: "key-\(number)", tenant: api.acme, by: .localAdministrator)
            }
            let first = try await world.get(Self.keys, as: "admin").text
            #expect(first.contains("key-159") && !first.contains("key-105<"))
            let next = try #require(first.firstMatch(of: /href="([^"]*cursor=[^"]*)"/)?.1)
            let second = try await world.get(String(next).replacing("&amp;", with: "&"), as: "admin").text
            #expect(second.contains("key-105") && !second.contains("key-159"))
        }
    }

    @Test("a program is registered, gets a new secret and ends", arguments: TestDatabase.engines)
    func programs(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let form = [("name", "Billing"), ("flows", "itself"), ("method", "secret"), ("role", "viewer")]
            let made = try await world.post(Self.programs + "/new", form, as: "admin")
            let secret = try #require(made.text.firstMatch(of: /tg_client_[A-Za-z0-9_-]+/)?.0, "\(made.text)")
            let one = String(
                try #require(made.text.firstMatch(of: /href="([^"]*settings\/programs\/[0-9a-f]{32})"/)?.1))
            let record = try await world.get(one, as: "admin").text
            #expect(record.contains("Billing") && record.contains("for itself") && !record.contains(secret))
            let again = try await world.post(one + "/secret", as: "admin").text
            #expect(again.contains("tg_client_") && !again.contains(secret))
            let rival = one.replacing("/t/acme/", with: "/t/rival/")
            for path in ["", "/secret", "/end"] {
                #expect(try await world.get(rival + path, as: "rival").status == 404)
            }
            #expect(try await world.post(rival + "/end", as: "rival").status == 404)
            #expect(try await world.post(rival + "/secret", as: "rival").status == 404)
            #expect(try await world.post(one + "/end", as: "viewer").status == 404)
            #expect(try await world.post(one + "/end", as: "admin").status == 303)
            #expect(try await world.get(one, as: "admin").status == 404)
            let cases: [([(String, String)], String)] = [
                ([("name", "x")], "name one at least"), ([("name", "x"), ("flows", "itself")], "is missing"),
                (
                    [("name", "x"), ("flows", "code"), ("method", "none"), ("redirects", "http://evil.example")],
                    "https"
                ),
                ([("name", "x"), ("flows", "device"), ("method", "key"), ("keys", "{")], "JSON"),
                ([("name", "x"), ("flows", "device"), ("method", "certificate"), ("certificate", "00")], "SHA-256"),
                (form.filter { $0.0 != "role" } + [("role", "admin")], "reason"),
            ]
            for (form, words) in cases {
                let reply = try await world.post(Self.programs + "/new", form, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(words)")
            }
            let admin = form.filter { $0.0 != "role" } + [("role", "admin"), ("reason", "it bills")]
            #expect(try await world.post(Self.programs + "/new", admin, as: "admin").status == 200)
        }
    }

    @Test("everybody's sessions are listed and one is ended, in one's own organisation only")
    func sessions() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let api = world.api.world
            let signIn = world.api.services.signIn
            let made = try await signIn.invite(
                "ann@example.com", name: "Ann", role: "viewer", tenant: api.acme, by: .localAdministrator)
            let draft = CredentialDraft(.session, of: made.account.principal, tenant: api.acme, name: "ann")
            let opened = try await api.database.platform.write { try api.access.open(draft, in: $0) }
            let list = try await world.get("/t/acme/settings/sessions", as: "admin").text
            #expect(list.contains("Signed in"), "\(list)")
            let end = "/t/acme/settings/sessions/\(made.account.principal)/\(opened.info.id)/end"
            #expect(list.contains(end))
            let foreign = end.replacing("/t/acme/", with: "/t/rival/")
            #expect(try await world.post(foreign, as: "rival").status == 404)
            #expect(try await world.post(end, as: "viewer").status == 404)
            #expect(try await world.post(end, as: "admin", token: "wrong").status == 403)
            #expect(try await world.post(end, as: "admin").status == 303)
            #expect(!(try await world.get("/t/acme/settings/sessions", as: "admin").text.contains(end)))
            let all = try await world.get("/t/acme/settings/sessions?state=all", as: "admin").text
            #expect(all.contains("Ended"))
            #expect(!(try await world.get("/t/rival/settings/sessions?state=all", as: "rival").text.contains("Ann")))
        }
    }
}
