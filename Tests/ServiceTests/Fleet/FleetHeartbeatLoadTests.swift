import Access
import Base
import Storage
import Testing

@testable import Fleet

/// Many devices at once.
@Suite struct FleetHeartbeatLoadTests {
    @Test(
        "twenty thousand devices become late at once within seconds, and polls cost next to nothing",
        arguments: TestDatabase.engines)
    func many(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let count = 20_000
            let list = try world.list("name\n" + (0..<count).map { "d\($0)" }.joined(separator: "\n") + "\n")
            _ = try await world.fleet.registerMany(list, in: world.acme, by: FleetFixture.admin)
            // What enrolling does to the devices, without so many keys.
            try await world.database.tenant(world.acme).write {
                try $0.execute("UPDATE device SET status = 1, enrolled = created WHERE tenant = $1")
            }
            let restarted = try await world.restarted()
            let (log, heartbeats) = (FleetHeartbeatTests.listen(restarted), restarted.fleet.heartbeats)
            let ids = try await restarted.database.tenant(world.acme).read {
                try $0.rows("SELECT id FROM device WHERE tenant = $1").map { try $0.identifier(0, as: DeviceID.self) }
            }
            // The first turn gives everybody a whole new time.
            try await restarted.pass(seconds: 1)
            let clock = ContinuousClock()
            let polls = clock.measure {
                let now = restarted.time.now
                for id in ids {
                    _ = heartbeats.pause(of: id, isBusy: false, at: now)
                    heartbeats.called(id, at: now)
                }
            }
            try await restarted.pass(seconds: 660)
            #expect(log.elements.isEmpty)
            let late = try await clock.measure { try await restarted.pass(seconds: 5) }
            #expect(log.elements.reduce(0) { $0 + (Int($1.dropFirst(5)) ?? 0) } == count)
            print("heartbeats on \(engine): \(count) polls in \(polls), \(count) devices late in \(late)")
            let page = try await restarted.fleet.list(
                DeviceQuery(filter: "heartbeat = late", counting: .all), in: world.acme, by: FleetFixture.admin)
            #expect(page.count?.number == count)
            #expect(polls < .seconds(60))
            #expect(late < .seconds(60))
        }
    }
}
