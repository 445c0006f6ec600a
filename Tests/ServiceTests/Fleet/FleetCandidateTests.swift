import Access
import Base
import Storage
import Testing

@testable import Fleet

@Suite("Which of some devices match")
struct FleetCandidateTests {
    fileprivate static let filters = [
        "label.site", "not label.site", "label.site = Berlin", "label.site != Berlin", "label.ite", "label.key",
        "online",
        "not online", "drift", "not drift", "heartbeat = late", "heartbeat = calling", "not heartbeat = calling",
        "label.site = Bonn or (online and not drift)",
    ]

    @Test("of some devices the same match as of all", arguments: TestDatabase.engines)
    func agree(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            var devices: [Device] = []
            for number in 0..<8 {
                let registered = try await world.register("d-\(number)") { draft in
                    draft.labels =
                        [
                            0: ["site": "Berlin"], 1: ["site": "Bonn"], 2: ["site": ""], 3: ["opposite": "Berlin"],
                            // Neither a text within a value nor the end of a name is a name.
                            4: ["a": "\"site\":", "key": "site"],
                        ][number, default: [:]]
                }
                devices.append(registered.device)
            }
            _ = try await world.enrol(try await world.register("enrolled"))
            try await world.database.tenant(world.acme).write { [devices] transaction -> Void in
                for number in [1, 5] {
                    try transaction.execute(
                        "UPDATE device_presence SET online = 1 WHERE tenant = $1 AND device = $2", devices[number].id)
                }
                for number in [1, 6] {
                    try transaction.execute(
                        """
                        INSERT INTO device_document (tenant, device, kind, version, document, changed, drift)
                        VALUES ($1, $2, 'reported', 1, '{}', 0, 1)
                        """, devices[number].id)
                }
                try transaction.execute(
                    """
                    INSERT INTO device_heartbeat (tenant, device, state, since, late, silent)
                    VALUES ($1, $2, 1, 0, 1, 0)
                    """, devices[7].id)
            }
            for text in Self.filters {
                let filter = try DeviceFilter(text)
                let (whole, some) = try await world.database.tenant(world.acme).read { transaction in
                    let all = try world.fleet.targets(
                        nil, in: nil, after: nil, limit: 100, of: world.acme, for: FleetFixture.admin, .deviceRead,
                        in: transaction)
                    return (
                        try world.fleet.targets(
                            filter, in: nil, after: nil, limit: 100, of: world.acme, for: FleetFixture.admin,
                            .deviceRead,
                            in: transaction),
                        try world.fleet.candidates(
                            among: all, filter, of: "system", tenant: world.acme, for: FleetFixture.admin, .deviceRead,
                            in: transaction
                        ).map(\.device)
                    )
                }
                #expect(some == whole, "\(text)")
                #expect(!whole.isEmpty || text == "label.ite", "\(text)")
            }
        }
    }

    @Test("to look at few devices reads of no others", arguments: FleetCandidateTests.filters)
    func few(text: String) throws {
        let filter = try DeviceFilter(text)
        func condition(isOfFew: Bool) throws -> String {
            var sql = SQLBuilder()
            let translation = DeviceFilterSQL(
                model: { _ in nil }, domain: { _ in throw Refusal(.notFound, "domain.unknown", "") }, isOfFew: isOfFew)
            return try translation.condition(filter.expression, &sql)
        }
        // A set of all that match is made for a list alone.
        #expect(try !condition(isOfFew: true).contains("IN (SELECT"))
        #expect(try condition(isOfFew: false).contains("IN (SELECT"))
    }
}
