import Base
import Storage
import Testing

@testable import Fleet
@testable import Operations
@testable import Watch

/// What fails again after somebody had it tried again.
@Suite("Alerts of operations that are tried again") struct AlertRetryTests {
    private static let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]

    private static func fail(_ names: [String], _ world: WatchFixture) async throws {
        for name in names {
            let device = try await world.world.fleet.show(name, in: world.world.acme, by: WatchFixture.admin).device
            _ = try await world.work.say(.failed, of: try world.work.next(device), from: device)
        }
    }

    private static func retry(_ operation: OperationID, _ world: WatchFixture) async throws {
        _ = try await world.work.operations.retry(operation, in: world.world.acme, by: WatchFixture.admin)
        try await world.work.operations.turn()
    }

    @Test("what fails again before anybody looked is a new alert and a new message", arguments: TestDatabase.engines)
    func atOnce(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule { $0.tellsBack = false }
            let operation = try await world.work.order(.reboot, .domain("berlin"))
            try await Self.fail(["b-0", "b-1"], world)
            try await world.pass(5, calling: Self.all)
            try await Self.retry(operation.id, world)
            try await Self.fail(["b-0", "b-1"], world)
            try await world.pass(5, calling: Self.all)
            #expect(try await world.summaries() == ["reboot: 2 tasks failed"])
            #expect(try await world.alerts(open: false).map(\.end) == [.retried])
            #expect(try await world.messages().count == 2)
            // Nothing is told twice by a restart, or by what has nothing to do with it.
            let restarted = try await world.restarted()
            try await restarted.pass(10, calling: Self.all)
            #expect(try await restarted.messages().count == 2)
        }
    }

    @Test("what fails again after it was acknowledged is an alert, though it is less", arguments: TestDatabase.engines)
    func acknowledged(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            let operation = try await world.work.order(.reboot, .domain("berlin"))
            try await Self.fail(["b-0", "b-1", "b-2"], world)
            try await world.pass(5, calling: Self.all)
            let alert = try #require(try await world.alerts().first)
            _ = try await world.watch.acknowledge(alert.id, in: world.world.acme, by: WatchFixture.admin)
            try await world.pass(5, calling: Self.all)
            #expect(try await world.alerts(open: false).map(\.end) == [.acknowledged])
            try await Self.retry(operation.id, world)
            try await world.pass(5, calling: Self.all)
            #expect(try await world.summaries().isEmpty)
            try await Self.fail(["b-1"], world)
            try await world.pass(5, calling: Self.all)
            #expect(try await world.summaries() == ["reboot: 1 task failed"])
            #expect(try await world.messages().last == "ops@example.com [acme] reboot: 1 task failed")
        }
    }
}
