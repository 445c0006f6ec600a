import Access
import Base
import HTTPTypes
import SignIn
import Storage
import Testing

@testable import Console

/// What the pages about people's accounts, user groups and their roles do.
@Suite("The console's settings: people")
struct ConsoleSettingsPeopleTests {
    private static let users = "/t/acme/settings/users"
    private static let groups = "/t/acme/settings/groups"

    /// Invites somebody and answers the identifier of their principal.
    static func invite(
        _ address: String, role: String = "viewer", _ world: ConsoleFixture
    ) async throws -> String {
        let reply = try await world.post(users + "/invite", [("address", address), ("role", role)], as: "admin")
        #expect(reply.status == 200 && reply.text.contains("/invitation?link="), "\(reply.text)")
        let list = try await world.get(users, as: "admin").text
        let link = try #require(
            list.matches(of: /settings\/users\/([0-9a-f]{32})">/).map { String($0.1) }.last, "\(list)")
        return link
    }

    @Test("each part of the settings is shown to who may read it, and to nobody else")
    func sections() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let admin = try await world.get("/t/acme/settings", as: "admin").text
            #expect(admin.contains("User groups") && admin.contains("Changes"))
            let viewer = try await world.get("/t/acme/settings", as: "viewer").text
            #expect(!viewer.contains("User groups"))
            for path in ["/users", "/groups", "/changes", "/users/invite", "/groups/new"] {
                #expect(try await world.get("/t/acme/settings" + path, as: "viewer").status == 404)
                #expect(try await world.get("/t/acme/settings" + path, as: "rival").status == 404)
            }
        }
    }

    @Test("somebody is invited, listed and shown; what is wrong comes back with what was typed")
    func inviting() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let id = try await Self.invite("ann@example.com", world)
            let list = try await world.get(Self.users, as: "admin").text
            #expect(list.contains("ann@example.com") && list.contains("Invited") && list.contains("viewer"))
            let record = try await world.get("\(Self.users)/\(id)", as: "admin").text
            #expect(record.contains("New link") && record.contains("Not signed in anywhere."))
            for (form, words) in [
                ([("address", "no address"), ("role", "viewer")], "e-mail address"),
                ([("address", "ann@example.com"), ("role", "viewer")], "already"),
                ([("address", "bob@example.com"), ("role", "nonsense")], "no role nonsense"),
                ([("address", "bob@example.com"), ("role", "viewer"), ("until", "soon")], "a day is written"),
                ([("address", "bob@example.com"), ("role", "guest")], "needs an end"),
                ([("address", "bob@example.com"), ("role", "admin")], "needs a reason"),
                ([("role", "viewer")], "e-mail address"),
            ] {
                let reply = try await world.post(Self.users + "/invite", form, as: "admin")
                #expect(reply.status == 422 && reply.text.lowercased().contains(words.lowercased()), "\(words)")
                if let address = form.first(where: { $0.0 == "address" })?.1 {
                    #expect(reply.text.contains(address), "no input is lost")
                }
            }
            let refused = try await world.post(
                Self.users + "/invite", [("address", "eve@example.com"), ("role", "viewer")], as: "viewer")
            #expect(refused.status == 404)
        }
    }

    @Test("an account is changed, disabled, enabled and handed a new link, each by its manager only")
    func acts() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let id = try await Self.invite("ann@example.com", world)
            let one = "\(Self.users)/\(id)"
            let saved = try await world.post(
                one + "/edit", [("name", "Ann Example"), ("addresses", "192.0.2.0/24\n2001:db8::/32")], as: "admin")
            #expect(saved.headers[.location] == one + "?done=saved", "\(saved.text)")
            let record = try await world.get(one, as: "admin").text
            #expect(record.contains("Ann Example") && record.contains("2001:db8::/32"))
            let wrong = try await world.post(
                one + "/edit", [("name", "Ann"), ("addresses", "nowhere")], as: "admin")
            #expect(wrong.status == 422 && wrong.text.contains("nowhere"))
            #expect(try await world.get(one + "/disable", as: "admin").text.contains("signed out everywhere"))
            #expect(try await world.post(one + "/disable", as: "admin").headers[.location] == one + "?done=disabled")
            #expect(try await world.get(one, as: "admin").text.contains("Disabled"))
            #expect(try await world.post(one + "/link", as: "admin").status == 422, "a disabled account gets no link")
            #expect(try await world.post(one + "/enable", as: "admin").status == 303)
            let link = try await world.post(one + "/link", as: "admin")
            #expect(link.status == 200 && link.text.contains("link="))
            #expect(try await world.post(one + "/end-sessions", as: "admin").status == 303)
            #expect(try await world.post(one + "/explode", as: "admin").status == 404)
            for act in ["edit", "disable", "link", "grant", "end-sessions", "reset-factors"] {
                #expect(try await world.post("\(one)/\(act)", as: "viewer").status == 404)
                let foreign = try await world.get("/t/rival/settings/users/\(id)/\(act)", as: "rival")
                #expect(foreign.status == 404, "\(act)")
                #expect(try await world.post("/t/rival/settings/users/\(id)/\(act)", as: "rival").status == 404)
            }
            #expect(try await world.get("/t/rival/settings/users/\(id)", as: "rival").status == 404)
        }
    }

    @Test("a dangerous act of a person asks for a recent proof first")
    func stepUp() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let id = try await Self.invite("ann@example.com", world)
            let role: [(String, String)] = [("role", "admin"), ("reason", "she runs it")]
            let person = try await world.person()
            _ = try await world.api.world.access.grant(
                role: "admin", to: person.id.text, reason: role[1].1, tenant: world.api.world.acme,
                by: .localAdministrator)
            let asked = try await world.get("\(Self.users)/\(id)/disable", as: "person")
            #expect(!asked.text.contains("is signed out everywhere"), "the question comes after the proof")
            #expect(try await world.get("\(Self.users)/\(id)", as: "admin").text.contains("Invited"))
        }
    }

    @Test("roles are given and ended, after who gains and who loses was told")
    func grants() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            try await world.api.world.domain("plant")
            let id = try await Self.invite("ann@example.com", world)
            let one = "\(Self.users)/\(id)"
            #expect(try await world.get(one + "/grant", as: "admin").text.contains("plant"))
            let given = try await world.post(
                one + "/grant", [("role", "operator"), ("domain", "plant"), ("until", "2099-01-01")], as: "admin")
            #expect(given.headers[.location] == one + "?done=saved", "\(given.text)")
            let record = try await world.get(one, as: "admin").text
            #expect(record.contains("operator") && record.contains("at plant"))
            let operatorEnds = /href="([^"]*\/end)">End<span class="hidden"> the role operator/
            let end = String(try #require(record.firstMatch(of: operatorEnds)?.1, "\(record)"))
            #expect(try await world.get(end, as: "admin").text.contains("1 person or program loses something"))
            #expect(try await world.post(end, as: "admin").headers[.location] == one + "?done=ended")
            #expect(try await world.post(end, as: "admin").status == 404)
            #expect(!(try await world.get(one, as: "admin").text.contains("at plant")))
            let beyond = try await world.post(one + "/grant", [("role", "owner"), ("reason", "why not")], as: "admin")
            #expect(beyond.status == 422 && beyond.text.contains("approval.manage"))
        }
    }

    @Test("a user group is made, renamed, filled, given a role and deleted", arguments: TestDatabase.engines)
    func groups(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let user = try await Self.invite("ann@example.com", world)
            let made = try await world.post(Self.groups + "/new", [("name", "crew")], as: "admin")
            let one = try #require(made.headers[.location]?.split(separator: "?").first.map(String.init))
            #expect(try await world.post(Self.groups + "/new", [("name", "crew")], as: "admin").status == 422)
            #expect(try await world.post(Self.groups + "/new", [("name", "no name")], as: "admin").status == 422)
            #expect(try await world.post(one + "/name", [("name", "night-crew")], as: "admin").status == 303)
            #expect(try await world.post(one + "/add", [("user", "nobody@example.com")], as: "admin").status == 422)
            let added = try await world.post(one + "/add", [("user", "ann@example.com")], as: "admin")
            #expect(added.headers[.location] == one + "?done=saved", "\(added.text)")
            #expect(try await world.post(one + "/grant", [("role", "technician")], as: "admin").status == 303)
            let record = try await world.get(one, as: "admin").text
            #expect(record.contains("night-crew") && record.contains("technician") && record.contains("ann"))
            let person = try await world.get("\(Self.users)/\(user)", as: "admin").text
            #expect(person.contains("by the group night-crew"))
            #expect(try await world.get(Self.users, as: "admin").text.contains("technician"))
            let leave = "\(one)/members/\(user)/remove"
            #expect(try await world.get(leave, as: "admin").text.contains("loses something"))
            #expect(try await world.post(leave, as: "admin").status == 303)
            #expect(try await world.get(leave, as: "admin").status == 404)
            let rival = one.replacing("/t/acme/", with: "/t/rival/")
            for path in ["", "/name", "/add", "/grant", "/delete"] {
                #expect(try await world.get(rival + path, as: "rival").status == 404, "\(path)")
            }
            #expect(try await world.get(one + "/delete", as: "admin").text.contains("The users themselves stay."))
            #expect(try await world.post(one + "/delete", as: "admin").status == 303)
            #expect(try await world.get(one, as: "admin").status == 404)
        }
    }

    @Test("where a second approver is wanted a change waits, says so, and is made by another's word")
    func secondApprover() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let api = world.api.world
            let id = try await Self.invite("ann@example.com", world)
            try await api.access.setNeedsSecondApprover(
                true, reason: nil, tenant: api.acme, by: .localAdministrator)
            let person = try await world.person()
            _ = try await api.access.grant(
                role: "admin", to: person.id.text, tenant: api.acme, by: .localAdministrator)
            let credential = try #require(person.credential?.id)
            let now = api.time.clock.now
            try await api.database.tenant(api.acme).write { tx -> Void in
                try tx.execute(
                    "INSERT INTO step_up (tenant, credential, proved) VALUES ($1, $2, $3)", credential, now)
            }
            let form = [("role", "admin"), ("reason", "she runs it now")]
            let given = try await world.post("\(Self.users)/\(id)/grant", form, as: "person")
            #expect(given.headers[.location] == "/t/acme/settings/changes?done=proposed", "\(given.text)")
            let list = try await world.get("/t/acme/settings/changes", as: "person").text
            #expect(list.contains("Give the role admin") && list.contains("Waits") && list.contains("she runs it now"))
            let one = try #require(list.firstMatch(of: /href="([^"]*settings\/changes\/[0-9a-f]{32})"/)?.1)
            let own = try await world.get(String(one), as: "person").text
            #expect(own.contains("Take back") && !own.contains("Approve"))
            #expect(try await world.post(String(one), [("act", "approve")], as: "person").status == 403)
            // A program is no second person.
            #expect(try await world.post(String(one), [("act", "approve")], as: "admin").status == 403)
            #expect(try await world.get("/t/rival/settings/changes/" + one.suffix(32), as: "rival").status == 404)
            let back = try await world.post(String(one), [("act", "reject")], as: "person")
            #expect(back.headers[.location] == "\(one)?done=rejected")
            #expect(try await world.get(String(one), as: "admin").text.contains("Taken back"))
        }
    }
}
