import Base
import Storage
import Testing
import Trust

@testable import Access
@testable import Fleet

@Suite("Secrets in layers, and what one tenant's fault does to others")
struct FleetLayerSecretTests {
    private static let hidden = DesiredContent.placeholder
    private static let secretKey: JSONValue = ["properties": ["key": ["type": "string", "writeOnly": true]]]

    private static func model(_ schema: JSONValue, isNew: Bool, _ world: FleetFixture) async throws {
        let document = try ModelDocument(json: ["desiredSchema": schema])
        if isNew {
            _ = try await world.fleet.createModel(
                try #require(Name("gateway")), document, in: world.acme, by: FleetFixture.admin)
        } else {
            _ = try await world.fleet.updateModel("gateway", document, in: world.acme, by: FleetFixture.admin)
        }
    }

    private static func set(
        _ value: JSONValue, _ place: LayerReference, _ world: FleetFixture, in tenant: TenantID? = nil
    ) async throws {
        _ = try await world.fleet.setLayer(value, at: place, in: tenant ?? world.acme, by: FleetFixture.admin)
    }

    private static func own(_ value: JSONValue, of device: String, _ world: FleetFixture) async throws {
        _ = try await world.fleet.setDesired(value, of: device, in: world.acme, by: FleetFixture.admin)
    }

    private static func members(_ place: LayerReference, _ world: FleetFixture) async throws -> [String: JSONValue] {
        try await world.fleet.layer(at: place, in: world.acme, by: FleetFixture.admin).members
    }

    private static func work(_ world: FleetFixture) async throws { while try await world.fleet.desiredStep() {} }

    /// What the device gets, secrets and all.
    private static func told(
        _ device: DeviceID, _ world: FleetFixture, in tenant: TenantID? = nil
    ) async throws -> JSONValue {
        let owner = Owner(tenant: tenant ?? world.acme, device: device)
        return try await world.database.platform.read { transaction in
            let rows = try DocumentStore.loadDesired([owner], with: world.ring, in: transaction.acrossTenants)
            return .object(rows[device]?.documents.desired.told ?? [:])
        }
    }

    /// All that is stored in clear.
    private static func stored(_ world: FleetFixture) async throws -> String {
        try await world.database.tenant(world.acme).read { transaction in
            try ["desired_layer", "device_document"].flatMap { table in
                try transaction.rows("SELECT document FROM \(table) WHERE tenant = $1").map { try $0.text(0) }
            }.joined(separator: "\n")
        }
    }

    @Test("what is written over an inherited secret is one, wherever", arguments: TestDatabase.engines)
    func inherited(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("plant")
            let other = try await world.register("other") { $0.domain = "plant" }.device.id
            let edited = try await world.register("edited") { $0.domain = "plant" }.device.id
            let early = try await world.register("early") { $0.domain = "plant" }.device.id
            try await Self.own(["key": "clear-early"], of: "early", world)
            try await Self.model(Self.secretKey, isNew: true, world)
            try await Self.set(["key": "clear-root"], .domain("/"), world)
            try await Self.work(world)
            // What a device said before its layers had a secret there is hidden with them.
            #expect(try await Self.members(.device("early"), world) == ["key": Self.hidden])
            // Neither device has a model that would say so.
            try await Self.own(["key": "clear-own"], of: "other", world)
            _ = try await world.fleet.edit(
                DesiredEditOrder(.filter("name = edited"), change: ["key": "clear-edit"]), in: world.acme,
                by: FleetFixture.admin)
            try await Self.work(world)
            for name in ["other", "edited"] {
                #expect(try await Self.members(.device(name), world) == ["key": Self.hidden])
            }
            // A schema that forgets it changes nothing for those below.
            try await Self.model([:], isNew: false, world)
            try await Self.set(["key": "clear-child"], .domain("plant"), world)
            try await Self.work(world)
            #expect(try await Self.members(.domain("plant"), world) == ["key": Self.hidden])
            #expect(try await Self.told(other, world) == ["key": "clear-own"])
            #expect(try await Self.told(edited, world) == ["key": "clear-edit"])
            #expect(try await Self.told(early, world) == ["key": "clear-early"])
            #expect(try await !Self.stored(world).contains("clear-"))
        }
    }

