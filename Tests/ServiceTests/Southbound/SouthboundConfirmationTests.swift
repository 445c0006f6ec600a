import Base
import Bus
import Testing

@testable import Fleet
@testable import Operations
@testable import Southbound

@Suite("Installs that need the device's word, and what it has installed")
struct SouthboundConfirmationTests {
    private static var terms: OperationTerms {
        var terms = OperationTerms(retries: [.refused: 1], pause: 0)
        terms.confirm = true
        return terms
    }

    /// The number of the action that the device is asked about.
    private static func asked(_ device: DDIDevice) async throws -> Int64 {
        let link = try #require(try await device.json("")["_links"]?["confirmationBase"]?["href"]?.string)
        let last = try #require(link.split(separator: "/").last)
        return try #require(Int64(last.split(separator: "?")[0]))
    }

    private static func with(
        _ engine: TestDatabase.Engine, _ body: (SouthboundFixture, DDIDevice, Release) async throws -> Void
    ) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            try await device.introduce()
            try await body(fixture, device, try await fixture.release([("app.swu", "hello")]))
        }
    }

    @Test("a device is asked, and has the install once it agrees", arguments: TestDatabase.engines)
    func confirmed(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, device, release in
            try await fixture.install(release, on: device, terms: Self.terms)
            #expect(try await device.links() == ["confirmationBase"])
            let number = try await Self.asked(device)
            // Before it agrees there is nothing to install, and nothing to say of it.
            #expect(try await device.get("/deploymentBase/\(number)").status == 404)
            #expect(try await device.say("closed", "success", of: number) == 404)
            let question = try await device.json("/confirmationBase/\(number)?c=\(number)")
            #expect(question["id"]?.string == "\(number)" && question["deployment"] == nil)
            guard case .array(let chunks)? = question["confirmation"]?["chunks"] else {
                throw Refusal(.invalid, "test", "no chunks")
            }
            #expect(chunks.count == 1 && chunks[0]["version"] == "2.0")
            #expect(
                try await device.get("/confirmationBase").body
                    == #"{"_links":{"activateAutoConfirm":{"href":"https://localhost\#(device.base)/confirmationBase/activateAutoConfirm"},"confirmationBase":{"href":"https://localhost\#(device.base)/confirmationBase/\#(number)?c=\#(number)"}},"autoConfirm":{"active":false}}"#
            )
            #expect(try await device.states() == [.queued])
            for body in ["", "{}", #"{"confirmation":"yes"}"#, #"{"confirmation":1}"#] {
                #expect(try await device.send("POST", "/confirmationBase/\(number)/feedback", body).status == 400)
            }
            let agreed = #"{"confirmation":"confirmed","code":20,"details":["The line stands still."]}"#
            #expect(try await device.send("POST", "/confirmationBase/\(number)/feedback", agreed).status == 200)
            #expect(try await device.send("POST", "/confirmationBase/\(number)/feedback", agreed).status == 200)
            #expect(try await device.links() == ["deploymentBase"])
            #expect(try await device.states() == [.offered])
            #expect(try await device.get("/confirmationBase/\(number)").status == 404)
            #expect(try await device.json("/deploymentBase/\(number)")["id"]?.string == "\(number)")
            #expect(try await device.say("closed", "success", of: number) == 200)
            #expect(try await device.send("POST", "/confirmationBase/\(number)/feedback", agreed).status == 410)
            #expect(try await device.links() == ["configData", "installedBase"])
        }
    }

    @Test("a device that does not agree is asked again when the operation says so", arguments: TestDatabase.engines)
    func denied(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, device, release in
            try await fixture.install(release, on: device, terms: Self.terms)
            let first = try await Self.asked(device)
            let denied = #"{"confirmation":"denied","details":["Not now."]}"#
            #expect(try await device.send("POST", "/confirmationBase/\(first)/feedback", denied).status == 200)
            try await fixture.eventually("it is asked again") {
                fixture.operations.board.next(for: device.device.device.id) != nil
            }
            let second = try await Self.asked(device)
            #expect(second != first)
            #expect(try await device.send("POST", "/confirmationBase/\(second)/feedback", denied).status == 200)
            #expect(try await device.send("POST", "/confirmationBase/\(second)/feedback", denied).status == 200)
            #expect(try await device.states() == [.refused])
            #expect(try await device.links().isEmpty)
            let other = try await DDIDevice(fixture, "meter-2")
            for number in [first, second, 999_999] {
                #expect(try await other.get("/confirmationBase/\(number)").status == 404)
                #expect(try await other.send("POST", "/confirmationBase/\(number)/feedback", denied).status == 404)
            }
            #expect(fixture.record.refused.elements.count { $0 == "task.foreign" } == 6)
        }
    }

    @Test("a device can agree to every install, which is noted, and take that back", arguments: TestDatabase.engines)
    func auto(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, device, release in
            try await fixture.install(release, on: device, terms: Self.terms)
            let (on, off) = ("/confirmationBase/activateAutoConfirm", "/confirmationBase/deactivateAutoConfirm")
            for body in ["x", #"{"initiator":1}"#, "{\"remark\":\"\(String(repeating: "x", count: 600))\"}"] {
                #expect(try await device.send("POST", on, body).status == 400)
            }
            #expect(try await device.send("POST", on, #"{"initiator":"ada","remark":"test bench"}"#).status == 200)
            #expect(try await device.send("POST", on, "").status == 409)
            #expect(try await device.links() == ["deploymentBase"], "what waited is confirmed along with it")
            let told = try await device.json("/confirmationBase")
            #expect(told["autoConfirm"]?["initiator"] == "ada" && told["autoConfirm"]?["active"] == true)
            #expect(
                told["autoConfirm"]?["remark"] == "test bench" && told["autoConfirm"]?["activatedAt"]?.integer != nil)
            #expect(told["_links"]?["deactivateAutoConfirm"] != nil)
            #expect(try await device.send("POST", off, "").status == 200)
            #expect(try await device.send("POST", off, "").status == 200)
            #expect(try await device.links() == ["confirmationBase"])
            #expect(try await device.send("POST", on, "").status == 200)
            // Another server over the same database knows it.
            let again = Operations(
                database: fixture.database, access: fixture.access, audit: fixture.operations.audit,
                keyRing: fixture.operations.keyRing, fleet: fixture.fleet, bus: Bus(), blobs: fixture.operations.blobs)
            try await again.start()
            #expect(again.autoConfirm(of: device.device.device.id)?.initiator.isEmpty == true)
        }
    }

    @Test("what a device installed last is linked, and read again by its tag", arguments: TestDatabase.engines)
    func installed(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, device, release in
            try await fixture.install(release, on: device)
            let number = try await device.number()
            let first = try await device.get("/deploymentBase/\(number)")
            let tag = try #require(first.headers["etag"])
            let known = try await device.get("/deploymentBase/\(number)", ["If-None-Match: \(tag)"])
            #expect(known.status == 304 && known.body.isEmpty && known.headers["etag"] == tag)
            #expect(try await device.get("/deploymentBase/\(number)", ["If-None-Match: \"other\""]).status == 200)
            #expect(try await device.say("closed", "success", of: number) == 200)
            let poll = try await device.json("")
            let link = try #require(poll["_links"]?["installedBase"]?["href"]?.string)
            #expect(link == "https://localhost\(device.base)/installedBase/\(number)")
            #expect(try await device.json("/installedBase/\(number)")["deployment"]?["update"] == "forced")
            let next = try await fixture.release([("app.swu", "hello again")], version: "3.0")
            try await fixture.install(next, on: device)
            #expect(try await device.links() == ["configData", "deploymentBase", "installedBase"])
            let second = try await device.number()
            #expect(try await device.say("closed", "failure", of: second) == 200)
            #expect(try await device.json("")["_links"]?["installedBase"]?["href"]?.string == link)
        }
    }

    @Test(
        "JSON and CBOR are what there is: who wants something else, or sends it, is told so",
        arguments: TestDatabase.engines)
    func media(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, device, release in
            try await fixture.install(release, on: device)
            for accept in [
                "application/json", "application/json;charset=UTF-8", "application/hal+json", "*/*", "application/*",
                "text/html, application/json;q=0.5", "",
            ] {
                #expect(try await device.get("", ["Accept: \(accept)"]).status == 200, "\(accept)")
            }
            for accept in ["application/cbor;q=0", "text/html", "application/json;q=0", "image/*, text/*"] {
                let answer = try await device.get("/confirmationBase", ["Accept: \(accept)"])
                #expect(answer.status == 406 && answer.body.contains("ddi.notAcceptable"), "\(accept)")
            }
            let path = "/softwaremodules/\(try await device.number())/artifacts/app.swu"
            #expect(try await device.get(path, ["Accept: application/octet-stream"]).status == 200)
            func put(_ type: String) async throws -> Int? {
                try await device.client.ask(
                    "PUT", device.base + "/configData", headers: ["Content-Type: \(type)"],
                    body: #"{"data":{"a":"1"}}"#)?.status
            }
            #expect(try await put("application/json; charset=utf-8") == 200)
            #expect(try await put("application/hal+json") == 200)
            #expect(try await put("application/cbor") == 400, "it is none")
            #expect(fixture.counter(#"tidegate_ddi_refused_total{code="ddi.cbor"}"#) == 1)
            #expect(try await put("text/plain") == 415)
            #expect(fixture.counter(#"tidegate_ddi_refused_total{code="ddi.contentType"}"#) == 1)
        }
    }
}
