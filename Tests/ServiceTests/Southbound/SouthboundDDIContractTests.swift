import Base
import Foundation
import Operations
import Testing

@testable import Southbound

/// What Zephyr's and RAUC's clients send, byte for byte, and what they demand of the answers: their sources say so
/// (Zephyr `subsys/mgmt/hawkbit`, rauc-hawkbit-updater `src/hawkbit-client.c`).
@Suite("What the update clients in use send and demand")
struct SouthboundDDIContractTests {
    /// The answer to these bytes, checked for what every client demands: 200, a length, no chunks, a kept connection.
    private static func answer(
        _ client: SouthboundClient, _ request: String
    ) async throws -> SouthboundClient.Response {
        client.send(request)
        let response = try #require(try await client.response())
        #expect(response.status == 200, "\(request) \(response.body)")
        #expect(response.headers["content-length"] == "\(response.body.utf8.count)")
        #expect(response.headers["transfer-encoding"] == nil && response.headers["connection"] == nil)
        return response
    }

    @Test("Zephyr's client finds what it looks for, on one connection", arguments: TestDatabase.engines)
    func zephyr(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture, "frdm_k64f-0011223344556677")
            let client = device.client
            let head = "Host: localhost\r\n"
            let type = "Content-Type: application/json;charset=UTF-8\r\n"
            func get(_ path: String) async throws -> SouthboundClient.Response {
                try await Self.answer(client, "GET \(path) HTTP/1.1\r\n\(head)\r\n")
            }
            func send(_ method: String, _ path: String, _ body: String) async throws {
                let length = "Content-Length: \(body.utf8.count)\r\n"
                _ = try await Self.answer(
                    client, "\(method) \(path) HTTP/1.1\r\n\(head)\(type)\(length)\r\n\(body)")
            }
            let base = "/ACME/controller/v1/frdm_k64f-0011223344556677"
            let release = try await fixture.release([("zephyr.signed.bin", "image")])
            let operation = try await fixture.install(release, on: device)

            let poll = try JSONValue(parsing: Array(try await get(base).body.utf8))
            #expect(poll["config"]?["polling"]?["sleep"]?.string?.utf8.count == 8)
            #expect(poll["_links"]?["configData"]?["href"]?.string != nil)
            try await send(
                "PUT", base + "/configData",
                #"{"mode":"merge","data":{"VIN":"0011223344556677","hwRevision":"3"},"id":"","time":"","status":{"execution":"closed","result":{"finished":"success"}}}"#
            )
            let href = try #require(poll["_links"]?["deploymentBase"]?["href"]?.string)
            let found = try #require(href.range(of: "deploymentBase/"))
            let deploymentBase = String(href[found.lowerBound...])
            #expect(deploymentBase.utf8.count <= 49)

            let deployment = try JSONValue(parsing: Array(try await get("\(base)/\(deploymentBase)").body.utf8))
            let number = try #require(deployment["id"]?.string.flatMap { Int32($0) })
            #expect(number > 10 && deployment["deployment"]?["update"]?.string == "forced")
            guard case .array(let chunks)? = deployment["deployment"]?["chunks"], chunks.count == 1,
                case .array(let files)? = chunks[0]["artifacts"], files.count == 1
            else { return #expect(Bool(false), "one chunk with one artifact") }
            #expect(chunks[0]["part"]?.string == "bApp")
            #expect(files[0]["hashes"]?["sha256"]?.string?.utf8.count == 64)
            #expect(files[0]["size"]?.integer == 5)
            let link = try #require(files[0]["_links"]?["download-http"]?["href"]?.string)
            // It looks for the path behind the tenant as it writes it, and keeps 199 bytes of it.
            let path = try #require(link.range(of: "/ACME/controller/v1"))
            #expect(link[path.lowerBound...].utf8.count <= 199)
            #expect(try await get(String(link[path.lowerBound...])).body == "image")

            try await send(
                "POST", "\(base)/deploymentBase/\(number)/feedback",
                #"{"id":"\#(number)","status":{"execution":"proceeding","result":{"finished":"none"}}}"#)
            _ = try await fixture.operations.cancel(
                operation, force: false, in: fixture.acme, by: SouthboundFixture.admin)
            let cancelling = try JSONValue(parsing: Array(try await get(base).body.utf8))
            let cancel = try #require(cancelling["_links"]?["cancelAction"]?["href"]?.string)
            #expect(cancel.hasSuffix("cancelAction/\(number)"))
            // It does not look at the action first.
            try await send(
                "POST", "\(base)/cancelAction/\(number)/feedback",
                #"{"id":"\#(number)","time":"","status":{"execution":"closed","result":{"finished":"success"}}}"#)
            #expect(try await device.states() == [.cancelled])
        }
    }

    @Test("RAUC's updater finds what it looks for", arguments: TestDatabase.engines)
    func rauc(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture, "plc-1")
            let agent = "User-Agent: rauc-hawkbit-updater/1.4\r\n"
            let accept = "Accept: application/json;charset=UTF-8\r\n"
            func get(_ url: String, _ more: String = accept) async throws -> SouthboundClient.Response {
                let path = url.replacing("https://localhost", with: "")
                return try await Self.answer(
                    device.client, "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(agent)\(more)\r\n")
            }
            func send(_ method: String, _ path: String, _ body: String) async throws {
                _ = try await Self.answer(
                    device.client,
                    "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(agent)\(accept)"
                        + "Content-Type: application/json;charset=UTF-8\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
            }
            let base = "/acme/controller/v1/plc-1"
            try await fixture.install(try await fixture.release([("bundle.raucb", "bundle")]), on: device)
            let poll = try JSONValue(parsing: Array(try await get(base).body.utf8))
            #expect(poll["config"]?["polling"]?["sleep"]?.string?.split(separator: ":").count == 3)
            try await send(
                "PUT", base + "/configData",
                #"{"time":"20260101T000000","status":{"result":{"finished":"success"},"execution":"closed"},"data":{"product":"Terminator","serialnumber":"CSM101"}}"#
            )
            let href = try #require(poll["_links"]?["deploymentBase"]?["href"]?.string)
            let deployment = try JSONValue(parsing: Array(try await get(href).body.utf8))
            let number = try #require(deployment["id"]?.string)
            guard case .array(let chunks)? = deployment["deployment"]?["chunks"], chunks.count == 1,
                case .array(let files)? = chunks[0]["artifacts"], files.count == 1
            else { return #expect(Bool(false), "one chunk with one artifact") }
            #expect(chunks[0]["version"]?.string == "2.0" && chunks[0]["name"]?.string == "system")
            #expect(files[0]["hashes"]?["sha1"]?.string?.utf8.count == 40 && files[0]["size"]?.integer == 6)
            let link = try #require(files[0]["_links"]?["download"]?["href"]?.string)
            #expect(try await get(link, "Accept: application/octet-stream\r\n").body == "bundle")
            func feedback(_ finished: String, _ execution: String, _ detail: String) async throws {
                try await send(
                    "POST", "\(base)/deploymentBase/\(number)/feedback",
                    #"{"id":"\#(number)","time":"20260101T000000","status":{"result":{"finished":"\#(finished)"},"execution":"\#(execution)","details":["\#(detail)"]}}"#
                )
            }
            try await feedback("none", "proceeding", "Download complete. 1.00 MB/s")
            try await feedback("none", "proceeding", "File checksum OK.")
            try await feedback("success", "closed", "Software bundle installed successful.")
            // It asks on, and says it again when the first answer was lost.
            try await feedback("success", "closed", "Software bundle installed successful.")
            #expect(try await device.states() == [.succeeded])
        }
    }
}
