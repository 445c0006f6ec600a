import Base
import Foundation
import Storage
import Testing

@testable import Telemetry

@Suite("Telemetry from acceptance to answer")
struct TelemetryStoreTests {
    typealias Harness = TelemetryHarness

    /// Runs a test on a fresh directory and database of an engine.
    func with(
        _ engine: TestDatabase.Engine, _ body: @Sendable (String, Database, Harness.TestTime) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await engine.withDatabase([TelemetrySchema.part]) { database in
                try await body(directory, database, Harness.TestTime(Harness.noon))
            }
        }
    }

    @Test("an acknowledged reading is found at once, exactly as sent", arguments: TestDatabase.engines)
    func acknowledgedIsFound(engine: TestDatabase.Engine) async throws {
        try await with(engine) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            try await harness.report(#"{"ts":1772366400000,"values":{"power":27.4,"on":true}}"#)
            try await harness.report(#"{"ts":1772366401000,"values":{"power":27.45,"on":false}}"#)
            #expect(try await harness.points("power") == ["1772366400000: 27.4", "1772366401000: 27.45"])
            #expect(try await harness.points("on") == ["1772366400000: 1", "1772366401000: 0"])
            #expect(
                try await harness.telemetry.reader.series(tenant: harness.tenant, device: harness.device).map(\.name)
                    == ["on", "power"])
            try await harness.telemetry.close()
        }
    }

    @Test("a process that dies loses nothing acknowledged and doubles nothing", arguments: TestDatabase.engines)
    func crashReplays(engine: TestDatabase.Engine) async throws {
        try await with(engine) { directory, database, now in
            let first = try await Harness.open(directory: directory, database: database, now: now)
            for second in 0..<50 {
                try await first.report(#"{"ts":\#(1_772_366_400_000 + second * 1000),"values":{"power":\#(second)}}"#)
            }
            let expected = (0..<50).map { "\(1_772_366_400_000 + $0 * 1000): \($0)" }
            // The first is not closed: a second one opens what is on disk, as after kill -9.
            let second = try await Harness.open(directory: directory, database: database, now: now)
            #expect(try await second.points("power") == expected)
            // Chunks are written, but the log is still there and says nothing of them, as after a crash between the two.
            let log = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".seg") }
                .map { URL(filePath: "\(directory)/\($0)") }
            let before = try log.map { try Data(contentsOf: $0) }
            now.set(Harness.noon + .seconds(2 * 3600))
            try await second.telemetry.flush()
            #expect(second.telemetry.openBytes == 0)
            #expect(try await second.points("power") == expected)
            for (url, bytes) in zip(log, before) { try bytes.write(to: url) }
            try FileManager.default.removeItem(atPath: "\(directory)/flushed")
            let third = try await Harness.open(directory: directory, database: database, now: now)
            #expect(third.telemetry.openBytes > 0)
            #expect(try await third.points("power") == expected)
            try await third.telemetry.flush()
            #expect(try await third.points("power") == expected)
            try await third.telemetry.keep()
            #expect(try await third.points("power") == expected)
        }
    }

    @Test(
        "late readings are laid over what a chunk holds, and folding changes no answer", arguments: TestDatabase.engines
    )
    func lateData(engine: TestDatabase.Engine) async throws {
        try await with(engine) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            try await harness.report(
                #"[{"ts":1772366400000,"values":{"power":1}},{"ts":1772366402000,"values":{"power":3}}]"#)
            now.set(Harness.noon + .seconds(2 * 3600))
            try await harness.telemetry.flush()
            try await harness.report(
                #"[{"ts":1772366401000,"values":{"power":2.5}},{"ts":1772366402000,"values":{"power":4}}]"#)
            let expected = ["1772366400000: 1", "1772366401000: 2.5", "1772366402000: 4"]
            #expect(try await harness.points("power") == expected)
            try await harness.telemetry.flush()
            #expect(try await harness.points("power") == expected)
            try await harness.telemetry.keep()
            #expect(try await harness.points("power") == expected)
            try await harness.telemetry.close()
        }
    }

    @Test("steps summarise what falls into them, across chunks and memory", arguments: TestDatabase.engines)
    func steps(engine: TestDatabase.Engine) async throws {
        try await with(engine) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            let begin = Harness.noon.milliseconds
            for minute in 0..<120 {
                try await harness.report(#"{"ts":\#(begin + Int64(minute) * 60_000),"values":{"power":\#(minute).5}}"#)
                if minute == 59 {
                    now.set(Harness.noon + .seconds(2 * 3600))
                    try await harness.telemetry.flush()
                }
            }
            let counts = try await harness.points("power", step: .seconds(1800), aggregates: [.count])
            #expect(counts == (0..<4).map { "\(begin + Int64($0) * 1_800_000): 30" })
            #expect(
                try await harness.points(
                    "power", step: .seconds(3600), aggregates: [.min, .max, .first, .last, .sum, .mean])
                    == [
                        "\(begin): 0.5", "\(begin): 59.5", "\(begin): 0.5", "\(begin): 59.5", "\(begin): 1800",
                        "\(begin): 30",
                        "\(begin + 3_600_000): 60.5", "\(begin + 3_600_000): 119.5", "\(begin + 3_600_000): 60.5",
                        "\(begin + 3_600_000): 119.5", "\(begin + 3_600_000): 5400", "\(begin + 3_600_000): 90",
                    ])
            #expect(
                try await harness.points("power", from: Harness.noon + .seconds(60), to: Harness.noon + .seconds(180))
                    == ["\(begin + 60_000): 1.5", "\(begin + 120_000): 2.5"])
            try await harness.telemetry.close()
        }
    }

    @Test("raw readings end with their retention, and others stay", arguments: TestDatabase.engines)
    func retention(engine: TestDatabase.Engine) async throws {
        try await with(engine) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            try await harness.report(#"{"ts":1772366400000,"values":{"power":1}}"#)
            try await harness.telemetry.flush()
            now.set(Harness.noon + .seconds(3700 * 86_400))
            try await harness.report(#"{"power":2}"#)
            try await harness.telemetry.keep()
            #expect(try await harness.points("power") == ["\(now.now.milliseconds): 2"])
            let summaries = try await database.tenant(harness.tenant).read { tx in
                try tx.rows("SELECT body FROM day_summary WHERE tenant = $1").map { try $0.blob(0) }
            }
            let entry = try #require(summaries.first.flatMap { DaySummary(encoded: $0) }?.entries.first)
            #expect(entry.points.count == 1 && entry.points.sum == 1)
            try await harness.telemetry.close()
        }
    }

    @Test("a torn end of the log is cut off and what stands before it is kept")
    func tornLog() async throws {
        try await with(.sqlite) { directory, database, now in
            let first = try await Harness.open(directory: directory, database: database, now: now)
            try await first.report(#"{"ts":1772366400000,"values":{"power":1}}"#)
            try await first.report(#"{"ts":1772366401000,"values":{"power":2}}"#)
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: directory).first { $0.hasSuffix(".seg") })
            let path = "\(directory)/\(name)"
            let whole = try #require(FileManager.default.contents(atPath: path))
            try whole.dropLast(3).write(to: URL(filePath: path))
            let second = try await Harness.open(directory: directory, database: database, now: now)
            #expect(try await second.points("power") == ["1772366400000: 1"])
        }
    }

    @Test("a watcher sees values as they become durable, and only of its device")
    func live() async throws {
        try await with(.sqlite) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            var updates = harness.telemetry.live.updates(tenant: harness.tenant, device: harness.device)
                .makeAsyncIterator()
            try await harness.report(#"{"power":1}"#, device: DeviceID(high: 9, low: 9))
            try await harness.report(#"{"power":2}"#)
            let update = try #require(await updates.next())
            #expect(update.series == "power" && update.value.description == "2")
            try await harness.telemetry.close()
            #expect(await updates.next() == nil)
        }
    }

    @Test("numbers beside texts are kept, and the sender is told of the texts")
    func texts() async throws {
        try await with(.sqlite) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            let payload = #"{"power":1,"state":"on","spelt":"21.5","mode":"eco","state":"off"}"#
            let mixed = try await harness.report(payload)
            #expect(mixed.values == 2 && mixed.texts == 3)
            #expect(
                mixed.leftOut?.code == "telemetry.value.text"
                    && mixed.leftOut?.faults.map(\.place) == ["state", "mode"])
            #expect(try await harness.points("spelt") == ["\(now.now.milliseconds): 21.5"])
            let names = try await harness.telemetry.reader.series(tenant: harness.tenant, device: harness.device).map(
                \.name)
            #expect(names == ["power", "spelt"])
            await #expect(throws: Refusal(.invalid, "telemetry.value.text", "")) {
                try await harness.report(#"{"state":"on"}"#)
            }
            await #expect(throws: Refusal(.invalid, "telemetry.value.outOfRange", "")) {
                try await harness.report(
                    #"{"state":"on","power":3}"#,
                    rules: SeriesRules(declared: ["power": .init(exponent: 0, upper: .zero)]))
            }
            await #expect(throws: Refusal(.invalid, "telemetry.series.undeclared", "")) {
                try await harness.report(payload, rules: SeriesRules(undeclared: .refuse))
            }
            #expect(try await harness.report(payload, rules: SeriesRules(undeclared: .quarantine)).texts == 3)
            try await harness.telemetry.close()
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var payload: String
        var code: String
        var testDescription: String { code }
    }

    static let refused = [
        Refused(payload: #"{"ts":1772366400000,"values":{"power":2001}}"#, code: "telemetry.value.outOfRange"),
        Refused(payload: #"{"ts":1772366400000,"values":{"power":-0.1}}"#, code: "telemetry.value.outOfRange"),
        Refused(payload: #"{"power":NaN}"#, code: "telemetry.number.notFinite"),
        Refused(payload: #"{"power":123456789012345678901234567890}"#, code: "telemetry.number.tooLarge"),
        Refused(payload: #"{"power":"hot"}"#, code: "telemetry.value.notANumber"),
        Refused(payload: #"{"power":true}"#, code: "telemetry.value.notANumber"),
        Refused(payload: #"{"open":2}"#, code: "telemetry.value.notBoolean"),
        Refused(payload: #"{"speed":2}"#, code: "telemetry.series.undeclared"),
        Refused(payload: #"{"ts":86400000,"values":{"power":1}}"#, code: "telemetry.time.tooOld"),
        Refused(payload: #"{"ts":1872366400000,"values":{"power":1}}"#, code: "telemetry.time.tooFarAhead"),
        Refused(payload: #"[{"n":"power","u":"V","v":1}]"#, code: "telemetry.unit.mismatch"),
        Refused(payload: #"[{"n":"power","v":1}"#, code: "telemetry.payload.truncated"),
        Refused(payload: "", code: "telemetry.payload.empty"),
    ]

    @Test("a reading that breaks the model's rules is refused by name and leaves nothing", arguments: refused)
    func refusals(refused: Refused) async throws {
        try await with(.sqlite) { directory, database, now in
            let harness = try await Harness.open(directory: directory, database: database, now: now)
            let rules = SeriesRules(
                declared: [
                    "power": .init(
                        unit: UnitSymbol("W") ?? .none, exponent: -1, lower: .zero, upper: DecimalNumber(2000)),
                    "open": .init(exponent: 0, isBoolean: true),
                ], undeclared: .refuse)
            await #expect(throws: Refusal(.invalid, refused.code, "")) {
                try await harness.report(refused.payload, rules: rules)
            }
            #expect(harness.telemetry.openBytes == 0)
            try await harness.report(#"[{"n":"power","u":"kW","v":1.25}]"#, rules: rules)
            #expect(try await harness.points("power") == ["\(now.now.milliseconds): 1250"])
            try await harness.telemetry.close()
        }
    }
}
