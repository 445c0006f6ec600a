import Access
import Base
import Delivery
import HTTPTypes
import Storage
import Testing
import Trust

@testable import Console
@testable import Northbound

/// What the pages about outlets, deliveries, certificates and firewalls do.
@Suite("The console's settings: sending and server")
struct ConsoleSettingsSendingTests {
    private static let outlets = "/t/acme/settings/outlets"
    private static let deliveries = "/t/acme/settings/deliveries"

    @Test("an outlet of each kind is set up, its secret shown once at most; wrong settings come back")
    func kinds() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "boss") { world in
            try await Self.own(world)
            let good: [(String, [(String, String)])] = [
                (
                    "mail",
                    [
                        ("name", "post"), ("host", "mail.example.com"), ("port", "587"), ("security", "starttls"),
                        ("user", "fleet"), ("from", "fleet@example.com"), ("secret", "correct horse"),
                        ("reason", "ours"),
                    ]
                ),
                (
                    "sms",
                    [
                        ("name", "texts"), ("url", "https://sms.example.com/send"), ("method", "POST"),
                        ("headers", "Authorization: Bearer {secret}"), ("contentType", "application/json"),
                        ("body", "{\"to\":\"{to}\",\"text\":\"{text}\"}"), ("secret", "battery staple"),
                        ("reason", "ours"),
                    ]
                ),
                ("webhook", [("name", "hook"), ("url", "https://app.example.com/hook")]),
                ("syslog", [("name", "logs"), ("host", "logs.example.com"), ("port", "6514"), ("start", "now")]),
            ]
            for (kind, form) in good {
                let made = try await world.post("\(Self.outlets)/new/\(kind)", form, as: "boss")
                #expect(made.status == (kind == "webhook" ? 200 : 303), "\(kind): \(made.text)")
                if kind == "webhook" { #expect(made.text.contains("whsec_")) }
            }
            let list = try await world.get(Self.outlets, as: "boss").text
            for words in ["mail.example.com:587", "sms.example.com", "app.example.com", "logs.example.com:6514"] {
                #expect(list.contains(words), "\(words)")
            }
            for one in list.matches(of: /settings\/outlets\/[0-9a-f]{32}/).map({ "/t/acme/" + String($0.0) }) {
                let record = try await world.get(one, as: "boss").text
                #expect(!record.contains("correct horse") && !record.contains("battery staple"))
                #expect(!(try await world.get(one + "/edit", as: "boss").text.contains("correct horse")))
                let foreign = one.replacing("/t/acme/", with: "/t/rival/")
                for path in ["", "/edit", "/test", "/switch", "/delete"] {
                    #expect(try await world.get(foreign + path, as: "rival").status == 404)
                }
                for path in ["/edit", "/test", "/delete", "/switch"] {
                    #expect(try await world.post(foreign + path, as: "rival").status == 404)
                    #expect(try await world.post(one + path, as: "viewer").status == 404)
                }
            }
            let cases: [(String, [(String, String)], String)] = [
                ("mail", [("name", "other"), ("host", "not a host"), ("from", "x")], "must be a host name"),
                ("mail", [("name", "other"), ("host", "a.example"), ("port", "x"), ("from", "a@b.example")], "65535"),
                ("sms", [("name", "other"), ("url", "http://a.example")], "https://"),
                ("webhook", [("name", "hook"), ("url", "https://a.example")], "already"),
                ("webhook", [("name", "no name"), ("url", "https://a.example")], "is not such a name"),
                ("webhook", [("name", "inner"), ("url", "https://127.0.0.1/")], "127.0.0.1"),
                ("syslog", [("name", "other"), ("host", "a.example"), ("start", "never")], "must be one of"),
            ]
            for (kind, form, words) in cases {
                let reply = try await world.post(
                    "\(Self.outlets)/new/\(kind)", form + [("reason", "ours")], as: "boss")
                #expect(reply.status == 422 && reply.text.contains(words), "\(kind) \(words)")
                #expect(reply.text.contains(form[0].1), "no input is lost")
            }
            #expect(try await world.get(Self.outlets + "/new/pigeon", as: "boss").status == 404)
            #expect(try await world.get(Self.outlets, as: "viewer").status == 404)
        }
    }

    @Test("an outlet is changed, switched off and deleted; a new place for the secret takes it anew")
    func change() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "boss") { world in
            try await Self.own(world)
            let form = [
                ("name", "post"), ("host", "mail.example.com"), ("port", "587"), ("security", "starttls"),
                ("user", "fleet"), ("from", "fleet@example.com"), ("secret", "correct horse"), ("reason", "ours"),
            ]
            let made = try await world.post(Self.outlets + "/new/mail", form, as: "boss")
            let one = try #require(made.headers[.location]?.split(separator: "?").first.map(String.init))
            let kept = form.filter { $0.0 != "secret" && $0.0 != "port" } + [("port", "2587")]
            let moved = try await world.post(one + "/edit", kept, as: "boss")
            #expect(moved.status == 422 && moved.text.contains("give the secret again"))
            let same = form.filter { $0.0 != "secret" && $0.0 != "from" } + [("from", "other@example.com")]
            #expect(try await world.post(one + "/edit", same, as: "boss").status == 303)
            #expect(try await world.get(one, as: "boss").text.contains("other"))
            #expect(
                try await world.post(one + "/switch", [("to", "off"), ("reason", "it fails")], as: "boss").status == 303
            )
            #expect(try await world.get(one, as: "boss").text.contains("Switched off"))
            let without = try await world.post(one + "/delete", as: "boss")
            #expect(without.status == 422 && without.text.contains("needs a reason"))
            #expect(try await world.post(one + "/delete", [("reason", "gone")], as: "boss").status == 303)
            #expect(try await world.get(one, as: "boss").status == 404)
        }
    }

    @Test("what carries links is its owners' to change, and waits for the other one where two are wanted")
    func carriers() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "boss") { world in
            try await Self.own(world)
            let form = [
                ("name", "post"), ("host", "mail.example.com"), ("port", "587"), ("security", "starttls"),
                ("user", "fleet"), ("from", "fleet@example.com"), ("secret", "correct horse"), ("reason", "ours"),
            ]
            let asked = try await world.get(Self.outlets + "/new/mail", as: "admin")
            #expect(asked.status == 403)
            #expect(try await world.post(Self.outlets + "/new/mail", form, as: "admin").status == 403)
            let list = try await world.get(Self.outlets, as: "admin").text
            #expect(!list.contains("New mail server") && list.contains("New webhook"))
            #expect(try await world.get(Self.outlets, as: "boss").text.contains("New mail server"))
            let made = try await world.post(Self.outlets + "/new/mail", form, as: "boss")
            let one = try #require(made.headers[.location]?.split(separator: "?").first.map(String.init))
            for path in ["/edit", "/switch", "/delete"] {
                #expect(try await world.get(one + path, as: "admin").status == 403)
                #expect(try await world.post(one + path, form, as: "admin").status == 403)
            }
            let record = try await world.get(one, as: "admin").text
            #expect(!record.contains("/switch") && record.contains("Send a test"))
            try await world.api.services.access.setNeedsSecondApprover(
                true, reason: "policy", tenant: world.api.world.acme, by: .localAdministrator)
            for (path, words) in [
                ("/switch", "Switch an outlet off"), ("/edit", "Change the outlet post"),
                ("/delete", "Delete an outlet"),
            ] {
                let sent = try await world.post(one + path, form + [("to", "off")], as: "boss")
                #expect(sent.status == 303 && sent.headers[.location]?.contains("/settings/changes") == true, "\(path)")
                #expect(try await world.get(one, as: "boss").text.contains("In use"))
                let changes = try await world.get("/t/acme/settings/changes", as: "boss").text
                #expect(changes.contains(words), "\(words)")
            }
            let other = form.filter { $0.0 != "name" } + [("name", "other")]
            #expect(try await world.post(Self.outlets + "/new/mail", other, as: "boss").status == 303)
            let changes = try await world.get("/t/acme/settings/changes", as: "boss").text
            for match in changes.matches(of: /settings\/changes\/[0-9a-f]{32}/) {
                let page = try await world.get("/t/acme/" + String(match.0), as: "boss").text
                #expect(page.contains("post") || page.contains("other"))
                #expect(!page.contains("correct horse"))
            }
            #expect(try await !world.get(Self.outlets, as: "boss").text.contains(">other<"))
        }
    }

    /// Makes the newcomer an owner.
    private static func own(_ world: ConsoleFixture) async throws {
        let given = try await world.api.send(
            .post, "/api/v1/tenants/acme/grants", ["principal": "boss", "role": "owner"])
        #expect(given.status == 201, "\(given.text)")
    }

    @Test(
        "what rests in the outbox is found from its count, read, replayed and given up", arguments: TestDatabase.engines
    )
    func outbox(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let api = world.api.world
            let delivery = world.api.services.delivery
            for number in 1...2 {
                api.time.advance(by: .milliseconds(10))
                _ = try await api.database.tenant(api.acme).write { tx in
                    try delivery.send(
                        .mail(to: "ann@example.com", subject: "Hello \(number)", text: "The text."),
                        tenant: api.acme, in: tx)
                }
            }
            let overview = try await world.get(Self.outlets, as: "admin").text
            #expect(overview.contains("Rests in the outbox") && overview.contains(">2</a>"))
            let list = try await world.get(Self.deliveries + "?state=resting", as: "admin").text
            #expect(list.contains("Mail to ann@example.com") && list.contains("Replay all"))
            let one = "/t/acme/" + String(try #require(list.firstMatch(of: /settings\/deliveries\/[0-9a-f]{32}/)?.0))
            let read = try await world.post(one, [("act", "read")], as: "admin").text
            #expect(read.contains("Hello 2") && read.contains("The text."))
            let foreign = one.replacing("/t/acme/", with: "/t/rival/")
            #expect(try await world.get(foreign, as: "rival").status == 404)
            for act in ["read", "replay", "discard"] {
                #expect(try await world.post(foreign, [("act", act)], as: "rival").status == 404)
                #expect(try await world.post(one, [("act", act)], as: "viewer").status == 404)
            }
            #expect(try await world.post(one, [("act", "burn")], as: "admin").status == 400)
            #expect(try await world.post(one, [("act", "discard")], as: "admin").status == 303)
            #expect(try await world.get(one, as: "admin").text.contains("Given up"))
            let asked = try await world.get(Self.deliveries + "/replay?state=resting", as: "admin")
            #expect(asked.status == 200 && asked.text.contains("outbox"))
            #expect(try await world.get(Self.deliveries + "/replay?state=delivered", as: "admin").status == 404)
            let all = try await world.post(Self.deliveries + "/replay", [("state", "resting")], as: "admin")
            #expect(all.status == 422 && all.text.contains("outlet"), "nothing can leave yet, and the page says so")
        }
    }

    @Test("reading and replaying are offered where they are allowed, and what is confidential to nobody")
    func offered() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "ann") { world in
            let (api, services) = (world.api.world, world.api.services)
            _ = try await world.api.send(
                .put, "/api/v1/tenants/acme/roles/courier",
                ["permissions": ["tenant.read", "delivery.read", "delivery.manage"]])
            _ = try await world.api.send(
                .post, "/api/v1/tenants/acme/grants", ["principal": "ann", "role": "courier"])
            _ = try await world.api.send(
                .post, "/api/v1/tenants/acme/outlets",
                ["name": "hook", "kind": "webhook", "settings": ["url": "https://app.example.net/"]])
            let hook = try await services.delivery.outlet("hook", of: api.acme).id
            let (event, secret) = try await api.database.tenant(api.acme).write { tx in
                (
                    try services.delivery.send(
                        .webhook(outlet: hook, event: "device.registered", body: [:]), tenant: api.acme, in: tx),
                    try services.delivery.send(
                        .mail(to: "a@example.com", subject: "Link", text: "secret", isConfidential: true),
                        tenant: api.acme, in: tx)
                )
            }
            for (visitor, delivery, isRead, isReplayed) in [
                ("admin", event, true, true), ("ann", event, false, false), ("admin", secret, false, true),
                ("ann", secret, false, true),
            ] {
                let page = try await world.get("\(Self.deliveries)/\(delivery)", as: visitor).text
                #expect(page.contains("value=\"read\"") == isRead, "\(visitor)")
                #expect(page.contains("value=\"replay\"") == isReplayed, "\(visitor)")
                #expect(page.contains("value=\"discard\""), "\(visitor)")
            }
            for (visitor, isOffered) in [("admin", true), ("ann", false)] {
                let list = try await world.get(Self.deliveries + "?state=resting", as: visitor).text
                #expect(list.contains("Replay all") == isOffered, "\(visitor)")
            }
        }
    }

    @Test("whoever may read the tenant sees its authorities and what a firewall must let through")
    func server() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let keys = try await world.get("/t/acme/settings/certificates", as: "viewer").text
            #expect(keys.contains("fleet.example.com") && keys.contains("Root") && keys.contains("Devices"))
            #expect(keys.matches(of: /[0-9a-f]{64}/).count >= 4)
            #expect(keys.contains("Generation") && keys.contains("In use") && !keys.contains("<span>Retired</span>"))
            let (fleet, ring) = (world.api.world, world.api.world.ring)
            try await fleet.database.tenant(fleet.acme).write { try ring.rotateTenantKey(fleet.acme, in: $0) }
            let rotated = try await world.get("/t/acme/settings/certificates", as: "viewer").text
            #expect(rotated.contains("<span>Retired</span>") && rotated.matches(of: /In use/).count == 1)
            let generations = try await fleet.database.tenant(fleet.acme).read {
                try ring.overview(of: fleet.acme, in: $0)
            }
            #expect(generations.map(\.generation) == [2, 1] && generations[0].retired == nil)
            #expect(generations[1].retired == fleet.time.now)
            // Another organisation's is its own matter.
            #expect(
                !(try await world.get("/t/rival/settings/certificates", as: "rival").text.contains(
                    "<span>Retired</span>")))
            let firewall = try await world.get("/t/acme/settings/firewall", as: "viewer").text
            for words in [
                "8443/tcp", "8444/tcp", "8883/tcp", "itself only", "ip daddr fleet.example.com tcp dport 8883 accept",
                "iptables -A INPUT -p tcp --dport 8443 -j ACCEPT", "TCP 8444 to fleet.example.com",
            ] { #expect(firewall.contains(words), "\(words)") }
            #expect(!firewall.contains("--dport 9464"), "what only this machine reaches needs no rule")
            #expect(try await world.get("/t/acme/settings/firewall", as: "rival").status == 404)
        }
    }
}
