import Access
import Audit
import Base
import Bus
import Storage
import Testing
import Trust

@testable import Fleet

@Suite("Layers of desired documents")
struct FleetLayerTests {
    /// A fleet with the domains `plant` and `plant/hall`, and `office`.
    private struct Layers {
        let world: FleetFixture

        init(_ world: FleetFixture) async throws {
            self.world = world
            try await world.domain("plant")
            try await world.domain("hall", below: "plant")
            try await world.domain("office")
        }

        func set(_ value: JSONValue, _ place: LayerReference, ifVersion version: Int64? = nil) async throws {
            _ = try await world.fleet.setLayer(
                value, at: place, ifVersion: version, in: world.acme, by: FleetFixture.admin)
        }

        func own(_ value: JSONValue, of device: String) async throws {
            _ = try await world.fleet.setDesired(value, of: device, in: world.acme, by: FleetFixture.admin)
        }

        func model(_ name: String, _ schema: JSONValue) async throws {
            let document = try ModelDocument(json: ["desiredSchema": schema])
            let known = try await world.fleet.models(in: world.acme, by: FleetFixture.admin)
            if known.contains(where: { $0.name.text == name }) {
                _ = try await world.fleet.updateModel(name, document, in: world.acme, by: FleetFixture.admin)
            } else {
                _ = try await world.fleet.createModel(
                    try #require(Name(name)), document, in: world.acme, by: FleetFixture.admin)
            }
        }

        func work() async throws { while try await world.fleet.refreshStep() {} }

        /// What the device gets, secrets and all.
        func told(_ device: DeviceID) async throws -> JSONValue {
            let owner = Owner(tenant: world.acme, device: device)
            return try await world.database.platform.write { transaction in
                let rows = try DocumentStore.loadDesired(
                    [owner], with: world.ring, in: transaction.acrossTenants)
                return .object(rows[device]?.documents.desired.told ?? [:])
            }
        }

        func view(_ device: String) async throws -> DesiredView {
            try await world.fleet.desired(of: device, in: world.acme, by: FleetFixture.admin)
        }
    }

    private func with(
        _ engine: TestDatabase.Engine, _ body: (Layers, FleetFixture) async throws -> Void
    ) async throws {
        try await FleetFixture.with(engine) { world in try await body(try await Layers(world), world) }
    }

