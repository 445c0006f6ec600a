import Access
import Base
import Storage
import Testing

@testable import Fleet
@testable import Operations
@testable import Watch

@Suite("Alerts") struct AlertTests {
    @Test(
        "a site that is lost is one alert and one message, and its return another one", arguments: TestDatabase.engines)
    func lostSite(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine, berlin: 40) { world in
            try await world.rule(wait: 30)
            // Half of the site calls a little longer: it is missed later, and is the same alert.
            try await world.pass(15, calling: (0..<20).map { "b-\($0)" } + ["p-0", "p-1"])
            try await world.pass(15, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 20 devices are late"])
            try await world.pass(40, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 20 devices are silent, 20 late"])
            #expect(try await world.messages().isEmpty)
            try await world.pass(40, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 40 devices are silent"])
            #expect(try await world.messages().count == 1)
            try await world.pass(3000, calling: ["p-0", "p-1"])
            let mail = try #require(try await world.contents().first)
            #expect(try await world.contents().count == 1)
            #expect(mail["subject"]?.string?.hasPrefix("[acme] berlin: ") == true)
            let text = try #require(mail["text"]?.string)
            for part in [
                "at berlin missed so many calls", "Since: 2027-01-15", "Devices: b-", "What to do:", "alert rule all",
            ] {
                #expect(text.contains(part), "\(part) is missing in \(text)")
            }
            let alert = try #require(try await world.alerts().first)
            #expect(text.contains("https://fleet.example.com/t/acme/alerts/\(alert.id)"))
            #expect((alert.condition, alert.severity, alert.told) == (.silent, .warning, 1))
            // All but one come back: nothing is told yet.
            try await world.pass(10, calling: (1..<40).map { "b-\($0)" } + ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 1 device is silent"])
            #expect(
                try await world.watch.alert(alert.id, in: world.world.acme, by: WatchFixture.admin).devices.map(\.text)
                    == ["b-0"])
            #expect(try await world.messages().count == 1)
            try await world.pass(10, calling: (0..<40).map { "b-\($0)" } + ["p-0", "p-1"])
            #expect(try await world.messages().last == "ops@example.com [acme] berlin: back again, 40 devices")
            #expect(try await world.messages().count == 2)
            let closed = try #require(try await world.alerts(open: false).first)
            #expect((closed.end, closed.missing, closed.devices) == (.back, 0, 40))
            #expect(try await world.summaries().isEmpty)
        }
    }

    @Test("a short gap is not told, and neither is what nobody made a rule for", arguments: TestDatabase.engines)
    func shortGap(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.pass(70, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 3 devices are silent"])
            #expect(try await world.watch.bell(in: world.world.acme, by: WatchFixture.admin) == 1)
            #expect(try await world.messages().isEmpty)
            try await world.pass(5, calling: ["b-0", "b-1", "b-2", "p-0", "p-1"])
            #expect(try await world.watch.bell(in: world.world.acme, by: WatchFixture.admin) == 0)
            try await world.rule(wait: 60)
            try await world.pass(90, calling: ["p-0", "p-1"])
            try await world.pass(10, calling: ["b-0", "b-1", "b-2", "p-0", "p-1"])
            #expect(try await world.messages().isEmpty)
            // A rule that asks for it tells of who is late, too.
            try await world.rule("early") { $0.conditions = [.late] }
            try await world.pass(30, calling: ["p-0", "p-1"])
            #expect(try await world.messages() == ["ops@example.com [acme] berlin: 3 devices are late"])
        }
    }

    @Test(
        "one device that has been away for long does not hide that its site is lost", arguments: TestDatabase.engines)
    func waves(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            try await world.pass(4000, calling: ["b-1", "b-2", "p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 1 device is silent"])
            try await world.pass(100, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 1 device is silent", "berlin: 2 devices are silent"])
            #expect(try await world.messages().count == 2)
        }
    }

    @Test(
        "what happens while the server is down, or before it was written, is found at the start and told once",
        arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule(wait: 60)
            // The devices are silent on disk, and no alert was made of it.
            for _ in 0..<15 {
                world.world.time.advance(by: .seconds(5))
                for name in ["p-0", "p-1"] { try await world.call(name) }
                try await world.world.fleet.heartbeats.turn()
            }
            #expect(try await world.alerts(open: nil).isEmpty)
            let second = try await world.restarted()
            try await second.pass(1)
            #expect(try await second.summaries() == ["berlin: 3 devices are silent"])
            #expect(try await second.messages().isEmpty)
            // Stopped before it was told, and again after.
            let third = try await second.restarted()
            try await third.pass(70, calling: ["p-0", "p-1"])
            #expect(try await third.messages().count == 1)
            let fourth = try await third.restarted()
            try await fourth.pass(20, calling: ["p-0", "p-1"])
            #expect(try await fourth.alerts(open: nil).count == 1)
            #expect(try await fourth.messages().count == 1)
            // They come back, and the server stops before it says so.
            for name in ["b-0", "b-1", "b-2"] { try await fourth.call(name) }
            try await fourth.world.fleet.heartbeats.turn()
            let fifth = try await fourth.restarted()
            try await fifth.pass(5)
            #expect(try await fifth.summaries().isEmpty)
            #expect(try await fifth.messages().last == "ops@example.com [acme] berlin: back again, 3 devices")
            #expect(try await fifth.messages().count == 2)
        }
    }

    @Test("who is suspended, exempt, moved or deleted is missed no more", arguments: TestDatabase.engines)
    func excused(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine, berlin: 4) { world in
            let (fleet, acme, admin) = (world.world.fleet, world.world.acme, WatchFixture.admin)
            try await world.pass(70, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 4 devices are silent"])
            _ = try await fleet.suspend("b-0", in: acme, by: admin)
            try await fleet.setHeartbeat(HeartbeatPolicy(isExempt: true), ofDevice: "b-1", in: acme, by: admin)
            _ = try await fleet.revoke("b-2", in: acme, by: admin)
            try await fleet.delete("b-2", in: acme, by: admin)
            try await world.pass(5, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["berlin: 1 device is silent"])
            var change = DeviceChange()
            change.domain = "paris"
            _ = try await fleet.update("b-3", change, in: acme, by: admin)
            try await world.pass(5, calling: ["p-0", "p-1"])
            #expect(try await world.summaries() == ["paris: 1 device is silent"])
            #expect(try await world.alerts(open: false).map(\.end) == [.excused])
        }
    }

    @Test("an operation with failures is one alert, closed when they are tried again", arguments: TestDatabase.engines)
    func operations(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]
            let operation = try await world.work.order(.reboot, .domain("berlin"))
            for name in ["b-0", "b-1"] {
                let device = try await world.world.fleet.show(name, in: world.world.acme, by: WatchFixture.admin).device
                _ = try await world.work.say(.failed, of: try world.work.next(device), from: device)
            }
            try await world.pass(5, calling: all)
            #expect(try await world.summaries() == ["reboot: 2 tasks failed"])
            #expect(try await world.messages() == ["ops@example.com [acme] reboot: 2 tasks failed"])
            let alert = try #require(try await world.alerts().first)
            #expect(alert.place == "berlin")
            #expect(alert.subject.operation == operation.id)
            // A restart finds the same alert, and makes no other.
            let restarted = try await world.restarted()
            try await restarted.pass(5, calling: all)
            #expect(try await restarted.alerts(open: nil).count == 1)
            _ = try await restarted.work.operations.retry(operation.id, in: world.world.acme, by: WatchFixture.admin)
            try await restarted.pass(5, calling: all)
            #expect(try await restarted.alerts(open: false).map(\.end) == [.retried])
            #expect(try await restarted.messages().count == 2)
            // As many fail again: that is a new alert.
            try await restarted.work.operations.turn()
            for name in ["b-0", "b-1"] {
                let device = try await restarted.world.fleet.show(
                    name, in: world.world.acme, by: WatchFixture.admin
                ).device
                _ = try await restarted.work.say(.failed, of: try restarted.work.next(device), from: device)
            }
            try await restarted.pass(5, calling: all)
            #expect(try await restarted.summaries() == ["reboot: 2 tasks failed"])
        }
    }

    @Test("failures that somebody acknowledged end with their operation, and never come back by a restart")
    func acknowledgedOperation() async throws {
        try await WatchFixture.with(.sqlite) { world in
            let all = ["b-0", "b-1", "b-2", "p-0", "p-1"]
            let operation = try await world.work.order(.reboot, .devices([.init("p-0")]))
            let device = try await world.world.fleet.show("p-0", in: world.world.acme, by: WatchFixture.admin).device
            _ = try await world.work.say(.failed, of: try world.work.next(device), from: device)
            try await world.pass(5, calling: all)
            let alert = try #require(try await world.alerts().first)
            #expect(alert.place == nil)
            _ = try await world.watch.acknowledge(alert.id, in: world.world.acme, by: WatchFixture.admin)
            try await world.pass(5, calling: all)
            #expect(try await world.alerts(open: false).map(\.end) == [.acknowledged])
            let restarted = try await world.restarted()
            try await restarted.pass(5, calling: all)
            #expect(try await restarted.alerts(open: nil).count == 1)
            #expect(try await restarted.work.state(operation.id) == .finished)
        }
    }

    @Test(
        "certificates that end soon are one alert of their site, until they are renewed",
        arguments: TestDatabase.engines)
    func certificates(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine, berlin: 1, paris: 1) { world in
            try await world.rule()
            let registered = try await world.world.register("c-1") { $0.domain = "berlin" }
            _ = try await world.world.enrol(registered)
            for name in ["b-0", "p-0", "c-1"] {
                try await world.world.fleet.setHeartbeat(
                    HeartbeatPolicy(isExempt: true), ofDevice: name, in: world.world.acme, by: WatchFixture.admin)
            }
            try await world.pass(5)
            #expect(try await world.alerts().isEmpty)
            world.world.time.advance(by: .seconds(22 * 86_400))
            try await world.pass(5)
            #expect(try await world.alerts().isEmpty)
            world.world.time.advance(by: .seconds(86_400 + 3600))
            try await world.pass(5)
            #expect(try await world.summaries() == ["berlin: certificates of 1 device end soon"])
            #expect(try await world.messages().count == 1)
            // Ended meanwhile, it is still told, and only once.
            world.world.time.advance(by: .seconds(8 * 86_400))
            try await world.pass(5)
            #expect(try await world.alerts().count == 1)
            let token = try await world.world.fleet.reissueEnrolmentToken(
                "c-1", in: world.world.acme, by: WatchFixture.admin)
            _ = try await world.world.enrol(RegisteredDevice(device: registered.device, token: token))
            try await world.pass(5)
            #expect(try await world.alerts(open: false).map(\.end) == [.renewed])
            #expect(try await world.messages().last == "ops@example.com [acme] berlin: certificates renewed")
        }
    }
}
