import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Nobody goes past a campaign, and a pause costs nobody time") struct CampaignHoldTests {
    @Test("a group's operation goes on only with its campaign", arguments: TestDatabase.engines)
    func groups(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(3)
            let made = try await world.campaign(try await world.release("2.0"), rules: CampaignRules(error: nil))
            let operation = try #require(made.groups[0].operation)
            try await world.all([devices[0]], say: .failed)
            func refused() async {
                await #expect(throws: Refusal(.conflict, "campaign.state", "")) {
                    try await world.operations.setPaused(false, operation, in: acme, by: OperationsFixture.admin)
                }
                await #expect(throws: Refusal(.conflict, "campaign.state", "")) {
                    try await world.operations.retry(operation, in: acme, by: OperationsFixture.admin)
                }
            }
            _ = try await world.operations.pauseCampaign(made.id, in: acme, by: OperationsFixture.admin)
            await refused()
            #expect(world.busy(devices).isEmpty)
            _ = try await world.operations.resumeCampaign(made.id, in: acme, by: OperationsFixture.admin)
            _ = try await world.world.access.putRole(
                try #require(Name("steward")), permissions: [.deviceRead, .taskRead, .taskManage], reason: "to halt",
                tenant: acme, by: OperationsFixture.admin)
            let steward = try await world.person("stella", "steward")
            _ = try await world.operations.setPaused(true, operation, in: acme, by: steward)
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.operations.setPaused(false, operation, in: acme, by: steward)
            }
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.operations.retry(operation, in: acme, by: steward)
            }
            _ = try await world.operations.setPaused(false, operation, in: acme, by: OperationsFixture.admin)
            let again = try await world.operations.retry(operation, in: acme, by: OperationsFixture.admin)
            #expect(again.counts == [.waiting: 1, .queued: 2])
            try await world.operations.turn()
            try await world.all([devices[0]], say: .failed)
            _ = try await world.operations.stopCampaign(made.id, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            await refused()
        }
    }

    @Test("what is tried again after it was forgiven counts anew", arguments: TestDatabase.engines)
    func forgiven(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(6)
            let made = try await world.campaign(
                try await world.release("2.0"), rules: CampaignRules(error: 50, sample: 2))
            let operation = try #require(made.groups[0].operation)
            try await world.all(Array(devices[..<2]), say: .failed)
            #expect(try await world.campaign(made.id).reason == .errorThreshold)
            _ = try await world.operations.resumeCampaign(made.id, in: acme, by: OperationsFixture.admin)
            _ = try await world.operations.retry(operation, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            try await world.all([devices[0]], say: .failed)
            #expect(try await world.campaign(made.id).state == .running)
            try await world.all([devices[1]], say: .failed)
            #expect(try await world.campaign(made.id).reason == .errorThreshold)
        }
    }

    @Test(
        "where a second person approves campaigns, nobody installs on many without one", arguments: TestDatabase.engines
    )
    func approval(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let most = OperationLimits.unapprovedInstalls
            _ = try await world.devices(most + 1)
            try await world.world.domain("berlin")
            let release = try await world.release("2.0")
            func order(_ target: OperationTarget, rollback: Bool = false) async throws -> Int {
                var order = OperationOrder(.install, target, release: release)
                order.isRollback = rollback
                return try await world.operations.order(order, in: acme, by: OperationsFixture.admin).total
            }
            let many = OperationTarget.devices((0...most).map { .init("d-\($0)") })
            #expect(try await order(many) == most + 1, "nobody has to approve yet")
            try await world.operations.setNeedsSecondForCampaigns(
                true, reason: "four eyes", in: acme, by: OperationsFixture.admin)
            for target in [.filter(nil), .filter("name = d-1"), .domain("berlin"), many] as [OperationTarget] {
                for rollback in [false, true] {
                    await #expect(throws: Refusal(.conflict, "campaign.needed", "")) {
                        _ = try await order(target, rollback: rollback)
                    }
                }
            }
            #expect(try await order(.devices((0..<most).map { .init("d-\($0)") })) == most)
            #expect(try await world.order(.reboot).total == most + 1)
        }
    }

    @Test("nobody's time runs out while a campaign or an operation is paused", arguments: TestDatabase.engines)
    func paused(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(1)
            let terms = OperationTerms(life: 600)
            let operation = try await world.order(terms: terms)
            let made = try await world.campaign(try await world.release("2.0"), terms: terms)
            _ = try await world.operations.setPaused(true, operation.id, in: acme, by: OperationsFixture.admin)
            _ = try await world.operations.pauseCampaign(made.id, in: acme, by: OperationsFixture.admin)
            for _ in 0..<3 {
                world.world.time.advance(by: .seconds(550))
                try await world.operations.turn()
            }
            #expect(try await world.counts(operation.id) == [.queued: 1])
            _ = try await world.operations.setPaused(false, operation.id, in: acme, by: OperationsFixture.admin)
            _ = try await world.operations.resumeCampaign(made.id, in: acme, by: OperationsFixture.admin)
            world.world.time.advance(by: .seconds(590))
            try await world.operations.turn()
            #expect(try await world.counts(operation.id) == [.queued: 1], "it has its whole time again")
            #expect(try await world.campaign(made.id).counts == [.queued: 1])
            world.world.time.advance(by: .seconds(20))
            try await world.operations.turn()
            #expect(try await world.counts(operation.id) == [.expired: 1])
            let (_, history) = try await world.operations.task(
                try await world.operations.tasks(
                    .of(operation.id), limit: 1, in: acme, by: OperationsFixture.admin
                ).items[0].task.id, in: acme, by: OperationsFixture.admin)
            #expect(history.map(\.word).contains("postponed") && world.busy(devices).isEmpty)
        }
    }

    @Test("a device's time begins when a window opens", arguments: TestDatabase.engines)
    func windows(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            _ = try await world.devices(1)
            // The clock shows 08:00 UTC.
            let window = try MaintenanceWindow(["from": "22:00", "to": "02:00"])
            let terms = OperationTerms(life: 600, windows: [window])
            let operation = try await world.order(terms: terms)
            let made = try await world.campaign(try await world.release("2.0"), terms: terms)
            for (seconds, state) in [(700, TaskState.queued), (14 * 3600 - 200, .queued), (200, .expired)] {
                world.world.time.advance(by: .seconds(seconds))
                try await world.operations.turn()
                #expect(try await world.counts(operation.id) == [state: 1], "\(seconds)")
                #expect(try await world.campaign(made.id).counts == [state: 1], "\(seconds)")
            }
        }
    }
}
