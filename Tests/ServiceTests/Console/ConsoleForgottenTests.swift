import Audit
import Base
import Delivery
import HTTPTypes
import Testing

@testable import Console
@testable import Northbound

/// What somebody hears who has forgotten their password.
@Suite("The console's page for a forgotten password")
struct ConsoleForgottenTests {
    @Test(
        "a server that can not mail says so to everybody alike, and what to do instead", arguments: TestDatabase.engines
    )
    func withoutMail(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "ann") { world in
            let page = try await world.get("/forgotten")
            #expect(page.status == 200 && page.text.contains("can not send mail"))
            #expect(page.text.contains("Ask an administrator") && !page.text.contains("<form"))
            let known = try await world.post("/forgotten", [("address", "ann@example.com")])
            let unknown = try await world.post("/forgotten", [("address", "nobody@example.com")])
            #expect(known.status == 422 && unknown.status == 422)
            #expect(known.text.contains("can not send mail") && known.text == unknown.text)
        }
    }

    @Test("one mail outlet anywhere is enough to take an address, and the answer tells nothing of the account")
    func withMail() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.api.services.delivery.createOutlet(
                OutletDraft(
                    name: #require(Name("mail")), kind: .mail,
                    settings: [
                        "host": "mail.example.net", "port": 587, "security": "starttls", "from": "fleet@example.net",
                    ]), tenant: world.api.world.rival, by: Actor(kind: .user, id: "ada", name: "Ada"))
            #expect(try await world.get("/forgotten").text.contains("Send a link"))
            let reply = try await world.post("/forgotten", [("address", "nobody@example.com")])
            #expect(reply.status == 303 && reply.headers[.location] == "/sign-in?done=link-sent")
        }
    }
}
