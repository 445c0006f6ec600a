import Base
import HTTPTypes
import Operations
import Testing

@testable import Console

/// Tasks as people order them and look for them.
@Suite("The console's orders")
struct ConsoleOrderTests {
    private static let path = "/t/acme/tasks/new"

    /// Sends an order as its two steps do: the answer to the second.
    private static func order(
        _ world: ConsoleFixture, _ type: String, _ fields: [(String, String)]
    ) async throws -> (first: String, second: ConsoleFixture.Reply) {
        let form = [("type", type), ("filter", "name = meter-*"), ("title", "Ours")]
        let first = try await world.post(path, form, as: "admin")
        #expect(first.status == 200, "\(first.text)")
        let seen = try #require(first.text.firstMatch(of: /name="seen" value="([^"]+)"/)).output.1
        return (
            first.text,
            try await world.post(
                path, form + [("seen", String(seen).replacing("&amp;", with: "&"))] + fields, as: "admin")
        )
    }

    @Test("what a task brings is typed with the last step; a secret stands in no page")
    func inputs() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for name in ["meter-1", "meter-2", "press"] { _ = try await world.api.world.register(name) }
            for (type, field, wrong, words, right) in [
                ("changeSecret", "secret", [("user", "root")], "Type the new secret.", [("secret", " t0p-secret")]),
                (
                    "sendSMS", "to", [("to", "me"), ("text", "hello")], "a number such as",
                    [("to", "+4930123456"), ("text", "hello")]
                ),
                (
                    "configureCommunication", "input", [("input", "[]")], "a JSON object",
                    [("input", #"{"apn": "m2m-s3cret"}"#)]
                ),
                ("custom", "input", [("input", "{")], "a JSON object", [("input", #"{"valve": "open"}"#)]),
                ("reboot", "type", [], "", []),
            ] as [(String, String, [(String, String)], String, [(String, String)])] {
                if !wrong.isEmpty {
                    let (first, second) = try await Self.order(world, type, wrong)
                    #expect(first.contains(#"name="\#(field)""#), "\(type) asks for it")
                    #expect(second.status == 422 && second.text.contains(words), "\(type): \(second.text)")
                    #expect(second.text.contains(#"name="\#(field)""#), "\(type) asks for it again")
                }
                let (_, done) = try await Self.order(world, type, right)
                #expect(done.status == 303, "\(type): \(done.text)")
            }
            // A refusal behind the form, such as a text that is too long, does not bring the secret back.
            let (_, again) = try await Self.order(
                world, "changeSecret", [("secret", "t0p-secret"), ("user", String(repeating: "x", count: 70_000))])
            #expect(again.status >= 400 && !again.text.contains("t0p-secret"))
            let list = try await world.get("/t/acme/tasks", as: "admin")
            let addresses = list.text.matches(of: /href="(\/t\/acme\/tasks\/[0-9a-f-]{20,})"/).map {
                String($0.output.1)
            }
            #expect(addresses.count == 5)
            for address in addresses {
                let page = try await world.get(address, as: "admin").text
                #expect(!page.contains("t0p-secret") && !page.contains("s3cret"))
            }
        }
    }

    @Test("a device's task is found among an operation's by a part of its name", arguments: TestDatabase.engines)
    func find(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for name in ["meter-1", "meter-12", "METER-2"] { _ = try await world.api.world.register(name) }
            let done = try await Self.order(world, "reboot", []).second
            let address = String((done.headers[.location] ?? "").split(separator: "?")[0])
            for (find, names) in [
                ("", ["meter-1", "meter-12"]), ("1", ["meter-1", "meter-12"]), ("R-12", ["meter-12"]), ("x", []),
                ("%C3%A4", []),
                // What no text can be looks for nothing.
                ("%00", ["meter-1", "meter-12"]),
            ] {
                let page = try await world.get("\(address)?find=\(find)", as: "admin")
                #expect(page.status == 200)
                let found = page.text.matches(of: /aria-label="Task of ([^"]+)"/).map { String($0.output.1) }
                #expect(found.sorted() == names, "\(find)")
                let file = try await world.get("\(address)/tasks.csv?find=\(find)", as: "admin")
                #expect(file.text.split(whereSeparator: \.isNewline).count == names.count + 1)
            }
        }
    }
}
