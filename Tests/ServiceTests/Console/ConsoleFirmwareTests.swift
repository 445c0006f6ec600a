import Access
import Base
import Fleet
import Foundation
import HTTPTypes
import Operations
import SignIn
import Storage
import Testing

@testable import Console

/// Releases, files and versions as people see and change them.
@Suite("The console's firmware")
struct ConsoleFirmwareTests {
    private static let home = "/t/acme/firmware"

    /// Sends a part of a file as the page's script does.
    private static func send(
        _ world: ConsoleFixture, _ path: String, _ bytes: String, at offset: String?, as role: String = "admin",
        token: String? = "form-of-the-admin", site: String? = "same-origin",
        origin: String? = "https://fleet.example.com"
    ) async throws -> ConsoleFixture.Reply {
        var fields: HTTPFields = [.contentType: "application/offset+octet-stream"]
        fields[.cookie] = "\(SessionCookie(.people).name)=\(ConsoleFixture.secret(role))"
        fields[.uploadOffset] = offset
        fields[.formToken] = token
        fields[.secFetchSite] = site
        fields[.origin] = origin
        return try await world.send(.post, path, bytes, fields)
    }

    private static func json(_ reply: ConsoleFixture.Reply) throws -> JSONValue { try JSONValue(parsing: reply.bytes) }

    /// Uploads a file in two parts; its identifier.
    private static func upload(_ world: ConsoleFixture, _ name: String, _ content: String) async throws -> String {
        let size = content.utf8.count
        let begun = try await world.post(home + "/files", [("name", name), ("size", "\(size)")], as: "admin")
        #expect(begun.status == 200, "\(begun.text)")
        let address = try #require(try json(begun)["address"]?.string)
        let half = size / 2
        let first = try await send(world, address + "/bytes", String(content.prefix(half)), at: "0")
        #expect(try json(first)["received"] == .integer(Int64(half)), "\(first.text)")
        let state = try await world.get(address + "/state", as: "admin")
        #expect(try json(state)["received"] == .integer(Int64(half)))
        let last = try await send(world, address + "/bytes", String(content.dropFirst(half)), at: "\(half)")
        #expect(try json(last)["whole"] == true, "\(last.text)")
        return try #require(try json(last)["id"]?.string)
    }

    private static func make(
        _ world: ConsoleFixture, _ component: String, _ version: String, _ more: [(String, String)] = []
    ) async throws -> String {
        let made = try await world.post(
            home + "/releases/new", [("component", component), ("version", version)] + more, as: "admin")
        #expect(made.status == 303, "\(made.text)")
        return String((made.headers[.location] ?? "").split(separator: "?")[0])
    }