    @Test("a domain that moves below a secret hides its own", arguments: TestDatabase.engines)
    func moved(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("office")
            try await world.domain("late")
            try await Self.model(Self.secretKey, isNew: true, world)
            try await Self.set(["key": "clear-office"], .domain("office"), world)
            try await Self.model([:], isNew: false, world)
            let device = try await world.register("gw-1") { $0.domain = "late" }.device.id
            try await Self.set(["key": "later"], .domain("late"), world)
            try await Self.work(world)
            #expect(try await Self.members(.domain("late"), world) == ["key": "later"])
            _ = try await world.access.changeDomain(
                "late", below: "office", tenant: world.acme, by: FleetFixture.admin)
            try await Self.work(world)
            #expect(try await Self.members(.domain("office/late"), world) == ["key": Self.hidden])
            #expect(try await Self.told(device, world) == ["key": "later"])
            #expect(try await !Self.stored(world).contains("later"))
        }
    }

    @Test("a random value is a secret, whatever the schema says", arguments: TestDatabase.engines)
    func random(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.register("gw-1").device.id
            _ = try await world.fleet.edit(
                DesiredEditOrder(.filter(nil), change: ["net": ["key": ["$random": 24]], "a": 1]), in: world.acme,
                by: FleetFixture.admin)
            try await Self.work(world)
            #expect(try await Self.members(.device("gw-1"), world) == ["a": 1, "net": ["key": Self.hidden]])
            let key = try #require(try await Self.told(device, world)["net"]?["key"]?.string)
            #expect(key.count == 24)
            #expect(try await !Self.stored(world).contains(key))
        }
    }

    @Test("a preview does not tell whether a secret was guessed", arguments: TestDatabase.engines)
    func guess(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await Self.model(Self.secretKey, isNew: true, world)
            _ = try await world.register("gw-1") { $0.model = "gateway" }
            _ = try await world.register("gw-2") { $0.model = "gateway" }
            try await Self.set(["key": "hunter2"], .domain("/"), world)
            try await Self.own(["key": "hunter3"], of: "gw-2", world)
            try await Self.work(world)
            func layer(_ guess: JSONValue, _ place: LayerReference) async throws -> DesiredPreview {
                try await world.fleet.previewLayer(
                    ["key": guess], at: place, in: world.acme, by: FleetFixture.admin)
            }
            func edit(_ guess: JSONValue) async throws -> DesiredPreview {
                try await world.fleet.preview(
                    DesiredEditOrder(.filter(nil), change: ["key": guess]), in: world.acme, by: FleetFixture.admin)
            }
            for place in [LayerReference.domain("/"), .device("gw-1"), .device("gw-2")] {
                let wrong = try await layer("wrong", place)
                #expect(wrong.changing == wrong.devices)
                for guess: JSONValue in ["hunter2", "hunter3"] { #expect(try await layer(guess, place) == wrong) }
            }
            let wrong = try await edit("wrong")
            #expect(wrong.changing == 2)
            for guess: JSONValue in ["hunter2", "hunter3"] { #expect(try await edit(guess) == wrong) }
            // What is kept is no guess.
            #expect(try await layer(Self.hidden, .domain("/")).changing == 0)
        }
    }

    @Test("a tenant whose rows can not be read keeps no other waiting", arguments: TestDatabase.engines)
    func faulty(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.register("gw-1").device.id
            let foreign = try await world.register("gw-1", in: world.rival).device.id
            try await Self.set(["a": 1], .domain("/"), world)
            _ = try await world.fleet.edit(
                DesiredEditOrder(.filter(nil), change: ["b": 1]), in: world.acme, by: FleetFixture.admin)
            try await Self.set(["a": 2], .domain("/"), world, in: world.rival)
            let broken = [UInt8](repeating: 7, count: 64)
            try await world.database.tenant(world.acme).write { transaction in
                try transaction.execute("UPDATE desired_layer SET secrets = $2 WHERE tenant = $1", broken)
            }
            let failures = FleetTestLog<TenantID>()
            func step() async throws -> Bool {
                try await world.fleet.desiredStep { tenant, _ in failures.append(tenant) }
            }
            while try await step() {}
            #expect(try await Self.told(foreign, world, in: world.rival) == ["a": 2])
            // Both sorts of work failed once, and wait.
            #expect(failures.elements == [world.acme, world.acme])
            #expect(try await !step())
            #expect(failures.elements.count == 2)
            try await world.database.tenant(world.acme).write { transaction in
                try transaction.execute("UPDATE desired_layer SET secrets = NULL WHERE tenant = $1")
            }
            world.time.advance(by: FleetLimits.desiredPause)
            while try await step() {}
            #expect(try await Self.told(device, world) == ["a": 1, "b": 1])
            // Nobody works for a tenant that is not served.
            try await Self.set(["a": 3], .domain("/"), world)
            world.tenants.remove(world.acme)
            #expect(try await !step())
        }
    }

    @Test("an own layer is guarded by its own version", arguments: TestDatabase.engines)
    func versions(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("gw-1")
            func set(_ value: JSONValue, ifLayer version: Int64) async throws -> (DeviceDocument, Int64) {
                try await world.fleet.setOwnLayer(
                    value, of: "gw-1", ifLayer: version, in: world.acme, by: FleetFixture.admin)
            }
            #expect(try await set(["a": 1], ifLayer: 0).1 == 1)
            // Another layer's change is none of this one.
            try await Self.set(["b": 1], .domain("/"), world)
            try await Self.work(world)
            let second = try await set(["a": 2], ifLayer: 1)
            #expect(second.1 == 2 && second.0.version == 3)
            // A change that the device does not notice is one all the same.
            try await Self.own(["a": 2, "b": 1], of: "gw-1", world)
            await #expect(throws: Refusal(.conflict, "desired.changed", "")) { try await set([:], ifLayer: 2) }
            #expect(try await set(["a": 2, "b": 1], ifLayer: 3).1 == 3)
        }
    }
}
