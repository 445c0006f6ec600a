import Access
import Base
import Storage
import Testing

@testable import Fleet

@Suite("Registering many devices at once")
struct FleetRegistrationTests {
    @Test("all devices of a list are registered, each with a token that works", arguments: TestDatabase.engines)
    func registers(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("plants")
            let csv =
                "name,domain,serial,label.site\n"
                + (0..<1234).map { "m-\($0),\($0 % 2 == 0 ? "plants" : ""),S-\($0),x\n" }.joined()
            let result = try await world.fleet.registerMany(world.list(csv), in: world.acme, by: FleetFixture.admin)
            #expect(result.devices.count == 1234)
            #expect(Set(result.devices.map(\.token)).count == 1234)
            #expect(world.fleet.directory.count.devices == 1234)
            #expect(
                try await world.fleet.count(
                    filter: "domain = plants and label.site = x", in: world.acme, by: FleetFixture.admin) == 617)
            let last = try #require(result.devices.last)
            let enrolled = try await world.fleet.enrol(
                tenant: TenantSlug("acme"), identifier: last.name.text, token: last.token, csr: FleetFixture.request(),
                address: nil)
            #expect(enrolled.device == last.id)
            #expect(try await world.audited("device.registeredMany").count == 4)
            let text = result.chunks(.csv).reduce(into: "") { $0 += String(decoding: $1, as: UTF8.self) }
            let lines = text.split(separator: "\r\n")
            #expect(lines.count == 1235)
            #expect(lines.last?.hasPrefix("\(last.id),m-1233,\(last.token),") == true)
            let json = result.chunks(.json).reduce(into: "") { $0 += String(decoding: $1, as: UTF8.self) }
            let first = try JSONValue(parsing: Array(json.split(separator: "\n")[0].utf8))
            #expect(first["enrolmentToken"]?.string == result.devices.first?.token)
        }
    }

    @Test("one faulty line registers nothing, and every fault is named with its line", arguments: TestDatabase.engines)
    func nothing(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("taken")
            _ = try await world.register(
                "theirs", { $0.identifiers = [HardwareIdentifier(.serial, "S-1")].compactMap { $0 } }, in: world.rival)
            let csv = "name,serial\nok-1,\ntaken,\nok-2,s-1\nok-3,s-2\n"
            let refusal = await #expect(throws: Refusal.self) {
                try await world.fleet.registerMany(world.list(csv), in: world.acme, by: FleetFixture.admin)
            }
            #expect(refusal == Refusal(.conflict, "devices.taken", ""))
            #expect(refusal?.faults.map(\.place) == ["line 3", "line 4"])
            #expect(refusal?.faults.last?.message == "serial S-1 is registered already")
            let references = await #expect(throws: Refusal.self) {
                try await world.fleet.registerMany(
                    world.list("name,model,domain\na,none,\nb,,nowhere\nc,none,\nd,,\n"), in: world.acme,
                    by: FleetFixture.admin)
            }
            #expect(references?.faults.map(\.place) == ["line 2", "line 3", "line 4"])
            #expect(try await world.names(DeviceQuery()) == ["taken"])
            #expect(world.fleet.directory.count.devices == 2)
            #expect(try await world.audited() == ["device.registered"])
            let free = try await world.database.platform.read {
                try $0.row("SELECT count(*) FROM hardware_identifier")?.int(0)
            }
            #expect(free == 1)
        }
    }

    @Test("a list that a caller may not register is refused as a whole", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.domain("north")
            let north = try await world.principal("operator", at: "north")
            await #expect(throws: Refusal.self) {
                try await world.fleet.registerMany(world.list("name,domain\na,north\nb,\n"), in: world.acme, by: north)
            }
            let result = try await world.fleet.registerMany(
                world.list("name,domain\na,north\nb,north\n"), in: world.acme, by: north)
            #expect(result.devices.count == 2)
        }
    }

    @Test("a replaced unit's identifier can come back in a list of the same tenant", arguments: TestDatabase.engines)
    func retired(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("m") {
                $0.identifiers = [HardwareIdentifier(.serial, "OLD")].compactMap { $0 }
            }
            _ = try await world.fleet.replace("m", identifiers: [], in: world.acme, by: FleetFixture.admin)
            _ = try await world.fleet.registerMany(
                world.list("name,serial\nspare,old\n"), in: world.acme, by: FleetFixture.admin)
            #expect(try await world.names(DeviceQuery(filter: "serial = OLD")) == ["spare"])
        }
    }

    @Test(
        "two lists with the same names at the same moment: one is registered whole, the other not at all",
        arguments: TestDatabase.engines)
    func race(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let list = try world.list("name\n" + (0..<300).map { "m-\($0)\n" }.joined())
            let outcomes = await withTaskGroup(of: String.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        do {
                            _ = try await world.fleet.registerMany(list, in: world.acme, by: FleetFixture.admin)
                            return "done"
                        } catch {
                            return (error as? Refusal)?.kind.rawValue ?? "\(error)"
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.sorted() == ["conflict", "conflict", "done"])
            #expect(try await world.fleet.count(in: world.acme, by: FleetFixture.admin) == 300)
            #expect(world.fleet.directory.count.devices == 300)
        }
    }
}
