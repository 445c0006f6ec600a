import Base
import NIOCore
import Storage
import Testing

@testable import Blobs
@testable import Fleet
@testable import Operations

@Suite("Bounds of what is ordered, and uploads whose end failed")
struct OperationBoundTests {
    @Test("what a device alone is brought has the bound of what all are brought, and the fault names it")
    func ownInput() async throws {
        try await OperationsFixture.with(.sqlite) { world in
            _ = try await world.devices(2)
            let large: JSONValue = ["a": .string(String(repeating: "x", count: OperationLimits.inputBytes))]
            for (input, message) in [(large, "of d-1 has at most 65536 bytes"), ([1], "of d-1 must be an object")] {
                await #expect {
                    _ = try await world.order(
                        .custom, .devices([.init("d-0", input: ["a": 1]), .init("d-1", input: input)]))
                } throws: { error in
                    guard let refusal = error as? Refusal else { return false }
                    return refusal.code == "operation.invalid"
                        && refusal.faults.map(\.place) == ["/target/devices/1/input"]
                        && refusal.faults.map(\.message) == [message]
                }
            }
            await #expect {
                _ = try await world.order(.reboot, terms: Self.confirming)
            } throws: {
                ($0 as? Refusal)?.faults.map(\.place) == ["/terms/confirm"]
            }
        }
    }

    @Test("as many tasks are made as there are devices, from the first number on", arguments: TestDatabase.engines)
    func all(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            _ = try await world.devices(OperationLimits.tasksAtOnce)
            #expect(try await world.order().total == OperationLimits.tasksAtOnce)
        }
    }

    @Test("a list names a device once, by whichever of its names", arguments: TestDatabase.engines)
    func twice(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            for other in ["d-0", devices[0].id.text] {
                await #expect {
                    _ = try await world.order(.reboot, .devices([.init("d-0"), .init("d-1"), .init(other)]))
                } throws: { error in
                    guard let refusal = error as? Refusal else { return false }
                    return refusal.code == "operation.invalid"
                        && refusal.faults.map(\.place) == ["/target/devices/2"]
                }
            }
        }
    }

    @Test("a device has so many open tasks at most", arguments: TestDatabase.engines)
    func full(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            _ = try await world.devices(2)
            let one = OperationTarget.devices([.init("d-0")])
            for _ in 0..<OperationLimits.openTasks { _ = try await world.order(.reboot, one) }
            for target in [one, .filter("name = d-0")] {
                await #expect(throws: Refusal(.limited, "task.tooMany", "")) {
                    _ = try await world.order(.reboot, target)
                }
            }
            #expect(try await world.order().total == 1, "a filter leaves it out")
        }
    }

    private static var confirming: OperationTerms {
        var terms = OperationTerms()
        terms.confirm = true
        return terms
    }

    private static func upload(
        _ name: String, _ content: String, _ world: OperationsFixture
    ) async throws -> ArtifactUpload {
        try await world.operations.begin(
            ArtifactDraft(name: name, size: Int64(content.utf8.count)), in: world.world.acme,
            by: OperationsFixture.admin)
    }

    private static func send(
        _ content: String, _ upload: ArtifactUpload, at offset: Int64 = 0, _ world: OperationsFixture
    ) async throws -> StoredArtifact {
        let bytes = AsyncThrowingStream<ByteBuffer, any Error> { stream in
            if !content.isEmpty { stream.yield(ByteBuffer(string: content)) }
            stream.finish()
        }
        return try await world.operations.append(
            bytes, to: upload, at: offset, in: world.world.acme, by: OperationsFixture.admin)
    }

    @Test("two artifacts of one release have two names", arguments: TestDatabase.engines)
    func sameName(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            var artifacts: [ArtifactID] = []
            for content in ["one", "two"] {
                artifacts.append(
                    try await Self.send(content, try await Self.upload("app.bin", content, world), world).id)
            }
            let (acme, admin) = (world.world.acme, OperationsFixture.admin)
            for (both, code, place) in [
                (artifacts, "release.sameName", "/artifacts/1"),
                ([artifacts[0], artifacts[0]], "release.invalid", "/artifacts"),
            ] {
                await #expect {
                    _ = try await world.operations.createRelease(
                        ReleaseDraft(component: try #require(Name("system")), version: "1", artifacts: both), in: acme,
                        by: admin)
                } throws: { error in
                    guard let refusal = error as? Refusal else { return false }
                    return refusal.code == code && refusal.faults.map(\.place) == [place]
                }
            }
        }
    }

    @Test(
        "an upload is found again whose bytes got their name just before the server failed",
        arguments: TestDatabase.engines, [true, false])
    func found(engine: TestDatabase.Engine, byUpkeep: Bool) async throws {
        try await OperationsFixture.with(engine) { world in
            let (acme, admin) = (world.world.acme, OperationsFixture.admin)
            let upload = try await Self.upload("app.bin", "hello", world)
            guard case .whole(let artifact) = try await Self.send("hello", upload, world) else {
                throw Refusal(.invalid, "test", "it is not whole")
            }
            // As the failure leaves it: the bytes are a blob, and nobody wrote down that they are an artifact.
            _ = try await world.world.database.tenant(acme).write {
                try $0.execute("UPDATE artifact SET finished = NULL WHERE tenant = $1 AND id = $2", upload.id)
            }
            guard
                case .uploading(let rest, received: 5) = try await world.operations.artifact(
                    upload.id, in: acme, by: admin)
            else { throw Refusal(.invalid, "test", "it is not on its way") }
            if byUpkeep {
                world.world.time.advance(by: .seconds(3600))
                try await world.operations.tidyArtifacts(of: acme, age: .zero, grace: .zero)
            } else {
                await #expect(throws: Refusal.self) { _ = try await Self.send("x", rest, at: 2, world) }
                guard case .whole = try await Self.send("", rest, at: 5, world) else {
                    throw Refusal(.invalid, "test", "it is not whole")
                }
            }
            let (again, bytes) = try await world.operations.content(of: upload.id, in: acme, by: admin)
            #expect(again.sha256 == artifact.sha256 && bytes.size == 5)
        }
    }
}
