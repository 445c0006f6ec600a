import Access
import Audit
import Base
import Fleet
import HTTPTypes
import Testing

@testable import Console

/// What the pages about the audit log do.
@Suite("The console's audit pages")
struct ConsoleAuditTests {
    private static func find(_ pattern: String, in text: String) throws -> String {
        let match = try #require(try text.firstMatch(of: Regex(pattern)), "\(pattern)")
        return String(try #require(match.output[1].substring)).replacing("&amp;", with: "&")
    }

    @Test(
        "the list tells type, progress, creator, company and subject, and its filters narrow it",
        arguments: TestDatabase.engines)
    func list(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let device = try await world.api.world.register("meter-1").device
            _ = try await world.get("/t/acme/devices/meter-1", as: "admin")
            let text = try await world.get("/t/acme/audit", as: "admin").text
            for part in [
                "A device was registered", "device.registered", "Done", "The server: local", "meter-1",
                "<span class=\"under\">acme</span>",
            ] {
                #expect(text.contains(part), "\(part)")
            }
            let filters = [
                "type=device.registered", "type=device.", "device=meter-1", "who=local", "outcome=success",
                "subject=device:\(device.id)", "from=2020-01-01", "device=\(device.id)",
            ]
            for filter in filters {
                let found = try await world.get("/t/acme/audit?type=device.&\(filter)", as: "admin").text
                #expect(found.contains("<code class=\"quiet small\">device.registered</code>"), "\(filter)")
            }
            for filter in ["type=outlet.", "who=nobody", "outcome=failed", "to=2020-01-01", "session=x", "subject=x:y"]
            {
                let found = try await world.get("/t/acme/audit?\(filter)", as: "admin").text
                #expect(found.contains("No entry matches"), "\(filter)")
            }
            for (filter, words) in [
                ("device=nothing", "There is no device nothing"), ("from=yesterday", "is a day such as"),
                ("cursor=x", "cursor"),
            ] {
                let wrong = try await world.get("/t/acme/audit?\(filter)", as: "admin")
                #expect(
                    wrong.status == 200 && wrong.text.contains(words) && wrong.text.contains("role=\"alert\""),
                    "\(filter)")
            }
        }
    }

    @Test("pages go on by cursor, newest first", arguments: TestDatabase.engines)
    func pages(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for number in 100..<160 {
                world.api.world.time.advance(by: .milliseconds(1))
                _ = try await world.api.world.register("meter-\(number)")
            }
            let first = try await world.get("/t/acme/audit?type=device.registered", as: "admin").text
            #expect(first.contains("meter-159") && first.contains("meter-110") && !first.contains("meter-109"))
            let next = try Self.find("href=\"([^\"]*cursor=[^\"]*)\"", in: first)
            let second = try await world.get(next, as: "admin").text
            #expect(second.contains("meter-109") && second.contains("meter-100") && !second.contains("meter-110"))
            #expect(second.contains("First page") && !second.contains("Next page"))
        }
    }

    @Test(
        "an entry has a page of its own with its fields, its proof and the lists it leads to",
        arguments: TestDatabase.engines)
    func entry(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            _ = try await world.api.world.register("meter-1")
            try await world.api.world.audit.settle()
            let list = try await world.get("/t/acme/audit?type=device.registered", as: "admin").text
            let address = try Self.find("href=\"(/t/acme/audit/[0-9]+)\"", in: list)
            let text = try await world.get(address, as: "admin").text
            for part in [
                "Proved", "Hash of this entry", "Head hash", "All of this type", "To the device",
                "/t/acme/devices/meter-1",
            ] {
                #expect(text.contains(part), "\(part)")
            }
            for path in ["/t/acme/audit/999999", "/t/acme/audit/-1", "/t/acme/audit/x"] {
                #expect(try await world.get(path, as: "admin").status == 404)
            }
        }
    }

    @Test(
        "the log is the whole tenant's and for those who may read it; strangers see nothing",
        arguments: ["", "/0", "/sessions", "/verification", "/entries.csv", "/bundle"])
    func permissions(path: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.api.world.register("meter-1")
            try await world.api.world.audit.settle()
            #expect(try await world.get("/t/acme/audit" + path, as: "admin").status == 200)
            for role in ["viewer", "rival"] {
                let reply = try await world.get("/t/acme/audit" + path, as: role)
                #expect(reply.status == 404 && !reply.text.contains("meter-1"), "\(role)")
            }
            let posted = try await world.post("/t/acme/audit/verification", as: "viewer")
            #expect(posted.status == 404)
            let unsigned = try await world.post("/t/acme/audit/verification", as: "admin", token: "x")
            #expect(unsigned.status == 403)
        }
    }

    @Test("entries go out as CSV that no spreadsheet runs, with the filter of the list, and that is recorded")
    func csv() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.api.world.register("meter-1")
            _ = try await world.api.world.register("meter-2")
            let reply = try await world.get("/t/acme/audit/entries.csv?type=device.&device=meter-1", as: "admin")
            let lines = reply.text.split(separator: "\r\n")
            #expect(reply.headers[.contentDisposition] == "attachment; filename=\"acme-audit.csv\"")
            #expect(lines.count == 2 && lines[0].hasPrefix("place,start,end,code") && lines[1].contains("meter-1"))
            let wrong = try await world.get("/t/acme/audit/entries.csv?device=none", as: "admin")
            #expect(wrong.status == 400)
            let told = try await world.get("/t/acme/audit?type=audit.exported", as: "admin").text
            #expect(told.contains("Somebody exported the audit log"))
        }
    }

    @Test(
        "a verification shows its progress, its result in words, and stays in the log", arguments: TestDatabase.engines)
    func verification(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            _ = try await world.api.world.register("meter-1")
            try await world.api.world.audit.settle()
            let begun = try await world.post("/t/acme/audit/verification", as: "admin")
            #expect(begun.headers[.location] == "/t/acme/audit/verification")
            let waiting = try await world.get("/t/acme/audit/verification", as: "admin").text
            #expect(waiting.contains("Under way") && !waiting.contains("Verify now"))
            let verifier = world.verifier
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await verifier.run() }
                while verifier.state(of: world.api.world.acme).isUnderway {
                    try await Task.sleep(for: .milliseconds(5))
                }
                group.cancelAll()
            }
            let result = try await world.get("/t/acme/audit/verification", as: "admin").text
            for part in ["Intact", "as recorded", "Head hash", "Signed checkpoints", "Ada admin", "Verify again"] {
                #expect(result.contains(part), "\(part)")
            }
            let told = try await world.get("/t/acme/audit?type=audit.verified", as: "admin").text
            #expect(told.contains("audit.verified"))
        }
    }
}
