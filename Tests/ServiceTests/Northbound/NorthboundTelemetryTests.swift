import Access
import Base
import Fleet
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Telemetry
import Testing

@testable import Northbound

/// Readings through the API: queries in both forms, and live.
@Suite struct NorthboundTelemetryTests {
    private static let meter = "/api/v1/tenants/acme/devices/meter-1"
    /// 2027-01-15T08:00:00Z, the test clock's beginning, in milliseconds.
    private static let start: Int64 = 1_800_000_000_000

    /// A tenant with a meter that has reported four readings, ten seconds apart, and a caller who may read them.
    private static func withMeter(
        _ engine: TestDatabase.Engine,
        _ body: (_ api: NorthboundFixture, _ token: String, _ device: DeviceID) async throws -> Void
    ) async throws {
        try await NorthboundFixture.with(engine) { api in
            let made = try await api.send(.post, "/api/v1/tenants/acme/devices", ["name": "meter-1"])
            let device = try #require(made.body["id"]?.string.flatMap { DeviceID(text: $0) })
            for (index, power) in ["230.5", "231", "229.25", "240"].enumerated() {
                let time = start + Int64(index) * 10_000
                try await api.report(#"{"ts":\#(time),"values":{"power":\#(power),"volt":230}}"#, device: device)
            }
            try await body(api, try await api.token("viewer"), device)
        }
    }

    private static func time(_ offset: Int64) -> String {
        Timestamp(milliseconds: start + offset * 1000)?.rfc3339 ?? ""
    }

    @Test("an acknowledged reading is in the next query, exactly as sent", arguments: TestDatabase.engines)
    func raw(engine: TestDatabase.Engine) async throws {
        try await Self.withMeter(engine) { api, token, _ in
            let reply = try await api.send(
                .get, "\(Self.meter)/telemetry?series=power,none&from=\(Self.time(0))&to=\(Self.time(30))", token: token
            )
            #expect(reply.status == 200)
            #expect(
                reply.text == """
                    {"series":[{"name":"power","unit":"","points":[[\(Self.start),230.5],[\(Self.start + 10_000),231],\
                    [\(Self.start + 20_000),229.25]]},{"name":"none","unit":"","points":[]}]}

                    """)
            let all = try await api.send(
                .get, "\(Self.meter)/telemetry?from=\(Self.time(0))&to=\(Self.time(99))", token: token)
            guard case .array(let series) = all.body["series"] else { throw Refusal(.invalid, "test", all.text) }
            #expect(series.compactMap { $0["name"]?.string } == ["power", "volt"])
            let names = try await api.send(.get, "\(Self.meter)/series", token: token)
            #expect(names.items.compactMap { $0["name"]?.string } == ["power", "volt"])
        }
    }

