import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Releases for the hardware that they fit") struct ReleaseHardwareTests {
    /// Two devices of the hardware gw-1, one of gw-2, and one of which nobody knows.
    private static func with(
        _ engine: TestDatabase.Engine, _ body: (OperationsFixture) async throws -> Void
    ) async throws {
        try await OperationsFixture.with(engine) { world in
            for hardware in ["gw-1", "gw-2"] {
                _ = try await world.world.fleet.createModel(
                    try #require(Name("model-\(hardware)")), ModelDocument(hardware: hardware), in: world.world.acme,
                    by: OperationsFixture.admin)
            }
            let list = try world.world.list("name,model\na,model-gw-1\nb,model-gw-1\nc,model-gw-2\nd,")
            _ = try await world.world.fleet.registerMany(list, in: world.world.acme, by: OperationsFixture.admin)
            try await body(world)
        }
    }

    /// Has a model say that its devices are of another hardware.
    private static func change(_ model: String, to hardware: String, in world: OperationsFixture) async throws {
        _ = try await world.world.fleet.updateModel(
            model, ModelDocument(hardware: hardware), in: world.world.acme, by: OperationsFixture.admin)
    }

    private static func device(_ name: String, in world: OperationsFixture) async throws -> Device {
        try await world.world.fleet.show(name, in: world.world.acme, by: OperationsFixture.admin).device
    }

    @Test("an order leaves other hardware out, and refuses it by name", arguments: TestDatabase.engines)
    func orders(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { world in
            let release = try await world.release("1.0", hardware: ["gw-1", "gw-3"])
            func order(_ target: OperationTarget, rollback: Bool = false) async throws -> Operation {
                var order = OperationOrder(.install, target, release: release)
                order.isRollback = rollback
                return try await world.operations.order(order, in: world.world.acme, by: OperationsFixture.admin)
            }
            let made = try await order(.filter(nil))
            #expect(made.total == 3, "the two that fit, and the one of which nobody knows")
            for rollback in [false, true] {
                let refusal = await #expect(throws: Refusal(.conflict, "release.hardware", "")) {
                    try await order(.devices([.init("a"), .init("c")]), rollback: rollback)
                }
                #expect(refusal?.message.hasPrefix("c has hardware that the release is not for") == true)
            }
            let all = await #expect(throws: Refusal(.conflict, "release.hardware", "")) {
                try await order(.filter("model = model-gw-2"))
            }
            #expect(all?.message.hasPrefix("The one device that matches has") == true)
            try await world.operations.turn()
            // What failed is not tried again on hardware that turned out to be another one.
            let (a, b) = (try await Self.device("a", in: world), try await Self.device("b", in: world))
            for device in [a, b] { _ = try await world.say(.failed, of: try world.next(device), from: device) }
            _ = try await world.world.fleet.update(
                "b", try DeviceChange(json: ["model": "model-gw-2"]), in: world.world.acme, by: OperationsFixture.admin)
            _ = try await world.operations.retry(made.id, in: world.world.acme, by: OperationsFixture.admin)
            try await world.operations.turn()
            #expect(world.busy([a, b]).map(\.id) == [a.id])
            // A release that names no hardware is for all.
            let any = try await world.release("2.0", of: "application")
            let order = OperationOrder(.install, .devices([.init("c")]), release: any)
            #expect(
                try await world.operations.order(order, in: world.world.acme, by: OperationsFixture.admin).total == 1)
        }
    }

    @Test("a campaign has who fits, says how many do not, and asks again later", arguments: TestDatabase.engines)
    func campaigns(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { world in
            let acme = world.world.acme
            let release = try await world.release("1.0", hardware: ["gw-1"])
            let draft = CampaignDraft(release, .filter(nil), groups: [.percent(100)])
            let preview = try await world.operations.previewCampaign(draft, in: acme, by: OperationsFixture.admin)
            #expect(preview.members == 3 && preview.misfits == 1)
            await #expect(throws: Refusal(.conflict, "release.hardware", "")) {
                try await world.campaign(release, target: .filter("model = model-gw-2"))
            }
            await #expect(throws: Refusal(.conflict, "release.hardware", "")) {
                try await world.campaign(release, [.devices(["c"])], target: nil)
            }
            await #expect(throws: Refusal(.conflict, "release.hardware", "")) {
                try await world.campaign(release, target: .devices([.init("a"), .init("c")]))
            }
            let made = try await world.campaign(
                release, [.percent(1), .percent(99)], rules: CampaignRules(success: 100), newcomers: true)
            #expect(made.members == 3, "who does not fit is no newcomer")
            // The model was wrong: it joins.
            try await Self.change("model-gw-2", to: "gw-1", in: world)
            try await world.operations.turn()
            #expect(try await world.campaign(made.id).members == 4)
            // It was right after all: when their turn comes, both models' devices are left out, but who had begun.
            try await Self.change("model-gw-2", to: "gw-2", in: world)
            try await Self.change("model-gw-1", to: "gw-2", in: world)
            var names: [Device] = []
            for name in ["a", "b", "c", "d"] { names.append(try await Self.device(name, in: world)) }
            let first = world.busy(names)
            try await world.all(first, say: .succeeded)
            let ended = try await world.campaign(made.id)
            let began = Set(first.map(\.name.text))
            #expect(ended.groups.map(\.leftOut).reduce(0, +) == ["a", "b", "c"].filter { !began.contains($0) }.count)
            #expect(world.busy(names).map(\.name.text) == (began.contains("d") ? [] : ["d"]))
        }
    }

    @Test("a rollback brings the last release before that is for the same hardware", arguments: TestDatabase.engines)
    func rollback(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { world in
            let acme = world.world.acme
            let former = try await world.release("1.0", hardware: ["gw-1"])
            let other = try await world.release("1.1", hardware: ["gw-2"])
            let release = try await world.release("2.0", hardware: ["gw-1"])
            let device = try await Self.device("a", in: world)
            let made = try await world.campaign(release, target: .filter("name = a"))
            try await world.all([device], say: .succeeded)
            await #expect(throws: Refusal(.conflict, "release.hardware", "")) {
                try await world.operations.rollBackCampaign(made.id, to: other, in: acme, by: OperationsFixture.admin)
            }
            let taken = try await world.operations.rollBackCampaign(made.id, in: acme, by: OperationsFixture.admin)
            #expect(taken.rollback?.release == former)
            try await world.operations.turn()
            #expect(try world.next(device).release == former)
            // Before the first one for it there is nothing to go back to.
            let first = try await world.campaign(former, target: .filter("name = b"))
            await #expect(throws: Refusal(.conflict, "campaign.noFormer", "")) {
                try await world.operations.rollBackCampaign(first.id, in: acme, by: OperationsFixture.admin)
            }
        }
    }
}
