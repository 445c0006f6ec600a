import Base
import Bus
import Storage
import Testing

@testable import Fleet

@Suite("Reports of devices")
struct FleetReportTests {
    private static func kept(_ outcomes: [ReportOutcome]) -> [String] {
        outcomes.map { outcome in
            switch outcome {
            case .kept(let events): "kept \(events)"
            case .documents(let documents): JSONValue.object(documents.reported.members).canonical
            case .refused(let refusal): refusal.code
            }
        }
    }

    private static func report(
        _ content: (([UInt8]) -> DeviceReport.Content), _ text: String, of device: AdmittedDevice, _ world: FleetFixture
    ) -> DeviceReport {
        DeviceReport(content(Array(text.utf8)), of: device, received: world.time.now)
    }

    @Test(
        "a group of reports is kept in its order, each by itself, and a look sees what came before it",
        arguments: TestDatabase.engines)
    func group(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let one = try await world.enrol(world.register("gw-1"))
            let two = try await world.enrol(world.register("gw-2", in: world.rival), slug: "rival")
            func look(_ device: AdmittedDevice) -> DeviceReport {
                DeviceReport(.look, of: device, received: world.time.now)
            }
            let outcomes = try await world.fleet.keep([
                Self.report(DeviceReport.Content.reported, #"{"a":{"b":1,"c":2},"d":3}"#, of: one, world),
                Self.report(DeviceReport.Content.reported, "[]", of: one, world),
                Self.report(DeviceReport.Content.reported, #"{"x":1}"#, of: two, world),
                look(one),
                Self.report(DeviceReport.Content.reported, #"{"a":{"b":null},"d":null}"#, of: one, world),
                // ThingsBoard's attributes replace a member whole.
                Self.report(DeviceReport.Content.attributes, #"{"e":{"f":1},"x":null}"#, of: one, world),
                Self.report(DeviceReport.Content.attributes, #"{"e":{"g":2}}"#, of: one, world),
                look(one), look(two),
            ])
            #expect(
                Self.kept(outcomes) == [
                    "kept 0", "reported.invalid", "kept 0", #"{"a":{"b":1,"c":2},"d":3}"#, "kept 0", "kept 0", "kept 0",
                    #"{"a":{"c":2},"e":{"g":2}}"#, #"{"x":1}"#,
                ])
            let document = try await world.fleet.document(
                .reported, of: "gw-1", in: world.acme, by: FleetFixture.admin)
            #expect(document.version == 4)
            #expect(document.members == ["a": ["c": 2], "e": ["g": 2]])
            // What is known already makes no new version.
            _ = try await world.fleet.keep([
                Self.report(DeviceReport.Content.reported, #"{"a":{"c":2}}"#, of: one, world)
            ])
            #expect(
                try await world.fleet.document(.reported, of: "gw-1", in: world.acme, by: FleetFixture.admin).version
                    == 4)
            // Another unit reports anew.
            _ = try await world.fleet.replace("gw-1", identifiers: [], in: world.acme, by: FleetFixture.admin)
            let cleared = try await world.fleet.document(.reported, of: "gw-1", in: world.acme, by: FleetFixture.admin)
            #expect(cleared.version == 5 && cleared.members.isEmpty)
        }
    }

    @Test(
        "bad reports are refused with a reason, and the document stays as it was", arguments: TestDatabase.engines,
        [
            ("", "reported.invalid"), ("[]", "reported.invalid"), ("1", "reported.invalid"),
            ("null", "reported.invalid"), (#"{"a":NaN}"#, "reported.invalid"), (#"{"a":1,"a":2}"#, "reported.invalid"),
            (#"{"a":1}x"#, "reported.invalid"), ("{\"a\":\"\u{7}\"}", "reported.invalid"),
            (
                #"{"a":"# + String(repeating: "[", count: 20) + String(repeating: "]", count: 20) + "}",
                "reported.invalid"
            ),
            (#"{"a":""# + String(repeating: "x", count: FleetLimits.documentBytes) + #""}"#, "reported.size"),
            // Fits by itself, but not together with what is there.
            (#"{"b":""# + String(repeating: "x", count: FleetLimits.documentBytes - 20) + #""}"#, "reported.size"),
        ])
    func refused(engine: TestDatabase.Engine, bad: (text: String, code: String)) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.enrol(world.register("gw-1"))
            let outcomes = try await world.fleet.keep([
                Self.report(DeviceReport.Content.reported, #"{"first":"kept"}"#, of: device, world),
                Self.report(DeviceReport.Content.reported, bad.text, of: device, world),
                Self.report(DeviceReport.Content.reported, #"{"last":"kept"}"#, of: device, world),
            ])
            #expect(Self.kept(outcomes) == ["kept 0", bad.code, "kept 0"])
            let document = try await world.fleet.document(
                .reported, of: "gw-1", in: world.acme, by: FleetFixture.admin)
            #expect(document.members == ["first": "kept", "last": "kept"])
        }
    }

    @Test("many devices report together, whatever their number", arguments: TestDatabase.engines, [1, 7, 64, 150])
    func many(engine: TestDatabase.Engine, count: Int) async throws {
        try await FleetFixture.with(engine) { world in
            var devices: [AdmittedDevice] = []
            for number in 0..<count { devices.append(try await world.enrol(world.register("m-\(number)"))) }
            for round in 1...2 {
                let reports = devices.map {
                    Self.report(DeviceReport.Content.reported, #"{"round":\#(round)}"#, of: $0, world)
                }
                #expect(Self.kept(try await world.fleet.keep(reports)) == Array(repeating: "kept 0", count: count))
            }
            let looks = devices.map { DeviceReport(.look, of: $0, received: world.time.now) }
            #expect(
                Self.kept(try await world.fleet.keep(looks)) == Array(repeating: #"{"round":2}"#, count: count))
        }
    }

    @Test("a device that was deleted leaves nothing behind and can report nothing", arguments: TestDatabase.engines)
    func deleted(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.enrol(world.register("gw-1"))
            let reports = [
                Self.report(DeviceReport.Content.reported, #"{"a":1}"#, of: device, world),
                Self.report(DeviceReport.Content.events, #"{"code":"a"}"#, of: device, world),
            ]
            #expect(Self.kept(try await world.fleet.keep(reports)) == ["kept 0", "kept 1"])
            _ = try await world.fleet.setDesired(["b": 1], of: "gw-1", in: world.acme, by: FleetFixture.admin)
            try await world.fleet.delete("gw-1", in: world.acme, by: FleetFixture.admin)
            #expect(Self.kept(try await world.fleet.keep(reports)) == ["device.unknown", "device.unknown"])
            let left = try await world.database.tenant(world.acme).read { transaction in
                try ["device_document", "device_event"].map { table in
                    try transaction.rows("SELECT 1 FROM \(table) WHERE tenant = $1").count
                }
            }
            #expect(left == [0, 0])
        }
    }

    // MARK: - Events

    @Test(
        "events are kept, told, paged newest first, and not mistaken for another list's",
        arguments: TestDatabase.engines)
    func events(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.enrol(world.register("gw-1"))
            let heard = FleetTestLog<[String]>()
            world.bus.subscribe(to: DeviceEventsKept.self) { heard.append($0.events.map(\.code.text)) }
            let outcomes = try await world.fleet.keep([
                Self.report(
                    DeviceReport.Content.events,
                    #"[{"code":"c1","ts":1000},{"code":"c2","ts":1000,"severity":"warning","text":"x","details":{"y":1}}]"#,
                    of: device, world),
                Self.report(DeviceReport.Content.events, #"{"code":"c3","ts":2000}"#, of: device, world),
                Self.report(DeviceReport.Content.events, #"{"code":"bad code"}"#, of: device, world),
                Self.report(DeviceReport.Content.events, #"{"code":"now"}"#, of: device, world),
            ])
            #expect(Self.kept(outcomes) == ["kept 2", "kept 1", "events.invalid", "kept 1"])
            #expect(heard.elements == [["c1", "c2"], ["c3"], ["now"]])
            func page(_ from: Int64, _ to: Int64, after: String? = nil, limit: Int = 100) async throws
                -> Fleet.EventPage
            {
                try await world.fleet.events(
                    of: "gw-1", from: Timestamp(microseconds: from), to: Timestamp(microseconds: to), after: after,
                    limit: limit, in: world.acme, by: FleetFixture.admin)
            }
            let all = try await page(0, .max)
            #expect(all.events.map(\.event.code.text) == ["now", "c3", "c2", "c1"])
            #expect(all.next == nil)
            let full = try #require(all.events.dropFirst(2).first?.event)
            #expect(full.severity == .warning && full.text == "x" && full.details == ["y": 1])
            #expect(try await page(1_000_000, 2_000_000).events.map(\.event.code.text) == ["c2", "c1"])
            var codes: [String] = []
            var next: String?
            repeat {
                let part = try await page(0, .max, after: next, limit: 1)
                codes += part.events.map(\.event.code.text)
                next = part.next
            } while next != nil
            #expect(codes == ["now", "c3", "c2", "c1"])
            await #expect(throws: Refusal(.invalid, "cursor.invalid", "")) { try await page(0, .max, after: "00") }
        }
    }

    @Test("old events go, and of too many the oldest; others' stay", arguments: TestDatabase.engines)
    func retention(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.enrol(world.register("gw-1"))
            let other = try await world.enrol(world.register("gw-1", in: world.rival), slug: "rival")
            let message = "[" + Array(repeating: #"{"code":"a","ts":1000}"#, count: 100).joined(separator: ",") + "]"
            func report(_ text: String, _ device: AdmittedDevice, times: Int = 1) async throws {
                let one = Self.report(DeviceReport.Content.events, text, of: device, world)
                let outcomes = try await world.fleet.keep(Array(repeating: one, count: times))
                #expect(!Self.kept(outcomes).contains { !$0.hasPrefix("kept") })
            }
            func count(_ tenant: TenantID) async throws -> Int {
                try await world.database.tenant(tenant).read {
                    try $0.row("SELECT count(*) FROM device_event WHERE tenant = $1")?.int(0) ?? 0
                }
            }
            try await report(#"{"code":"old"}"#, device)
            try await report(#"{"code":"old"}"#, other)
            world.time.advance(by: .seconds(86_400))
            try await report(message, device, times: FleetLimits.eventsKept / 100)
            try await report(#"{"code":"newest","ts":5000}"#, device)
            try await world.fleet.trimEvents(of: world.acme, olderThan: .seconds(90 * 86_400))
            #expect(try await count(world.acme) == FleetLimits.eventsKept)
            let kept = try await world.fleet.events(
                of: "gw-1", from: Timestamp(microseconds: 0), to: Timestamp(microseconds: .max), limit: 2,
                in: world.acme, by: FleetFixture.admin)
            #expect(kept.events.map(\.event.code.text) == ["old", "newest"])
            try await world.fleet.trimEvents(of: world.acme, olderThan: .seconds(3600))
            let codes = try await world.database.tenant(world.acme).read {
                try $0.rows("SELECT DISTINCT code FROM device_event WHERE tenant = $1 ORDER BY code").map {
                    try $0.text(0)
                }
            }
            #expect(codes == ["a", "newest"])
            #expect(try await count(world.rival) == 1)
            try await world.fleet.purge(world.acme)
            #expect(try await count(world.acme) == 0)
        }
    }
}
