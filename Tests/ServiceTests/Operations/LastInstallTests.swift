import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("What devices installed last") struct LastInstallTests {
    @Test("it is known after a restart, for as long as its task is kept", arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            for version in ["1.0", "2.0"] {
                _ = try await world.campaign(try await world.release(version))
                try await world.all(devices, say: .succeeded)
            }
            let numbers = devices.map { world.operations.board.installed(on: $0.id) }
            #expect(numbers.allSatisfy { $0 != nil })
            let again = try await world.restarted()
            #expect(devices.map { again.operations.board.installed(on: $0.id) } == numbers)
            #expect(try await Self.rows(again) == 2, "one for each device, however long the history is")
            _ = try await again.world.fleet.delete("d-1", in: again.world.acme, by: OperationsFixture.admin)
            try await again.operations.turn()
            #expect(try await Self.rows(again) == 1)
            again.world.time.advance(by: .seconds((OperationLimits.keptDays + 1) * 86_400))
            try await again.operations.trim()
            #expect(try await Self.rows(again) == 0)
        }
    }

    private static func rows(_ world: OperationsFixture) async throws -> Int? {
        try await world.world.database.tenant(world.world.acme).read { transaction in
            try transaction.row("SELECT count(*) FROM last_install WHERE tenant = $1")?.int(0)
        }
    }
}