    @Test(
        "a release is drafted, given its uploaded files, published, withdrawn and deleted",
        arguments: TestDatabase.engines)
    func life(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let release = try await Self.make(
                world, "system", "2.4.0",
                [("hardware", "gw-1\r\n gw-2 \r\n"), ("notes", "Faster."), ("supportEnds", "2031-01-31")])
            let empty = try await world.post(release + "/publish", as: "admin")
            #expect(empty.status == 422 && empty.text.contains("installs nothing"), "what stands in the way is told")
            let file = try await Self.upload(world, "gateway.bin", "0123456789")
            let added = try await world.post(release + "/files", [("file", file), ("act", "add")], as: "admin")
            #expect(added.status == 303)
            let twice = try await world.post(release + "/files", [("file", file), ("act", "add")], as: "admin")
            #expect(twice.status == 422 && twice.text.contains("names an artifact twice"))
            let bill = try await Self.upload(
                world, "bill.json", #"{"bomFormat":"CycloneDX","specVersion":"1.5","version":1}"#)
            #expect(
                try await world.post(release + "/files", [("file", bill), ("act", "add")], as: "admin").status == 303)
            let shown = try await world.get(release, as: "admin").text
            for word in [
                "gw-1", "gw-2", "Faster.", "gateway.bin", "bill.json", "2031-01-31", "Draft", "84d89877f0d4041e",
            ] {
                #expect(shown.contains(word), "\(word)")
            }
            let named = try await world.post(home(file) + "/delete", as: "admin")
            #expect(named.status == 422 && named.text.contains("A release has this artifact"))
            let content = try await world.get(home(file) + "/content", as: "admin")
            #expect(content.text == "0123456789")
            #expect(content.headers[.contentDisposition] == #"attachment; filename="gateway.bin""#)
            #expect(content.headers[.contentType] == "application/octet-stream")
            let published = try await world.post(release + "/publish", as: "admin")
            #expect(published.headers[.location]?.hasSuffix("?done=published") == true, "\(published.text)")
            let late = try await world.post(release + "/files", [("file", bill), ("act", "remove")], as: "admin")
            #expect(late.status == 422 && late.text.contains("only drafts change"))
            #expect(try await world.post(release + "/withdraw", as: "admin").status == 303)
            #expect(try await world.get(release, as: "admin").text.contains("Withdrawn"))
            #expect(try await world.post(release + "/delete", as: "admin").status == 303)
            #expect(try await world.get(release, as: "admin").status == 404)
            #expect(try await world.post(home(file) + "/delete", as: "admin").status == 303)
            #expect(try await world.get(home(file) + "/state", as: "admin").status == 404)
        }
    }

    private func home(_ file: String) -> String { "\(Self.home)/files/\(file)" }

    @Test("bytes are taken from this page's own script alone, and from where the file stands")
    func parts() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let begun = try await world.post(Self.home + "/files", [("name", "a.bin"), ("size", "4")], as: "admin")
            let path = try #require(try Self.json(begun)["address"]?.string) + "/bytes"
            for (reply, status) in [
                (try await Self.send(world, path, "ab", at: "0", token: nil), 403),
                (try await Self.send(world, path, "ab", at: "0", token: "form-of-the-viewer"), 403),
                (try await Self.send(world, path, "ab", at: "0", site: "cross-site"), 403),
                (try await Self.send(world, path, "ab", at: "0", site: "same-site"), 403),
                (try await Self.send(world, path, "ab", at: "0", origin: "https://evil.example"), 403),
                (try await Self.send(world, path, "ab", at: "0", site: nil, origin: nil), 403),
                (try await Self.send(world, path, "ab", at: "0", as: "viewer", token: "form-of-the-viewer"), 404),
                (try await Self.send(world, path, "ab", at: "0", as: "rival", token: "form-of-the-rival"), 404),
                (try await Self.send(world, path, "ab", at: nil), 400),
                (try await Self.send(world, path, "ab", at: "-1"), 400),
                (try await Self.send(world, path, "ab", at: "x"), 400),
                (try await Self.send(world, path, "ab", at: "1"), 409),
                (try await Self.send(world, path, "abcde", at: "0"), 413),
            ] {
                #expect(reply.status == status, "\(reply.text.prefix(200))")
            }
            let offset = try await Self.send(world, path, "ab", at: "1")
            #expect(try Self.json(offset)["code"] == "artifact.offset")
            #expect(try Self.json(offset)["passes"] == false)
            for (name, size) in [
                ("../x", "4"), ("", "4"), ("x", "0"), ("x", "-1"), ("x", "many"), ("x", "99999999999999"),
            ] {
                let refused = try await world.post(Self.home + "/files", [("name", name), ("size", size)], as: "admin")
                #expect([400, 413].contains(refused.status), "\(name) \(size)")
                #expect(try Self.json(refused)["message"]?.string?.isEmpty == false)
            }
            let whole = try await Self.send(world, path, "abcd", at: "0")
            #expect(try Self.json(whole)["whole"] == true)
            let again = try await Self.send(world, path, "ab", at: "4")
            #expect(again.status == 409)
        }
    }

    @Test("a release that can not be is told field by field, with what was typed")
    func wrongForms() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for (fields, words) in [
                ([("component", "no spaces here"), ("version", "1")], "letters, digits"),
                ([("component", "system"), ("version", "")], "Version"),
                ([("component", "system"), ("version", "1"), ("counter", "zero")], "from 1 on"),
                ([("component", "system"), ("version", "1"), ("counter", "99999999999")], "Counter"),
                ([("component", "system"), ("version", "1"), ("supportEnds", "soon")], "2026-11-21"),
                ([("component", "system"), ("version", "1"), ("hardware", "a\na")], "is there already"),
                (
                    [("component", "system"), ("version", "1"), ("notes", String(repeating: "n", count: 20_000))],
                    "What is new"
                ),
            ] {
                let reply = try await world.post(Self.home + "/releases/new", fields, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(fields)")
                #expect(reply.text.contains("value=\"\(fields[0].1)\""), "what was typed stays")
            }
            let first = try await Self.make(world, "system", "1")
            let taken = try await world.post(
                Self.home + "/releases/new", [("component", "system"), ("version", "1")], as: "admin")
            #expect(taken.status == 422 && taken.text.contains("of this version already"))
            let changed = try await world.post(
                first + "/edit", [("component", "system"), ("version", "1.1"), ("counter", "7")], as: "admin")
            #expect(changed.status == 303)
            let shown = try await world.get(first, as: "admin").text
            #expect(shown.contains("system 1.1"))
            #expect(
                try await world.get(Self.home + "/releases?component=system&state=draft", as: "admin").text.contains(
                    "system 1.1"))
            #expect(
                try await world.get(Self.home + "/releases?state=published", as: "admin").text.contains(
                    "No release is like this"))
        }
    }

    @Test("versions stand beside the newest release, each bar leads to its devices, and what is behind is counted")
    func overview() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for (name, version) in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "3"), ("e", "odd \"one\"")] {
                _ = try await world.api.world.register(name) { $0.components = ["system": version] }
            }
            let file = try await Self.upload(world, "x.bin", "0123456789")
            for version in ["1", "2", "3"] {
                let release = try await Self.make(world, "system", version)
                _ = try await world.post(release + "/files", [("file", file)], as: "admin")
                #expect(try await world.post(release + "/publish", as: "admin").status == 303)
                if version == "3" { _ = try await world.post(release + "/withdraw", as: "admin") }
            }
            let page = try await world.get(Self.home, as: "admin").text
            #expect(
                page.contains("2 behind") && page.contains("1 unknown"),
                "two with 1; one that nobody knows may be later; 3 is above the newest that counts")
            #expect(page.contains("above the newest release") && page.contains("no release of that name"))
            let links = page.matches(of: /href="(\/t\/acme\/devices\?filter=[^"]+)"/).map { String($0.output.1) }
            var counts: [Int] = []
            for link in links {
                let list = try await world.get(link.replacing("&amp;", with: "&"), as: "admin")
                #expect(list.status == 200)
                counts.append(Set(list.text.matches(of: /\/t\/acme\/devices\/([a-e])"/).map { $0.output.1 }).count)
            }
            #expect(counts.sorted() == [1, 1, 1, 1, 2, 2])
            #expect(page.contains("Update all behind"))
            let order = try #require(page.firstMatch(of: /href="([^"]+)">Update all behind/)).output.1
            let form = try await world.get(
                String(order).replacing("&amp;", with: "&").replacing("&#38;", with: "&"), as: "admin")
            #expect(form.status == 200 && form.text.contains("system 2 (newest)"), "\(order)")
            #expect(!form.text.contains("odd"), "a version that is no release is not part of the one click")
            #expect(page.contains("Update the unknown"))
        }
    }

    @Test("a campaign is ordered after its groups were counted, paused, resumed and stopped; wrong ones are refused")
    func campaigns() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for name in ["a", "b", "c", "d", "e"] {
                _ = try await world.api.world.register(name) { $0.components = ["system": "1"] }
            }
            let file = try await Self.upload(world, "x.bin", "0123456789")
            let release = try await Self.make(world, "system", "2")
            _ = try await world.post(release + "/files", [("file", file)], as: "admin")
            #expect(try await world.post(release + "/publish", as: "admin").status == 303)
            let id = String(release.split(separator: "/").last ?? "")
            let path = Self.home + "/campaigns"
            for (fields, words) in [
                ([("groups", "100")], "Choose a release."),
                ([("release", id), ("groups", "50, 40")], "must share 100 percent"),
                ([("release", id), ("groups", "half")], "are percentages"),
                ([("release", id), ("groups", "100"), ("filter", "name =")], "filter-fault"),
                ([("release", id), ("groups", "100"), ("filter", "name = nobody")], "No device matches"),
                ([("release", id), ("groups", "100"), ("success", "101")], "The next group begins"),
                ([("release", id), ("groups", "100"), ("sample", "few")], "whole number"),
                ([("release", id), ("groups", "100"), ("starts", "soon")], "date and time"),
            ] {
                let reply = try await world.post(path + "/new", fields, as: "admin")
                #expect(reply.status == 422 && reply.text.contains(words), "\(fields)")
            }
            let order = [("release", id), ("groups", "40, 60"), ("success", "90"), ("error", "20"), ("sample", "5")]
            let asked = try await world.post(path + "/new", order, as: "admin").text
            #expect(asked.contains("For 5 devices that match now") && asked.contains("Roll it out to 5 devices"))
            let seen = try #require(asked.firstMatch(of: /name="seen" value="([^"]+)"/)).output.1
            let changed = [("release", id), ("groups", "20, 80"), ("seen", String(seen))]
            #expect(try await world.post(path + "/new", changed, as: "admin").status == 200, "it is asked about anew")
            let ordered = try await world.post(path + "/new", order + [("seen", String(seen))], as: "admin")
            #expect(ordered.status == 303, "\(ordered.text)")
            let campaign = String((ordered.headers[.location] ?? "").split(separator: "?")[0])
            let page = try await world.get(campaign, as: "admin").text
            #expect(
                page.contains("Group 1, 40 %") && page.contains("0 of 2 have it") && page.contains("0 of 3 have it"))
            #expect(try await world.post(campaign + "/approve", as: "admin").status == 422, "nobody waits for that")
            #expect(try await world.post(campaign + "/pause", as: "admin").status == 303)
            #expect(try await world.get(campaign, as: "admin").text.contains("Somebody paused it"))
            #expect(try await world.post(campaign + "/resume", as: "admin").status == 303)
            #expect(try await world.post(campaign + "/stop", as: "admin").status == 303)
            #expect(try await world.get(path, as: "admin").text.contains("Stopped"))
            #expect(try await world.get("/t/acme/devices/a", as: "admin").text.contains("Campaigns"))
        }
    }

    @Test("update keys are put and deleted with a reason, and refused without")
    func keys() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let people = OAuthWorld(api: world.api)
            let keeper = try await people.person("keeper", role: "owner")
            try await people.prove(keeper)
            world.admit(keeper, as: "keeper")
            let pem = """
                -----BEGIN PUBLIC KEY-----
                MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
                -----END PUBLIC KEY-----

                """
            let path = "/t/acme/settings/update-keys"
            for (fields, words) in [
                ([("name", "k"), ("pem", "nonsense"), ("reason", "r")], "PEM"),
                ([("name", "no name"), ("pem", pem), ("reason", "r")], "This is not such a name"),
                ([("name", "k"), ("pem", pem)], "reason"),
            ] {
                let reply = try await world.post(path + "/new", fields, as: "keeper")
                #expect(reply.status == 422 && reply.text.contains(words), "\(reply.status) \(fields[0])")
            }
            let put = try await world.post(
                path + "/new", [("name", "k"), ("pem", pem), ("reason", "the first")], as: "keeper")
            #expect(put.status == 303, "\(put.text)")
            #expect(try await world.get(path, as: "keeper").text.contains("Ed25519"))
            #expect(try await world.get(path + "/k/delete", as: "keeper").text.contains("It is the last one"))
            #expect(try await world.post(path + "/k/delete", [("reason", "over")], as: "keeper").status == 303)
            #expect(try await world.get(path, as: "keeper").text.contains("There is none"))
        }
    }
}