    @Test("steps summarise, and CSV says the same as JSON", arguments: TestDatabase.engines)
    func steps(engine: TestDatabase.Engine) async throws {
        try await Self.withMeter(engine) { api, token, _ in
            let query = "series=power&from=\(Self.time(0))&to=\(Self.time(40))&step=20s"
            let mean = try await api.send(.get, "\(Self.meter)/telemetry?\(query)", token: token)
            #expect(mean.text.contains("\"aggregates\":[\"mean\"]"))
            #expect(mean.text.contains("[[\(Self.start),230.75],[\(Self.start + 20_000),234.625]]"))
            let csv = try await api.send(
                .get, "\(Self.meter)/telemetry?\(query)&aggregate=min,max,count", token: token,
                headers: [.accept: "text/csv"])
            #expect(
                csv.text == """
                    series,time,min,max,count\r
                    power,\(Self.time(0)),230.5,231,2\r
                    power,\(Self.time(20)),229.25,240,2\r

                    """)
            let asked = try await api.send(.get, "\(Self.meter)/telemetry?\(query)&format=csv", token: token)
            #expect(asked.headers[.contentType]?.hasPrefix("text/csv") == true)
        }
    }

    @Test(
        "a query that makes no sense is refused with the place",
        arguments: [
            ("", "from"), ("from=yesterday", "from"), ("from=2027-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
            ("from=2026-01-01T00:00:00Z&step=0s", "step"), ("from=2026-01-01T00:00:00Z&step=1ms", "step"),
            ("from=2026-01-01T00:00:00Z&aggregate=mean", "aggregate"),
            ("from=2026-01-01T00:00:00Z&step=1h&aggregate=median", "aggregate"),
            ("from=2026-01-01T00:00:00Z&series=a,a", "series"), ("from=2026-01-01T00:00:00Z&format=xml", "format"),
            ("from=2026-01-01T00:00:00Z&serie=a", "serie"),
        ])
    func wrong(query: String, place: String) async throws {
        try await Self.withMeter(.sqlite) { api, token, _ in
            let reply = try await api.send(.get, "\(Self.meter)/telemetry?\(query)", token: token)
            #expect(reply.status == 400)
            guard case .array(let faults) = reply.body["faults"] else { throw Refusal(.invalid, "test", reply.text) }
            #expect(faults.first?["place"]?.string == place, "\(reply.text)")
        }
    }

    @Test(
        "live values arrive as events, signs of life in between, and the stream ends with the right to it",
        arguments: TestDatabase.engines)
    func live(engine: TestDatabase.Engine) async throws {
        try await Self.withMeter(engine) { api, _, device in
            let made = try await api.send(.post, "/api/v1/tenants/acme/tokens", ["role": "viewer"])
            let token = try #require(made.body["token"]?.string)
            let streams = LiveStreams(heartbeat: .milliseconds(20), clock: .system)
            let call = try await Self.call(api, token)
            let found = try await api.services.readable(call)
            let answer = try streams.answer(
                for: .localAdministrator, of: api.world.acme, until: nil, isWanted: { $0 == "power" },
                updates: { api.telemetry.live.updates(tenant: api.world.acme, device: device) },
                recheck: { try await api.services.recheck(call, found) })
            guard case .stream(let body, let mediaType) = answer.content else {
                throw Refusal(.invalid, "test", "no stream")
            }
            #expect(mediaType == "text/event-stream")
            let writer = KeepingWriter()
            async let streaming: Void = body.write(writer)
            try await until("the stream is open") {
                writer.content.contains(": open") && writer.content.contains(": alive")
            }
            try await api.report(#"{"ts":\#(Self.start + 60_000),"values":{"power":250.5,"volt":1}}"#, device: device)
            try await until("the value has come") { writer.content.contains("\"value\":250.5") }
            #expect(!writer.content.contains("volt"))
            let id = try #require(made.body["id"]?.string)
            _ = try await api.send(.delete, "/api/v1/tenants/acme/tokens/\(id)")
            try await streaming
            #expect(writer.content.hasSuffix("event: end\ndata: {\"code\":\"not.found\"}\n\n"))
        }
    }

    @Test("a stream ends at once when its caller's credential has ended, long before the next sign of life")
    func endsWithCredential() async throws {
        try await Self.withMeter(.sqlite) { api, _, device in
            let made = try await api.send(.post, "/api/v1/tenants/acme/tokens", ["role": "viewer"])
            let token = try #require(made.body["token"]?.string)
            let streams = LiveStreams(heartbeat: .seconds(3600), clock: .system)
            let call = try await Self.call(api, token)
            let found = try await api.services.readable(call)
            let answer = try streams.answer(
                for: call.principal, of: api.world.acme, until: nil, isWanted: { _ in true },
                updates: { api.telemetry.live.updates(tenant: api.world.acme, device: device) },
                recheck: { try await api.services.recheck(call, found) })
            guard case .stream(let body, _) = answer.content else { throw Refusal(.invalid, "test", "no stream") }
            let writer = KeepingWriter()
            async let streaming: Void = body.write(writer)
            try await until("the stream is open") { writer.content.contains(": open") }
            // A doubt about somebody else, and one that is unfounded, change nothing.
            streams.doubt(PrincipalID(high: 1, low: 1), of: api.world.acme)
            streams.doubt(nil, of: api.world.acme)
            try await until("it has looked") { writer.content.contains(": alive") }
            #expect(!writer.content.contains("event: end"))
            let id = try #require(made.body["id"]?.string)
            _ = try await api.send(.delete, "/api/v1/tenants/acme/tokens/\(id)")
            streams.doubt(call.principal.id, of: call.principal.tenant)
            try await streaming
            #expect(writer.content.hasSuffix("event: end\ndata: {\"code\":\"not.found\"}\n\n"))
        }
    }

    @Test("a stream ends when a right ends by itself, long before the next sign of life")
    func endsWithTime() async throws {
        try await Self.withMeter(.sqlite) { api, _, device in
            let made = try await api.send(.post, "/api/v1/tenants/acme/tokens", ["role": "viewer"])
            let call = try await Self.call(api, try #require(made.body["token"]?.string))
            let streams = LiveStreams(heartbeat: .seconds(3600), clock: .system)
            let asked = Mutex(0)
            let answer = try streams.answer(
                for: call.principal, of: api.world.acme, until: WallClock.system.now + .milliseconds(100),
                isWanted: { _ in true },
                updates: { api.telemetry.live.updates(tenant: api.world.acme, device: device) },
                recheck: {
                    let times = asked.withLock { times in
                        times += 1
                        return times
                    }
                    // The first end leaves another right; with the second one nothing is left.
                    guard times == 1 else { throw Refusal(.notFound, "not.found", "") }
                    return WallClock.system.now + .milliseconds(100)
                })
            guard case .stream(let body, _) = answer.content else { throw Refusal(.invalid, "test", "no stream") }
            let writer = KeepingWriter()
            try await body.write(writer)
            #expect(writer.content.hasSuffix("event: end\ndata: {\"code\":\"not.found\"}\n\n"))
        }
    }

    @Test("series of a class of data are as absent for who lacks its permission", arguments: TestDatabase.engines)
    func classes(engine: TestDatabase.Engine) async throws {
        try await Self.withMeter(engine) { api, _, device in
            let document: JSONValue = ["series": [["name": "use", "class": "personal"], ["name": "power"]]]
            let made = try await api.send(.put, "/api/v1/tenants/acme/models/household", document)
            #expect(made.status == 200, "\(made.text)")
            let changed = try await api.send(.patch, Self.meter, ["model": "household"])
            #expect(changed.status == 200, "\(changed.text)")
            let values = #"{"ts":\#(Self.start - 60_000),"values":{"use":7.5,"power":250.5}}"#
            try await api.report(values, device: device)
            let query = "from=2020-01-01T00:00:00Z&series=use,power"
            for (role, sees) in [("viewer", false), ("operator", true)] {
                let made = try await api.send(.post, "/api/v1/tenants/acme/tokens", ["role": .string(role)])
                let token = try #require(made.body["token"]?.string)
                let listed = try await api.send(.get, "\(Self.meter)/series", token: token)
                #expect(listed.text.contains("\"use\"") == sees, "\(listed.text)")
                for format in ["json", "csv"] {
                    let answer = try await api.send(
                        .get, "\(Self.meter)/telemetry?\(query)&format=\(format)", token: token)
                    #expect(answer.status == 200 && answer.text.contains("250.5"), "\(answer.text)")
                    #expect(answer.text.contains("7.5") == sees, "\(role): \(answer.text)")
                }
                let call = try await Self.call(api, token)
                let found = try await api.services.readable(call)
                #expect(found.allows("use") == sees && found.allows("power"))
            }
        }
    }

    @Test("a tenant's live streams are bounded")
    func bounded() async throws {
        try await Self.withMeter(.sqlite) { api, _, _ in
            let streams = LiveStreams(heartbeat: .seconds(60), clock: .system)
            let open = (0..<NorthboundLimits.liveStreamsPerTenant).map { _ in KeepingWriter() }
            try await withThrowingTaskGroup { group in
                for writer in open {
                    let answer = try streams.answer(
                        for: .localAdministrator, of: api.world.acme, until: nil, isWanted: { _ in true },
                        updates: {
                            api.telemetry.live.updates(tenant: api.world.acme, device: DeviceID(high: 1, low: 1))
                        },
                        recheck: { nil })
                    guard case .stream(let body, _) = answer.content else { continue }
                    group.addTask { try await body.write(writer) }
                }
                try await until("all are open") { open.allSatisfy { $0.content.contains(": open") } }
                #expect(throws: Refusal(.limited, "telemetry.tooManyStreams", "")) {
                    try streams.answer(
                        for: .localAdministrator, of: api.world.acme, until: nil, isWanted: { _ in true },
                        updates: { AsyncStream { _ in } },
                        recheck: { nil })
                }
                group.cancelAll()
            }
        }
    }

    /// The call that a request for the live stream makes.
    private static func call(_ api: NorthboundFixture, _ token: String) async throws -> Call {
        let principal = try await api.services.gatekeeper.authenticate(token, nil)
        let slug = try #require(TenantSlug("acme"))
        let tenant = try await api.services.gatekeeper.admit(principal, .permission(.telemetryRead), slug)
        let request = Request(
            head: HTTPRequest(
                method: .get, scheme: "https", authority: "x", path: "\(meter)/telemetry/live",
                headerFields: [.authorization: "Bearer \(token)"]),
            body: RequestBody(buffer: ByteBuffer()))
        let input = Input(
            id: "1", path: Fields(["tenant": "acme", "device": "meter-1"]), query: Fields([:]), body: Fields([:]),
            request: request, address: nil, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return Call(input: input, principal: principal, tenant: tenant)
    }
}

/// Waits until something real has happened, which takes as long as it takes, but not for ever.
func until(_ what: String, _ isTrue: () -> Bool) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while !isTrue() {
        guard clock.now < deadline else { throw Refusal(.unavailable, "test.deadline", "waited in vain until \(what)") }
        try await clock.sleep(for: .milliseconds(1))
    }
}
