import Access
import Base
import Delivery
import HTTPTypes
import Testing
import Watch

@testable import Console

/// Rules of who is told of alerts, made and changed by people.
@Suite("The console's alert rules")
struct ConsoleAlertRulesTests {
    private static let path = "/t/acme/alerts/rules"

    @Test(
        "a rule is made, shown with its webhook's name, changed, switched off and deleted after a question",
        arguments: TestDatabase.engines)
    func life(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let (acme, watch) = (world.api.world.acme, world.console.parts.watch)
            let draft = OutletDraft(
                name: try #require(Name("our-app")), kind: .webhook, settings: ["url": "https://app.example.net/hook"])
            _ = try await world.console.parts.delivery.createOutlet(
                draft, tenant: acme, by: FleetFixture.admin.actor(in: acme))
            let form = [
                ("name", "site-down"), ("conditions", "silent"), ("wait", "30"), ("mail", "ops@example.com"),
                ("webhook", "our-app"), ("back", "1"), ("active", "1"),
            ]
            #expect(try await world.post(Self.path, form, as: "admin").status == 303)
            let rule = try #require(try await watch.rules(in: acme, by: FleetFixture.admin).first)
            let here = "\(Self.path)/\(rule.id.text)"
            let list = try await world.get(Self.path, as: "admin").text
            #expect(list.contains("webhook our-app") && list.contains("href=\"\(here)\""))
            // Who may not manage rules sees them and no form.
            let seen = try await world.get(Self.path, as: "viewer").text
            #expect(seen.contains("site-down") && !seen.contains(here) && !seen.contains("Add the rule"))
            let page = try await world.get(here, as: "admin").text
            #expect(page.contains(#"value="our-app""#) && page.contains(#"value="ops@example.com""#))

            // What is wrong changes nothing and is told beside what was typed.
            let wrong = try await world.post(
                here, form.map { ($0, $0 == "mail" ? "nobody" : $1) }, as: "admin")
            #expect(
                wrong.status == 422 && wrong.text.contains("mail address") && wrong.text.contains(#"value="nobody""#))
            #expect(try await watch.rule("site-down", in: acme, by: FleetFixture.admin).receivers == rule.receivers)

            let changed = [("name", "night"), ("conditions", "late"), ("wait", "60"), ("sms", "+4930123456")]
            #expect(try await world.post(here, changed, as: "admin").status == 303)
            let now = try await watch.rule(rule.id.text, in: acme, by: FleetFixture.admin)
            #expect((now.name.text, now.conditions, now.wait) == ("night", [.late], 60))
            #expect(now.receivers.count == 1 && !now.isActive && !now.tellsBack)
            #expect(try await world.get(Self.path, as: "admin").text.contains("Not in use"))

            let ask = try await world.get(here + "/delete", as: "admin").text
            #expect(ask.contains("Delete the rule night?"))
            #expect(try await watch.rules(in: acme, by: FleetFixture.admin).count == 1)
            #expect([403, 404].contains(try await world.post(here + "/delete", as: "viewer").status))
            #expect(try await world.post(here + "/delete", as: "admin").status == 303)
            #expect(try await watch.rules(in: acme, by: FleetFixture.admin).isEmpty)
            #expect(try await world.get(here, as: "admin").status == 404)
        }
    }
}
