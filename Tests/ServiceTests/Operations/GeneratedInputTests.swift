import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("What tasks bring, made for each device") struct GeneratedInputTests {
    private static func input(of device: Device, in world: OperationsFixture) async throws -> JSONValue {
        let posted = try #require(world.operations.board.next(for: device.id))
        return try await world.operations.input(of: posted, in: world.world.acme)
    }

    @Test("each device gets its own, over restarts and retries", arguments: TestDatabase.engines)
    func made(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(3)
            let recipe: JSONValue = [
                "user": "admin", "secret": ["$random": 24],
                "net": ["host": ["$generate": "gw-{number:3}-{name}"], "port": 22],
            ]
            let made = try await world.order(.changeSecret, input: recipe)
            #expect(made.total == 3)
            var (secrets, hosts): (Set<String>, Set<String>) = ([], [])
            for device in devices {
                let input = try await Self.input(of: device, in: world)
                #expect(input["user"] == "admin" && input["net"]?["port"] == 22)
                let host = try #require(input["net"]?["host"]?.string)
                #expect(host.hasSuffix("-\(device.name)"))
                hosts.insert(String(host.prefix(6)))
                let secret = try #require(input["secret"]?.string)
                #expect(secret.count == 24)
                secrets.insert(secret)
            }
            #expect(secrets.count == 3, "each has another one")
            #expect(hosts == ["gw-001", "gw-002", "gw-003"])
            // What was made stays, over a restart and a retry.
            let before = try await Self.input(of: devices[0], in: world)
            _ = try await world.say(.failed, of: try world.next(devices[0]), from: devices[0])
            let again = try await world.restarted()
            _ = try await again.operations.retry(made.id, in: again.world.acme, by: OperationsFixture.admin)
            try await again.operations.turn()
            #expect(try await Self.input(of: devices[0], in: again) == before)
        }
    }

    @Test("a list goes before a recipe, and numbers go by its order", arguments: TestDatabase.engines)
    func list(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let named = OperationTarget.devices([.init("d-1"), .init("d-0", input: ["a": "own"])])
            _ = try await world.order(
                .configureCommunication, named,
                input: ["a": ["$generate": "n{number}"], "b": ["$generate": "{number}"], "c": 1])
            #expect(try await Self.input(of: devices[1], in: world) == ["a": "n1", "b": "1", "c": 1])
            #expect(try await Self.input(of: devices[0], in: world) == ["a": "own", "b": "2", "c": 1])
        }
    }

    @Test("a recipe that is none, or has nothing to fill in, refuses the whole order", arguments: TestDatabase.engines)
    func refused(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            _ = try await world.world.fleet.update(
                "d-0", try DeviceChange(json: ["labels": ["site": "Berlin"]]), in: world.world.acme,
                by: OperationsFixture.admin)
            for (input, place): (JSONValue, String) in [
                (["a": ["$random": 4]], "/input/a"), (["a": ["b": ["$generate": "{"]]], "/input/a/b"),
                (["a": ["$generate": "{nothing}"]], "/input/a"), (["$random": 20], "/input"),
                (["a": ["$generate": "{label.site}"]], "d-1"),
            ] {
                let refusal = await #expect(throws: Refusal(.invalid, "operation.invalid", "")) {
                    try await world.order(.configure, input: input)
                }
                #expect(refusal?.faults.map(\.place) == [place])
            }
            #expect(world.busy(devices).isEmpty)
            let page = try await world.operations.operations(
                limit: 10, in: world.world.acme, by: OperationsFixture.admin)
            #expect(page.items.isEmpty, "nobody gets half of an order")
            // Within a list nothing is made, and who has something to fill in gets it.
            _ = try await world.order(
                .configure, .filter("label.site"), input: ["a": ["$generate": "{label.site}"], "b": [["$random": 9]]])
            #expect(
                try await Self.input(of: devices[0], in: world) == ["a": "Berlin", "b": [["$random": 9]]])
        }
    }
}
