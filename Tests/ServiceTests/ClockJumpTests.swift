import Access
import Base
import Storage
import Testing

@testable import Audit
@testable import Fleet
@testable import Telemetry

/// The machine's clock is set: by an hour, or by four years, in either direction, and back. What is stored stays whole,
/// what has a time limit follows the clock, and nothing traps.
@Suite("A wall clock that jumps")
struct ClockJumpTests {
    static let jumps: [Duration] = [-4 * 365 * 86_400, -3600, 3600, 4 * 365 * 86_400].map { .seconds($0) }

    @Test(
        "devices made on both sides of a jump are listed once each, and tokens and certificates follow the clock",
        arguments: TestDatabase.engines, jumps)
    func fleet(engine: TestDatabase.Engine, jump: Duration) async throws {
        try await FleetFixture.with(engine) { world in
            let before = try await world.register("before")
            let enrolled = try await world.enrol(try await world.register("enrolled"))
            world.time.advance(by: jump)
            let after = try await world.register("after")
            let isYears = jump > .seconds(86_400)
            if isYears {
                await #expect(throws: Refusal(.unauthenticated, "enrolment.refused", "")) {
                    try await Self.enrol(before, world)
                }
            } else {
                _ = try await Self.enrol(before, world)
            }
            let late = try await Self.enrol(after, world)
            // Before the issuing CA was made nothing is valid.
            #expect(await Self.isValid(late, world) == (jump > .zero))
            #expect(
                world.fleet.directory.isAdmitted(enrolled) == !isYears, "who is in stays in for the certificate's life")
            for sort in DeviceSort.allCases {
                var names: [String] = []
                var query = DeviceQuery(sort: sort, limit: 1)
                repeat {
                    let page = try await world.fleet.list(query, in: world.acme, by: FleetFixture.admin)
                    names += page.items.map(\.device.name.text)
                    query.cursor = page.next
                } while query.cursor != nil && names.count < 10
                #expect(names.sorted() == ["after", "before", "enrolled"], "\(sort)")
            }
            let session = world.presence.connected(enrolled, via: "mqtt", address: "192.0.2.1")
            world.time.advance(by: .zero - jump)
            session.seen(at: world.time.now)
            world.presence.disconnected(session, reason: .lost)
            try await world.presence.flush()
            if isYears { _ = try await Self.enrol(before, world) }
            // From the other side it is not valid yet, or still, or not any more.
            #expect(await Self.isValid(late, world) == (jump == .seconds(-3600)))
            let details = try await world.fleet.show("enrolled", in: world.acme, by: FleetFixture.admin)
            #expect(details.presence.connections == 1 && !details.presence.isOnline)
        }
    }

    private static func isValid(_ certificate: EnrolledCertificate, _ world: FleetFixture) async -> Bool {
        (try? await world.handshake(certificate)) != nil
    }

    private static func enrol(_ device: RegisteredDevice, _ world: FleetFixture) async throws -> EnrolledCertificate {
        try await world.fleet.enrol(
            tenant: TenantSlug("acme"), identifier: device.device.name.text, token: device.token.text,
            csr: FleetFixture.request(), address: nil)
    }

    @Test("the audit keeps its order and verifies", arguments: TestDatabase.engines, jumps)
    func audit(engine: TestDatabase.Engine, jump: Duration) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<10, checkpointEvery: 5)
            world.time.advance(by: jump)
            try await world.fill(10..<20, checkpointEvery: 5)
            world.time.advance(by: .zero - jump)
            try await world.fill(20..<30, checkpointEvery: 5)
            let report = try await world.report()
            #expect(report.damageCount == 0 && report.entries == 30 && report.signedSize == 30, "\(report)")
            var found: [Int64] = []
            var place: String?
            repeat {
                let page = try await world.log.page(
                    tenant: world.tenant, filter: AuditFilter(codePrefix: "device."), after: place, limit: 7,
                    reader: AuditFixture.reader)
                found += page.entries.map(\.index)
                place = page.next
            } while place != nil && found.count < 100
            #expect(found.sorted() == Array(0..<30))
        }
    }

    @Test(
        "readings without a time of their own are all kept, through a restart as well", arguments: TestDatabase.engines,
        jumps)
    func telemetry(engine: TestDatabase.Engine, jump: Duration) async throws {
        try await withTemporaryDirectory { directory in
            try await engine.withDatabase([TelemetrySchema.part]) { database in
                let now = TelemetryHarness.TestTime(TelemetryHarness.noon)
                let first = try await TelemetryHarness.open(directory: directory, database: database, now: now)
                try await first.report(#"{"power":1}"#)
                now.set(TelemetryHarness.noon + jump)
                try await first.report(#"{"power":2}"#)
                try await first.telemetry.flush()
                now.set(TelemetryHarness.noon + .seconds(1))
                try await first.report(#"{"power":3}"#)
                let expected = [
                    (TelemetryHarness.noon, 1), (TelemetryHarness.noon + jump, 2),
                    (TelemetryHarness.noon + .seconds(1), 3),
                ].sorted { $0.0 < $1.0 }.map { "\($0.0.milliseconds): \($0.1)" }
                #expect(try await first.points("power") == expected)
                try await first.telemetry.close()
                let second = try await TelemetryHarness.open(directory: directory, database: database, now: now)
                #expect(try await second.points("power") == expected)
                now.set(TelemetryHarness.noon + .seconds(7200))
                try await second.telemetry.flush()
                try await second.telemetry.keep()
                #expect(try await second.points("power") == expected)
                try await second.telemetry.close()
            }
        }
    }
}
