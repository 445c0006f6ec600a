import Access
import Base
import HTTPTypes
import SignIn
import Storage
import Testing

@testable import Delivery
@testable import Northbound

/// Who decides by which mail server and SMS gateway links and codes leave: whoever does could be anybody there.
@Suite("Outlets that carry links")
struct NorthboundOutletRightsTests {
    private static let base = "/api/v1/tenants/acme"
    private static let mail: JSONValue = [
        "name": "post", "kind": "mail", "secret": "correct horse",
        "settings": ["host": "mail.example.net", "from": "a@b.example", "user": "fleet"],
    ]
    private static let text: JSONValue = [
        "name": "texts", "kind": "sms", "secret": "battery staple",
        "settings": [
            "url": "https://sms.example.net/account-77", "body": "{}", "headers": ["X-Key": "staple-of-ours"],
        ],
    ]

    private static func with(_ outlet: JSONValue, _ more: [String: JSONValue]) -> JSONValue {
        guard case .object(let members) = outlet else { return outlet }
        return .object(members.merging(more) { $1 })
    }

    /// Somebody of `acme` with an account, who has signed in just now.
    private static func person(_ api: NorthboundFixture, _ name: String, _ role: String) async throws -> Principal {
        let (signIn, origin) = (api.services.signIn, Origin(address: nil))
        let invitation = try await signIn.invite(
            "\(name)@example.com", role: role, tenant: api.world.acme, by: .localAdministrator)
        let secret = String((invitation.link?.url ?? "").split(separator: "=").last ?? "")
        let step = try await signIn.accept(secret, password: "harbour lantern quietly", from: origin)
        guard case .done(let session) = step else { throw Refusal(.invalid, "test.step", "no way in") }
        return try await signIn.session(session.text, from: origin).principal
    }

