import Access
import Base
import HTTPTypes
import SignIn
import Testing

@testable import Console

/// What the pages about roles and the rules of sign-in do.
@Suite("The console's settings: rules")
struct ConsoleSettingsRulesTests {
    private static let roles = "/t/acme/settings/roles"
    private static let rules = "/t/acme/settings/sign-in"

    @Test("the program's roles are explained and can not be changed")
    func builtIn() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let list = try await world.get(Self.roles, as: "admin").text
            for role in Role.builtIn where role != .platformAdmin { #expect(list.contains(role.name.text)) }
            let record = try await world.get(Self.roles + "/technician", as: "admin").text
            #expect(record.contains("tell devices what to be") && !record.contains("Delete"))
            for path in ["/technician/edit", "/technician/delete", "/platform-admin", "/none"] {
                #expect(try await world.get(Self.roles + path, as: "admin").status == 404, "\(path)")
            }
            #expect(try await world.get(Self.roles, as: "viewer").status == 404)
        }
    }

    @Test("a role is made, changed after its effect was told, and deleted", arguments: TestDatabase.engines)
    func custom(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let form = [
                ("name", "watch"), ("permissions", "device.read"), ("permissions", "audit.read"), ("reason", "nights"),
            ]
            let made = try await world.post(Self.roles + "/new", form, as: "admin")
            let one = Self.roles + "/watch"
            #expect(made.headers[.location] == one + "?done=saved", "\(made.text)")
            let user = try await ConsoleSettingsPeopleTests.invite("ann@example.com", role: "watch", world)
            #expect(try await world.get(one, as: "admin").text.contains(user))
            let change = [("permissions", "device.read"), ("reason", "not theirs")]
            let told = try await world.post(one + "/edit", change, as: "admin")
            #expect(told.status == 200 && told.text.contains("1 person or program loses something"), "\(told.text)")
            #expect(told.text.contains("Taken away: read the audit log."))
            #expect(try await world.get(one, as: "admin").text.contains("read the audit log"), "nothing is saved yet")
            let saved = try await world.post(one + "/edit", change + [("sure", "1")], as: "admin")
            #expect(saved.status == 303)
            #expect(!(try await world.get(one, as: "admin").text.contains("read the audit log")))
            let cases: [([(String, String)], String)] = [
                ([("name", "no name"), ("reason", "x")], "is not such a name"),
                ([("name", "watch"), ("reason", "x")], "already"),
                ([("name", "viewer"), ("reason", "x")], "already"),
                ([("name", "other"), ("permissions", "device.read")], "needs a reason"),
                ([("name", "other"), ("permissions", "approval.manage"), ("reason", "x")], "do not hold"),
            ]
            for (form, words) in cases {
                let reply = try await world.post(Self.roles + "/new", form, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(words)")
            }
            let platform = try await world.post(
                Self.roles + "/new", [("name", "other"), ("permissions", "platform.manage"), ("reason", "x")],
                as: "admin")
            #expect(platform.status == 404)
            let rival = one.replacing("/t/acme/", with: "/t/rival/")
            for path in ["", "/edit", "/delete"] {
                #expect(try await world.get(rival + path, as: "rival").status == 404)
            }
            #expect(try await world.post(one + "/delete", [("reason", "x")], as: "viewer").status == 404)
            #expect(try await world.get(one + "/delete", as: "admin").text.contains("1 grant"))
            #expect(try await world.post(one + "/delete", as: "admin").status == 422, "a reason is asked for")
            #expect(try await world.post(one + "/delete", [("reason", "over")], as: "admin").status == 303)
            #expect(try await world.get(one, as: "admin").status == 404)
        }
    }

    @Test("the rules of sign-in are changed with a reason; what would lock the editor out is refused")
    func policy() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let form = [
                ("profile", "classic"), ("idleMinutes", "30"), ("sessionHours", "8"), ("addresses", "192.0.2.0/24"),
                ("reason", "the auditors ask"),
            ]
            let saved = try await world.post(Self.rules + "/edit", form, as: "admin")
            #expect(saved.headers[.location] == Self.rules + "?done=saved", "\(saved.text)")
            let shown = try await world.get(Self.rules, as: "admin").text
            #expect(shown.contains("30 minutes") && shown.contains("8 hours") && shown.contains("192.0.2.0/24"))
            #expect(shown.contains("8 to 16 characters"))
            func wrong(_ name: String, _ value: String) -> [(String, String)] {
                form.filter { $0.0 != name } + [(name, value)]
            }
            let cases: [([(String, String)], String)] = [
                (wrong("addresses", "203.0.113.0/24"), "would lock you out"),
                (wrong("addresses", "here"), "address range is wrong"),
                (wrong("idleMinutes", "1"), "must be a whole number from 5"),
                (wrong("idleMinutes", "often"), "must be a whole number"),
                (wrong("sessionHours", "9999"), "must be a whole number from 1"),
                (wrong("profile", "none"), "must be chosen"), (wrong("reason", ""), "needs a reason"),
            ]
            for (form, words) in cases {
                let reply = try await world.post(Self.rules + "/edit", form, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(words)")
            }
            #expect(try await world.get(Self.rules, as: "admin").text.contains("30 minutes"), "nothing has changed")
            for path in ["", "/edit", "/factors", "/approver"] {
                #expect(try await world.get(Self.rules + path, as: "viewer").status == 404)
                #expect(try await world.post(Self.rules + path, form, as: "viewer").status != 303)
            }
        }
    }

    @Test("factors are demanded of everybody and of a role, with a reason")
    func factors() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let demand = [("role", "operator"), ("level", "passkey"), ("reason", "they open valves")]
            #expect(try await world.post(Self.rules + "/factors", demand, as: "admin").status == 303)
            let shown = try await world.get(Self.rules, as: "admin").text
            #expect(shown.contains("what is demanded of operator") && shown.contains("A passkey"))
            for form in [
                [("role", "operator"), ("level", "much"), ("reason", "x")], [("role", "operator"), ("level", "any")],
                [("role", "nobody"), ("level", "any"), ("reason", "x")],
            ] { #expect(try await world.post(Self.rules + "/factors", form, as: "admin").status == 422) }
        }
    }

    @Test("who may not decide about the second approver does not find the page")
    func approver() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            #expect(try await world.get(Self.rules + "/approver", as: "admin").status == 403)
            let posted = try await world.post(
                Self.rules + "/approver", [("needs", "yes"), ("reason", "x")], as: "admin")
            #expect(posted.status == 403)
        }
    }
}
