import Base
import Fleet
import Storage
import Testing

@testable import Operations
@testable import Watch

@Suite("Alerts of campaigns") struct AlertCampaignTests {
    @Test("a campaign that pauses by itself is one alert until somebody decides", arguments: TestDatabase.engines)
    func paused(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]
            let release = try await world.work.release("2.0")
            let made = try await world.work.campaign(
                release, target: .domain("berlin"), rules: CampaignRules(error: 50, sample: 2))
            for name in ["b-0", "b-1"] {
                let device = try await world.world.fleet.show(name, in: world.world.acme, by: WatchFixture.admin).device
                _ = try await world.work.say(.failed, of: try world.work.next(device), from: device)
            }
            try await world.work.operations.turn()
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
            // That somebody decided tells nothing anew of what failed.
            #expect(try await again.messages().count == 2)
            // What somebody pauses needs nobody's attention.
            let other = try await again.work.campaign(release, target: .domain("paris"))
            _ = try await again.work.operations.pauseCampaign(other.id, in: world.world.acme, by: WatchFixture.admin)
            try await again.pass(5, calling: all)
            #expect(try await again.alerts().filter { $0.condition == .campaignPaused }.isEmpty)
        }
    }
}
