import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Who joins a campaign later") struct CampaignNewcomerTests {
    private static let admin = OperationsFixture.admin

    /// An order for all with a label.
    private static func draft(_ release: ReleaseID, filter: String = "label.ring = canary") -> CampaignDraft {
        CampaignDraft(release, .filter(filter), rules: CampaignRules(success: 0), takesNewcomers: true)
    }

    /// Has a device match without a word on the bus, as if that had been said before anybody listened.
    private static func label(_ device: Device, _ world: OperationsFixture) async throws {
        try await world.world.database.tenant(world.world.acme).write { transaction -> Void in
            try transaction.execute(
                "INSERT INTO device_label (tenant, key, value, device) VALUES ($1, 'ring', 'canary', $2)", device.id)
        }
    }

    @Test("who came to match while it was being ordered joins when it begins", arguments: TestDatabase.engines)
    func whileOrdered(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let device = try await world.world.register("late").device
            let made = try await world.operations.createCampaign(
                Self.draft(try await world.release("2.0")), in: world.world.acme, by: Self.admin)
            try await Self.label(device, world)
            try await world.operations.turn()
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 1)
        }
    }

    @Test("who came to match while it was paused joins when it is resumed", arguments: TestDatabase.engines)
    func whilePaused(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            try await world.world.domain("berlin")
            try await world.world.domain("paris")
            let bruno = try await world.person("bruno", "operator", at: "berlin")
            let made = try await world.operations.createCampaign(
                Self.draft(try await world.release("2.0")), in: acme, by: bruno)
            // The first turn begins it, the second looks at all.
            for _ in 0..<2 { try await world.operations.turn() }
            for (name, place) in [("b-1", "berlin"), ("p-1", "paris")] {
                _ = try await world.world.register(name) { ($0.domain, $0.labels) = (place, ["ring": "canary"]) }
            }
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 1, "Paris is not his")
            _ = try await world.operations.pauseCampaign(made.id, in: acme, by: Self.admin)
            // While nobody answers for it, nobody can join.
            _ = try await world.world.access.setActive(false, principal: "bruno", tenant: acme, by: Self.admin)
            _ = try await world.world.register("b-2") { ($0.domain, $0.labels) = ("berlin", ["ring": "canary"]) }
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 1)
            _ = try await world.operations.resumeCampaign(made.id, in: acme, by: Self.admin)
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 3)
        }
    }

    @Test("who answers for it brings in more when they may do more", arguments: TestDatabase.engines)
    func moreRights(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            try await world.world.domain("berlin")
            try await world.world.domain("paris")
            let bruno = try await world.person("bruno", "operator", at: "berlin")
            _ = try await world.world.register("p-1") { ($0.domain, $0.labels) = ("paris", ["ring": "canary"]) }
            let made = try await world.operations.createCampaign(
                Self.draft(try await world.release("2.0")), in: acme, by: bruno)
            for _ in 0..<2 { try await world.operations.turn() }
            #expect(try await world.campaign(made.id).members == 0)
            _ = try await world.world.access.grant(
                role: "operator", to: "bruno", at: "paris", tenant: acme, by: Self.admin)
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 1)
        }
    }

    @Test(
        "nobody joins by what comes and goes by itself",
        arguments: [
            "online", "not online", "state = offline", "drift", "label.ring = canary and heartbeat = late",
            "name = a or (name = b and not drift)",
        ])
    func passing(filter: String) throws {
        let now = Timestamp(microseconds: 1_800_000_000_000_000)
        var draft = Self.draft(ReleaseID(now: now), filter: filter)
        let refusal = #expect(throws: Refusal(.invalid, "campaign.invalid", "")) { try draft.check(now: now) }
        #expect(refusal?.faults.map(\.place) == ["/newcomers"])
        draft.takesNewcomers = false
        #expect(throws: Never.self) { try draft.check(now: now) }
    }

    @Test("it goes on when its tenant is resumed", arguments: TestDatabase.engines)
    func suspended(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let slug = try #require(TenantSlug("acme"))
            let devices = try await world.devices(2)
            _ = try await world.campaign(try await world.release("2.0"), [.devices(["d-0"]), .percent(100)])
            _ = try await world.world.access.suspendTenant(slug, by: Self.admin)
            // What the device was at when its tenant was suspended ends while nobody judges.
            try await world.all([devices[0]], say: .succeeded)
            try await world.operations.turn()
            #expect(world.busy(devices).isEmpty)
            _ = try await world.world.access.resumeTenant(slug, by: Self.admin)
            try await world.operations.turn()
            #expect(world.busy(devices).map(\.id) == [devices[1].id])
        }
    }
}
