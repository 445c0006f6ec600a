import Base
import Delivery
import HTTPTypes
import Storage
import Testing

@testable import Northbound

@Suite("Outlets and deliveries over the API")
struct NorthboundDeliveryTests {
    private static let base = "/api/v1/tenants/acme"

    @Test("an outlet is made, changed, shown without its secret, and deleted", arguments: TestDatabase.engines)
    func outlets(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("admin")
            let made = try await api.send(
                .post, "\(Self.base)/outlets",
                ["name": "hook", "kind": "webhook", "settings": ["url": "https://app.example.net/"]], token: token)
            #expect(made.status == 201)
            let secret = try #require(made.body["secret"]?.string)
            #expect(secret.hasPrefix("whsec_"))
            let shown = try await api.send(.get, "\(Self.base)/outlets/hook", token: token)
            #expect(shown.body["hasSecret"] == true && !shown.text.contains(secret))
            let listed = try await api.send(.get, "\(Self.base)/outlets", token: token)
            #expect(listed.items.count == 1 && !listed.text.contains("whsec_"))
            let changed = try await api.send(
                .patch, "\(Self.base)/outlets/hook", ["active": false, "name": "other"], token: token)
            #expect(changed.body["active"] == false && changed.body["name"] == "other")
            let wrong = try await api.send(
                .patch, "\(Self.base)/outlets/other", ["settings": ["url": "http://x", "uri": "y"]], token: token)
            #expect(wrong.status == 400 && wrong.body["code"] == "outlet.settings")
            #expect(try await api.send(.delete, "\(Self.base)/outlets/other", token: token).status == 204)
            #expect(try await api.send(.get, "\(Self.base)/outlets/other", token: token).status == 404)
        }
    }

    @Test(
        "whoever lets audit entries out by an outlet must be allowed to export them", arguments: TestDatabase.engines)
    func streaming(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(
                .put, "\(Self.base)/roles/courier", ["permissions": ["delivery.read", "delivery.manage", "audit.read"]])
            let token = try await api.token("courier")
            let syslog: JSONValue = ["name": "siem", "kind": "syslog", "settings": ["host": "siem.example.net"]]
            #expect(try await api.send(.post, "\(Self.base)/outlets", syslog, token: token).status == 403)
            let hook: JSONValue = [
                "name": "hook", "kind": "webhook", "settings": ["url": "https://x.example.net/"],
            ]
            #expect(try await api.send(.post, "\(Self.base)/outlets", hook, token: token).status == 201)
            let events: JSONValue = ["settings": ["url": "https://x.example.net/", "events": ["device."]]]
            #expect(try await api.send(.patch, "\(Self.base)/outlets/hook", events, token: token).status == 403)
            #expect(try await api.send(.post, "\(Self.base)/outlets", syslog).status == 201)
            // What streams already is not led elsewhere either, by whatever change.
            #expect(try await api.send(.patch, "\(Self.base)/outlets/hook", events).status == 200)
            for change in [["settings": ["url": "https://mine.example.net/"]], ["name": "x"]] as [JSONValue] {
                #expect(try await api.send(.patch, "\(Self.base)/outlets/hook", change, token: token).status == 403)
            }
        }
    }

    @Test(
        "who decides by which outlet links and codes leave must be allowed to manage principals, and be an owner",
        arguments: TestDatabase.engines)
    func carriers(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(
                .put, "\(Self.base)/roles/courier", ["permissions": ["delivery.read", "delivery.manage"]])
            let token = try await api.token("courier")
            let owner = try await api.token("owner")
            for outlet in [
                [
                    "name": "m", "kind": "mail", "settings": ["host": "mail.example.net", "from": "a@b.example"],
                    "reason": "ours",
                ],
                [
                    "name": "s", "kind": "sms", "settings": ["url": "https://x.example.net/", "body": "{}"],
                    "reason": "ours",
                ],
            ] as [JSONValue] {
                let one = "\(Self.base)/outlets/\(outlet["name"]?.string ?? "")"
                let refused = try await api.send(.post, "\(Self.base)/outlets", outlet, token: token)
                #expect(refused.status == 403 && refused.text.contains("principal.manage"))
                #expect(try await api.send(.post, "\(Self.base)/outlets", outlet, token: owner).status == 201)
                #expect(try await api.send(.patch, one, ["active": false], token: token).status == 403)
                #expect(try await api.send(.delete, one, token: token).status == 403)
                #expect(try await api.send(.delete, one + "?reason=gone", token: owner).status == 204)
            }
        }
    }

    @Test(
        "events of a webhook are the audit log's: reading and repeating them takes its right",
        arguments: TestDatabase.engines)
    func events(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(
                .put, "\(Self.base)/roles/courier", ["permissions": ["delivery.read", "delivery.manage"]])
            let token = try await api.token("courier")
            let admin = try await api.token("admin")
            let hook: JSONValue = [
                "name": "hook", "kind": "webhook", "settings": ["url": "https://x.example.net/"],
            ]
            _ = try await api.send(.post, "\(Self.base)/outlets", hook, token: admin)
            let (delivery, acme) = (api.services.delivery, api.world.acme)
            let outlet = try await delivery.outlet("hook", of: acme)
            let id = try await api.world.database.tenant(acme).write { transaction in
                try delivery.send(
                    .webhook(outlet: outlet.id, event: "device.registered", body: [:]), tenant: acme, in: transaction)
            }
            let one = "\(Self.base)/deliveries/\(id)"
            for (method, path, status) in [
                (HTTPRequest.Method.get, one + "/content", 200), (.post, one + "/replay", 200),
            ] {
                #expect(try await api.send(method, path, token: token).status == 403)
                #expect(try await api.send(method, path, token: admin).status == status)
            }
            let all = "\(Self.base)/delivery/replay"
            #expect(try await api.send(.post, all, ["state": "dead"], token: token).status == 403)
            #expect(try await api.send(.post, all, ["state": "dead", "kind": "mail"], token: token).status == 200)
        }
    }

    @Test("the outbox is listed, read, and given up", arguments: TestDatabase.engines)
    func outbox(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("admin")
            let (delivery, acme) = (api.services.delivery, api.world.acme)
            let ids = try await api.world.database.tenant(acme).write { transaction in
                try (0..<3).map { number in
                    try delivery.send(
                        .mail(to: "ada@example.org", subject: "\(number)", text: "Hello"), tenant: acme,
                        in: transaction)
                }
            }
            let overview = try await api.send(.get, "\(Self.base)/delivery", token: token)
            #expect(overview.body["mail"] == false && overview.body["resting"] == 3)
            let first = try await api.send(.get, "\(Self.base)/deliveries?state=resting&limit=2", token: token)
            let next = try #require(first.body["next"]?.string)
            let second = try await api.send(
                .get, "\(Self.base)/deliveries?state=resting&limit=2&after=\(next)", token: token)
            let listed = (first.items + second.items).compactMap { $0["id"]?.string }
            #expect(Set(listed) == Set(ids.map(\.text)) && listed.count == 3)
            let one = "\(Self.base)/deliveries/\(ids[0])"
            #expect(try await api.send(.get, one, token: token).body["to"] == "ada@example.org")
            #expect(try await api.send(.get, one + "/content", token: token).body["subject"] == "0")
            #expect(try await api.send(.post, one + "/replay", token: token).body["code"] == "delivery.noOutlet")
            #expect(try await api.send(.post, one + "/discard", token: token).body["state"] == "discarded")
            #expect(try await api.send(.post, one + "/discard", token: token).status == 409)
            let viewer = try await api.token("viewer")
            #expect(try await api.send(.get, one + "/content", token: viewer).status == 404)
        }
    }
}
