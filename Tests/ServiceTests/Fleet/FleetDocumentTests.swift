import Access
import Base
import Bus
import Storage
import Testing

@testable import Fleet

@Suite("Desired and reported documents")
struct FleetDocumentTests {
    @Test("what is desired is kept by version, told at once, and recorded by name", arguments: TestDatabase.engines)
    func desired(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let registered = try await world.register("gw-1")
            let heard = FleetTestLog<DesiredChanged>()
            world.bus.subscribe(to: DesiredChanged.self) { heard.append($0) }
            let fleet = world.fleet
            func set(_ value: JSONValue, ifVersion version: Int64? = nil) async throws -> DeviceDocument {
                try await fleet.setDesired(
                    value, of: "gw-1", ifVersion: version, in: world.acme, by: FleetFixture.admin)
            }
            #expect(
                try await fleet.document(.desired, of: "gw-1", in: world.acme, by: FleetFixture.admin)
                    == .unwritten(.desired))
            let first = try await set(["interval": 5, "net": ["apn": "a"]], ifVersion: 0)
            #expect(first.version == 1)
            world.time.advance(by: .seconds(1))
            // What is there already changes nothing.
            #expect(try await set(["net": ["apn": "a"], "interval": 5]) == first)
            let second = try await set(["interval": 6])
            #expect(second.version == 2)
            #expect(second.changed == world.time.now)
            await #expect(throws: Refusal(.conflict, "desired.changed", "")) { try await set([:], ifVersion: 1) }
            #expect(
                try await fleet.document(.desired, of: "gw-1", in: world.acme, by: FleetFixture.admin) == second)
            #expect(
                heard.elements == [
                    DesiredChanged(
                        tenant: world.acme, device: registered.device.id, previous: .unwritten(.desired),
                        document: first),
                    DesiredChanged(
                        tenant: world.acme, device: registered.device.id, previous: first, document: second),
                ])
            #expect(try await world.audited("device.desired") == ["device.desiredChanged", "device.desiredChanged"])
            #expect(try await set([:]).version == 3)
        }
    }

    @Test("a desired document that a device could not follow is refused", arguments: TestDatabase.engines)
    func refused(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("gw-1")
            let cases: [(JSONValue, String, String)] = [
                ([1], "desired.invalid", ""), (["a": ["b/c": ["$secret": 1]]], "desired.invalid", "/a/b~1c"),
                (["a": .string(String(repeating: "x", count: FleetLimits.documentBytes))], "desired.size", ""),
            ]
            for (value, code, place) in cases {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.fleet.setDesired(value, of: "gw-1", in: world.acme, by: FleetFixture.admin)
                }
                #expect(refusal?.code == code)
                #expect(refusal?.faults.first?.place ?? "" == place)
            }
            // Null takes away what is inherited, and is no value of its own.
            let set = try await world.fleet.setDesired(
                ["list": [.null], "a": .null, "b": ["c": .null]], of: "gw-1", in: world.acme, by: FleetFixture.admin)
            #expect(set.version == 1 && set.members == ["list": [.null], "b": [:]])
        }
    }

    @Test("a desired document follows the schema of the device's model", arguments: TestDatabase.engines)
    func schema(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let document = try ModelDocument(json: [
                "desiredSchema": [
                    "properties": ["interval": ["type": "integer", "minimum": 10]], "required": ["interval"],
                ]
            ])
            _ = try await world.fleet.createModel(
                try #require(Name("gateway")), document, in: world.acme, by: FleetFixture.admin)
            _ = try await world.register("gw-1") { $0.model = "gateway" }
            _ = try await world.register("gw-2")
            for (value, place) in [(["x": 1] as JSONValue, ""), (["interval": 9], "/interval")] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.fleet.setDesired(value, of: "gw-1", in: world.acme, by: FleetFixture.admin)
                }
                #expect(refusal?.code == "desired.invalid" && refusal?.faults.map(\.place) == [place])
            }
            for name in ["gw-1", "gw-2"] {
                let set = try await world.fleet.setDesired(
                    ["interval": name == "gw-1" ? 10 : 9], of: name, in: world.acme, by: FleetFixture.admin)
                #expect(set.version == 1)
            }
        }
    }

    @Test("who may not see a device sees no document; who may only look changes none", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("gw-1")
            let viewer = try await world.principal("viewer")
            let foreign = try await world.principal("admin", of: world.rival)
            for kind in DeviceDocument.Kind.allCases {
                #expect(try await world.fleet.document(kind, of: "gw-1", in: world.acme, by: viewer).version == 0)
                await #expect(throws: Refusal(.notFound, "device.unknown", "")) {
                    try await world.fleet.document(kind, of: "gw-1", in: world.acme, by: foreign)
                }
            }
            let denied = await #expect(throws: Refusal.self) {
                try await world.fleet.setDesired([:], of: "gw-1", in: world.acme, by: viewer)
            }
            #expect(denied?.kind == .forbidden)
            await #expect(throws: Refusal(.notFound, "device.unknown", "")) {
                try await world.fleet.events(
                    of: "gw-1", from: Timestamp(microseconds: 0), to: world.time.now, limit: 1, in: world.acme,
                    by: foreign)
            }
        }
    }
}
