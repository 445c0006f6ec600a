import Access
import Base
import Fleet
import Foundation
import Storage
import Testing

@testable import Operations

@Suite("Campaigns") struct CampaignTests {
    @Test(
        "its groups get the release one after the other, and their devices' versions follow",
        arguments: TestDatabase.engines)
    func staged(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(10)
            let release = try await world.release("2.0")
            let draft = CampaignDraft(release, .filter(nil), groups: [.percent(20), .percent(80)])
            let preview = try await world.operations.previewCampaign(
                draft, in: world.world.acme, by: OperationsFixture.admin)
            #expect(preview.groups.map(\.members) == [2, 8] && preview.upToDate == 0)
            let first = try await world.campaign(release, [.percent(20), .percent(80)])
            #expect(first.state == .running && first.groups.map(\.members) == [2, 8] && first.members == 10)
            #expect(first.groups.map(\.planned) == [0, 8] && first.groups[1].operation == nil)
            let pioneers = world.busy(devices)
            #expect(pioneers.count == 2)
            try await world.all(pioneers, say: .succeeded)
            let second = try await world.campaign(first.id)
            #expect(second.groups[0].isOver && second.groups[1].counts == [.queued: 8])
            try await world.all(world.busy(devices), say: .succeeded)
            let ended = try await world.campaign(first.id)
            #expect(ended.state == .finished && ended.finished != nil && ended.counts == [.succeeded: 10])
            #expect(try await world.version(devices[3]) == "2.0")
            let shown = try await world.operations.operations(
                limit: 10, in: world.world.acme, by: OperationsFixture.admin)
            #expect(shown.items.count == 2 && shown.items.allSatisfy { $0.state == .finished })
            #expect(
                try await world.operations.campaigns(
                    ofDevice: "d-1", limit: 5, in: world.world.acme, by: OperationsFixture.admin
                ).map(\.id) == [first.id])
            #expect(try await world.world.audited("campaign.") == ["campaign.finished", "campaign.ordered"])
            // Everybody has it: the same again gives nobody anything.
            let again = try await world.campaign(release)
            #expect(again.state == .finished && again.upToDate == 10 && again.counts.isEmpty)
        }
    }

    @Test("it pauses by failures and time-outs alike, from its sample on, and resumes", arguments: TestDatabase.engines)
    func errors(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(10)
            let release = try await world.release("2.0")
            let rules = CampaignRules(success: 50, error: 50, sample: 4)
            let made = try await world.campaign(release, rules: rules, terms: OperationTerms(timeout: 600))
            try await world.all([devices[0]], say: .failed)
            try await world.all([devices[1]], say: .refused)
            try await world.all([devices[2]], say: .succeeded)
            #expect(try await world.campaign(made.id).state == .running, "three are no sample of four")
            try await world.all([devices[3]], say: .progress)
            world.world.time.advance(by: .seconds(601))
            try await world.operations.turn()
            try await world.operations.turn()
            let paused = try await world.campaign(made.id)
            #expect(paused.state == .paused && paused.reason == .errorThreshold && paused.reasonGroup == 1)
            #expect(paused.counts == [.failed: 1, .refused: 1, .succeeded: 1, .timedOut: 1, .queued: 6])
            #expect(world.busy(devices).isEmpty, "nothing more is given out")
            let again = try await world.restarted()
            try await again.operations.turn()
            #expect(again.busy(devices).isEmpty, "nor after a restart")
            let resumed = try await again.operations.resumeCampaign(
                made.id, in: world.world.acme, by: OperationsFixture.admin)
            #expect(resumed.state == .running && resumed.reason == nil)
            try await again.operations.turn()
            #expect(try await again.campaign(made.id).state == .running, "what was is forgiven")
            #expect(again.busy(devices).count == 6)
            try await again.all(Array(devices[4..<8]), say: .failed)
            #expect(try await again.campaign(made.id).state == .paused, "four more are not")
            _ = try await again.operations.resumeCampaign(made.id, in: world.world.acme, by: OperationsFixture.admin)
            try await again.all(Array(devices[8...]), say: .succeeded)
            #expect(try await again.campaign(made.id).state == .finished)
            #expect(
                try await world.world.audited("campaign.") == [
                    "campaign.finished", "campaign.ordered", "campaign.paused", "campaign.paused", "campaign.resumed",
                    "campaign.resumed",
                ])
        }
    }

    @Test("a group that is through with too few successes stops the next one", arguments: TestDatabase.engines)
    func successes(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(4)
            let release = try await world.release("2.0")
            let made = try await world.campaign(
                release, [.devices(["d-0", "d-1"]), .percent(100)], rules: CampaignRules(success: 100, sample: 5))
            #expect(world.busy(devices).map(\.name.text) == ["d-0", "d-1"])
            try await world.all([devices[0]], say: .succeeded)
            #expect(try await world.campaign(made.id).state == .running)
            try await world.all([devices[1]], say: .failed)
            let paused = try await world.campaign(made.id)
            #expect(paused.state == .paused && paused.reason == .successThreshold && paused.reasonGroup == 1)
            #expect(paused.groups[1].started == nil)
            _ = try await world.operations.resumeCampaign(made.id, in: world.world.acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(world.busy(devices).map(\.name.text) == ["d-2", "d-3"], "somebody decided to go on")
        }
    }

    @Test("stopping ends what waits, asks who has begun, and goes on after a restart", arguments: TestDatabase.engines)
    func stopped(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(4)
            let made = try await world.campaign(try await world.release("2.0"), [.percent(75), .percent(25)])
            let busy = world.busy(devices)
            try await world.all([busy[0]], say: .progress)
            let stopped = try await world.operations.stopCampaign(
                made.id, in: world.world.acme, by: OperationsFixture.admin)
            #expect(stopped.state == .stopped && stopped.finished == nil)
            #expect(world.operations.board.next(for: busy[1].id) == nil, "held from this moment on")
            let again = try await world.restarted()
            try await again.operations.turn()
            #expect(try await again.campaign(made.id).counts == [.cancelling: 1, .cancelled: 2])
            _ = try await again.say(.cancelled, of: try again.next(busy[0]), from: busy[0])
            try await again.operations.turn()
            let ended = try await again.campaign(made.id)
            #expect(ended.finished != nil && ended.counts == [.cancelled: 3] && ended.groups[1].started == nil)
            #expect(try await again.state(try #require(ended.groups[0].operation)) == .cancelled)
            await #expect(throws: Refusal(.conflict, "campaign.state", "")) {
                try await again.operations.resumeCampaign(made.id, in: world.world.acme, by: OperationsFixture.admin)
            }
        }
    }

    @Test("it begins at its start, and gives nothing out outside its windows", arguments: TestDatabase.engines)
    func times(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(1)
            // The fixture's clock begins on a Friday at 08:00 UTC.
            let window = try MaintenanceWindow(["from": "09:00", "to": "10:00"])
            let start = world.world.time.now + .seconds(600)
            let made = try await world.campaign(
                try await world.release("2.0"), terms: OperationTerms(starts: start, windows: [window]))
            #expect(made.state == .scheduled && made.groups[0].started == nil)
            world.world.time.advance(by: .seconds(600))
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).state == .running)
            #expect(world.busy(devices).isEmpty, "it is ten past eight")
            world.world.time.advance(by: .seconds(3600))
            try await world.operations.turn()
            #expect(world.busy(devices).count == 1)
        }
    }

    @Test("what can not be is refused with its places", arguments: TestDatabase.engines)
    func refused(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            _ = try await world.devices(2)
            let release = try await world.release("2.0")
            let wrong: [(CampaignDraft, String)] = [
                (CampaignDraft(release, .filter(nil), groups: []), "/groups"),
                (CampaignDraft(release, .filter(nil), groups: [.percent(60), .percent(60)]), "/groups"),
                (CampaignDraft(release, .filter(nil), groups: [.percent(0), .percent(100)]), "/groups/0/percent"),
                (CampaignDraft(release, nil), "/target"),
                (CampaignDraft(release, .filter(nil), groups: [.devices(["d-0"])]), "/target"),
                (CampaignDraft(release, nil, groups: [.devices([])]), "/groups/0/devices"),
                (CampaignDraft(release, nil, groups: [.devices(["d-0"]), .devices(["d-0"])]), "/groups/1/devices"),
                (CampaignDraft(release, .devices([.init("d-0")]), takesNewcomers: true), "/newcomers"),
                (CampaignDraft(release, .filter(nil), rules: CampaignRules(success: 101)), "/rules/success"),
                (CampaignDraft(release, .filter(nil), rules: CampaignRules(error: 0)), "/rules/error"),
                (CampaignDraft(release, .filter(nil), rules: CampaignRules(sample: 0)), "/rules/sample"),
                (CampaignDraft(release, .filter(nil), terms: OperationTerms(life: 1)), "/terms/life"),
                (CampaignDraft(release, .filter(nil), title: ""), "/title"),
            ]
            for (draft, place) in wrong {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.operations.createCampaign(draft, in: world.world.acme, by: OperationsFixture.admin)
                }
                #expect(
                    refusal?.code == "campaign.invalid" && refusal?.faults.map(\.place).contains(place) == true,
                    "\(place)")
            }
            for (target, code) in [
                (OperationTarget.filter("name = nobody"), "campaign.nothing"), (.filter("name ="), "filter.invalid"),
                (.domain("nowhere"), "domain.unknown"), (.devices([.init("nobody")]), "device.unknown"),
            ] {
                let refusal = await #expect(throws: Refusal.self) { try await world.campaign(release, target: target) }
                #expect(refusal?.code == code)
            }
            await #expect(throws: Operations.unknownRelease) {
                try await world.campaign(ReleaseID(now: world.world.time.now))
            }
            await #expect(throws: Operations.unknownCampaign) {
                try await world.operations.campaign(
                    CampaignID(now: world.world.time.now), in: world.world.acme, by: OperationsFixture.admin)
            }
        }
    }

    @Test("a campaign over many devices is there at once, and its groups follow", arguments: TestDatabase.engines)
    func many(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let count = CampaignLoad.devices
            _ = try await world.devices(count)
            let release = try await world.release("2.0")
            let clock = ContinuousClock()
            var made: Campaign?
            let creation = try await clock.measure {
                made = try await world.operations.createCampaign(
                    CampaignDraft(release, .filter(nil), groups: [.percent(1), .percent(99)]), in: world.world.acme,
                    by: OperationsFixture.admin)
            }
            let campaign = try #require(made)
            #expect(campaign.groups.map(\.members) == [count / 100, count - count / 100])
            let page = try await clock.measure { _ = try await world.campaign(campaign.id) }
            let begun = try await clock.measure {
                try await world.operations.turn()
                _ = try await world.operations.pauseCampaign(
                    campaign.id, in: world.world.acme, by: OperationsFixture.admin)
            }
            print(
                "campaign over \(count) devices, \(engine): created in \(creation), shown in \(page), begun in \(begun)"
            )
            #expect(creation < .seconds(60) && page < .seconds(30))
        }
    }
}

/// How many devices the campaign over many has: more where it is measured.
private enum CampaignLoad {
    static let devices = ProcessInfo.processInfo.environment["TIDEGATE_CAMPAIGN_DEVICES"].flatMap { Int($0) } ?? 6_000
}
