import Access
import Base
import Storage
import Testing

@testable import Fleet

@Suite("Counted versions")
struct FleetVersionCountTests {
    @Test("those of a large fleet are kept, and shown to each as far as they may see", arguments: TestDatabase.engines)
    func kept(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let acme = world.acme
            func seen(_ principal: Principal) async throws -> [String: Int] {
                let found = try await world.database.tenant(acme).read { transaction in
                    try world.fleet.installedVersions(of: acme, for: principal, in: transaction)
                }
                return Dictionary(found.map { ($0.version, $0.devices) }, uniquingKeysWith: +)
            }
            var domains: [DomainID] = []
            for (name, place) in [("b-1", "berlin"), ("p-1", "paris")] {
                try await world.domain(place)
                let made = try await world.register(name) { draft in
                    draft.domain = place
                    draft.components = ["system": "1"]
                }
                domains.append(made.device.domain)
            }
            let berlin = try await world.principal("viewer", at: "berlin")
            #expect(try await seen(FleetFixture.admin) == ["1": 2])
            #expect(try await seen(berlin) == ["1": 1])
            // As if there were many.
            let many = zip(domains, [10_000, 7]).map { domain, devices in
                VersionCounts.Line(domain: domain, model: nil, components: #"{"system":"2"}"#, devices: devices)
            }
            world.fleet.versionCounts.keep(many, of: acme, readAt: world.database.mark())
            #expect(try await seen(FleetFixture.admin) == ["2": 10_007])
            #expect(try await seen(berlin) == ["2": 10_000])
            _ = try await world.fleet.update(
                "b-1", try DeviceChange(json: ["components": ["system": "3"]]), in: acme, by: FleetFixture.admin)
            #expect(try await seen(FleetFixture.admin) == ["2": 10_007], "it was counted just now")
            world.time.advance(by: FleetLimits.countsPatience)
            #expect(try await seen(FleetFixture.admin) == ["1": 1, "3": 1])
            #expect(try await seen(berlin) == ["3": 1])
        }
    }

    @Test("those of a small fleet, and those of one without two devices alike, are counted each time")
    func notKept() {
        let counts = VersionCounts { .zero }
        let tenant = TenantID(high: 1, low: 1)
        func line(_ number: Int, devices: Int) -> VersionCounts.Line {
            VersionCounts.Line(
                domain: DomainID(high: 1, low: 1), model: nil, components: "\(number)", devices: devices)
        }
        counts.keep([line(0, devices: FleetLimits.countedAnew - 1)], of: tenant, readAt: 1)
        #expect(counts.lines(of: tenant) == nil)
        counts.keep((0...FleetLimits.keptCounts).map { line($0, devices: 1) }, of: tenant, readAt: 1)
        #expect(counts.lines(of: tenant) == nil)
        counts.keep([line(0, devices: FleetLimits.countedAnew)], of: tenant, readAt: 1)
        #expect(counts.lines(of: tenant)?.count == 1)
        counts.forget(tenant)
        #expect(counts.lines(of: tenant) == nil)
    }
}
