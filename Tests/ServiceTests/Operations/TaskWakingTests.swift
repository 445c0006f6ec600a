import Base
import Testing

@testable import Fleet
@testable import Operations

@Suite("Waking devices up")
struct TaskWakingTests {
    @Test(
        "a device without a connection is called by a text message, once, if it has a number",
        arguments: TestDatabase.engines)
    func texts(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let list = try world.world.list("name,msisdn\nd-0,+49 30 123456\nd-1,\nd-2,+4930765432\n")
            _ = try await world.world.fleet.registerMany(list, in: world.world.acme, by: OperationsFixture.admin)
            let held = try await world.world.fleet.show("d-2", in: world.world.acme, by: OperationsFixture.admin).device
            let session = world.world.fleet.presence.connected(try world.admitted(held), via: "mqtt", address: nil)
            let operation = try await world.order(.wake)
            #expect(world.texts.elements == ["+4930123456"], "one has no number, and one holds a connection")
            try await world.operations.turn()
            #expect(world.texts.elements.count == 1)
            #expect(
                try await Self.words(operation.id, world) == [
                    "d-0": ["queued", "texted"], "d-1": ["queued"], "d-2": ["queued"],
                ])
            _ = try await world.order(.reboot)
            #expect(world.texts.elements.count == 1, "only who is to wake up is called")
            world.world.fleet.presence.disconnected(session, reason: .closed)
            world.hasGateway.current = false
            let other = try await world.order(.wake, .devices([.init("d-2")]))
            #expect(world.texts.elements.count == 1)
            #expect(try await Self.words(other.id, world) == ["d-2": ["queued", "notTexted"]])
        }
    }

    private static func words(_ id: OperationID, _ world: OperationsFixture) async throws -> [String: [String]] {
        var words: [String: [String]] = [:]
        let (acme, admin) = (world.world.acme, OperationsFixture.admin)
        for task in try await world.operations.tasks(.of(id), limit: 10, in: acme, by: admin).items {
            let (_, history) = try await world.operations.task(task.task.id, in: acme, by: admin)
            words[task.device.text] = history.map(\.word)
        }
        return words
    }
}
