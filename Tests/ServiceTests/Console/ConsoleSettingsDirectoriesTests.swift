import Access
import Base
import HTTPTypes
import SignIn
import Testing

@testable import Console

/// What the pages about directories do.
@Suite("The console's settings: directories")
struct ConsoleSettingsDirectoriesTests {
    private static let all = "/t/acme/settings/directories"

    private static func ldap(_ change: [String: String] = [:], rules: [(String, String, String)] = []) -> [(
        String, String
    )] {
        let usual = [
            ("name", "office"), ("server", "ldaps://ldap.example.com"), ("base", "dc=example"),
            ("searcher", "cn=reader,dc=example"), ("secret", "reader secret"), ("filter", "(uid={user})"),
            ("groupFilter", "(member={dn})"), ("groupAttribute", "memberOf"), ("nameAttribute", "cn"),
            ("mailAttribute", "mail"), ("authorities", ""),
        ]
        return usual.map { ($0.0, change[$0.0] ?? $0.1) }
            + change.filter { pair in !usual.contains { $0.0 == pair.key } }.map { ($0.key, $0.value) }
            + rules.enumerated().flatMap { index, rule in
                [
                    ("group-\(index + 1)", rule.0), ("role-\(index + 1)", rule.1), ("domain-\(index + 1)", rule.2),
                ]
            }
    }

