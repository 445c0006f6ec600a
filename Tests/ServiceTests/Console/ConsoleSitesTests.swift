import Access
import Base
import Fleet
import HTTPTypes
import Testing

@testable import Console

/// The tree, moves, grants, changes and shares.
@Suite("The console's sites and access")
struct ConsoleSitesTests {
    private typealias Form = [(String, String)]

    /// plant (with hall) and office, a device in each, three people.
    private static func tree(_ world: ConsoleFixture) async throws -> [String: String] {
        let (fleet, acme) = (world.api.world, world.api.world.acme)
        for (name, parent) in [("plant", nil), ("hall", "plant"), ("office", nil)] as [(String, String?)] {
            try await fleet.domain(name, below: parent)
        }
        for (name, domain) in [("press", "plant/hall"), ("saw", "plant"), ("printer", "office")] {
            _ = try await fleet.register(name) { $0.domain = domain }
        }
        for name in ["dora", "bob", "cy"] {
            _ = try await fleet.access.createPrincipal(
                try #require(Name(name)), kind: .user, tenant: acme, by: FleetFixture.admin)
        }
        var ids: [String: String] = [:]
        for path in ["plant", "plant/hall", "office", "/"] {
            ids[path] = try await fleet.access.domain(path, tenant: acme, by: FleetFixture.admin).id.text
        }
        return ids
    }

    private static func grant(_ world: ConsoleFixture, _ role: String, _ name: String, at domain: String) async throws {
        _ = try await world.api.world.access.grant(
            role: role, to: name, at: domain, reason: "test", tenant: world.api.world.acme, by: FleetFixture.admin)
    }

    @Test(
        "the tree shows domains with the devices in and below them, and who has access", arguments: TestDatabase.engines
    )
    func shows(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let ids = try await Self.tree(world)
            try await Self.grant(world, "operator", "dora", at: "plant")
            let top = try await world.get("/t/acme/sites", as: "admin").text
            #expect(top.contains("4 domains, 3 devices") && top.contains("2 devices in plant"))
            let hall = try #require(ids["plant/hall"])
            let page = try await world.get("/t/acme/sites?at=\(hall)", as: "admin").text
            #expect(page.contains("press") && !page.contains("saw"))
            #expect(page.contains("holder inherited") && page.contains("through plant"))
            let plant = try await world.get("/t/acme/sites?at=\(try #require(ids["plant"]))", as: "admin").text
            #expect(plant.contains("holder direct") && plant.contains("End operator of dora"))
            let found = try await world.get("/t/acme/sites?find=HAL", as: "admin").text
            #expect(found.contains("plant / hall") && found.contains("1 found."))
            let viewer = try await world.get("/t/acme/sites?at=\(hall)", as: "viewer").text
            #expect(viewer.contains("press") && !viewer.contains("Move…") && !viewer.contains("Who has access"))
            let person = try await world.get("/t/acme/sites/people/dora", as: "admin").text
            #expect(person.contains("plant and below") && person.contains("press") && !person.contains("printer"))
        }
    }

