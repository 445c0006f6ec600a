import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Campaigns forward and back, and who joins them") struct CampaignReleaseTests {
    @Test(
        "rolling back ends what is open, and gives the former release to who has the new one",
        arguments: TestDatabase.engines)
    func rolledBack(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(5)
            let former = try await world.release("1.0")
            let release = try await world.release("2.0")
            let first = try await world.campaign(former)
            try await world.all(devices, say: .succeeded)
            #expect(try await world.campaign(first.id).state == .finished)
            let made = try await world.campaign(release, rules: CampaignRules(error: nil))
            try await world.all(Array(devices[..<2]), say: .succeeded)
            try await world.all([devices[2]], say: .failed)
            try await world.all([devices[3]], say: .progress)
            await #expect(throws: Refusal(.invalid, "campaign.noFormer", "")) {
                try await world.operations.rollBackCampaign(made.id, to: release, in: acme, by: OperationsFixture.admin)
            }
            let taken = try await world.operations.rollBackCampaign(made.id, in: acme, by: OperationsFixture.admin)
            #expect(taken.state == .rolledBack && taken.rollback?.release == former)
            let again = try await world.restarted()
            try await again.operations.turn()
            #expect(Set(again.busy(devices).map(\.id)) == Set(devices[..<2].map(\.id) + [devices[3].id]))
            // One that had begun did it after all, so it goes back too.
            _ = try await again.say(.goesOn, of: try again.next(devices[3]), from: devices[3])
            _ = try await again.say(.succeeded, of: try again.next(devices[3]), from: devices[3])
            try await again.operations.turn()
            let task = try again.next(devices[3])
            #expect(task.release == former && task.state == .queued)
            let request = EnvelopeRequest([task], for: try again.admitted(devices[3]), base: nil)
            let envelope = try #require(try await again.operations.handOut([request])[0].first)
            let signed = try EnvelopeTests.payload(envelope)["release"]
            #expect(signed?["rollback"] == true && signed?["version"]?.string == "1.0")
            try await again.all([devices[0], devices[1], devices[3]], say: .succeeded)
            let ended = try await again.campaign(made.id)
            #expect(ended.finished != nil && ended.rollback?.counts == [.succeeded: 3])
            for device in devices { #expect(try await again.version(device) == "1.0") }
            #expect(try await again.world.audited("campaign.rolledBack").count == 1)
            await #expect(throws: Refusal(.conflict, "campaign.state", "")) {
                try await again.operations.rollBackCampaign(made.id, in: acme, by: OperationsFixture.admin)
            }
        }
    }

    @Test("nobody gets an earlier release than they have, but by a rollback", arguments: TestDatabase.engines)
    func downgrade(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(2)
            let former = try await world.release("1.0")
            _ = try await world.release("2.0")
            _ = try await world.world.fleet.update(
                "d-0", try DeviceChange(json: ["components": ["system": "2.0"]]), in: acme, by: OperationsFixture.admin)
            func order(_ target: OperationTarget, rollback: Bool = false) async throws -> Operation {
                var order = OperationOrder(.install, target, release: former)
                order.isRollback = rollback
                return try await world.operations.order(order, in: acme, by: OperationsFixture.admin)
            }
            let refusal = await #expect(throws: Refusal(.conflict, "release.downgrade", "")) {
                try await order(.devices([.init("d-0"), .init("d-1")]))
            }
            #expect(refusal?.message.hasPrefix("d-0 has") == true)
            await #expect(throws: Refusal(.conflict, "release.downgrade", "")) {
                try await order(.filter("name = d-0"))
            }
            #expect(try await order(.filter(nil)).total == 1, "a filter leaves it out")
            #expect(try await order(.devices([.init("d-0")]), rollback: true).total == 1)
            try await world.operations.turn()
            let request = EnvelopeRequest(
                [try world.next(devices[0])], for: try world.admitted(devices[0]), base: nil)
            let envelope = try #require(try await world.operations.handOut([request])[0].first)
            #expect(try EnvelopeTests.payload(envelope)["release"]?["rollback"] == true)
            #expect(throws: Refusal(.invalid, "operation.invalid", "")) {
                var order = OperationOrder(.reboot, .filter(nil))
                order.isRollback = true
                try order.check(now: world.world.time.now)
            }
            let up = try await world.campaign(former)
            #expect(up.upToDate == 1 && up.counts == [.queued: 1], "a campaign counts it as up to date")
        }
    }

    @Test("who comes to match later joins its group, registered, changed or in bulk", arguments: TestDatabase.engines)
    func newcomers(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let release = try await world.release("2.0")
            let made = try await world.campaign(
                release, [.percent(50), .percent(50)], target: .filter("label.ring = canary"),
                rules: CampaignRules(success: 0), newcomers: true)
            #expect(made.members == 0 && made.state == .running)
            _ = try await world.world.register("in") { $0.labels = ["ring": "canary"] }
            _ = try await world.world.register("out")
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 1)
            _ = try await world.world.fleet.update(
                "out", try DeviceChange(json: ["labels": ["ring": "canary"]]), in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 2)
            let list = try world.world.list("name,label.ring\nx-1,canary\nx-2,canary\nx-3,late")
            _ = try await world.world.fleet.registerMany(list, in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            let joined = try await world.campaign(made.id)
            #expect(joined.members == 4 && joined.counts == [.queued: 4] && joined.state == .running)
            // Once more says nothing new, and what came while nobody listened is found at the start.
            _ = try await world.world.fleet.update(
                "in", try DeviceChange(json: ["place": "roof"]), in: acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 4)
            _ = try await world.world.fleet.update(
                "x-3", try DeviceChange(json: ["labels": ["ring": "canary"]]), in: acme, by: OperationsFixture.admin)
            let again = try await world.restarted()
            try await again.operations.turn()
            #expect(try await again.campaign(made.id).members == 5)
            let page = try await again.operations.operations(limit: 10, in: acme, by: OperationsFixture.admin)
            for operation in page.items {
                let tasks = try await again.operations.tasks(
                    .of(operation.id), limit: 10, in: acme, by: OperationsFixture.admin)
                for task in tasks.items {
                    let device = try await again.world.fleet.show(
                        task.device.text, in: acme, by: OperationsFixture.admin
                    ).device
                    _ = try await again.say(.succeeded, of: try again.next(device), from: device)
                }
            }
            try await again.operations.turn()
            #expect(try await again.campaign(made.id).state == .running, "it goes on for who comes")
            #expect(
                try await again.operations.stopCampaign(made.id, in: acme, by: OperationsFixture.admin).state
                    == .finished)
            _ = try await again.world.register("late") { $0.labels = ["ring": "canary"] }
            try await again.operations.turn()
            #expect(try await again.campaign(made.id).members == 5)
        }
    }

    @Test("a release that was withdrawn, or a domain that is gone, pauses it", arguments: TestDatabase.engines)
    func gone(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let acme = world.world.acme
            let devices = try await world.devices(2)
            let release = try await world.release("2.0")
            let made = try await world.campaign(release, [.devices(["d-0"]), .percent(100)])
            _ = try await world.operations.withdrawRelease(release, in: acme, by: OperationsFixture.admin)
            await #expect(throws: Refusal(.conflict, "release.used", "")) {
                try await world.operations.deleteRelease(release, in: acme, by: OperationsFixture.admin)
            }
            try await world.all([devices[0]], say: .succeeded)
            let paused = try await world.campaign(made.id)
            #expect(paused.state == .paused && paused.reason == .releaseWithdrawn && paused.reasonGroup == 2)
            await #expect(throws: Refusal(.conflict, "release.state", "")) {
                try await world.operations.resumeCampaign(made.id, in: acme, by: OperationsFixture.admin)
            }
            try await world.world.domain("hall")
            try await world.world.domain("paris")
            _ = try await world.world.register("h-1") { $0.domain = "hall" }
            let next = try await world.campaign(
                try await world.release("3.0"), target: .domain("hall"), newcomers: true)
            #expect(next.members == 1)
            _ = try await world.world.fleet.update(
                "h-1", try DeviceChange(json: ["domain": "paris"]), in: acme, by: OperationsFixture.admin)
            try await world.world.access.deleteDomain("hall", tenant: acme, by: OperationsFixture.admin) { _, _ in false
            }
            try await world.operations.turn()
            let lost = try await world.campaign(next.id)
            #expect(lost.state == .paused && lost.reason == .target)
        }
    }

    @Test("what is over for a year goes, with its members", arguments: TestDatabase.engines)
    func retention(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let made = try await world.campaign(try await world.release("2.0"))
            try await world.all(devices, say: .succeeded)
            world.world.time.advance(by: .seconds((OperationLimits.keptDays + 1) * 86_400))
            try await world.operations.trim()
            let left = try await world.world.database.tenant(world.world.acme).read { transaction in
                try ["campaign", "campaign_group", "campaign_member", "operation", "task"].map { table in
                    try transaction.row("SELECT count(*) FROM \(table) WHERE tenant = $1")?.int(0)
                }
            }
            #expect(left == [0, 0, 0, 0, 0], "\(made.id)")
        }
    }

    @Test(
        "what no release has is unknown: it is not behind and not part of the one act for all that are",
        arguments: TestDatabase.engines)
    func behind(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let (acme, admin) = (world.world.acme, OperationsFixture.admin)
            _ = try await world.devices(6)
            for version in ["1.0", "odd \"one\"", "2.0"] { _ = try await world.release(version) }
            // d-0 has nothing; 3.0-dev was put on by hand and is later than any release.
            for (name, version) in [
                ("d-1", "1.0"), ("d-2", "odd \"one\""), ("d-3", "2.0"), ("d-4", "3.0-dev"), ("d-5", "3.0-dev"),
            ] {
                _ = try await world.world.fleet.update(
                    name, try DeviceChange(json: ["components": ["system": .string(version)]]), in: acme, by: admin)
            }
            let found = try #require(try await world.operations.firmware(in: acme, by: admin).first)
            #expect((found.behind, found.unknown) == (2, 2))
            let system = try #require(Name("system"))
            let made = try await world.operations.updateAllBehind(system, in: acme, by: admin)
            try await world.operations.turn()
            #expect(made.members == 2)
            for name in ["d-1", "d-2"] {
                _ = try await world.world.fleet.update(
                    name, try DeviceChange(json: ["components": ["system": "2.0"]]), in: acme, by: admin)
            }
            await #expect(throws: Refusal(.invalid, "campaign.nothing", "")) {
                try await world.operations.updateAllBehind(system, in: acme, by: admin)
            }
        }
    }

    @Test("a fleet of more earlier versions than a filter can name is updated by one act too")
    func manyBehind() async throws {
        try await OperationsFixture.with(.sqlite) { world in
            let (acme, admin) = (world.world.acme, OperationsFixture.admin)
            let count = FleetLimits.filterTerms + 6
            _ = try await world.devices(count + 3)
            func tell(_ device: Int, _ version: String) async throws {
                _ = try await world.world.fleet.update(
                    "d-\(device)", try DeviceChange(json: ["components": ["system": .string(version)]]), in: acme,
                    by: admin)
            }
            for number in 0..<count {
                _ = try await world.release("1.\(number)")
                try await tell(number, "1.\(number)")
            }
            // Of the others, one has none, one a build of its own, and one a part that is no system.
            try await tell(count + 1, "1.5-dev")
            _ = try await world.world.fleet.update(
                "d-\(count + 2)", try DeviceChange(json: ["components": ["modem": "1"]]), in: acme, by: admin)
            let system = try #require(Name("system"))
            let made = try await world.operations.updateAllBehind(system, in: acme, by: admin)
            #expect(made.members == count - 1, "all but the one that has the latest")
            // Now there are too many of both.
            let list = (0..<count).map { "e-\($0)" }.joined(separator: "\n")
            _ = try await world.world.fleet.registerMany(try world.world.list("name\n" + list), in: acme, by: admin)
            for number in 0..<count {
                _ = try await world.world.fleet.update(
                    "e-\(number)", try DeviceChange(json: ["components": ["system": .string("dev-\(number)")]]),
                    in: acme, by: admin)
            }
            await #expect(throws: Refusal(.invalid, "campaign.versions", "")) {
                try await world.operations.updateAllBehind(system, in: acme, by: admin)
            }
        }
    }
}
