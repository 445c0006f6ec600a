import Base
import Storage
import Testing

@testable import Delivery
@testable import Fleet
@testable import Watch

/// Who was told, and who was not.
@Suite("Telling of alerts") struct AlertTellingTests {
    private static let paris = ["p-0", "p-1"]
    private static let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]

    /// Fills the queue of mails, or empties it.
    private static func fill(_ isFull: Bool, _ world: WatchFixture) {
        if isFull {
            world.delivery.depths.add(DeliveryLimits.queued, to: .mail(world.world.acme))
        } else {
            world.delivery.depths.replace([:])
        }
    }

    @Test(
        "whose message found the queue full is told when there is room, and counts as told only then",
        arguments: TestDatabase.engines)
    func full(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let hook = try await world.application()
            try await world.rule(to: [.init(mail: "ops@example.com"), .init(webhook: hook)])
            Self.fill(true, world)
            try await world.pass(80, calling: Self.paris)
            let opened = "alert.opened "
            #expect(try await world.messages() == [opened])
            #expect(try await world.alerts().map(\.told) == [1])
            try await world.pass(70, calling: Self.paris)
            #expect(try await world.messages() == [opened])
            // It is not forgotten by a restart.
            let restarted = try await world.restarted()
            try await restarted.pass(70, calling: Self.paris)
            let mail = "ops@example.com [acme] berlin: 3 devices are silent"
            #expect(try await restarted.messages() == [opened, mail])
            #expect(try await restarted.alerts().map(\.told) == [2])
            // The end, too.
            Self.fill(true, restarted)
            try await restarted.pass(10, calling: Self.all)
            let closed = "alert.closed "
            #expect(try await restarted.messages() == [opened, mail, closed])
            Self.fill(false, restarted)
            try await restarted.pass(70, calling: Self.all)
            let back = "ops@example.com [acme] berlin: back again, 3 devices"
            #expect(try await restarted.messages() == [opened, mail, closed, back])
            try await restarted.pass(130, calling: Self.all)
            #expect(try await restarted.messages().count == 4)
        }
    }

    @Test("who could not be told before an alert was over is told nothing of it", arguments: TestDatabase.engines)
    func over(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let hook = try await world.application()
            try await world.rule(to: [.init(mail: "ops@example.com"), .init(webhook: hook)])
            Self.fill(true, world)
            try await world.pass(80, calling: Self.paris)
            try await world.pass(10, calling: Self.all)
            Self.fill(false, world)
            try await world.pass(130, calling: Self.all)
            #expect(try await world.messages() == ["alert.opened ", "alert.closed "])
        }
    }

    @Test("the end of a silence reaches every alert of the place", arguments: TestDatabase.engines)
    func silences(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let (acme, admin) = (world.world.acme, WatchFixture.admin)
            try await world.pass(4000, calling: ["b-1", "b-2"] + Self.paris)
            try await world.pass(100, calling: Self.paris)
            let alerts = try await world.alerts()
            #expect(alerts.count == 2)
            let until = world.world.time.now + .seconds(86_400)
            for alert in alerts { _ = try await world.watch.silence(alert.id, until: until, in: acme, by: admin) }
            try await world.rule()
            try await world.pass(10, calling: Self.paris)
            #expect(try await world.messages().isEmpty)
            _ = try await world.watch.silence(alerts[0].id, until: nil, in: acme, by: admin)
            try await world.pass(5, calling: Self.paris)
            #expect(try await world.messages().count == 2)
        }
    }

    @Test("to acknowledge one alert does not end the silence of its place", arguments: TestDatabase.engines)
    func acknowledgeBesideSilence(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let (acme, admin) = (world.world.acme, WatchFixture.admin)
            try await world.rule { $0.tellsBack = false }
            try await world.pass(4000, calling: ["b-1", "b-2"] + Self.paris)
            let first = try #require(try await world.alerts().first)
            try await world.pass(100, calling: Self.paris)
            let second = try #require(try await world.alerts().first { $0.id != first.id })
            let told = try await world.messages().count
            let until = world.world.time.now + .seconds(86_400)
            _ = try await world.watch.silence(second.id, until: until, in: acme, by: admin)
            _ = try await world.watch.acknowledge(first.id, in: acme, by: admin)
            try await world.pass(20, calling: Self.all)
            #expect(try await world.summaries().isEmpty)
            try await world.pass(100, calling: Self.paris)
            #expect(try await world.summaries() == ["berlin: 3 devices are silent"])
            #expect(try await world.messages().count == told)
        }
    }
}