    @Test("a level that is too wide is paged, and the tree stays small")
    func wide() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await Self.tree(world)
            for number in 1000..<1150 { try await world.api.world.domain("site-\(number)") }
            let page = try await world.get("/t/acme/sites", as: "admin").text
            #expect(page.contains("52 more") && !page.contains("node-\"") && page.contains("152 domains right below"))
            let next = try #require(page.firstMatch(of: /href="([^"]*below=[^"#]*)#below"/)?.1)
            let second = try await world.get(String(next).replacing("&amp;", with: "&"), as: "admin").text
            #expect(second.contains("site-1080"))
            let late = try await world.api.world.access.domain(
                "site-1149", tenant: world.api.world.acme, by: FleetFixture.admin)
            #expect(
                try await world.get("/t/acme/sites?at=\(late.id.text)", as: "admin").text
                    .contains("node-\(late.id.text)"))
        }
    }

    @Test("a move is shown with its effect, made, and undone", arguments: TestDatabase.engines)
    func moves(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let ids = try await Self.tree(world)
            try await Self.grant(world, "operator", "dora", at: "plant")
            try await Self.grant(world, "viewer", "bob", at: "office")
            let (hall, office, plant) = (
                try #require(ids["plant/hall"]), try #require(ids["office"]), try #require(ids["plant"])
            )
            let picker = try await world.get("/t/acme/sites/move?domain=\(plant)", as: "admin").text
            #expect(picker.contains("to=\(office)") && !picker.contains("to=\(hall)"))
            let asks = try await world.get("/t/acme/sites/move?domain=\(hall)&to=\(office)", as: "admin").text
            #expect(asks.contains("1 person or program loses access, 1 person or program gains access."))
            #expect(asks.contains("None of them is signed in."))
            let done = try await world.post(
                "/t/acme/sites/move", [("domain", hall), ("to", office)], as: "admin")
            let there = try #require(done.headers[.location])
            #expect(there.hasPrefix("/t/acme/sites?at=\(hall)&undo-move="))
            let page = try await world.get(there, as: "admin").text
            let undo = try #require(page.firstMatch(of: /action="([^"]*\/undo)"/)?.1)
            #expect(try await world.get("/t/acme/sites/changes", as: "admin").text.contains("from plant to office"))
            #expect(try await world.post(String(undo), as: "admin").status == 303)
            #expect(try await world.post(String(undo), as: "admin").status == 409)
            let back = try await world.get("/t/acme/sites?at=\(hall)", as: "admin").text
            #expect(back.contains("?at=\(plant)\">plant</a></li>"))
            // A device goes the same way.
            let device = try await world.post("/t/acme/sites/move", [("device", "saw"), ("to", office)], as: "admin")
            #expect(device.status == 303)
            #expect(try await world.get("/t/acme/sites?at=\(office)", as: "admin").text.contains("saw"))
        }
    }

    @Test(
        "a grant is shown with its effect, made with an end, changed, ended and undone", arguments: TestDatabase.engines
    )
    func grants(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let ids = try await Self.tree(world)
            let plant = try #require(ids["plant"])
            let end = String((world.api.world.time.now + .seconds(86_400)).rfc3339.prefix(16))
            let form: Form = [("domain", plant), ("holder", "dora"), ("role", "operator"), ("until", end)]
            let asks = try await world.post("/t/acme/sites/grant", form, as: "admin").text
            #expect(asks.contains("1 person or program gains access.") && asks.contains("name=\"sure\""))
            let nothing = try await world.get("/t/acme/sites?at=\(plant)", as: "admin").text
            #expect(!nothing.contains("operator of dora"))
            let made = try await world.post("/t/acme/sites/grant", form + [("sure", "1")], as: "admin")
            #expect(made.headers[.location]?.contains("undo-grant=") == true)
            let page = try await world.get("/t/acme/sites?at=\(plant)", as: "admin").text
            let change = try #require(page.firstMatch(of: /href="([^"]*grant\?replaces=([0-9a-f]+))"/))
            let filled = try await world.get(String(change.1), as: "admin").text
            #expect(filled.contains("value=\"dora\"") && filled.contains("value=\"\(end)\""))
            let other: Form = [
                ("domain", plant), ("holder", "dora"), ("role", "viewer"), ("replaces", String(change.2)),
                ("sure", "1"),
            ]
            let changed = try await world.post("/t/acme/sites/grant", other, as: "admin")
            #expect(changed.status == 303)
            var now = try await world.get("/t/acme/sites?at=\(plant)", as: "admin").text
            #expect(now.contains("End viewer of dora") && !now.contains("End operator of dora"))
            let there = try #require(changed.headers[.location])
            let after = try await world.get(there, as: "admin").text
            let undo = try #require(after.firstMatch(of: /action="([^"]*grants\/[^"]*\/undo)"/)?.1)
            #expect(try await world.post(String(undo), as: "admin").status == 303)
            now = try await world.get("/t/acme/sites?at=\(plant)", as: "admin").text
            #expect(!now.contains("End viewer of dora") && now.contains("End operator of dora"))
            let ending = try #require(now.firstMatch(of: /href="([^"]*grants\/[^"]*\/end)"/)?.1)
            let question = try await world.get(String(ending), as: "admin").text
            #expect(
                question.contains("dora: operator at plant, until") && question.contains("1 person or program loses"))
            let ended = try await world.post(String(ending), as: "admin")
            #expect(ended.status == 303)
            now = try await world.get("/t/acme/sites?at=\(plant)", as: "admin").text
            #expect(!now.contains("of dora"))
            let list = try await world.get("/t/acme/sites/changes", as: "admin").text
            #expect(list.contains("Given: dora: operator at plant") && list.contains("Ended: dora: operator at plant"))
            // Single devices, too.
            let device = try await world.post(
                "/t/acme/sites/grant", [("device", "press"), ("holder", "bob"), ("role", "technician"), ("sure", "1")],
                as: "admin")
            #expect(device.status == 303)
            #expect(try await world.get("/t/acme/devices/press", as: "admin").text.contains("End technician of bob"))
        }
    }

    @Test(
        "what is wrong in a grant is said beside the form, which keeps what was written",
        arguments: [
            ([("role", "operator")], "Name a person or program"),
            ([("role", "operator"), ("holder", "dora"), ("group", "crew")], "not both"),
            ([("holder", "dora")], "Choose the role"),
            ([("holder", "nobody"), ("role", "operator")], "There is no such principal"),
            ([("holder", "dora"), ("role", "king")], "There is no role king"),
            ([("holder", "dora"), ("role", "guest")], "needs an end"),
            ([("holder", "dora"), ("role", "viewer"), ("until", "soon")], "The end is a date and time"),
            ([("holder", "dora"), ("role", "viewer"), ("until", "2001-01-01T00:00")], "end in the future"),
            ([("holder", "dora"), ("role", "auditor"), ("sure", "1"), ("replaces", "x")], "End"),
            ([("holder", "dora"), ("role", "admin")], "say why"),
        ] as [([(String, String)], String)])
    func badGrants(form: [(String, String)], words: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let ids = try await Self.tree(world)
            let plant = try #require(ids["plant"])
            let reply = try await world.post(
                "/t/acme/sites/grant", [("domain", plant), ("reason", "")] + form, as: "admin")
            if words == "End" {
                // An identifier that is none names nothing, and so nothing is replaced.
                #expect(reply.status == 303)
            } else {
                #expect(reply.status == 422 && reply.text.contains(words), "\(reply.status)")
                if let holder = form.first(where: { $0.0 == "holder" })?.1 {
                    #expect(reply.text.contains("value=\"\(holder)\""))
                }
            }
        }
    }

    @Test("another tenant's things, absent ones and missing rights give one answer", arguments: TestDatabase.engines)
    func strangers(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let ids = try await Self.tree(world)
            try await Self.grant(world, "operator", "dora", at: "plant")
            let (plant, office) = (try #require(ids["plant"]), try #require(ids["office"]))
            let held = try await world.api.world.access.grants(
                of: "dora", tenant: world.api.world.acme, by: FleetFixture.admin)
            let grant = try #require(held.first?.id.text)
            let absent = "0123456789abcdef0123456789abcdef"
            for (known, unknown) in [
                ("/sites?at=\(plant)", "/sites?at=\(absent)"),
                ("/sites/move?domain=\(plant)", "/sites/move?domain=\(absent)"),
                ("/sites/move?device=press", "/sites/move?device=absent"),
                ("/sites/grant?domain=\(plant)", "/sites/grant?domain=\(absent)"),
                ("/sites/grant?replaces=\(grant)", "/sites/grant?replaces=\(absent)"),
                ("/sites/grants/\(grant)/end", "/sites/grants/\(absent)/end"),
                ("/sites/people/dora", "/sites/people/absent"),
            ] {
                let (there, nowhere) = (
                    try await world.get("/t/rival" + known, as: "rival"),
                    try await world.get("/t/rival" + unknown, as: "rival")
                )
                #expect(there.status == 404 && nowhere.status == 404, "\(known)")
                #expect(try await world.get("/t/acme" + known, as: "rival").status == 404, "\(known)")
            }
            for (path, form) in [
                ("/sites/move", [("domain", plant), ("to", office)]),
                ("/sites/move", [("device", "press"), ("to", office)]),
                ("/sites/domains/\(plant)/create", [("name", "x")]),
                ("/sites/domains/\(plant)/rename", [("name", "x")]),
                ("/sites/domains/\(office)/delete", [("sure", "1")]), ("/sites/grants/\(grant)/end", []),
                ("/sites/grant", [("domain", plant), ("holder", "bob"), ("role", "viewer"), ("sure", "1")]),
                ("/sites/shares", [("to", "rival")]), ("/settings/changes/\(absent)", [("act", "approve")]),
                ("/sites/grants/\(absent)/undo", []), ("/sites/moves/\(absent)/undo", []),
                ("/sites/shares/\(absent)/accept", []),
            ] as [(String, Form)] {
                #expect(try await world.post("/t/rival" + path, form, as: "rival").status >= 400, "\(path)")
                #expect(try await world.post("/t/acme" + path, form, as: "rival").status == 404, "\(path)")
                let viewer = try await world.post("/t/acme" + path, form, as: "viewer").status
                #expect(viewer == 403 || viewer == 404, "\(path): \(viewer)")
            }
            let bad = try await world.post("/t/acme/sites/domains/\(plant)/create", [("name", "a/b")], as: "admin")
            #expect(bad.status == 400 && bad.text.contains("begins with a letter or digit"))
            let used = try await world.post("/t/acme/sites/domains/\(plant)/delete", [("sure", "1")], as: "admin")
            #expect(used.status == 409)
            let cycle = try await world.post(
                "/t/acme/sites/move", [("domain", plant), ("to", try #require(ids["plant/hall"]))], as: "admin")
            #expect(cycle.status == 409 && cycle.text.contains("below itself"))
        }
    }

    @Test("where a second approver is wanted, a grant waits for another person", arguments: TestDatabase.engines)
    func approvals(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "grace") { world in
            let ids = try await Self.tree(world)
            let (access, acme) = (world.api.world.access, world.api.world.acme)
            // Who proposes must be a person too: what a program proposes, another program could have approved.
            for person in try await access.principals(tenant: acme, by: FleetFixture.admin)
            where person.kind == .user && !["dora", "bob", "cy"].contains(person.name) {
                try await Self.grant(world, "admin", person.id.text, at: "/")
            }
            try await OAuthWorld(api: world.api).prove(world.person())
            try await access.setNeedsSecondApprover(true, reason: "x", tenant: acme, by: FleetFixture.admin)
            let form: Form = [
                ("domain", try #require(ids["plant"])), ("holder", "dora"), ("role", "admin"),
                ("reason", "She takes over."),
            ]
            let asks = try await world.post("/t/acme/sites/grant", form, as: "person").text
            #expect(asks.contains("A second administrator must approve it") && asks.contains(">Propose<"))
            let sent = try await world.post("/t/acme/sites/grant", form + [("sure", "1")], as: "person")
            #expect(sent.headers[.location] == "/t/acme/sites/changes?done=proposed")
            let own = try await world.get("/t/acme/sites/changes", as: "person").text
            // There is one place to decide, where all is shown.
            #expect(own.contains("Give the role admin to dora at plant") && !own.contains("Approve"))
            let change = String(
                try #require(own.firstMatch(of: /href="(\/t\/acme\/settings\/changes\/[0-9a-f]{32})"/)?.1))
            #expect(!(try await world.get("/t/acme/sites/changes", as: "grace").text.contains("Approve")))
            #expect(try await world.get(change, as: "person").text.contains("Take back"))
            #expect(try await world.post(change, [("act", "approve")], as: "person").status == 403)
            // Who has seen nothing of it approves nothing.
            #expect(try await world.post(change, [("act", "approve")], as: "grace").status == 409)
            #expect(try await access.grants(of: "dora", tenant: acme, by: FleetFixture.admin).isEmpty)
            let shown = try await world.get(change, as: "grace").text
            #expect(
                shown.contains("dora") && shown.contains("principal.manage")
                    && shown.contains("Give the role admin to dora at plant"))
            let seen = String(try #require(shown.firstMatch(of: /name="seen" value="([0-9a-f]{64})"/)?.1))
            let other = try await world.post(change, [("act", "approve"), ("seen", seen)], as: "grace")
            #expect(other.headers[.location] == "\(change)?done=approved")
            #expect(try await access.grants(of: "dora", tenant: acme, by: FleetFixture.admin).count == 1)
            let until = String((world.api.world.time.now + .seconds(86_400)).rfc3339.prefix(16))
            let share: Form = [
                ("to", "rival"), ("holder", "admin"), ("role", "owner"), ("domain", "plant"), ("until", until),
                ("reason", "merger"),
            ]
            let page = try await world.get("/t/acme/sites/shares", as: "person").text
            #expect(page.contains("waits until a second administrator approves it"))
            let owner = try await world.post("/t/acme/sites/shares", share, as: "person")
            #expect(owner.status == 422 && owner.text.contains("You can not give what you do not hold"))
            let lent = try await world.post(
                "/t/acme/sites/shares", share.map { $0.0 == "role" ? ($0.0, "admin") : $0 }, as: "person")
            #expect(lent.headers[.location] == "/t/acme/sites/changes?done=proposed")
            #expect(
                try await world.get("/t/acme/sites/changes", as: "grace").text.contains(
                    "Lend the role admin to admin of rival at plant"))
            #expect(try await access.shares(tenant: acme, by: FleetFixture.admin).isEmpty)
        }
    }

    @Test("a share is offered, accepted and ended, by both sides' pages", arguments: TestDatabase.engines)
    func shares(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            _ = try await Self.tree(world)
            let end = String((world.api.world.time.now + .seconds(86_400)).rfc3339.prefix(16))
            let form: Form = [
                ("to", "rival"), ("holder", "admin"), ("role", "viewer"), ("domain", "plant"), ("until", end),
            ]
            for (field, value, words) in [
                ("to", "No Such", "short name"), ("to", "nobody", "no such tenant"), ("until", "x", "Say when it ends"),
                ("domain", "nowhere", "no such domain"), ("holder", "king", "Name a built-in role"),
            ] {
                let wrong = form.map { $0.0 == field ? (field, value) : $0 }
                let reply = try await world.post("/t/acme/sites/shares", wrong, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(field)")
            }
            #expect(try await world.post("/t/acme/sites/shares", form, as: "admin").status == 303)
            // The newest offer stands first.
            world.api.world.time.advance(by: .seconds(1))
            let powerful = form.map { $0.0 == "role" ? ($0.0, "admin") : $0 }
            let unsaid = try await world.post("/t/acme/sites/shares", powerful, as: "admin")
            #expect(unsaid.status == 422 && unsaid.text.contains("needs a reason"))
            let said = try await world.post("/t/acme/sites/shares", powerful + [("reason", "merger")], as: "admin")
            #expect(said.status == 303)
            let offers = try await world.get("/t/rival/sites/shares", as: "rival").text
            let second = String(try #require(offers.firstMatch(of: /action="([^"]*\/accept)"/)?.1))
            let asksWhy = try await world.post(second, as: "rival")
            #expect(asksWhy.status == 422 && asksWhy.text.contains("Accept this share?"))
            #expect(!asksWhy.text.contains("role=\"alert\""))
            #expect(try await world.post(second, [("sure", "1")], as: "rival").text.contains("role=\"alert\""))
            let why: Form = [("sure", "1"), ("reason", "merger")]
            #expect(try await world.post(second, why, as: "rival").status == 303)
            let access = world.api.world.access
            for share in try await access.shares(tenant: world.api.world.rival, by: FleetFixture.admin)
            where share.status == .accepted {
                _ = try await access.endShare(share.id, tenant: world.api.world.rival, by: FleetFixture.admin)
            }
            let theirs = try await world.get("/t/rival/sites/shares", as: "rival").text
            let accept = try #require(theirs.firstMatch(of: /action="([^"]*\/accept)"/)?.1)
            #expect(try await world.get("/t/acme/sites", as: "rival").status == 404)
            #expect(try await world.post(String(accept), as: "rival").status == 303)
            let lent = try await world.get("/t/acme/sites", as: "rival").text
            #expect(lent.contains("saw") && !lent.contains("printer"))
            #expect(try await world.get("/t/acme/devices/press", as: "rival").status == 200)
            let own = try await world.get("/t/acme/sites/shares", as: "admin").text
            let ending = try #require(own.firstMatch(of: /action="([^"]*shares\/[^"]*\/end)"/)?.1)
            let asks = try await world.post(String(ending), as: "admin")
            #expect(asks.status == 200 && asks.text.contains("End this share?"))
            #expect(try await world.post(String(ending), [("sure", "1")], as: "admin").status == 303)
            #expect(try await world.get("/t/acme/devices/press", as: "rival").status == 404)
        }
    }
}
