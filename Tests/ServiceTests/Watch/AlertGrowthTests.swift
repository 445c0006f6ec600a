import Base
import Operations
import Storage
import Testing

@testable import Fleet
@testable import Watch

/// Alerts to which devices come after they were told or acknowledged.
@Suite("Alerts that grow") struct AlertGrowthTests {
    private static let paris = ["p-0", "p-1"]
    private static func berlin(_ range: Range<Int>) -> [String] { range.map { "b-\($0)" } }

    @Test(
        "who goes missing at a place that somebody takes care of is a new alert, which is told",
        arguments: TestDatabase.engines)
    func acknowledged(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine, berlin: 12) { world in
            try await world.rule()
            try await world.pass(80, calling: Self.berlin(1..<12) + Self.paris)
            let first = try #require(try await world.alerts().first)
            _ = try await world.watch.acknowledge(first.id, in: world.world.acme, by: WatchFixture.admin)
            try await world.pass(20, calling: Self.berlin(1..<12) + Self.paris)
            // A restart knows what was acknowledged.
            let restarted = try await world.restarted()
            try await restarted.pass(80, calling: Self.paris)
            #expect(
                try await restarted.summaries() == ["berlin: 1 device is silent", "berlin: 11 devices are silent"])
            #expect(
                try await restarted.messages() == [
                    "ops@example.com [acme] berlin: 1 device is silent",
                    "ops@example.com [acme] berlin: 11 devices are silent",
                ])
        }
    }

    @Test(
        "a device that comes and goes at a place that somebody takes care of makes no new alert, and counts once",
        arguments: TestDatabase.engines)
    func rejoins(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            try await world.pass(80, calling: ["b-2"] + Self.paris)
            let alert = try #require(try await world.alerts().first)
            _ = try await world.watch.acknowledge(alert.id, in: world.world.acme, by: WatchFixture.admin)
            for _ in 0..<3 {
                try await world.pass(10, calling: ["b-1", "b-2"] + Self.paris)
                #expect(try await world.summaries() == ["berlin: 1 device is silent"])
                try await world.pass(80, calling: ["b-2"] + Self.paris)
                #expect(try await world.summaries() == ["berlin: 2 devices are silent"])
            }
            #expect(try await world.alerts().map(\.devices) == [2])
            #expect(try await world.messages().count == 1)
        }
    }

    @Test(
        "an alert that is about ten times as many as were told is told again, also after a restart",
        arguments: TestDatabase.engines)
    func grown(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine, berlin: 1000) { world in
            let hook = try await world.application()
            try await world.rule(to: [.init(mail: "ops@example.com"), .init(webhook: hook)])
            try await world.pass(80, calling: Self.berlin(1..<1000) + Self.paris)
            try await world.pass(80, calling: Self.berlin(9..<1000) + Self.paris)
            let opened = ["ops@example.com [acme] berlin: 1 device is silent", "alert.opened "]
            #expect(try await world.messages().sorted() == opened.sorted())
            try await world.pass(80, calling: Self.berlin(12..<1000) + Self.paris)
            let grown = ["ops@example.com [acme] berlin: now 12 devices are silent", "alert.grown "]
            #expect(try await world.messages().sorted() == (opened + grown).sorted())
            let mail = try #require(try await world.contents().compactMap { $0["text"]?.string }.last)
            #expect(mail.contains("It has grown since you were told of it. 12 devices at berlin missed"))
            // Fewer than ten times as many, and a restart: nothing.
            let restarted = try await world.restarted()
            try await restarted.pass(80, calling: Self.berlin(119..<1000) + Self.paris)
            #expect(try await restarted.summaries() == ["berlin: 119 devices are silent"])
            #expect(try await restarted.messages().count == 4)
            try await restarted.pass(80, calling: Self.berlin(120..<1000) + Self.paris)
            #expect(try await restarted.messages().count == 6)
            try await restarted.pass(80, calling: Self.paris)
            #expect(try await restarted.summaries() == ["berlin: 1000 devices are silent"])
            #expect(try await restarted.messages().count == 6)
            // Each receiver counts once.
            #expect(try await restarted.alerts().map(\.told) == [2])
        }
    }

    @Test("a rule tells of one alert again twice at most, and of a paused campaign never")
    func atMostTwice() {
        let now = Timestamp(microseconds: 1_800_000_000_000_000)
        func alert(_ subject: AlertSubject) -> OpenAlert {
            OpenAlert(
                id: AlertID(now: now), subject: subject, domain: DomainID(now: now), title: "", opened: now,
                missing: 1000)
        }
        let operation = alert(.operation(OperationID(now: now)))
        for (again, isTold) in [(0, true), (1, true), (2, false)] {
            #expect(operation.hasOutgrown(AlertTelling(about: 100, again: again), [.taskFailed]) == isTold)
        }
        #expect(!operation.hasOutgrown(AlertTelling(about: 101), [.taskFailed]))
        // Told before that was noted.
        #expect(!operation.hasOutgrown(AlertTelling(), [.taskFailed]))
        #expect(!alert(.campaign(CampaignID(now: now))).hasOutgrown(AlertTelling(about: 1), [.campaignPaused]))
    }

    @Test(
        "a site that is lost is one alert where devices pause for more than an hour", arguments: TestDatabase.engines)
    func longPauses(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.world.fleet.setHeartbeat(.every(4800), in: world.world.acme, by: WatchFixture.admin)
            try await world.pass(5, calling: Self.berlin(0..<3) + Self.paris)
            // They called at different times before the site was lost.
            try await world.pass(4000, calling: ["b-1", "b-2"] + Self.paris)
            try await world.pass(6000, calling: Self.paris)
            #expect(try await world.summaries() == ["berlin: 1 device is late"])
            try await world.pass(4000, calling: Self.paris)
            #expect(try await world.summaries() == ["berlin: 3 devices are late"])
        }
    }

    @Test(
        "an alert whose devices are only late again is not one of silent devices", arguments: TestDatabase.engines)
    func lateAgain(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.pass(50, calling: ["b-1", "b-2"] + Self.paris)
            try await world.pass(25, calling: ["b-2"] + Self.paris)
            #expect(try await world.summaries() == ["berlin: 1 device is silent, 1 late"])
            try await world.pass(5, calling: ["b-0", "b-2"] + Self.paris)
            #expect(try await world.summaries() == ["berlin: 1 device is late"])
            #expect(try await world.alerts().map(\.silentSince) == [nil])
            // A rule of silent devices has nothing to tell.
            try await world.rule()
            try await world.pass(5, calling: ["b-0", "b-2"] + Self.paris)
            #expect(try await world.messages().isEmpty)
            try await world.pass(10, calling: Self.berlin(0..<3) + Self.paris)
            let closed = try #require(try await world.alerts(open: false).first)
            #expect((closed.condition, closed.summary) == (.silent, "berlin: 2 devices missed calls"))
        }
    }
}
