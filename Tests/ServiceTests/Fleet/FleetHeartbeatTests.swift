import Access
import Base
import Bus
import Foundation
import Storage
import Testing

@testable import Fleet

/// Policies along the tree, and devices that become late, silent and come back.
@Suite struct FleetHeartbeatTests {
    /// What was told on the bus, one line for each event.
    static func listen(_ world: FleetFixture) -> FleetTestLog<String> {
        let log = FleetTestLog<String>()
        world.bus.subscribe(to: DevicesLate.self) { log.append("late \($0.devices.count)") }
        world.bus.subscribe(to: DevicesSilent.self) { log.append("silent \($0.devices.count)") }
        world.bus.subscribe(to: DevicesBack.self) { log.append("back \($0.devices.count)") }
        return log
    }

    private func standing(_ world: FleetFixture, _ name: String) async throws -> HeartbeatStanding {
        let details = try await world.fleet.show(name, in: world.acme, by: FleetFixture.admin)
        let listed = try await world.fleet.list(
            DeviceQuery(filter: "name = \(name)"), in: world.acme, by: FleetFixture.admin)
        #expect(listed.items.first?.heartbeat == details.heartbeat)
        return details.heartbeat
    }

    @Test(
        "a device that misses its calls is late, then silent, then back, and all of it is counted",
        arguments: TestDatabase.engines)
    func course(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let log = Self.listen(world)
            let device = try await world.enrol(world.register("meter-1"))
            _ = try await world.enrol(world.register("meter-2"))
            _ = try await world.register("waiting")
            try await world.set(.every(10), device: "meter-1")
            try await world.set(HeartbeatPolicy(isExempt: true), device: "meter-2")
            // Told to wait five minutes when it enrolled, it is late ten seconds and the grace after that.
            try await world.pass(seconds: 335)
            #expect(try await standing(world, "meter-1").state == .calling)
            try await world.pass(seconds: 10)
            let late = try await standing(world, "meter-1")
            #expect(late.state == .late)
            #expect(late.since != nil)
            #expect(try await world.names(DeviceQuery(filter: "heartbeat = late")) == ["meter-1"])
            #expect(try await world.names(DeviceQuery(filter: "heartbeat = calling")) == ["meter-2"])
            #expect(try await world.names(DeviceQuery(filter: "not heartbeat = late")) == ["meter-2", "waiting"])
            try await world.pass(seconds: 60)
            #expect(try await standing(world, "meter-1").state == .silent)
            #expect(world.fleet.heartbeats.missing == (late: 0, silent: 1))
            world.fleet.heartbeats.called(device.device, at: world.time.now)
            #expect(try await standing(world, "meter-1").state == .calling)
            try await world.pass(seconds: 5)
            #expect(log.elements == ["late 1", "silent 1", "back 1"])
            let back = try await standing(world, "meter-1")
            #expect(back.timesLate == 1)
            #expect(back.timesSilent == 1)
            #expect(try await world.names(DeviceQuery(filter: "heartbeat = silent")).isEmpty)
            #expect(try await standing(world, "meter-2").state == nil)
            #expect(try await standing(world, "waiting").state == nil)
            // What was written survives, and is added to.
            try await world.pass(seconds: 100)
            let again = try await standing(world, "meter-1")
            #expect((again.timesLate, again.timesSilent) == (2, 2))
        }
    }

    @Test(
        "what is being written is known as a whole to who read the database before, and not twice to who reads it after"
    )
    func written() async throws {
        try await FleetFixture.with(.sqlite) { world in
            let id = try await world.enrol(world.register("meter-1")).device
            try await world.set(.every(10), device: "meter-1")
            let heartbeats = world.fleet.heartbeats
            var stored = HeartbeatStanding.faultless
            let course: [(Int64, HeartbeatState, [Int64])] = [(345, .late, [1, 0]), (40, .silent, [1, 1])]
            // Each ends with the turn that writes the change.
            for (seconds, state, times) in course {
                try await world.pass(seconds: seconds)
                let after = try await standing(world, "meter-1")
                #expect(after.state == state && [after.timesLate, after.timesSilent] == times)
                #expect(heartbeats.standing(of: id, stored: stored) == after)
                stored = after
            }
            heartbeats.called(id, at: world.time.now)
            let back = try await standing(world, "meter-1")
            #expect(back.state == .calling && back.since == world.time.now)
            try await world.pass(seconds: 5)
            #expect(try await standing(world, "meter-1") == back)
            #expect(heartbeats.standing(of: id, stored: stored) == back)
        }
    }

    @Test(
        "after a restart nobody is falsely silent, and who was silent is until heard", arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.enrol(world.register("silent"))
            let other = try await world.enrol(world.register("other"))
            try await world.set(.every(10), device: "silent")
            try await world.pass(seconds: 450)
            world.fleet.heartbeats.called(other.device, at: world.time.now)
            try await world.pass(seconds: 5)
            #expect(try await standing(world, "silent").state == .silent)
            world.time.advance(by: .seconds(86_400))
            let restarted = try await world.restarted()
            let log = Self.listen(restarted)
            try await restarted.pass(seconds: 120)
            #expect(try await standing(restarted, "silent").state == .silent)
            #expect(try await standing(restarted, "other").state == .calling)
            #expect(log.elements.isEmpty)
            let device = try #require(
                try await restarted.fleet.list(
                    DeviceQuery(filter: "name = silent"), in: world.acme, by: FleetFixture.admin
                ).items.first?.device)
            restarted.fleet.heartbeats.called(device.id, at: restarted.time.now)
            try await restarted.pass(seconds: 5)
            #expect(log.elements == ["back 1"])
        }
    }

    @Test("a device that is kept out, deleted, or of a suspended tenant is never late", arguments: TestDatabase.engines)
    func keptOut(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let (log, fleet, admin) = (Self.listen(world), world.fleet, FleetFixture.admin)
            for name in ["suspended", "deleted", "silenced"] { _ = try await world.enrol(world.register(name)) }
            let other = try await world.enrol(world.register("other", in: world.rival), slug: "rival")
            try await world.set(.every(5), device: "deleted")
            try await world.set(.every(5), device: "silenced")
            _ = try await fleet.suspend("suspended", in: world.acme, by: admin)
            try await world.pass(seconds: 400)
            #expect(log.elements.sorted() == ["late 2", "silent 2"])
            try await fleet.delete("deleted", in: world.acme, by: admin)
            _ = try await fleet.suspend("silenced", in: world.acme, by: admin)
            _ = try await world.access.suspendTenant(try #require(TenantSlug("rival")), by: admin)
            try await world.pass(seconds: 4000)
            #expect(log.elements.count == 2)
            #expect(try await world.names(DeviceQuery(filter: "heartbeat = silent or heartbeat = late")).isEmpty)
            let silenced = try await standing(world, "silenced")
            #expect(silenced.state == nil)
            #expect(silenced.timesSilent == 1)
            _ = try await world.access.resumeTenant(try #require(TenantSlug("rival")), by: admin)
            _ = try await fleet.resume("suspended", in: world.acme, by: admin)
            try await world.pass(seconds: 600)
            #expect(log.elements.count == 2)
            world.fleet.heartbeats.called(other.device, at: world.time.now)
            try await world.pass(seconds: 400)
            #expect(log.elements.count == 3)
            let rows = try await world.database.platform.read {
                try $0.acrossTenants.row("SELECT count(*) FROM device_heartbeat")?.int(0)
            }
            // The suspended one that was resumed and never called, and the one that was silenced.
            #expect(rows == 2)
        }
    }

    @Test("an MQTT session counts as calling while it lasts, and connecting brings a silent device back")
    func sessions() async throws {
        try await FleetFixture.with(.sqlite) { world in
            let log = Self.listen(world)
            let device = try await world.enrol(world.register("one"))
            let session = world.presence.connected(device, via: "mqtt", address: nil)
            try await world.pass(seconds: 10_000)
            #expect(log.elements.isEmpty)
            world.presence.disconnected(session, reason: .lost)
            try await world.pass(seconds: 650)
            #expect(log.elements.isEmpty)
            try await world.pass(seconds: 20)
            #expect(log.elements == ["late 1"])
            // A connection over HTTPS that stays open says nothing by itself.
            let open = world.presence.connected(device, via: "https", address: nil)
            try await world.pass(seconds: 700)
            #expect(log.elements == ["late 1", "back 1", "late 1"])
            open.seen(at: world.time.now)
            try await world.pass(seconds: 1500)
            #expect(log.elements == ["late 1", "back 1", "late 1", "back 1", "late 1"])
        }
    }

    @Test("a server that was away itself blames nobody, and neither does a clock that is changed")
    func away() async throws {
        try await FleetFixture.with(.sqlite) { world in
            let log = Self.listen(world)
            _ = try await world.enrol(world.register("one"))
            try await world.pass(seconds: 10)
            world.time.advance(by: .seconds(3600))
            try await world.pass(seconds: 600)
            #expect(log.elements.isEmpty)
            try await world.pass(seconds: 100)
            #expect(log.elements == ["late 1"])
        }
    }
}

extension FleetFixture {
    func set(_ policy: HeartbeatPolicy?, domain: String) async throws {
        try await fleet.setHeartbeat(policy, ofDomain: domain, in: acme, by: Self.admin)
    }

    func set(_ policy: HeartbeatPolicy?, device: String) async throws {
        try await fleet.setHeartbeat(policy, ofDevice: device, in: acme, by: Self.admin)
    }

    func pause(_ device: AdmittedDevice) -> Int64 {
        fleet.heartbeats.pause(of: device, isBusy: false, at: time.now)
    }

    /// Lets time pass with a turn of the heartbeats at least every five seconds.
    func pass(seconds: Int64) async throws {
        var left = seconds
        while left > 0 {
            let step = min(left, 5)
            time.advance(by: .seconds(step))
            try await fleet.heartbeats.turn()
            left -= step
        }
    }
}

extension HeartbeatPolicy {
    /// Calls every so many seconds, all alike.
    static func every(_ seconds: Int64) -> HeartbeatPolicy {
        HeartbeatPolicy(intervalSeconds: seconds, jitterPercent: 0)
    }
}
