import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Who may do what with campaigns") struct CampaignRightsTests {
    private static func sites(_ world: OperationsFixture) async throws {
        try await world.world.domain("berlin")
        try await world.world.domain("paris")
        for (name, place) in [("b-1", "berlin"), ("b-2", "berlin"), ("p-1", "paris")] {
            _ = try await world.world.register(name) { $0.domain = place }
        }
    }

    @Test(
        "rights are asked for with each device, when it is ordered and when its turn comes",
        arguments: TestDatabase.engines)
    func devices(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            try await Self.sites(world)
            let acme = world.world.acme
            let release = try await world.release("2.0")
            let berlin = try await world.person("bruno", "operator", at: "berlin")
            let mine = try await world.campaign(
                release, [.devices(["b-1"]), .percent(100)], rules: CampaignRules(success: 100), by: berlin)
            #expect(mine.groups.map(\.members) == [1, 1], "Paris is not his")
            await #expect(throws: Refusal.self) {
                try await world.campaign(release, target: .devices([.init("b-1"), .init("p-1")]), by: berlin)
            }
            let viewer = try await world.person("vera", "viewer")
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.campaign(release, by: viewer)
            }
            let all = try await world.campaign(release)
            await #expect(throws: Operations.unknownCampaign) {
                try await world.operations.campaign(all.id, in: acme, by: berlin)
            }
            #expect(
                try await world.operations.campaigns(limit: 10, in: acme, by: berlin).items.map(\.id) == [mine.id])
            #expect(try await world.operations.campaigns(limit: 10, in: acme, by: viewer).items.count == 2)
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.operations.pauseCampaign(all.id, in: acme, by: viewer)
            }
            let stranger = try await world.world.principal("admin", of: world.world.rival)
            await #expect(throws: Refusal.self) {
                try await world.operations.campaign(all.id, in: acme, by: stranger)
            }
            // A device that moved away is left out when its turn comes.
            _ = try await world.world.fleet.update(
                "b-2", try DeviceChange(json: ["domain": "paris"]), in: acme, by: OperationsFixture.admin)
            let first = try await world.world.fleet.show("b-1", in: acme, by: OperationsFixture.admin).device
            _ = try await world.operations.stopCampaign(all.id, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            try await world.all([first], say: .succeeded)
            #expect(try await world.campaign(mine.id).groups[1].leftOut == 1)
            #expect(try await world.campaign(mine.id).state == .finished)
        }
    }

    @Test("it pauses when nobody answers for it, and who resumes it does", arguments: TestDatabase.engines)
    func sponsor(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(2)
            let bruno = try await world.person("bruno", "operator")
            let other = try await world.person("ada", "operator")
            let made = try await world.campaign(
                try await world.release("2.0"), [.devices(["d-0"]), .percent(100)], by: bruno)
            _ = try await world.world.access.setActive(
                false, principal: "bruno", tenant: acme, by: OperationsFixture.admin)
            try await world.all([devices[0]], say: .succeeded)
            let paused = try await world.campaign(made.id)
            #expect(paused.state == .paused && paused.reason == .rights)
            _ = try await world.operations.resumeCampaign(made.id, in: acme, by: other)
            try await world.operations.turn()
            #expect(world.busy(devices).map(\.id) == [devices[1].id])
        }
    }

    @Test("where the tenant wants it, another person approves before it begins", arguments: TestDatabase.engines)
    func approval(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(1)
            let release = try await world.release("2.0")
            let owner = try await world.person("olga", "owner")
            let bruno = try await world.person("bruno", "operator")
            let ada = try await world.person("ada", "operator")
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.operations.setNeedsSecondForCampaigns(
                    true, reason: "four eyes", in: acme, by: world.person("adam", "admin"))
            }
            try await world.operations.setNeedsSecondForCampaigns(true, reason: "four eyes", in: acme, by: owner)
            await #expect(throws: Refusal(.conflict, "approval.needed", "")) {
                try await world.operations.setNeedsSecondForCampaigns(false, reason: "in a hurry", in: acme, by: owner)
            }
            let made = try await world.campaign(release, by: bruno)
            #expect(made.state == .awaitingApproval && world.busy(devices).isEmpty)
            await #expect(throws: Refusal(.forbidden, "campaign.approver", "")) {
                try await world.operations.approveCampaign(made.id, in: acme, by: bruno)
            }
            await #expect(throws: Refusal(.forbidden, "campaign.approver", "")) {
                try await world.operations.approveCampaign(
                    made.id, in: acme, by: world.world.principal("operator"))
            }
            let viewer = try await world.person("vera", "viewer")
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.operations.approveCampaign(made.id, in: acme, by: viewer)
            }
            let approved = try await world.operations.approveCampaign(made.id, in: acme, by: ada)
            #expect(approved.state == .scheduled && approved.approverName == "ada")
            try await world.operations.turn()
            #expect(world.busy(devices).count == 1)
            await #expect(throws: Refusal(.conflict, "campaign.state", "")) {
                try await world.operations.approveCampaign(made.id, in: acme, by: ada)
            }
            let machine = try await world.campaign(release, by: try await world.world.principal("operator"))
            await #expect(throws: Refusal(.forbidden, "campaign.program", "")) {
                try await world.operations.approveCampaign(machine.id, in: acme, by: ada)
            }
            #expect(
                try await world.operations.stopCampaign(machine.id, in: acme, by: OperationsFixture.admin).state
                    == .stopped)
            // To end the need takes two as well.
            let change = try await world.world.access.propose(
                "campaign.policy", ["needsSecond": false], reason: "too slow", tenant: acme, by: owner)
            let second = try await world.person("otto", "owner")
            _ = try await world.world.access.approve(change.id, tenant: acme, by: second)
            #expect(try await world.operations.needsSecondForCampaigns(in: acme, by: ada) == false)
        }
    }
}
