import Access
import Base
import Storage
import Testing

@testable import Fleet

@Suite("Devices of a fleet")
struct FleetDeviceTests {
    @Test(
        "a registered device is shown with everything it was given, by name and by identifier",
        arguments: TestDatabase.engines)
    func shows(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("plants")
            try await world.domain("north", below: "plants")
            let model = try await world.fleet.createModel(
                try #require(Name("gateway")), ModelDocument(), in: world.acme, by: FleetFixture.admin)
            let registered = try await world.register("gw-1") { draft in
                draft.model = "gateway"
                draft.domain = "plants/north"
                draft.capabilities = [.reports, .relays]
                draft.identifiers = [HardwareIdentifier(.mac, "00:1A:2B:3C:4D:5E")].compactMap { $0 }
                draft.labels = ["site": "Berlin", "tag": ""]
                draft.attributes = ["floor": 3, "note": "behind \"the\" door"]
                draft.components = ["system": "1.2.3"]
                draft.location = Location(latitude: 52.5, longitude: 13.4)
                draft.place = "Hall 3"
            }
            for text in ["gw-1", registered.device.id.text] {
                let details = try await world.fleet.show(text, in: world.acme, by: FleetFixture.admin)
                #expect(details.device == registered.device)
                #expect(details.model == model)
                #expect(details.presence == .never)
                #expect(details.enrolment == registered.token.expires)
                #expect(details.device.status == .registered)
            }
            #expect(try await world.audited() == ["device.registered"])
            #expect(world.fleet.directory.count.devices == 1)
        }
    }

