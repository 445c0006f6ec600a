import Access
import Base
import HTTPTypes
import SignIn
import Storage
import Testing

@testable import Console
@testable import Northbound

/// What the first pages of a new organisation offer: its time zone, and the demo fleet.
@Suite("The console's first run")
struct ConsoleFirstRunTests {
    private static let organisation = "/t/acme/settings/organisation"

    @Test("the organisation's time zone is kept, and its pages show times in it", arguments: TestDatabase.engines)
    func timeZone(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let before = try await world.get(Self.organisation, as: "viewer").text
            #expect(before.contains("everybody&#39;s own time zone") && before.contains(" UTC</time>"))
            #expect(!before.contains("data-zone="))
            let form = [("name", "Acme & Sons"), ("timeZone", "Asia/Tokyo")]
            #expect(try await world.post(Self.organisation + "/edit", form, as: "admin").status == 303)
            let shown = try await world.get(Self.organisation, as: "viewer").text
            #expect(shown.contains("Acme &amp; Sons") && shown.contains(#"data-zone="Asia/Tokyo""#))
            #expect(shown.contains(" +09:00</time>") && !shown.contains(" UTC</time>"))
            // Others' times are theirs.
            #expect(!(try await world.get("/t/rival", as: "rival").text.contains("data-zone=")))
            for zone in ["Mars/Olympus", "EST", "Etc/GMT+1", "../etc/passwd", String(repeating: "a", count: 5000)] {
                let wrong = try await world.post(
                    Self.organisation + "/edit", [("name", "Acme"), ("timeZone", zone)], as: "admin")
                #expect(wrong.status == 422 && wrong.text.contains("must be a time zone"), "\(zone)")
            }
            #expect(try await world.post(Self.organisation + "/edit", [("name", "")], as: "admin").status == 422)
            for path in ["", "/edit"] {
                #expect(try await world.get(Self.organisation + path, as: "rival").status == 404)
            }
            #expect(try await world.get(Self.organisation + "/edit", as: "viewer").status == 403)
            #expect(try await world.post(Self.organisation + "/edit", form, as: "viewer").status == 403)
        }
    }

    @Test("a time zone's offset follows the seasons")
    func seasons() throws {
        let berlin = try #require(TimeZoneName("Europe/Berlin"))
        let winter = try #require(Timestamp(rfc3339: "2026-11-21T23:30:05Z"))
        let summer = try #require(Timestamp(rfc3339: "2026-07-01T08:30:00Z"))
        #expect(berlin.offset(at: winter) == 3600 && berlin.offset(at: summer) == 7200)
        #expect(Moment(winter).text == "2026-11-21 23:30 UTC")
        Moment.$zone.withValue(berlin) {
            #expect(Moment(winter).text == "2026-11-22 00:30 +01:00" && Moment(winter).exact == winter.rfc3339)
            #expect(Moment(summer).fine == "2026-07-01 10:30:00 +02:00")
        }
        let newfoundland = try #require(TimeZoneName("America/St_Johns"))
        Moment.$zone.withValue(newfoundland) { #expect(Moment(winter).text == "2026-11-21 20:00 -03:30") }
        #expect(TimeZoneName.all.contains("UTC") && TimeZoneName.all.count > 300)
        #expect(TimeZoneName("") == nil && TimeZoneName("CET") == nil)
    }

    @Test("the demo is begun, entered and removed; it is offered while there is only one organisation")
    func demo() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let access = world.api.world.access
            // There are two organisations.
            #expect(!(try await world.get("/t/acme/welcome", as: "admin").text.contains("demo fleet")))
            #expect(try await world.get("/t/acme/demo", as: "admin").status == 404)
            #expect(try await world.post("/t/acme/demo", as: "admin").status == 409)
            try await access.deleteTenant(#require(TenantSlug("rival")), by: .localAdministrator)
            #expect(try await world.get("/t/acme/demo", as: "viewer").status == 403)
            #expect(try await world.post("/t/acme/demo", as: "viewer").status == 403)
            #expect(try await world.post("/t/acme/demo", as: "admin", token: "x").status == 403)
            #expect(try await world.get("/t/acme/welcome", as: "admin").text.contains(#"href="/t/acme/demo""#))
            #expect(try await world.get("/t/acme/demo", as: "admin").text.contains("Fifty simulated meters"))
            let begun = try await world.post("/t/acme/demo", as: "admin")
            #expect(begun.headers[.location] == "/t/demo?done=demo-begun", "\(begun.text)")
            let demo = try #require(access.demo)
            #expect(demo.demo && demo.name == "Demo")
            #expect(try await world.post("/t/acme/demo", as: "admin").status == 409, "once")
            let page = try await world.get("/t/demo", as: "admin").text
            #expect(page.contains(#"href="/t/demo/demo/remove""#) && page.contains("class=\"tag demo\""))
            #expect(try await world.get("/t/demo", as: "viewer").status == 404)
            #expect(try await world.get("/t/acme/demo/remove", as: "admin").status == 404, "acme is no demo")
            #expect(try await world.post("/t/acme/demo/remove", as: "admin").status == 404)
            #expect(try await world.post("/t/demo/demo/remove", as: "viewer").status == 404)
            #expect(try await world.get("/t/demo/demo/remove", as: "admin").text.contains("goes for good"))
            let removed = try await world.post("/t/demo/demo/remove", as: "admin")
            #expect(removed.headers[.location] == "/t/acme?done=demo-removed", "\(removed.text)")
            #expect(access.demo == nil)
            #expect(try await world.get("/t/demo", as: "admin").status == 404)
            let codes = try await world.api.world.audited("demo.")
            #expect(codes == ["demo.begun", "demo.removed"])
        }
    }

    @Test("a demo in which people have accounts is nobody else's to take")
    func inhabited() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let api = world.api
            try await api.world.access.deleteTenant(#require(TenantSlug("rival")), by: .localAdministrator)
            let demo = try await api.world.access.makeDemo()
            _ = try await api.services.signIn.invite(
                "dan@example.com", role: "admin", tenant: demo.id, by: .localAdministrator)
            #expect(try await world.get("/t/acme/demo", as: "admin").status == 404)
            #expect(try await world.post("/t/acme/demo", as: "admin").status == 409)
        }
    }
}
