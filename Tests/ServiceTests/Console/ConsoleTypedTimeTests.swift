import Access
import Base
import SignIn
import Testing

@testable import Console

/// Days and times that are typed into forms.
@Suite("The console's forms: days and times")
struct ConsoleTypedTimeTests {
    @Test(
        "what is typed is a time on the organisation's clocks, and is shown again as it was typed",
        arguments: [
            (nil, "2026-03-29T02:30", "2026-03-29T02:30:00Z"),
            ("Europe/Berlin", "2026-03-29T01:30", "2026-03-29T00:30:00Z"),
            ("Europe/Berlin", "2026-03-29T03:30", "2026-03-29T01:30:00Z"),
            ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
            ("Asia/Kathmandu", "2026-11-21T08:45", "2026-11-21T03:00:00Z"),
        ])
    func moments(zone: String?, typed: String, moment: String) throws {
        try Moment.$zone.withValue(zone.flatMap { TimeZoneName($0) }) {
            let found = try #require(TypedTime.moment(typed))
            #expect(found.rfc3339 == moment && TypedTime.text(found) == typed)
            #expect(TypedTime.moment(typed + ":00") == found)
        }
    }

    @Test(
        "a day is as long as it is on the organisation's clocks",
        arguments: [
            (nil, "2026-03-29", "2026-03-29T00:00:00Z", Int64(24)),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23),
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25),
            ("Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00Z", 24),
        ])
    func days(zone: String?, typed: String, begin: String, hours: Int64) throws {
        try Moment.$zone.withValue(zone.flatMap { TimeZoneName($0) }) {
            let (first, next) = try (#require(TypedTime.day(typed)), #require(TypedTime.day(typed, after: 1)))
            #expect(first.rfc3339 == begin && next - first == .seconds(hours * 3600))
            let end = try FormFields("until=" + typed)?.endOfDay("until")
            #expect(end == next - .seconds(1))
        }
    }

    @Test(
        "what is no day or time is none",
        arguments: [
            "", "soon", "2026-02-30T10:00", "2026-11-21T10:00Z", "2026-11-21", "2026-11-21T25:00",
            "x\u{e9}yyyyyyyyyyyyy",
        ])
    func wrong(text: String) {
        #expect(TypedTime.moment(text) == nil)
        #expect(text == "2026-11-21" || TypedTime.day(text) == nil)
    }

    @Test("forms name the zone that they take, and a grant ends in it", arguments: TestDatabase.engines)
    func forms(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let fleet = world.api.world
            let root = try #require(fleet.access.directory.tenant(fleet.acme)).rootDomain.text
            let dora = try await world.newcomer("dora@example.com").principal.id.text
            let forms = [
                "/sites/grant?domain=\(root)", "/sites/shares", "/audit", "/settings/users/invite",
                "/settings/api-keys/new",
            ]
            for path in forms {
                #expect(try await world.get("/t/acme" + path, as: "admin").text.contains("(UTC)"), "\(path)")
            }
            _ = try await fleet.access.changeTenant(
                #require(TenantSlug("acme")), timeZone: "Asia/Tokyo", by: .localAdministrator)
            for path in forms {
                let text = try await world.get("/t/acme" + path, as: "admin").text
                #expect(text.contains("(Asia/Tokyo)") && !text.contains("(UTC)"), "\(path)")
            }
            let form = [("domain", root), ("holder", dora), ("role", "operator")]
            let made = try await world.post(
                "/t/acme/sites/grant", form + [("until", "2099-07-01T09:00"), ("sure", "1")], as: "admin")
            #expect(made.status == 303, "\(made.text)")
            let grants = try await fleet.access.grants(of: dora, tenant: fleet.acme, by: .localAdministrator)
            let grant = try #require(grants.first { $0.expires != nil })
            #expect(grant.expires?.rfc3339 == "2099-07-01T00:00:00Z")
            let again = try await world.get("/t/acme/sites/grant?replaces=\(grant.id.text)", as: "admin").text
            #expect(again.contains("value=\"2099-07-01T09:00\""))
            let wrong = try await world.post(
                "/t/acme/sites/grant", form + [("until", "soon")], as: "admin")
            #expect(wrong.status == 422 && wrong.text.contains("in Asia/Tokyo"))
        }
    }
}
