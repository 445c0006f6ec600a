import Access
import Base
import Crypto
import Fleet
import Foundation
import Operations
import Testing

@testable import Southbound

/// The answers to update clients, byte for byte: fields, their order, no spaces, and the fields of the heads. Zephyr's
/// parser and those of small devices have seen nothing else, so that a change of these bytes is one to think about.
@Suite("What update clients get, byte for byte")
struct SouthboundDDIGoldenTests {
    private static let content = "the image of a small device"

    /// An answer with all of its head but the date, which no two have in common.
    private struct Golden: Equatable {
        var head: [String]
        var body: String
    }

    /// The next answer on a connection.
    private static func golden(_ client: SouthboundClient) async throws -> Golden {
        func end(_ text: String) -> (head: String, body: String)? {
            guard let end = text.range(of: "\r\n\r\n") else { return nil }
            return (String(text[..<end.lowerBound]), String(text[end.upperBound...]))
        }
        func length(_ head: String) -> Int {
            let field = head.components(separatedBy: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            return field.flatMap { Int($0.dropFirst("Content-Length: ".count)) } ?? 0
        }
        let isWhole = try await client.wait { text in end(text).map { $0.body.utf8.count >= length($0.head) } ?? false }
        #expect(isWhole)
        let text = String(decoding: client.takeBytes(), as: UTF8.self)
        let (head, body) = try #require(end(text))
        let lines = head.components(separatedBy: "\r\n")
        #expect(lines.count { $0.hasPrefix("Date: ") && $0.hasSuffix(" GMT") } == 1, "\(head)")
        return Golden(head: lines.filter { !$0.hasPrefix("Date: ") }, body: body)
    }

    private static func json(_ body: String, _ more: [String] = []) -> Golden {
        Golden(
            head: ["HTTP/1.1 200 OK", "Content-Length: \(body.utf8.count)", "Content-Type: application/json"] + more,
            body: body)
    }

    /// A done, which brings nothing.
    private static let taken = Golden(head: ["HTTP/1.1 200 OK", "Content-Length: 0"], body: "")

    /// The field `ETag` of an answer, whose value is good until the server starts again.
    private static func tag(_ answer: Golden) throws -> String {
        let field = try #require(answer.head.first { $0.hasPrefix("ETag: \"") && $0.hasSuffix("\"") })
        #expect(field.utf8.count > "ETag: \"\"".utf8.count)
        return field
    }

    private static func links(_ base: String, _ number: Int64, _ file: String) -> String {
        let link = "https://localhost\(base)/softwaremodules/\(number)/artifacts/\(file)"
        return
            #"{"download":{"href":"\#(link)"},"download-http":{"href":"\#(link)"},"md5sum":{"href":"\#(link).MD5SUM"},"md5sum-http":{"href":"\#(link).MD5SUM"}}"#
    }

    /// What a deployment of the one file looks like.
    private static func deployment(_ base: String, _ number: Int64, _ file: String) -> String {
        let bytes = Data(content.utf8)
        let (md5, sha1) = (Insecure.MD5.hash(data: bytes).hex, Insecure.SHA1.hash(data: bytes).hex)
        let artifact =
            #"{"_links":\#(links(base, number, file)),"filename":"\#(file)","hashes":{"md5":"\#(md5)","sha1":"\#(sha1)","sha256":"\#(SHA256.hash(data: bytes).hex)"},"size":\#(bytes.count)}"#
        return
            #"{"deployment":{"chunks":[{"artifacts":[\#(artifact)],"name":"system","part":"bApp","version":"2.0"}],"download":"forced","update":"forced"},"id":"\#(number)"}"#
    }

    private static func poll(_ links: [(String, String)], sleep: String) -> String {
        let polling = #""config":{"polling":{"sleep":"\#(sleep)"}}"#
        guard !links.isEmpty else { return "{\(polling)}" }
        let members = links.map { #""\#($0)":{"href":"https://localhost\#($1)"}"# }.joined(separator: ",")
        return #"{"_links":{\#(members)},\#(polling)}"#
    }

    /// The pause that a poll tells, in the form that every client reads.
    private static func sleep(_ answer: Golden) throws -> String {
        let text = try #require(
            try JSONValue(parsing: Array(answer.body.utf8))["config"]?["polling"]?["sleep"]?.string)
        #expect(text.utf8.count == 8 && text.split(separator: ":").map(\.count) == [2, 2, 2])
        return text
    }

    /// Zephyr's client verifies the server by one CA and has no certificate of its own, only a token. It never says that
    /// it proceeds: it downloads, restarts, and asks for the same deployment before it says that this succeeded.
    @Test("Zephyr's client, by a token, over a restart", arguments: TestDatabase.engines)
    func zephyr(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let (acme, admin) = (fixture.acme, SouthboundFixture.admin)
            let model = try await fixture.fleet.createModel(
                try #require(Name("small")), ModelDocument(allowsAccessToken: true), in: acme, by: admin)
            let name = "frdm-k64f-0011"
            let device = try await fixture.register(name) { $0.model = model.name.text }
            let token = try await fixture.fleet.createAccessToken(name, in: acme, by: admin).text
            let base = "/acme/controller/v1/\(name)"
            func connect() async throws -> SouthboundClient {
                try await SouthboundClient.connect(port: fixture.device, .init(protocols: []))
            }
            var client = try await connect()
            func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> Golden {
                let head = "Host: localhost\r\nAuthorization: TargetToken \(token)\r\n"
                let fields = body.map {
                    "Content-Type: application/json;charset=UTF-8\r\nContent-Length: \($0.utf8.count)\r\n"
                }
                client.send("\(method) \(path) HTTP/1.1\r\n\(head)\(fields ?? "")\r\n\(body ?? "")")
                return try await Self.golden(client)
            }

            var answer = try await ask("GET", base)
            var sleep = try Self.sleep(answer)
            #expect(answer == Self.json(Self.poll([("configData", base + "/configData")], sleep: sleep)))
            answer = try await ask(
                "PUT", base + "/configData",
                #"{"mode":"merge","data":{"VIN":"0011","hwRevision":"3"},"id":"","time":"","status":{"execution":"closed","result":{"finished":"success"}}}"#
            )
            #expect(answer == Self.taken)
            answer = try await ask("GET", base)
            sleep = try Self.sleep(answer)
            #expect(answer == Self.json(Self.poll([], sleep: sleep)))

            let release = try await fixture.release([("zephyr.signed.bin", Self.content)])
            _ = try await fixture.operations.order(
                OperationOrder(.install, .devices([.init(name)]), release: release.id), in: acme, by: admin)
            try await fixture.eventually("the task waits") {
                fixture.operations.board.next(for: device.device.id) != nil
            }
            let number = try #require(fixture.operations.board.next(for: device.device.id)?.number)
            let deploymentBase = "\(base)/deploymentBase/\(number)?c=\(number)"
            let image = "\(base)/softwaremodules/\(number)/artifacts/zephyr.signed.bin"
            for _ in 0..<2 {
                answer = try await ask("GET", base)
                sleep = try Self.sleep(answer)
                #expect(answer == Self.json(Self.poll([("deploymentBase", deploymentBase)], sleep: sleep)))
                answer = try await ask("GET", deploymentBase)
                let tag = try Self.tag(answer)
                #expect(answer == Self.json(Self.deployment(base, number, "zephyr.signed.bin"), [tag]))
                #expect(try await ask("GET", image).body == Self.content)
                // It starts anew, on another connection.
                await client.close()
                client = try await connect()
            }
            answer = try await ask(
                "POST", "\(base)/deploymentBase/\(number)/feedback",
                #"{"id":"\#(number)","status":{"execution":"closed","result":{"finished":"success"}}}"#)
            #expect(answer == Self.taken)
            let task = try await fixture.operations.tasks(.device(name), limit: 1, in: acme, by: admin).items[0].task
            #expect(task.state == .succeeded)
            answer = try await ask("GET", base)
            sleep = try Self.sleep(answer)
            #expect(
                answer
                    == Self.json(
                        Self.poll(
                            [
                                ("configData", base + "/configData"),
                                ("installedBase", "\(base)/installedBase/\(number)"),
                            ],
                            sleep: sleep)))
            await client.close()
        }
    }

    /// RAUC's updater goes on with a download where it stopped, and asks for nothing when it has all of it.
    @Test(
        "RAUC's updater goes on with a download, ends what is cancelled, and says what failed",
        arguments: TestDatabase.engines)
    func rauc(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture, "plc-1")
            try await device.introduce()
            let (client, base) = (device.client, device.base)
            let agent = "Host: localhost\r\nUser-Agent: rauc-hawkbit-updater/1.4\r\n"
            func get(_ path: String, _ more: String = "") async throws -> Golden {
                client.send("GET \(path) HTTP/1.1\r\n\(agent)\(more)\r\n")
                return try await Self.golden(client)
            }
            func post(_ path: String, _ body: String) async throws -> Golden {
                client.send(
                    "POST \(path) HTTP/1.1\r\n\(agent)Content-Type: application/json;charset=UTF-8\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                return try await Self.golden(client)
            }
            func feedback(_ finished: String, _ execution: String, _ detail: String, _ number: Int64) -> String {
                #"{"id":"\#(number)","time":"20260101T000000","status":{"result":{"finished":"\#(finished)"},"execution":"\#(execution)","details":["\#(detail)"]}}"#
            }
            let release = try await fixture.release([("bundle.raucb", Self.content)])
            let operation = try await fixture.install(release, on: device)
            let number = try await device.number()
            let deployment = try await get("\(base)/deploymentBase/\(number)?c=\(number)")
            let tag = try Self.tag(deployment)
            #expect(deployment == Self.json(Self.deployment(base, number, "bundle.raucb"), [tag]))

            let path = "\(base)/softwaremodules/\(number)/artifacts/bundle.raucb"
            let size = Self.content.utf8.count
            let sha1 = Insecure.SHA1.hash(data: Data(Self.content.utf8)).hex
            let rest = try await get(path, "Range: bytes=10-\r\n")
            let modified = try #require(rest.head.first { $0.hasPrefix("Last-Modified: ") && $0.hasSuffix(" GMT") })
            #expect(
                rest
                    == Golden(
                        head: [
                            "HTTP/1.1 206 Partial Content", "Content-Length: \(size - 10)",
                            "Content-Type: application/octet-stream", "ETag: \"\(sha1)\"", modified,
                            "Accept-Ranges: bytes", "Content-Disposition: attachment; filename=\"bundle.raucb\"",
                            "X-Content-Type-Options: nosniff", "Content-Range: bytes 10-\(size - 1)/\(size)",
                        ], body: String(Self.content.dropFirst(10))))
            let none = try await get(path, "Range: bytes=\(size)-\r\n")
            #expect(
                none.head == [
                    "HTTP/1.1 416 Range Not Satisfiable", "Content-Length: \(none.body.utf8.count)",
                    "Content-Type: application/problem+json", "Content-Range: bytes */\(size)",
                ])

            _ = try await fixture.operations.cancel(
                operation, force: false, in: fixture.acme, by: SouthboundFixture.admin)
            let poll = try await get(base)
            let sleep = try Self.sleep(poll)
            #expect(
                poll == Self.json(Self.poll([("cancelAction", "\(base)/cancelAction/\(number)")], sleep: sleep)))
            let cancel = try await get("\(base)/cancelAction/\(number)")
            let cancelTag = try Self.tag(cancel)
            #expect(
                cancel == Self.json(#"{"cancelAction":{"stopId":"\#(number)"},"id":"\#(number)"}"#, [cancelTag]))
            let cancelled = feedback("success", "closed", "Action canceled.", number)
            #expect(try await post("\(base)/cancelAction/\(number)/feedback", cancelled) == Self.taken)
            #expect(try await device.states() == [.cancelled])

            try await fixture.install(release, on: device)
            let next = try await device.number()
            _ = try await get("\(base)/deploymentBase/\(next)")
            let failed = feedback("failure", "closed", "Failed to install software bundle.", next)
            for _ in 0..<2 {
                #expect(try await post("\(base)/deploymentBase/\(next)/feedback", failed) == Self.taken)
            }
            #expect(try await device.states() == [.failed, .cancelled])
        }
    }
}
