import Access
import Base
import Storage
import Testing

@testable import Fleet

/// Which policy counts for a device, and who may set one.
@Suite struct FleetHeartbeatPolicyTests {
    @Test(
        "the policy that counts follows the tree, the model, the tenant and the device at once",
        arguments: TestDatabase.engines)
    func policies(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let fleet = world.fleet
            try await world.domain("plants")
            try await world.domain("north", below: "plants")
            try await world.domain("other")
            var document = ModelDocument(heartbeat: .every(40))
            _ = try await fleet.createModel(
                try #require(Name("m")), document, in: world.acme, by: FleetFixture.admin)
            let device = try await world.enrol(
                world.register("one") {
                    $0.domain = "plants/north"
                    $0.model = "m"
                })
            let plain = try await world.enrol(world.register("two"))
            #expect(world.pause(device) == 40)
            #expect((270...330).contains(world.pause(plain)))
            document.heartbeat = .every(45)
            _ = try await fleet.updateModel("m", document, in: world.acme, by: FleetFixture.admin)
            #expect(world.pause(device) == 45)
            try await fleet.setHeartbeat(.every(50), in: world.acme, by: FleetFixture.admin)
            #expect(world.pause(device) == 45)
            #expect(world.pause(plain) == 50)
            try await world.set(.every(30), domain: "plants")
            #expect(world.pause(device) == 30)
            try await world.set(.every(20), domain: "plants/north")
            #expect(world.pause(device) == 20)
            try await world.set(.every(10), device: "one")
            #expect(world.pause(device) == 10)
            let view = try await fleet.heartbeat(ofDevice: "one", in: world.acme, by: FleetFixture.admin)
            #expect(view.source == .device)
            #expect(view.own == view.effective)
            try await world.set(nil, device: "one")
            #expect(world.pause(device) == 20)
            // The device, its domain and the domain above it move.
            var move = DeviceChange()
            move.domain = "other"
            _ = try await fleet.update("one", move, in: world.acme, by: FleetFixture.admin)
            #expect(world.pause(device) == 45)
            move.domain = "plants/north"
            _ = try await fleet.update("one", move, in: world.acme, by: FleetFixture.admin)
            #expect(world.pause(device) == 20)
            try await world.set(nil, domain: "plants/north")
            #expect(world.pause(device) == 30)
            _ = try await world.access.changeDomain(
                "plants/north", below: "other", tenant: world.acme, by: FleetFixture.admin)
            try await world.pass(seconds: 1)
            #expect(world.pause(device) == 45)
            // Another tenant has its own.
            let rival = try await world.enrol(world.register("one", in: world.rival), slug: "rival")
            #expect((270...330).contains(world.pause(rival)))
            // All of it is there after a restart.
            let restarted = try await world.restarted()
            #expect(restarted.pause(device) == 45)
            #expect(restarted.pause(plain) == 50)
            #expect(try await world.audited("heartbeat.").count == 6)
        }
    }

    @Test(
        "a domain made after the start passes policies on, and one that is gone leaves none",
        arguments: TestDatabase.engines)
    func domains(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let root = try await world.access.domain("/", tenant: world.acme, by: FleetFixture.admin)
            try await world.set(.every(70), domain: root.id.text)
            try await world.domain("late")
            let device = try await world.enrol(world.register("one") { $0.domain = "late" })
            try await world.pass(seconds: 1)
            #expect(world.pause(device) == 70)
            try await world.domain("gone")
            try await world.set(.every(5), domain: "gone")
            try await world.access.deleteDomain(
                "gone", tenant: world.acme, by: FleetFixture.admin, isUsed: { _, _ in false })
            try await world.pass(seconds: 1)
            let kept = try await world.database.tenant(world.acme).read {
                try $0.row("SELECT count(*) FROM heartbeat_policy WHERE tenant = $1")?.int(0)
            }
            #expect(kept == 1)
        }
    }

    @Test(
        "the tenant's time zone decides about quiet hours, and its change counts within a second",
        arguments: TestDatabase.engines)
    func zone(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.enrol(world.register("one"))
            var policy = HeartbeatPolicy.every(60)
            // It is eight in the morning UTC.
            policy.quietHours = QuietHours(from: 9 * 60, until: 10 * 60)
            try await world.fleet.setHeartbeat(policy, in: world.acme, by: FleetFixture.admin)
            #expect(world.pause(device) == 60)
            _ = try await world.access.changeTenant(
                try #require(TenantSlug("acme")), timeZone: "Europe/Berlin", by: FleetFixture.admin)
            try await world.pass(seconds: 1)
            #expect((3540...3660).contains(world.pause(device)))
        }
    }

    @Test(
        "who may not manage a device, a domain or the tenant can set no policy there", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("mine")
            try await world.domain("theirs")
            _ = try await world.register("own") { $0.domain = "mine" }
            _ = try await world.register("foreign") { $0.domain = "theirs" }
            let fleet = world.fleet
            let (viewer, manager) = (
                try await world.principal("viewer"), try await world.principal("operator", at: "mine")
            )
            await #expect(throws: Refusal.self) {
                try await fleet.setHeartbeat(.builtIn, ofDevice: "own", in: world.acme, by: viewer)
            }
            await #expect(throws: Refusal.self) {
                try await fleet.setHeartbeat(.builtIn, ofDomain: "mine", in: world.acme, by: viewer)
            }
            for tenant in [world.acme, world.rival] {
                await #expect(throws: Refusal.self) {
                    try await fleet.setHeartbeat(.builtIn, in: tenant, by: manager)
                }
            }
            for name in ["foreign", "absent"] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await fleet.setHeartbeat(.builtIn, ofDevice: name, in: world.acme, by: manager)
                }
                #expect(refusal?.code == "device.unknown")
            }
            for name in ["theirs", "absent"] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await fleet.setHeartbeat(.builtIn, ofDomain: name, in: world.acme, by: manager)
                }
                #expect(refusal?.code == "domain.unknown")
            }
            await #expect(throws: Refusal.self) {
                try await fleet.setHeartbeat(
                    HeartbeatPolicy(intervalSeconds: -1), ofDevice: "own", in: world.acme, by: FleetFixture.admin)
            }
            #expect(try await world.audited("heartbeat.").isEmpty)
        }
    }
}
