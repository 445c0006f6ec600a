import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Who may give devices work") struct OperationRightsTests {
    private static func sites(_ world: OperationsFixture) async throws {
        try await world.world.domain("berlin")
        try await world.world.domain("paris")
        for (name, place) in [("b-1", "berlin"), ("b-2", "berlin"), ("p-1", "paris")] {
            _ = try await world.world.register(name) { $0.domain = place }
        }
    }

    @Test(
        "a technician of one site gives work to its devices alone, and sees no other's", arguments: TestDatabase.engines
    )
    func sites(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            try await Self.sites(world)
            let acme = world.world.acme
            let local = try await world.world.principal("technician", at: "berlin")
            let mine = try await world.order(.reboot, .filter(nil), by: local)
            #expect(mine.total == 2)
            let all = try await world.order(.reboot, .filter(nil))
            #expect(all.total == 3)
            #expect(
                try await world.operations.operations(limit: 10, in: acme, by: local).items.map(\.id) == [mine.id])
            await #expect(throws: Operations.unknown) {
                try await world.operations.operation(all.id, in: acme, by: local)
            }
            await #expect(throws: Refusal.self) {
                try await world.operations.tasks(.device("p-1"), limit: 10, in: acme, by: local)
            }
            let seen = try await world.operations.tasks(.device("b-1"), limit: 10, in: acme, by: local).items
            #expect(seen.count == 2)
            // A list that names another's device gives nobody anything.
            await #expect(throws: Refusal.self) {
                try await world.order(.reboot, .devices([.init("b-1"), .init("p-1")]), by: local)
            }
            #expect(try await world.operations.tasks(.device("b-1"), limit: 10, in: acme, by: local).items.count == 2)
            // What one may not install, one may not order.
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.order(.changeSecret, .filter(nil), by: local)
            }
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.operations.cancel(mine.id, force: false, in: acme, by: local)
            }
        }
    }

    @Test("who manages one site ends its tasks alone", arguments: TestDatabase.engines)
    func partly(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            try await Self.sites(world)
            let acme = world.world.acme
            let everywhere = try await world.world.principal("viewer")
            _ = everywhere
            let berlin = try await world.world.principal("operator", at: "berlin")
            let mine = try await world.order(.reboot, .domain("berlin"), by: berlin)
            #expect(try await world.operations.cancel(mine.id, force: false, in: acme, by: berlin).state == .cancelled)
            await #expect(throws: Refusal(.conflict, "operation.noFailures", "")) {
                try await world.operations.retry(mine.id, in: acme, by: berlin)
            }
            let theirs = try await world.order(.reboot, .domain("paris"))
            await #expect(throws: Operations.unknown) {
                try await world.operations.cancel(theirs.id, force: true, in: acme, by: berlin)
            }
            let stranger = try await world.world.principal("admin", of: world.world.rival)
            await #expect(throws: Refusal.self) {
                try await world.operations.operation(theirs.id, in: acme, by: stranger)
            }
            await #expect(throws: Operations.unknown) {
                try await world.operations.operation(theirs.id, in: world.world.rival, by: stranger)
            }
        }
    }

    @Test("an order that can not be is refused with every reason, and leaves nothing", arguments: TestDatabase.engines)
    func wrong(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            _ = try await world.devices(1)
            let release = ReleaseID(high: 1, low: 1)
            let wrong: [(OperationOrder, String)] = [
                (OperationOrder(.install, .filter(nil)), "operation.invalid"),
                (OperationOrder(.reboot, .filter(nil), release: release), "operation.invalid"),
                (OperationOrder(.reboot, .filter(nil), title: ""), "operation.invalid"),
                (OperationOrder(.reboot, .filter(nil), input: [1]), "operation.invalid"),
                (OperationOrder(.reboot, .devices([])), "operation.invalid"),
                (OperationOrder(.reboot, .filter(nil), terms: OperationTerms(life: 1)), "operation.invalid"),
                (OperationOrder(.reboot, .filter(nil), terms: OperationTerms(timeout: .max)), "operation.invalid"),
                (
                    OperationOrder(.reboot, .filter(nil), terms: OperationTerms(retries: [.failed: 11])),
                    "operation.invalid"
                ),
                (
                    OperationOrder(
                        .reboot, .filter(nil), input: ["a": .string(String(repeating: "x", count: 70_000))]),
                    "operation.invalid"
                ),
                (OperationOrder(.reboot, .filter("name = \"nobody\"")), "operation.nothing"),
                (OperationOrder(.reboot, .devices([.init("nobody")])), "device.unknown"),
            ]
            for (order, code) in wrong {
                do {
                    _ = try await world.operations.order(order, in: world.world.acme, by: OperationsFixture.admin)
                    Issue.record("\(order) was taken")
                } catch let refusal as Refusal {
                    #expect(refusal.code == code, "\(refusal)")
                }
            }
            let list = try await world.operations.operations(
                limit: 10, in: world.world.acme, by: OperationsFixture.admin)
            #expect(list.items.isEmpty)
        }
    }
}