    @Test(
        "a directory is set up with what its groups are worth, changed, switched off and removed",
        arguments: TestDatabase.engines)
    func life(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let api = world.api.world
            _ = try await api.access.createDomain(
                #require(Name("plant")), tenant: api.acme, by: AccessFixture.local)
            let empty = try await world.get(Self.all, as: "admin").text
            #expect(empty.contains("No directory yet") && empty.contains("New LDAP server"))
            let form = Self.ldap(
                ["createsAccounts": "yes"],
                rules: [("cn=crew", "operator", "plant"), ("", "", ""), ("cn=staff", "viewer", "")])
            let made = try await world.post(Self.all + "/new/ldap", form, as: "admin")
            let one = try #require(
                made.headers[.location]?.split(separator: "?").first.map(String.init), "\(made.text)")
            let record = try await world.get(one, as: "admin").text
            for words in ["ldaps://ldap.example.com", "cn=crew", "operator", "plant", "In use", "gets an account"] {
                #expect(record.contains(words), "\(words)")
            }
            #expect(!record.contains("reader secret"))
            let edit = try await world.get(one + "/edit", as: "admin").text
            #expect(edit.contains(#"name="group-2" value="cn=staff""#) && edit.contains(#"name="group-5" value="""#))
            #expect(!edit.contains("reader secret") && !edit.contains(#"name="server""#))
            let fewer = Self.ldap(["secret": "", "filter": "(cn={user})"], rules: [("cn=staff", "viewer", "")])
            #expect(try await world.post(one + "/edit", fewer, as: "admin").status == 303)
            let changed = try await world.get(one, as: "admin").text
            #expect(changed.contains("(cn={user})") && !changed.contains("cn=crew") && changed.contains("turned away"))
            #expect(try await world.get(Self.all, as: "admin").text.contains("office"))
            #expect(try await world.post(one + "/switch", [("to", "off")], as: "admin").status == 303)
            #expect(try await world.get(one, as: "admin").text.contains("Switched off"))
            #expect(try await world.get(one + "/switch", as: "admin").text.contains("Switch office on?"))
            #expect(try await world.get(one + "/people", as: "admin").text.contains("Nobody has come in by it yet."))
            #expect(try await world.get(one + "/remove", as: "admin").text.contains("roles end"))
            #expect(try await world.post(one + "/remove", [("reason", "moved")], as: "admin").status == 303)
            #expect(try await world.get(one, as: "admin").status == 404)
            let codes = try await world.api.world.audited("directory.")
            #expect(Set(codes) == ["directory.changed", "directory.removed"])
        }
    }

    @Test("what is wrong is said beside its field, and nothing typed is lost")
    func wrong() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            #expect(try await world.post(Self.all + "/new/ldap", Self.ldap(), as: "admin").status == 303)
            let openID = [
                ("name", "corp"), ("issuer", "http://login.example"), ("client", ""), ("scope", "profile"),
                ("groupsClaim", "groups"),
            ]
            let cases: [(String, [(String, String)], String)] = [
                ("ldap", Self.ldap(["name": "no name"]), "is not such a name"),
                ("ldap", Self.ldap(), "is taken"),
                ("ldap", Self.ldap(["name": "other", "server": "http://a.example"]), "must be ldaps://host"),
                ("ldap", Self.ldap(["name": "other", "filter": "(uid=ann)"]), "must be a filter with {user}"),
                ("ldap", Self.ldap(["name": "other", "base": ""]), "must be 1 to 1000 bytes"),
                (
                    "ldap", Self.ldap(["name": "other", "base": String(repeating: "a", count: 2000)]),
                    "must be 1 to 1000"
                ),
                ("ldap", Self.ldap(["name": "other"], rules: [("cn=a", "", "")]), "cn=a has no role"),
                ("ldap", Self.ldap(["name": "other"], rules: [("", "viewer", "")]), "Line 1 has a role and no group"),
                ("ldap", Self.ldap(["name": "other", "linksAddresses": "yes", "reason": "x"]), "do not hold"),
                ("ldap", Self.ldap(["name": "other"], rules: [("cn=a", "admin", "")]), "needs a reason"),
                ("openid", openID, "must be an https address"), ("openid", openID, "must contain openid"),
            ]
            for (kind, form, words) in cases {
                let reply = try await world.post("\(Self.all)/new/\(kind)", form, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(words): \(reply.status)")
                #expect(reply.text.contains(#"value="\#(form[0].1)""#), "no input is lost: \(words)")
                #expect(!reply.text.contains("reader secret"))
            }
            let typed = try await world.post(
                Self.all + "/new/ldap", Self.ldap(["name": "x y"], rules: [("cn=<b>", "viewer", "plant")]), as: "admin"
            ).text
            #expect(typed.contains(#"value="cn=&lt;b&gt;""#) && typed.contains(#"<option value="viewer" selected>"#))
            for rule in [("cn=a", "nobody", ""), ("cn=a", "viewer", "nowhere")] {
                let reply = try await world.post(
                    Self.all + "/new/ldap", Self.ldap(["name": "other"], rules: [rule]), as: "admin")
                #expect(reply.status == 422 && reply.text.contains("that is not there"), "\(rule)")
            }
            #expect(try await world.get(Self.all + "/new/pigeon", as: "admin").status == 404)
        }
    }

    @Test("a test says what is wrong; nobody else's directory is there, and who only reads sees none")
    func rights() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let made = try await world.post(Self.all + "/new/ldap", Self.ldap(), as: "admin")
            let one = try #require(made.headers[.location]?.split(separator: "?").first.map(String.init))
            let test = try await world.post(one + "/test", [("user", "ann")], as: "admin")
            #expect(test.status == 200 && test.text.contains("It does not work yet."), "\(test.status)")
            let long = try await world.post(one + "/test", [("user", String(repeating: "a", count: 300))], as: "admin")
            #expect(long.status == 422 && long.text.contains("must be 1 to 256 bytes"))
            let foreign = one.replacing("/t/acme/", with: "/t/rival/")
            for path in ["", "/edit", "/test", "/switch", "/remove", "/people"] {
                #expect(try await world.get(foreign + path, as: "rival").status == 404, "\(path)")
                #expect(try await world.get(one + path, as: "viewer").status == 404, "\(path)")
                #expect(try await world.get(one + path, as: "rival").status == 404, "\(path)")
            }
            for path in ["/edit", "/test", "/switch", "/remove"] {
                #expect(try await world.post(foreign + path, Self.ldap(), as: "rival").status == 404, "\(path)")
                #expect(try await world.post(one + path, Self.ldap(), as: "viewer").status == 404, "\(path)")
                #expect(try await world.post(one + path, Self.ldap(), as: "admin", token: "x").status == 403, "\(path)")
            }
            #expect(try await world.get("/t/acme/settings", as: "viewer").text.contains("directories") == false)
        }
    }

    @Test("where the organisation wants a second approver, a directory that gives administrators' roles is proposed")
    func proposed() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let api = world.api.world
            try await api.access.setNeedsSecondApprover(
                true, reason: "insurance", tenant: api.acme, by: AccessFixture.local)
            let form = Self.ldap(["reason": "one sign-in"], rules: [("cn=heads", "admin", "")])
            let reply = try await world.post(Self.all + "/new/ldap", form, as: "admin")
            #expect(
                reply.headers[.location] == "/t/acme/settings/changes?done=proposed-without-secret", "\(reply.text)")
            #expect(try await world.get(Self.all, as: "admin").text.contains("No directory yet"))
            let list = try await world.get("/t/acme/settings/changes", as: "admin").text
            #expect(list.contains("Directory office"))
            let path = try #require(list.firstMatch(of: /\/t\/acme\/settings\/changes\/[0-9a-f]{32}/)?.0)
            let shown = try await world.get(String(path), as: "admin").text
            #expect(shown.contains("cn=heads: admin everywhere") && !shown.contains("reader secret"))
        }
    }
}
