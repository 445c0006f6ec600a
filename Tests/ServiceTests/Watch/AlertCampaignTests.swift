import Base
import Fleet
import Storage
import Testing

@testable import Operations
@testable import Watch

@Suite("Alerts of campaigns") struct AlertCampaignTests {
    private static let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]

    /// A campaign of which two installs fail, each followed by so many seconds; the second one pauses it.
    private static func failing(
        _ release: ReleaseID, in world: WatchFixture, apart seconds: Int64
    ) async throws -> Campaign {
        let made = try await world.work.campaign(
            release, target: .domain("berlin"), rules: CampaignRules(error: 50, sample: 2))
        for name in ["b-0", "b-1"] {
            let device = try await world.world.fleet.show(name, in: world.world.acme, by: WatchFixture.admin).device
            _ = try await world.work.say(.failed, of: try world.work.next(device), from: device)
            try await world.pass(seconds, calling: all)
            try await world.work.operations.turn()
        }
        return made
    }

    @Test("a campaign that pauses by itself is one alert until somebody decides", arguments: TestDatabase.engines)
    func paused(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            let all = Self.all
            let release = try await world.work.release("2.0")
            let made = try await Self.failing(release, in: world, apart: 0)
            try await world.pass(5, calling: all)
            let summary = "system 2.0: the campaign paused by itself"
            #expect(try await world.summaries().contains(summary))
            // What failed of its group is an alert too, and no second message.
            #expect(try await world.alerts().contains { $0.condition == .taskFailed })
            #expect(try await world.messages() == ["ops@example.com [acme] \(summary)"])
            let alert = try #require(try await world.alerts().first { $0.condition == .campaignPaused })
            #expect(alert.place == "berlin" && alert.subject.campaign == made.id && alert.missing == 2)
            // A restart finds the same alert, and makes no other.
            let again = try await world.restarted()
            try await again.pass(5, calling: all)
            #expect(
                try await again.alerts(open: nil).filter { $0.condition == .campaignPaused }.map(\.id) == [alert.id])
            _ = try await again.work.operations.stopCampaign(made.id, in: world.world.acme, by: WatchFixture.admin)
            try await again.pass(5, calling: all)
            #expect(try await again.alerts(open: false).contains { $0.id == alert.id && $0.end == .resumed })
            // That somebody decided is told, and nothing anew of what failed, nor of its end.
            #expect(try await again.messages().count == 2)
            let failed = try #require(try await again.alerts().first { $0.condition == .taskFailed })
            _ = try await again.watch.acknowledge(failed.id, in: world.world.acme, by: WatchFixture.admin)
            try await again.pass(5, calling: all)
            #expect(try await again.messages().count == 2)
            // What somebody pauses needs nobody's attention.
            let other = try await again.work.campaign(release, target: .domain("paris"))
            _ = try await again.work.operations.pauseCampaign(other.id, in: world.world.acme, by: WatchFixture.admin)
            try await again.pass(5, calling: all)
            #expect(try await again.alerts().filter { $0.condition == .campaignPaused }.isEmpty)
        }
    }

    @Test("what nobody hears of by the pause of its campaign is told as usual", arguments: TestDatabase.engines)
    func untold(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule(wait: 60)
            let all = Self.all
            let made = try await Self.failing(try await world.work.release("2.0"), in: world, apart: 30)
            try await world.pass(10, calling: all)
            #expect(try await world.alerts().map(\.condition.rawValue).sorted() == ["campaignPaused", "taskFailed"])
            // Its group would have been told by now; it waits for the campaign, which says the same.
            try await world.pass(25, calling: all)
            #expect(try await world.messages().isEmpty)
            // Somebody ends the campaign before it is told: then nothing but this says what failed.
            _ = try await world.work.operations.stopCampaign(made.id, in: world.world.acme, by: WatchFixture.admin)
            try await world.pass(10, calling: all)
            #expect(try await world.messages() == ["ops@example.com [acme] system 2.0, group 1: 2 tasks failed"])
        }
    }
}