    @Test(
        "who manages deliveries and principals, and is no owner, leads nobody's links elsewhere",
        arguments: TestDatabase.engines)
    func takeover(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(
                .put, "\(Self.base)/roles/courier",
                [
                    "permissions": [
                        "principal.read", "principal.manage", "delivery.read", "delivery.manage", "tenant.read",
                        "domain.read",
                    ]
                ])
            let (courier, admin) = (try await api.token("courier"), try await api.token("admin"))
            for outlet in [Self.mail, Self.text] {
                let one = "\(Self.base)/outlets/\(outlet["name"]?.string ?? "")"
                let reasoned = Self.with(outlet, ["reason": "a new provider"])
                for token in [courier, admin] {
                    let refused = try await api.send(.post, "\(Self.base)/outlets", reasoned, token: token)
                    #expect(refused.status == 403 && refused.text.contains("access.beyondOwn"), "\(refused.text)")
                }
                #expect(try await api.send(.post, "\(Self.base)/outlets", outlet).status == 201)
                for token in [courier, admin] {
                    for change in [
                        ["active": false, "reason": "x"], ["name": "other", "reason": "x"],
                        ["settings": ["host": "evil.example", "from": "a@b.example"], "reason": "x"],
                    ] as [JSONValue] {
                        #expect(try await api.send(.patch, one, change, token: token).status == 403)
                    }
                    #expect(try await api.send(.delete, one + "?reason=x", token: token).status == 403)
                }
                #expect(try await api.send(.get, one, token: admin).body["active"] == true)
            }
        }
    }

    @Test("an owner says why, and that is in the log", arguments: TestDatabase.engines)
    func reasons(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let owner = try await api.token("owner")
            let one = "\(Self.base)/outlets/post"
            let without = try await api.send(.post, "\(Self.base)/outlets", Self.mail, token: owner)
            #expect(without.text.contains("reason.required"), "\(without.text)")
            let reasoned = Self.with(Self.mail, ["reason": "a new provider"])
            #expect(try await api.send(.post, "\(Self.base)/outlets", reasoned, token: owner).status == 201)
            for (method, path, body) in [
                (HTTPRequest.Method.patch, one, ["active": false] as JSONValue?), (.delete, one, nil),
            ] {
                let refused = try await api.send(method, path, body, token: owner)
                #expect(refused.text.contains("reason.required"), "\(refused.text)")
            }
            let off: JSONValue = ["active": false, "reason": "it fails"]
            #expect(try await api.send(.patch, one, off, token: owner).status == 200)
            #expect(try await api.send(.delete, one + "?reason=done", token: owner).status == 204)
            let log = try await api.send(.get, "\(Self.base)/audit?limit=1000").text
            for words in ["a new provider", "it fails", "\"done\""] { #expect(log.contains(words), "\(words)") }
            // What carries no links is as easy as before.
            let hook: JSONValue = ["name": "hook", "kind": "webhook", "settings": ["url": "https://x.example.net/"]]
            #expect(try await api.send(.post, "\(Self.base)/outlets", hook, token: owner).status == 201)
            #expect(try await api.send(.delete, "\(Self.base)/outlets/hook", token: owner).status == 204)
        }
    }

    @Test(
        "where two are wanted, making, changing, switching and deleting take effect when the other owner approves",
        arguments: TestDatabase.engines)
    func second(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let (access, delivery, acme) = (api.services.access, api.services.delivery, api.world.acme)
            let boss = try await Self.person(api, "boss", "owner")
            let other = try await Self.person(api, "other", "owner")
            let admin = try await Self.person(api, "ann", "admin")
            let owner = try await api.token("owner")
            try await access.setNeedsSecondApprover(true, reason: "policy", tenant: acme, by: boss)
            for outlet in [Self.mail, Self.text] {
                let reasoned = Self.with(outlet, ["reason": "x"])
                let refused = try await api.send(.post, "\(Self.base)/outlets", reasoned, token: owner)
                #expect(refused.status == 409 && refused.text.contains("approval.needed"), "\(refused.text)")
            }
            func proposed(_ kind: String, _ change: JSONValue) async throws -> PendingChangeID {
                let pending = try await access.propose(kind, change, reason: "why", tenant: acme, by: boss)
                #expect(pending.change["secret"] == nil)
                for by in [boss, admin] {
                    await #expect(throws: Refusal.self) {
                        try await access.approve(pending.id, tenant: acme, by: by)
                    }
                }
                return pending.id
            }
            await #expect(throws: Refusal.self, "an administrator can not propose it either") {
                try await access.propose("outlet.put", Self.mail, reason: "x", tenant: acme, by: admin)
            }
            for outlet in [Self.mail, Self.text] {
                let name = try #require(outlet["name"]?.string)
                let secret = try #require(outlet["secret"]?.string)
                let change = try await proposed("outlet.put", outlet)
                #expect(try await delivery.outlets(of: acme).allSatisfy { $0.name.text != name })
                let sealed = try await Self.sealed(change, api)
                #expect(try !String(decoding: #require(sealed), as: UTF8.self).contains(secret))
                try await Self.requireUnseen(api, secret, owner)
                _ = try await access.approve(change, tenant: acme, by: other)
                let made = try await delivery.outlet(name, of: acme)
                #expect(made.hasSecret && made.isActive)
                let lane = made.kind == .mail ? Lane.mail(acme) : Lane.sms(acme)
                let way = try await api.world.database.platform.read {
                    try delivery.way(for: lane, made.kind, in: $0)
                }
                #expect(way?.secret == secret, "what was sealed with the proposal is what it sends by")
                #expect(try await Self.sealed(change, api) == nil)
                let one = "\(Self.base)/outlets/\(name)"
                for (method, body) in [
                    (HTTPRequest.Method.patch, ["active": false, "reason": "x"] as JSONValue?),
                    (.patch, ["name": "other", "reason": "x"]), (.delete, nil),
                ] {
                    let path = method == .delete ? one + "?reason=x" : one
                    let refused = try await api.send(method, path, body, token: owner)
                    #expect(refused.status == 409 && refused.text.contains("approval.needed"), "\(refused.text)")
                }
                let off = try await proposed("outlet.put", ["outlet": .string(made.id.text), "active": false])
                #expect(try await delivery.outlet(name, of: acme).isActive)
                _ = try await access.approve(off, tenant: acme, by: other)
                #expect(try await !delivery.outlet(name, of: acme).isActive)
                let gone = try await proposed("outlet.delete", ["outlet": .string(made.id.text)])
                #expect(try await delivery.outlets(of: acme).contains { $0.id == made.id })
                _ = try await access.approve(gone, tenant: acme, by: other)
                #expect(try await !delivery.outlets(of: acme).contains { $0.id == made.id })
                try await Self.requireUnseen(api, secret, owner)
            }
            // Turned down, the secret is forgotten as well.
            let change = try await proposed("outlet.put", Self.mail)
            _ = try await access.reject(change, tenant: acme, by: other)
            #expect(try await Self.sealed(change, api) == nil)
            #expect(try await delivery.outlets(of: acme).isEmpty)
        }
    }

    @Test("what can not be read as a change of such an outlet is refused at once", arguments: TestDatabase.engines)
    func unreadable(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let (access, acme) = (api.services.access, api.world.acme)
            _ = try await api.send(.post, "\(Self.base)/outlets", Self.mail)
            _ = try await api.send(
                .post, "/api/v1/tenants/rival/outlets",
                ["name": "theirs", "kind": "mail", "settings": ["host": "r.example.net", "from": "a@b.example"]])
            let id = try await api.services.delivery.outlet("post", of: acme).id.text
            let foreign = try await api.services.delivery.outlet("theirs", of: api.world.rival).id.text
            let boss = try await Self.person(api, "boss", "owner")
            for change in [
                [:], .null, "post", ["outlet": "post", "active": false], ["outlet": 7],
                ["outlet": .string(foreign), "active": false], ["outlet": .string(id), "acive": false],
                ["outlet": .string(id), "kind": "sms"], ["outlet": .string(id), "active": "no"],
                ["outlet": .string(id), "secret": 7],
                // Where the password goes is changed with the password alone.
                [
                    "outlet": .string(id),
                    "settings": ["host": "evil.example", "from": "a@b.example", "user": "fleet"],
                ],
                Self.with(Self.mail, ["name": "not a name"]), Self.with(Self.mail, ["kind": "webhook"]),
                Self.with(Self.mail, ["name": "other", "settings": ["host": "127.0.0.1", "from": "a@b.example"]]),
                ["name": "other", "kind": "mail"],
            ] as [JSONValue] {
                await #expect(throws: Refusal.self, "\(change.canonical)") {
                    try await access.propose("outlet.put", change, reason: "x", tenant: acme, by: boss)
                }
            }
            for change in [[:], ["outlet": "post"], ["outlet": .string(foreign)]] as [JSONValue] {
                await #expect(throws: Refusal.self, "\(change.canonical)") {
                    try await access.propose("outlet.delete", change, reason: "x", tenant: acme, by: boss)
                }
            }
        }
    }

    @Test(
        "an outlet that is called like another's identifier does not stand in for it", arguments: TestDatabase.engines)
    func namesake(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(.post, "\(Self.base)/outlets", Self.mail)
            let mail = try await api.services.delivery.outlet("post", of: api.world.acme)
            let hook: JSONValue = [
                "name": .string(mail.id.text), "kind": "webhook", "settings": ["url": "https://x.example.net/"],
            ]
            #expect(try await api.send(.post, "\(Self.base)/outlets", hook).status == 201)
            let off = try await api.send(.patch, "\(Self.base)/outlets/\(mail.id.text)", ["active": false])
            #expect(off.body["kind"]?.string == "mail")
            #expect(try await !api.services.delivery.outlet("post", of: api.world.acme).isActive)
        }
    }

    /// The secret is in no answer and no entry of the log; who may not read outlets learns the host and no more.
    private static func requireUnseen(_ api: NorthboundFixture, _ secret: String, _ owner: String) async throws {
        _ = try await api.send(.put, "\(base)/roles/looker", ["permissions": ["principal.read", "audit.read"]])
        let looker = try await api.token("looker")
        for token in [looker, owner] {
            let changes = try await api.send(.get, "\(base)/changes", token: token).text
            #expect(!changes.contains(secret) && changes.contains("outlet.put"))
            #expect(changes.contains("mail.example.net") || changes.contains("sms.example.net"))
            #expect(changes.contains("\"settings\"") == (token == owner))
            if token == looker { #expect(!changes.contains("staple-of-ours") && !changes.contains("account-77")) }
            let log = try await api.send(.get, "\(base)/audit?limit=1000", token: token).text
            #expect(log.contains("change.proposed") && !log.contains(secret))
            #expect(!log.contains("staple-of-ours") && !log.contains("account-77"))
        }
    }

    private static func sealed(_ change: PendingChangeID, _ api: NorthboundFixture) async throws -> [UInt8]? {
        try await api.world.database.tenant(api.world.acme).read {
            try $0.row("SELECT secret FROM pending_change WHERE tenant = $1 AND id = $2", change)?.blobIfAny(0)
        }
    }
}
