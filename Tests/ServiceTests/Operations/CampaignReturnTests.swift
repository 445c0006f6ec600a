import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Devices that went on, or say late how far they are") struct CampaignReturnTests {
    @Test("a later release ends what still waits to bring an earlier one", arguments: TestDatabase.engines)
    func superseded(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(1)
            let (second, third) = (try await world.release("2.0"), try await world.release("3.0"))
            let old = try await world.campaign(second)
            _ = try await world.operations.pauseCampaign(old.id, in: acme, by: OperationsFixture.admin)
            world.world.time.advance(by: .seconds(1))
            _ = try await world.campaign(third)
            world.world.time.advance(by: .seconds(1))
            var order = OperationOrder(.install, .devices([.init("d-0")]), release: second)
            order.isRollback = true
            let rollback = try await world.operations.order(order, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(try world.next(devices[0]).release == third)
            try await world.all(devices, say: .succeeded)
            let ended = try await world.campaign(old.id)
            #expect(ended.counts == [.cancelled: 1] && ended.groups[0].upToDate == 1)
            let tasks = try await world.operations.tasks(
                .of(try #require(ended.groups[0].operation)), limit: 5, in: acme, by: OperationsFixture.admin)
            #expect(tasks.items.map(\.task.detail) == ["superseded by 3.0"])
            #expect(try world.next(devices[0]).operation == rollback.id, "somebody wants it back")
            try await world.all(devices, say: .succeeded)
            #expect(try await world.version(devices[0]) == "2.0")
            _ = try await world.operations.resumeCampaign(old.id, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(world.busy(devices).isEmpty)
            #expect(try await world.campaign(old.id).state == .finished)
        }
    }

    @Test("an install that failed is not tried again where a later release is", arguments: TestDatabase.engines)
    func retried(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let (second, third) = (try await world.release("2.0"), try await world.release("3.0"))
            let old = try await world.campaign(second, rules: CampaignRules(error: nil))
            try await world.all(devices, say: .failed)
            _ = try await world.campaign(third, target: .filter("name = d-0"))
            try await world.all([devices[0]], say: .succeeded)
            let operation = try #require(try await world.campaign(old.id).groups[0].operation)
            let again = try await world.operations.retry(
                operation, in: world.world.acme, by: OperationsFixture.admin)
            #expect(again.counts == [.failed: 1, .waiting: 1])
        }
    }

    @Test(
        "who says only after the end that it has the release goes back too, whatever was thought of its task",
        arguments: TestDatabase.engines)
    func late(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(4)
            let (former, release) = (try await world.release("1.0"), try await world.release("2.0"))
            let made = try await world.campaign(
                release, rules: CampaignRules(error: nil), terms: OperationTerms(timeout: 600))
            let tasks = try devices.map { try world.next($0) }
            try await world.all([devices[0]], say: .progress)
            world.world.time.advance(by: .seconds(601))
            try await world.operations.turn()
            try await world.all(Array(devices[1...]), say: .progress)
            _ = try await world.operations.rollBackCampaign(made.id, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            _ = try await world.say(.cancelled, of: try world.next(devices[3]), from: devices[3])
            world.world.time.advance(by: .seconds(601))
            try await world.operations.turn()
            try await world.operations.turn()
            let ended = try await world.campaign(made.id)
            #expect(ended.finished != nil && ended.counts == [.timedOut: 1, .cancelled: 3])
            // One timed out, one was asked in vain to end it, and one did end it.
            #expect(try await world.say(.succeeded, of: tasks[0], from: devices[0]) == .kept)
            #expect(try await world.say(.succeeded, of: tasks[1], from: devices[1]) == .kept)
            #expect(try await world.say(.succeeded, of: tasks[1], from: devices[1]) == .kept, "however often")
            #expect(try await world.say(.succeeded, of: tasks[3], from: devices[3]) == .late)
            #expect(try await world.version(devices[1]) == "2.0")
            try await world.operations.turn()
            #expect(Set(world.busy(devices).map(\.id)) == Set(devices[..<2].map(\.id)))
            try await world.all(Array(devices[..<2]), say: .succeeded)
            #expect(try await world.version(devices[0]) == "1.0")
            let back = try await world.campaign(made.id)
            #expect(
                back.finished != nil && back.rollback?.counts == [.succeeded: 2] && back.rollback?.release == former)
        }
    }

    @Test("going back leaves alone who has another release by now", arguments: TestDatabase.engines)
    func movedOn(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(3)
            let former = try await world.release("1.0")
            var terms = OperationTerms(windows: [try MaintenanceWindow(["from": "08:00", "to": "09:00"])])
            terms.confirm = true
            let made = try await world.campaign(try await world.release("2.0"), terms: terms)
            try await world.all(devices, say: .succeeded)
            _ = try await world.campaign(try await world.release("3.0"), target: .devices([.init("d-0")]))
            try await world.all([devices[0]], say: .succeeded)
            _ = try await world.world.fleet.update(
                "d-1", try DeviceChange(json: ["components": ["system": "1.0"]]), in: acme, by: OperationsFixture.admin)
            world.world.time.advance(by: .seconds(2 * 3600))
            _ = try await world.operations.rollBackCampaign(made.id, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(world.busy(devices).map(\.name.text) == ["d-2"], "outside of the windows, too")
            let task = try world.next(devices[2])
            #expect(task.release == former && !world.operations.waitsForConfirmation(task, of: devices[2].id))
        }
    }

    @Test(
        "what a campaign goes back to stays, and another one is named when it is withdrawn",
        arguments: TestDatabase.engines)
    func formerWithdrawn(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(1)
            let (first, former) = (try await world.release("0.9"), try await world.release("1.0"))
            let made = try await world.campaign(try await world.release("2.0"))
            try await world.all(devices, say: .succeeded)
            _ = try await world.operations.rollBackCampaign(made.id, in: acme, by: OperationsFixture.admin)
            _ = try await world.operations.withdrawRelease(former, in: acme, by: OperationsFixture.admin)
            await #expect(throws: Refusal(.conflict, "release.used", "")) {
                try await world.operations.deleteRelease(former, in: acme, by: OperationsFixture.admin)
            }
            try await world.operations.turn()
            #expect(world.busy(devices).isEmpty)
            await #expect(throws: Refusal(.conflict, "campaign.state", "")) {
                try await world.operations.rollBackCampaign(
                    made.id, to: first, in: acme, by: OperationsFixture.admin)
            }
        }
    }
}
