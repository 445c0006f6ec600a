import Access
import Base
import Bus
import HTTPTypes
import Testing

@testable import Console
@testable import Fleet

/// What the reports tell, to whom, and where their counts lead.
@Suite("The console's reports")
struct ConsoleReportsTests {
    @Test(
        "a device whose token is refused or whose connection breaks is told of, with totals",
        arguments: TestDatabase.engines)
    func failures(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let fleet = world.api.world.fleet
            let device = try await world.api.world.register("meter-1").device
            #expect(try await world.get("/t/acme/reports", as: "admin").text.contains("No failure"))
            for _ in 0..<2 {
                await #expect(throws: Refusal.self) {
                    try await fleet.enrol(
                        tenant: nil, identifier: device.id.text, token: "wrong", csr: [], address: "192.0.2.1")
                }
            }
            world.api.world.bus.publish(
                DeviceOffline(
                    tenant: world.api.world.acme, device: device.id, time: world.api.world.time.now, reason: .lost))
            world.api.world.bus.publish(
                DeviceOffline(
                    tenant: world.api.world.acme, device: device.id, time: world.api.world.time.now, reason: .closed))
            let text = try await world.get("/t/acme/reports", as: "admin").text
            #expect(text.contains("meter-1") && text.contains("the connection broke"))
            let csv = try await world.get("/t/acme/reports/failures.csv", as: "admin").text
            let line = try #require(csv.split(separator: "\r\n").last)
            #expect(line.hasPrefix("meter-1,") && line.contains(",lost,the connection broke,1,2,3,"))
            // What a deleted device had counted goes with it.
            try await fleet.delete("meter-1", in: world.api.world.acme, by: FleetFixture.admin)
            fleet.directory.failures.note(
                .lost, "late", device.id, of: world.api.world.acme, at: world.api.world.time.now)
            #expect(try await world.get("/t/acme/reports", as: "admin").text.contains("No failure"))
        }
    }

    @Test("failures go on by pages, the latest first", arguments: TestDatabase.engines)
    func pages(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for number in 100..<160 {
                let device = try await world.api.world.register("meter-\(number)").device
                world.api.world.time.advance(by: .seconds(1))
                world.api.world.fleet.directory.failures.note(
                    .refused, "the device is revoked", device.id, of: world.api.world.acme, at: world.api.world.time.now
                )
            }
            let first = try await world.get("/t/acme/reports", as: "admin").text
            #expect(first.contains("meter-159") && first.contains("meter-110") && !first.contains("meter-109"))
            let next = try #require(first.firstMatch(of: /href="([^"]*cursor=[^"]*)"/)?.1)
            let second = try await world.get(String(next), as: "admin").text
            #expect(second.contains("meter-109") && second.contains("meter-100") && !second.contains("meter-110"))
            #expect(try await world.get("/t/acme/reports?cursor=x", as: "admin").status == 400)
        }
    }

    @Test("versions are counted across the fleet, and each count leads to its devices", arguments: TestDatabase.engines)
    func versions(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for (number, version) in ["1.2", "1.2", "2.0 \"beta\""].enumerated() {
                _ = try await world.api.world.register("meter-\(number)") {
                    $0.components = ["system": version, "modem": "R7"]
                }
            }
            let text = try await world.get("/t/acme/reports/versions", as: "admin").text
            #expect(
                text.contains("modem") && text.contains("2 versions on 3 devices")
                    && text.contains("1 version on 3 devices"))
            let links = text.matches(of: /href="([^"]*devices\?filter=[^"]*)"/).map { String($0.1) }
            #expect(links.count == 5)
            for (link, count) in zip(links, [3, 3, 3, 2, 1]) {
                let words = "\(count) \(count == 1 ? "device" : "devices") match"
                #expect(try await world.get(link, as: "admin").text.contains(words), "\(link)")
            }
            let csv = try await world.get("/t/acme/reports/versions.csv", as: "admin").text
            #expect(csv.contains("system,1.2,2\r\n") && csv.contains("system,\"2.0 \"\"beta\"\"\",1\r\n"))
            let any = try await world.get("/t/acme/devices?filter=component.modem", as: "admin").text
            #expect(any.contains("3 devices match"))
        }
    }

    @Test("who holds what is told by person and by domain", arguments: TestDatabase.engines)
    func access(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let text = try await world.get("/t/acme/reports/access", as: "admin").text
            #expect(text.contains("admin") && text.contains("viewer") && text.contains("Active"))
            let csv = try await world.get("/t/acme/reports/access.csv", as: "admin").text
            #expect(csv.hasPrefix("name,mail,kind,state") && csv.contains(",viewer,") && csv.contains(",admin,"))
            let choice = try #require(text.firstMatch(of: /<option value="([0-9a-f]{32})"/)?.1)
            let domain = try await world.get("/t/acme/reports/access?domain=\(choice)", as: "admin").text
            #expect(domain.contains("there or from above") && domain.contains("viewer"))
            let nowhere = try await world.get("/t/acme/reports/access?domain=nowhere", as: "admin")
            #expect(nowhere.status == 200 && nowhere.text.contains("role=\"alert\""))
            #expect(try await world.get("/t/acme/reports/access.csv?domain=nowhere", as: "admin").status == 404)
        }
    }

    @Test("who holds what takes reports and principals, both of the whole tenant", arguments: TestDatabase.engines)
    func review(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "ann") { world in
            let fleet = world.api.world
            _ = try await fleet.register("meter-1")
            try await fleet.domain("plant")
            let paths = ["/reports/access", "/reports/access.csv", "/reports/access.csv?domain=plant"]
            for (role, domain, opens) in [
                ("analyst", nil, false), ("auditor", "plant", false), ("auditor", nil, true),
            ] {
                let grant = try await fleet.access.grant(
                    role: role, to: "ann", at: domain, tenant: fleet.acme, by: FleetFixture.admin)
                #expect(try await world.get("/t/acme/reports", as: "ann").status == 200)
                for path in paths {
                    let reply = try await world.get("/t/acme" + path, as: "ann")
                    #expect(reply.status == (opens ? 200 : 404), "\(role) \(path)")
                }
                let page = try await world.get("/t/acme/reports", as: "ann").text
                #expect(page.contains("Access review") == opens)
                try await fleet.access.endGrant(grant.id, tenant: fleet.acme, by: FleetFixture.admin)
            }
        }
    }

    @Test("reports tell of the devices that their reader may see", arguments: TestDatabase.engines)
    func parts(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine, newcomer: "ann") { world in
            let fleet = world.api.world
            try await fleet.domain("plant")
            for (name, domain) in [("meter-1", nil), ("meter-2", "plant")] {
                let device = try await fleet.register(name) {
                    ($0.domain, $0.components) = (domain, ["system": name])
                }.device
                fleet.fleet.directory.failures.note(
                    .refused, "the device is revoked", device.id, of: fleet.acme, at: fleet.time.now)
            }
            _ = try await fleet.access.grant(
                role: "analyst", to: "ann", at: "plant", tenant: fleet.acme, by: FleetFixture.admin)
            for path in ["", "/failures.csv", "/versions", "/versions.csv"] {
                let text = try await world.get("/t/acme/reports" + path, as: "ann").text
                // Somebody who looks on everywhere sees devices there, and no report of them.
                #expect(text.contains("meter-2") && !text.contains("meter-1"), "\(path)")
            }
            #expect(try await world.get("/t/acme/reports", as: "ann").text.contains("1 device: connection"))
        }
    }

    @Test("failures are chosen by state and ordered by their number; files follow", arguments: TestDatabase.engines)
    func choices(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            let fleet = world.api.world
            for number in 1...3 {
                let device = try await fleet.register("meter-\(number)").device
                for _ in number...3 {
                    fleet.time.advance(by: .seconds(1))
                    fleet.fleet.directory.failures.note(
                        .refused, "=reason", device.id, of: fleet.acme, at: fleet.time.now)
                }
            }
            _ = try await fleet.fleet.suspend("meter-2", in: fleet.acme, by: FleetFixture.admin)
            func names(_ query: String) async throws -> [String] {
                try await world.get("/t/acme/reports/failures.csv" + query, as: "admin").text.split(separator: "\r\n")
                    .dropFirst().map { String($0.prefix { $0 != "," }) }
            }
            #expect(try await names("") == ["meter-3", "meter-2", "meter-1"])
            #expect(try await names("?sort=total") == ["meter-1", "meter-2", "meter-3"])
            #expect(try await names("?state=suspended") == ["meter-2"])
            #expect(try await world.get("/t/acme/reports/failures.csv", as: "admin").text.contains(",'=reason,"))
            let page = try await world.get("/t/acme/reports?state=suspended", as: "admin").text
            #expect(page.contains("meter-2") && !page.contains("meter-1") && page.contains("1 device: connection"))
            let none = try await world.get("/t/acme/reports?state=online", as: "admin").text
            #expect(none.contains("No such failure"))
        }
    }

    @Test(
        "reports are for those who hold their permission; others see nothing",
        arguments: ["", "/failures.csv", "/versions", "/versions.csv", "/access", "/access.csv"])
    func permissions(path: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.api.world.register("meter-1")
            #expect(try await world.get("/t/acme/reports" + path, as: "admin").status == 200)
            for role in ["viewer", "rival"] {
                let reply = try await world.get("/t/acme/reports" + path, as: role)
                #expect(reply.status == 404 && !reply.text.contains("meter-1"), "\(role)")
            }
        }
    }

    @Test("an analyst reads reports and controls nothing")
    func analyst() {
        let permissions = Role.analyst.permissions
        #expect(permissions.contains(.reportRead) && permissions.allSatisfy { $0.rawValue.hasSuffix(".read") })
    }
}
