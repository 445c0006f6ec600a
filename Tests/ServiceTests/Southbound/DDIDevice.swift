import Base
import Foundation
import NIOCore
import Operations
import Testing

@testable import Fleet

/// An update client at a table: a device that asks what hawkBit's clients ask, on one connection.
struct DDIDevice: Sendable {
    let fixture: SouthboundFixture
    let device: RegisteredDevice
    let credential: SouthboundFixture.Credential
    let client: SouthboundClient
    let base: String

    /// An enrolled device with a connection.
    init(_ fixture: SouthboundFixture, _ name: String = "meter-1", in slug: String = "acme") async throws {
        self.fixture = fixture
        (device, credential) = try await fixture.enrolled(name, in: slug)
        client = try await SouthboundClient.connect(port: fixture.device, .init(credential: credential))
        base = "/\(slug)/controller/v1/\(name)"
    }

    func get(_ path: String, _ headers: [String] = []) async throws -> SouthboundClient.Response {
        try #require(try await client.ask("GET", base + path, headers: headers))
    }

    func json(_ path: String) async throws -> JSONValue {
        let response = try await get(path)
        #expect(response.status == 200, "\(path): \(response.body)")
        return try JSONValue(parsing: Array(response.body.utf8))
    }

    func send(_ method: String, _ path: String, _ body: String) async throws -> SouthboundClient.Response {
        try #require(try await client.ask(method, base + path, body: body))
    }

    /// Says how an action stands, as SWUpdate does; the answer's status.
    func say(
        _ execution: String, _ finished: String, of number: Int64, to resource: String = "deploymentBase",
        details: [String] = []
    ) async throws -> Int {
        let body: JSONValue = [
            "id": .integer(number), "time": "20260101T000000",
            "status": [
                "execution": .string(execution), "result": ["finished": .string(finished)],
                "details": .array(details.map { .string($0) }),
            ],
        ]
        return try await send("POST", "/\(resource)/\(number)/feedback", body.canonical).status
    }

    /// The names of the links in the answer to a poll.
    func links() async throws -> [String] {
        guard case .object(let links)? = try await json("")["_links"] else { return [] }
        return links.keys.sorted()
    }

    /// Answers the question for attributes that every device is asked once.
    func introduce() async throws {
        let told = try await send("PUT", "/configData", #"{"data":{"firmware":"1"}}"#)
        #expect(told.status == 200)
    }

    /// The number of the action that the poll names.
    func number() async throws -> Int64 {
        let poll = try await json("")
        let link = try #require(poll["_links"]?["deploymentBase"]?["href"]?.string)
        let last = try #require(link.split(separator: "/").last)
        return try #require(Int64(last.split(separator: "?")[0]))
    }

    /// How the device's tasks stand, the newest first.
    func states() async throws -> [TaskState] {
        try await fixture.operations.tasks(
            .device(device.device.name.text), limit: 10, in: device.tenant(fixture), by: SouthboundFixture.admin
        ).items.map(\.task.state)
    }
}

extension RegisteredDevice {
    /// The tenant that it lives in.
    fileprivate func tenant(_ fixture: SouthboundFixture) throws -> TenantID {
        try #require(fixture.fleet.directory.tenant(of: device.id))
    }
}

extension SouthboundFixture {
    /// A published release with these files.
    func release(_ files: [(name: String, content: String)], version: String = "2.0") async throws -> Release {
        var artifacts: [ArtifactID] = []
        for file in files {
            let draft = try ArtifactDraft(name: file.name, size: Int64(file.content.utf8.count))
            let upload = try await operations.begin(draft, in: acme, by: Self.admin)
            let bytes = AsyncThrowingStream<ByteBuffer, any Error> { stream in
                stream.yield(ByteBuffer(string: file.content))
                stream.finish()
            }
            _ = try await operations.append(bytes, to: upload, at: 0, in: acme, by: Self.admin)
            artifacts.append(upload.id)
        }
        let draft = try await operations.createRelease(
            ReleaseDraft(component: try #require(Name("system")), version: version, artifacts: artifacts), in: acme,
            by: Self.admin)
        return try await operations.publishRelease(draft.id, in: acme, by: Self.admin)
    }

    /// Orders an install for a device and waits until it can get it; answers the operation's identifier.
    @discardableResult
    func install(
        _ release: Release, on device: DDIDevice, terms: OperationTerms = OperationTerms()
    ) async throws -> OperationID {
        let operation = try await operations.order(
            OperationOrder(
                .install, .devices([.init(device.device.device.name.text)]), release: release.id, terms: terms),
            in: acme, by: Self.admin)
        let id = device.device.device.id
        try await eventually("the task waits for the device") { operations.board.next(for: id) != nil }
        return operation.id
    }
}