    @Test("nearer layers lie over farther ones, and null takes away", arguments: TestDatabase.engines)
    func merge(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            try await layers.model("gateway", [:])
            let device = try await world.register("gw-1") { ($0.domain, $0.model) = ("plant/hall", "gateway") }.device
                .id
            try await layers.set(["a": 1, "net": ["apn": "m", "mtu": 1400], "list": [1, 2]], .model("gateway"))
            try await layers.set(["b": 1, "net": ["apn": "root"]], .domain("/"))
            try await layers.set(["b": 2, "net": ["dns": "d"], "list": [3]], .domain("plant"))
            try await layers.set(["c": 3, "net": ["mtu": .null]], .domain("plant/hall"))
            try await layers.own(["a": .null, "net": ["apn": "own"]], of: "gw-1")
            try await layers.work()
            #expect(
                try await layers.told(device) == [
                    "b": 2, "c": 3, "list": [3], "net": ["apn": "own", "dns": "d"],
                ])
            let view = try await layers.view("gw-1")
            #expect(view.layers.map(\.place.kind) == ["model", "domain", "domain", "domain", "device"])
            let sources = Dictionary(view.members.map { ($0.pointer, $0.source?.kind) }) { first, _ in first }
            #expect(
                sources == [
                    "/b": "domain", "/c": "domain", "/list": "domain", "/net/apn": "device", "/net/dns": "domain",
                ])
            // What a layer no longer says comes from the one above again.
            try await layers.own([:], of: "gw-1")
            #expect(
                try await layers.told(device) == [
                    "a": 1, "b": 2, "c": 3, "list": [3], "net": ["apn": "root", "dns": "d"],
                ])
        }
    }

    @Test("devices that move, and domains that move, follow their new layers", arguments: TestDatabase.engines)
    func moves(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            try await layers.set(["site": "plant"], .domain("plant"))
            try await layers.set(["site": "office"], .domain("office"))
            let moved = try await world.register("gw-1") { $0.domain = "plant" }.device.id
            let below = try await world.register("gw-2") { $0.domain = "plant/hall" }.device.id
            let many = try await world.fleet.registerMany(
                try world.list("name,domain\nm-1,plant\nm-2,office\n"), in: world.acme, by: FleetFixture.admin)
            try await layers.work()
            for (device, site) in zip([moved, below] + many.devices.map(\.id), ["plant", "plant", "plant", "office"]) {
                #expect(try await layers.told(device) == ["site": .string(site)])
            }
            let heard = FleetTestLog<DesiredChanged>()
            world.bus.subscribe(to: DesiredChanged.self) { heard.append($0) }
            var change = DeviceChange()
            change.domain = "office"
            _ = try await world.fleet.update("gw-1", change, in: world.acme, by: FleetFixture.admin)
            _ = try await world.access.changeDomain(
                "plant/hall", below: "office", tenant: world.acme, by: FleetFixture.admin)
            try await layers.work()
            for device in [moved, below] { #expect(try await layers.told(device) == ["site": "office"]) }
            #expect(Set(heard.elements.map(\.device)) == [moved, below])
            // A domain that goes takes its layer along.
            try await world.domain("empty")
            try await layers.set(["x": 1], .domain("empty"))
            try await world.access.deleteDomain("empty", tenant: world.acme, by: FleetFixture.admin) { _, _ in false }
            let left = try await world.database.tenant(world.acme).read {
                try $0.row("SELECT count(*) FROM desired_layer WHERE tenant = $1")?.int(0)
            }
            #expect(left == 2)
        }
    }

    @Test("a layer that breaks a device's schema is refused, and names it", arguments: TestDatabase.engines)
    func schemas(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            try await layers.model("gateway", ["properties": ["interval": ["type": "integer", "minimum": 10]]])
            let device = try await world.register("gw-1") { ($0.domain, $0.model) = ("plant/hall", "gateway") }.device
                .id
            _ = try await world.register("other") { $0.domain = "plant" }
            try await layers.set(["interval": 20], .domain("/"))
            try await layers.work()
            let preview = try await world.fleet.previewLayer(
                ["interval": 5], at: .domain("plant"), in: world.acme, by: FleetFixture.admin)
            #expect(preview.devices == 2 && preview.changing == 2 && preview.broken == 1)
            #expect(preview.examples.first?.name == "gw-1")
            #expect(preview.examples.first?.changes == [.init(pointer: "/interval", from: 20, to: 5)])
            let refusal = await #expect(throws: Refusal.self) {
                try await layers.set(["interval": 5], .domain("plant"))
            }
            #expect(refusal?.code == "desired.breaks" && refusal?.faults.first?.place == "gw-1 /interval")
            #expect(
                try await world.fleet.layer(at: .domain("plant"), in: world.acme, by: FleetFixture.admin).version == 0)
            // A model that grows stricter leaves the device what it has, and says why.
            try await layers.model("gateway", ["properties": ["interval": ["type": "integer", "minimum": 30]]])
            try await layers.work()
            #expect(try await layers.told(device) == ["interval": 20])
            #expect(try await layers.view("gw-1").faults.map(\.place) == ["/interval"])
            // What did not fit before is not broken by a change elsewhere.
            try await layers.set(["x": 1], .domain("plant"))
            try await layers.set(["interval": 40], .domain("/"))
            try await layers.work()
            #expect(try await layers.told(device) == ["interval": 40, "x": 1])
            #expect(try await layers.view("gw-1").faults.isEmpty)
        }
    }

    @Test("a secret reaches the device and nobody else, and its placeholder keeps it", arguments: TestDatabase.engines)
    func secrets(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            let hidden = DesiredContent.placeholder
            _ = try await world.register("plain")
            try await layers.set(["net": ["key": "early"]], .domain("/"))
            try await layers.work()
            try await layers.model(
                "gateway",
                ["properties": ["net": ["properties": ["key": ["type": "string", "writeOnly": true], "apn": [:]]]]])
            let device = try await world.register("gw-1") { $0.model = "gateway" }.device.id
            try await layers.work()
            #expect(try await layers.told(device) == ["net": ["key": "early"]])
            #expect(try await layers.view("plain").members.map(\.isSecret) == [true])
            let root = try await world.fleet.layer(at: .domain("/"), in: world.acme, by: FleetFixture.admin)
            #expect(root.members == ["net": ["key": hidden]])
            // It goes on being inherited when it comes back, and is kept where it was set.
            try await layers.own(["net": ["key": hidden, "apn": "a"]], of: "gw-1")
            try await layers.set(["net": ["key": "later"]], .domain("/"))
            try await layers.work()
            #expect(try await layers.told(device) == ["net": ["key": "later", "apn": "a"]])
            let same = try await world.fleet.previewLayer(
                ["net": ["key": hidden, "apn": "a"]], at: .device("gw-1"), in: world.acme, by: FleetFixture.admin)
            #expect(same.devices == 1 && same.changing == 0)
            try await layers.own(["net": ["key": "hunter2"]], of: "gw-1")
            try await layers.own(["net": ["key": hidden, "apn": "b"]], of: "gw-1")
            #expect(try await layers.told(device) == ["net": ["key": "hunter2", "apn": "b"]])
            for wrong: JSONValue in [
                ["other": hidden], ["net": ["key": ["$secret": "x"]]], ["list": [hidden]], ["$secret": "set"],
            ] {
                let refusal = await #expect(throws: Refusal.self) { try await layers.own(wrong, of: "gw-1") }
                #expect(refusal?.code == "desired.invalid")
            }
            let shown = try await layers.view("gw-1").json.canonical
            let preview = try await world.fleet.previewLayer(
                ["net": ["key": "hunter3"]], at: .device("gw-1"), in: world.acme, by: FleetFixture.admin)
            #expect(
                preview.examples.first?.changes == [
                    .init(pointer: "/net/apn", from: "b", to: nil),
                    .init(pointer: "/net/key", from: hidden, to: hidden),
                ])
            // An entry is sealed for the place that it goes to.
            let sealed = SealedColumn(table: "audit_entry", rowColumns: ["id"], column: "sealed", rotation: .kept)
            let everywhere = try await world.database.tenant(world.acme).read { transaction in
                let tables = [("desired_layer", "document"), ("device_document", "document")]
                return try tables.flatMap { table, column in
                    try transaction.rows("SELECT \(column) FROM \(table) WHERE tenant = $1").map { try $0.text(0) }
                }
                    + transaction.rows(
                        "SELECT id, sealed FROM audit_pending WHERE tenant = $1 AND sealed IS NOT NULL"
                    ).map { row in
                        let place = sealed.place(world.acme, row: try row.identifier(0, as: AuditEntryID.self))
                        return String(
                            decoding: try world.ring.open(row.blob(1), at: place, in: transaction), as: UTF8.self)
                    }
            }
            for text in everywhere + [shown, preview.json.canonical] {
                for secret in ["early", "later", "hunter"] { #expect(!text.contains(secret), "\(text)") }
            }
            // A schema that forgets it does not show it.
            try await layers.model("gateway", [:])
            try await layers.work()
            #expect(try await layers.view("gw-1").members.filter(\.isSecret).map(\.pointer) == ["/net/key"])
        }
    }

    @Test(
        "a refresh that a restart cuts short goes on, and ten thousand devices get theirs", .timeLimit(.minutes(3)),
        arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            let count = 10_000
            let csv = "name,domain\n" + (0..<count).map { "m-\($0),plant/hall\n" }.joined()
            _ = try await world.fleet.registerMany(try world.list(csv), in: world.acme, by: FleetFixture.admin)
            try await layers.set(["interval": 5], .domain("plant"))
            for _ in 0..<3 { _ = try await world.fleet.refreshStep() }
            func told() async throws -> Int {
                try await world.database.tenant(world.acme).read {
                    try $0.row("SELECT count(*) FROM device_document WHERE tenant = $1 AND kind = 'desired'")?.int(0)
                        ?? 0
                }
            }
            #expect(try await told() == 3 * FleetLimits.bulkStep)
            let again = try await world.restarted()
            let heard = FleetTestLog<DesiredChanged>()
            again.bus.subscribe(to: DesiredChanged.self) { heard.append($0) }
            while try await again.fleet.refreshStep() {}
            #expect(try await told() == count)
            #expect(heard.elements.count == count - 3 * FleetLimits.bulkStep)
        }
    }

    @Test("only who controls a place changes its layer, at the version that they saw", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            try await layers.model("gateway", [:])
            try await layers.set(["a": 1], .domain("plant"))
            let refusal = await #expect(throws: Refusal.self) {
                try await layers.set(["a": 2], .domain("plant"), ifVersion: 0)
            }
            #expect(refusal?.code == "desired.changed")
            let viewer = try await world.principal("viewer")
            let local = try await world.principal("operator", at: "plant/hall")
            let foreign = try await world.principal("admin", of: world.rival)
            let fleet = world.fleet
            #expect(try await fleet.layer(at: .domain("plant"), in: world.acme, by: viewer).members == ["a": 1])
            for (principal, place, kind) in [
                (viewer, LayerReference.domain("plant"), Refusal.Kind.forbidden),
                (viewer, .model("gateway"), .forbidden),
                (local, .domain("plant"), .notFound), (local, .model("gateway"), .notFound),
                (foreign, .domain("plant"), .notFound), (foreign, .model("gateway"), .notFound),
                (foreign, .device("gw-1"), .notFound),
            ] {
                for attempt in 0..<2 {
                    let refusal = await #expect(throws: Refusal.self) {
                        if attempt == 0 {
                            _ = try await fleet.setLayer([:], at: place, in: world.acme, by: principal)
                        } else {
                            _ = try await fleet.previewLayer([:], at: place, in: world.acme, by: principal)
                        }
                    }
                    #expect(refusal?.kind == kind, "\(place)")
                }
            }
            _ = try await fleet.setLayer(["b": 1], at: .domain("plant/hall"), in: world.acme, by: local)
            #expect(try await world.audited("desired.") == ["desired.layerChanged", "desired.layerChanged"])
            // Too deep, too large, no object.
            var deep: JSONValue = 1
            for _ in 0..<20 { deep = ["x": deep] }
            for (wrong, code) in [
                (deep, "desired.invalid"), ([1], "desired.invalid"),
                (["a": .string(String(repeating: "x", count: FleetLimits.documentBytes))], "desired.size"),
            ] {
                let refusal = await #expect(throws: Refusal.self) { try await layers.set(wrong, .domain("plant")) }
                #expect(refusal?.code == code)
            }
        }
    }

    @Test("drift is counted when either side changes", arguments: TestDatabase.engines)
    func drift(engine: TestDatabase.Engine) async throws {
        try await with(engine) { layers, world in
            let device = try await world.enrol(world.register("gw-1"))
            func report(_ text: String) async throws {
                _ = try await world.fleet.keep([
                    DeviceReport(.reported(Array(text.utf8)), of: device, received: world.time.now)
                ])
            }
            #expect(try await layers.view("gw-1").drift == nil)
            try await layers.own(["interval": 5, "net": ["apn": "a"]], of: "gw-1")
            #expect(try await layers.view("gw-1").drift == nil)
            try await report(#"{"interval": 5.0}"#)
            #expect(try await layers.view("gw-1").drift == 0)
            try await report(#"{"net": {"apn": "b"}}"#)
            let view = try await layers.view("gw-1")
            #expect(view.drift == 1)
            #expect(view.members.map(\.standing) == ["follows", "differs"])
            #expect(view.members.last?.reported == "b")
            #expect(try await world.names(DeviceQuery(filter: "drift")) == ["gw-1"])
            try await layers.own(["interval": 5, "net": ["apn": "b"]], of: "gw-1")
            #expect(try await layers.view("gw-1").drift == 0)
            #expect(try await world.names(DeviceQuery(filter: "drift")) == [])
            // An object without members asks for nothing.
            try await layers.own(["interval": 5, "net": [:]], of: "gw-1")
            #expect(try await layers.view("gw-1").drift == 0)
            try await layers.own(["interval": 5, "net": ["apn": "b"]], of: "gw-1")
            // The agent says which version is in effect.
            try await report(#"{"configuration": {"version": 4, "state": "rolledBack"}}"#)
            #expect(try await layers.view("gw-1").drift == 1)
            try await report(#"{"configuration": {"version": 4, "state": "applied"}}"#)
            #expect(try await layers.view("gw-1").drift == 0)
        }
    }
}