    @Test("what is wrong with a draft is named by its JSON pointer", arguments: TestDatabase.engines)
    func faults(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let invalid = await #expect(throws: Refusal.self) {
                try await world.register("gw-1") { $0.labels = ["bad key": "x"] }
            }
            #expect(invalid?.faults.map(\.place) == ["/labels/bad key"])
            let model = await #expect(throws: Refusal.self) { try await world.register("gw-1") { $0.model = "none" } }
            #expect(model?.code == "model.unknown")
            let domain = await #expect(throws: Refusal.self) { try await world.register("gw-1") { $0.domain = "none" } }
            #expect(domain?.code == "domain.unknown")
            _ = try await world.register("gw-1")
            let name = await #expect(throws: Refusal.self) { try await world.register("gw-1") }
            #expect(name == Refusal(.conflict, "device.nameTaken", ""))
            let hexadecimal = await #expect(throws: Refusal.self) {
                try await world.register("0123456789abcdef0123456789abcdef")
            }
            #expect(hexadecimal?.code == "device.invalid")
            #expect(world.fleet.directory.count.devices == 1)
            // Another tenant may use the same name.
            _ = try await world.register("gw-1", in: world.rival)
        }
    }

    @Test(
        "a hardware identifier belongs to one device in the deployment, and nobody learns whose",
        arguments: TestDatabase.engines)
    func unique(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let imei = try #require(HardwareIdentifier(.imei, "490154203237518"))
            _ = try await world.register("gw-1", { $0.identifiers = [imei] }, in: world.rival)
            let foreign = await #expect(throws: Refusal.self) {
                try await world.register("mine") { $0.identifiers = [imei] }
            }
            _ = try await world.register("own") {
                $0.identifiers = [HardwareIdentifier(.serial, "A-1")].compactMap { $0 }
            }
            let own = await #expect(throws: Refusal.self) {
                try await world.register("mine") {
                    $0.identifiers = [HardwareIdentifier(.serial, "a-1")].compactMap { $0 }
                }
            }
            #expect(foreign?.code == "device.identifierTaken")
            #expect(foreign == own)
            #expect(foreign?.message == own?.message)
            #expect(!String(describing: foreign).contains("rival"))
            #expect(try await world.names(DeviceQuery()) == ["own"])
            try await world.fleet.delete("gw-1", in: world.rival, by: FleetFixture.admin)
            _ = try await world.register("mine") { $0.identifiers = [imei] }
        }
    }

    @Test(
        "a change sets, merges and removes members, and only against the revision that was seen",
        arguments: TestDatabase.engines)
    func update(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("gw-1") { draft in
                draft.labels = ["a": "1", "b": "2"]
                draft.place = "Hall 3"
                draft.identifiers = [HardwareIdentifier(.serial, "OLD")].compactMap { $0 }
            }
            let json = try JSONValue(
                parsing: Array(
                    """
                    {"revision": 1, "name": "gw-2", "labels": {"a": null, "c": "3"}, "place": null,
                     "identifiers": [{"kind": "serial", "value": "new"}], "attributes": {"x": [1, 2]}}
                    """.utf8))
            let changed = try await world.fleet.update(
                "gw-1", DeviceChange(json: json), in: world.acme, by: FleetFixture.admin)
            #expect(changed.labels == ["b": "2", "c": "3"])
            #expect(changed.place == nil)
            #expect(changed.identifiers.map(\.value) == ["NEW"])
            #expect(changed.revision == 2)
            let shown = try await world.fleet.show("gw-2", in: world.acme, by: FleetFixture.admin)
            #expect(shown.device == changed)
            let stale = await #expect(throws: Refusal.self) {
                try await world.fleet.update("gw-2", DeviceChange(json: json), in: world.acme, by: FleetFixture.admin)
            }
            #expect(stale == Refusal(.conflict, "device.changed", ""))
            // What was given up is free again, and the labels that lists use have followed.
            _ = try await world.register("other") {
                $0.identifiers = [HardwareIdentifier(.serial, "old")].compactMap { $0 }
            }
            #expect(try await world.names(DeviceQuery(filter: "label.c = 3")) == ["gw-2"])
            #expect(try await world.names(DeviceQuery(filter: "label.a")) == [])
            // What only looks the same is written, and found as it is written.
            for (text, other) in [
                ("Caf\u{E9}", "Cafe\u{301}"), ("Cafe\u{301}", "Caf\u{E9}"), ("Caf\u{E9}", "Cafe\u{301}"),
            ] {
                _ = try await world.fleet.update(
                    "other", DeviceChange(json: ["labels": ["c": .string(text)]]), in: world.acme,
                    by: FleetFixture.admin)
                #expect(try await world.names(DeviceQuery(filter: "label.c = \"\(text)\"")) == ["other"])
                #expect(try await world.names(DeviceQuery(filter: "label.c = \"\(other)\"")) == [])
            }
            // A change of nothing writes nothing.
            let same = try await world.fleet.update("gw-2", DeviceChange(), in: world.acme, by: FleetFixture.admin)
            #expect(same.revision == 2)
            #expect(
                try await world.audited()
                    == ["device.registered", "device.registered"] + Array(repeating: "device.updated", count: 4))
        }
    }

    @Test("a plan's number of devices is a limit", arguments: TestDatabase.engines)
    func quota(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            var plan = Plan(id: PlanID(high: 0, low: 0), name: try #require(Name("tiny")))
            plan.devices = 2
            _ = try await world.access.putPlan(plan, by: FleetFixture.admin)
            let acme = try #require(TenantSlug("acme"))
            _ = try await world.access.changeTenant(acme, plan: Name("tiny"), by: FleetFixture.admin)
            _ = try await world.register("a")
            let many = await #expect(throws: Refusal.self) {
                try await world.fleet.registerMany(world.list("name\nb\nc\n"), in: world.acme, by: FleetFixture.admin)
            }
            #expect(many == Refusal(.limited, "plan.devices", ""))
            _ = try await world.register("b")
            await #expect(throws: Refusal(.limited, "plan.devices", "")) { try await world.register("c") }
            try await world.fleet.delete("a", in: world.acme, by: FleetFixture.admin)
            _ = try await world.register("c")
        }
    }

    @Test("what is absent, another tenant's, or in a foreign domain looks the same", arguments: TestDatabase.engines)
    func hidden(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("north")
            try await world.domain("south")
            _ = try await world.register("n") { $0.domain = "north" }
            _ = try await world.register("s") { $0.domain = "south" }
            let north = try await world.principal("operator", at: "north")
            let foreign = try await world.principal("admin", of: world.rival)
            var refusals: [Refusal] = []
            for (name, who) in [("none", north), ("s", north), ("n", foreign), ("none", foreign)] {
                let shown = await #expect(throws: Refusal.self) {
                    try await world.fleet.show(name, in: world.acme, by: who)
                }
                let revoked = await #expect(throws: Refusal.self) {
                    try await world.fleet.revoke(name, in: world.acme, by: who)
                }
                refusals += [shown, revoked].compactMap { $0 }
            }
            #expect(refusals.count == 8)
            #expect(Set(refusals.map { "\($0.code) \($0.message)" }).count == 1)
            #expect(refusals.first == Fleet.unknown)
            // Registering into a domain that one must not see looks as if there were none.
            let draft = DeviceDraft(name: try #require(Name("x")), domain: "south")
            var absent = draft
            absent.domain = "nowhere"
            let first = await #expect(throws: Refusal.self) {
                try await world.fleet.register(draft, in: world.acme, by: north)
            }
            let second = await #expect(throws: Refusal.self) {
                try await world.fleet.register(absent, in: world.acme, by: north)
            }
            #expect(first == second)
            // Moving there too.
            var change = DeviceChange()
            change.domain = "south"
            let move = await #expect(throws: Refusal.self) {
                try await world.fleet.update("n", change, in: world.acme, by: north)
            }
            #expect(move == first)
            await #expect(throws: Refusal.self) {
                try await world.fleet.list(DeviceQuery(), in: world.acme, by: foreign)
            }
            let visible = try await world.fleet.list(DeviceQuery(counting: .all), in: world.acme, by: north)
            #expect(visible.items.map(\.device.name.text) == ["n"])
            #expect(visible.count == Count(number: 1, hasMore: false))
            // A viewer sees the device, so the answer to a change may say that it is forbidden.
            let viewer = try await world.principal("viewer")
            let forbidden = await #expect(throws: Refusal.self) {
                try await world.fleet.suspend("n", in: world.acme, by: viewer)
            }
            #expect(forbidden?.kind == .forbidden)
        }
    }

    @Test("a deleted tenant's rows are removed and its devices leave memory", arguments: TestDatabase.engines)
    func purge(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("a") { draft in
                draft.labels = ["x": "y"]
                draft.identifiers = [HardwareIdentifier(.serial, "1")].compactMap { $0 }
            }
            _ = try await world.register("b", in: world.rival)
            try await world.access.deleteTenant(try #require(TenantSlug("acme")), by: FleetFixture.admin)
            try await world.fleet.purge(world.acme)
            #expect(world.fleet.directory.count.devices == 1)
            let left = try await world.database.tenant(world.acme).read { transaction in
                try ["device", "device_label", "device_presence", "enrolment_token"].map { table in
                    try transaction.row("SELECT count(*) FROM \(table) WHERE tenant = $1")?.int(0)
                }
            }
            #expect(left == [0, 0, 0, 0])
            _ = try await world.register(
                "c", { $0.identifiers = [HardwareIdentifier(.serial, "1")].compactMap { $0 } }, in: world.rival)
        }
    }
}
