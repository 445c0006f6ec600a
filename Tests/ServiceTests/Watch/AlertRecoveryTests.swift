import Access
import Base
import Storage
import Testing

@testable import Fleet
@testable import Operations
@testable import Watch

/// What alerts become of when the server was away, or stopped between two writes.
@Suite("Alerts after a stop") struct AlertRecoveryTests {
    @Test(
        "devices that have been missing for hours when they are found are one alert of their site",
        arguments: TestDatabase.engines)
    func longMissing(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine, berlin: 4) { world in
            try await world.rule()
            // Nobody looks for alerts while one device after the other goes silent, more than an hour apart.
            var calling = ["b-1", "b-2", "b-3", "p-0", "p-1"]
            for _ in 0..<4 {
                for _ in 0..<410 {
                    world.world.time.advance(by: .seconds(10))
                    for name in calling { try await world.call(name) }
                    try await world.world.fleet.heartbeats.turn()
                }
                calling.removeFirst()
            }
            let restarted = try await world.restarted()
            try await restarted.pass(5)
            #expect(try await restarted.summaries().contains("berlin: 4 devices are silent"))
            #expect(try await restarted.alerts().count { $0.place == "berlin" } == 1)
            let alert = try #require(try await restarted.alerts().first { $0.place == "berlin" })
            // It began with the first of them, hours ago.
            #expect(alert.opened < restarted.world.time.now - .seconds(3 * 3600))
            #expect(try await restarted.messages().count { $0.contains("berlin") } == 1)
            // So are those that somebody moves.
            for name in ["b-0", "b-1"] {
                var change = DeviceChange()
                change.domain = "berlin/hall"
                _ = try await restarted.world.fleet.update(name, change, in: world.world.acme, by: WatchFixture.admin)
            }
            try await restarted.pass(5)
            #expect(try await restarted.summaries().contains("berlin/hall: 2 devices are silent"))
        }
    }

    @Test(
        "an alert of which only a part was written before the server stopped ends like any other",
        arguments: TestDatabase.engines)
    func halfWritten(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.pass(70)
            #expect(try await world.alerts().count == 2)
            let berlin = try #require(try await world.alerts().first { $0.place == "berlin" }).id
            let paris = try #require(try await world.alerts().first { $0.place == "paris" }).id
            let device = try await world.device("b-0")
            // Berlin's alert is there and its devices are not; a device that moved is in both.
            try await world.world.database.tenant(world.world.acme).write { transaction in
                try transaction.execute("DELETE FROM alert_device WHERE tenant = $1 AND alert = $2", berlin)
                try AlertStore.join([(paris, device)], in: transaction)
            }
            let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]
            for name in all { try await world.call(name) }
            try await world.world.fleet.heartbeats.turn()
            let restarted = try await world.restarted()
            try await restarted.pass(5, calling: all)
            #expect(try await restarted.summaries().isEmpty)
            #expect(try await restarted.alerts(open: false).count == 2)
        }
    }

    @Test("a device that stands in two alerts counts in the one of its home", arguments: TestDatabase.engines)
    func twoAlerts(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.pass(70)
            for other in try await world.alerts() {
                let name = other.place == "berlin" ? "p-0" : "b-0"
                let device = try await world.device(name)
                try await world.world.database.tenant(world.world.acme).write {
                    try AlertStore.join([(other.id, device)], in: $0)
                }
            }
            let restarted = try await world.restarted()
            try await restarted.pass(5)
            #expect(
                try await restarted.summaries() == ["berlin: 3 devices are silent", "paris: 2 devices are silent"])
            let again = try await restarted.restarted()
            try await again.pass(10, calling: ["b-0", "b-1", "b-2", "p-0", "p-1"])
            #expect(try await again.summaries().isEmpty)
        }
    }
}
