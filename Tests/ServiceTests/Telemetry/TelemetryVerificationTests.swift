import Base
import Foundation
import Storage
import Testing

@testable import Telemetry

@Suite("Verification of stored telemetry")
struct TelemetryVerificationTests {
    typealias Harness = TelemetryHarness

    static let other = DeviceID(high: 5, low: 6)
    static let hour = UInt32(TelemetryHarness.noon.seconds / 3600)

    /// Two devices with an hour in chunks each, one with a late part, and some readings that are only in the log.
    private func with(
        _ engine: TestDatabase.Engine, _ body: @Sendable (Harness, String, Database) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await engine.withDatabase([TelemetrySchema.part]) { database in
                let now = Harness.TestTime(Harness.noon)
                let harness = try await Harness.open(directory: directory, database: database, now: now)
                for device in [harness.device, Self.other] {
                    for second in 0..<20 { try await report(second, harness, device) }
                }
                try await harness.telemetry.flush()
                try await report(5, harness, harness.device)
                try await report(30, harness, harness.device)
                try await harness.telemetry.flush()
                for second in 3600..<3605 { try await report(second, harness, Self.other) }
                try await body(harness, directory, database)
            }
        }
    }

    private func report(_ second: Int, _ harness: Harness, _ device: DeviceID) async throws {
        let time = Harness.noon.milliseconds + Int64(second) * 1000
        try await harness.report(#"{"ts":\#(time),"values":{"power":\#(second).5,"on":true}}"#, device: device)
    }

    private func verify(_ directory: String, _ database: Database, tenant: TenantID? = nil) async throws
        -> TelemetryReport
    {
        try await TelemetryVerification.database(database, directory: directory, tenant: tenant)
    }

    private func partition(_ database: Database) async throws -> Database {
        try await database.partition(named: "2026-03-01", [TelemetrySchema.partition])
    }

    @Test("what is intact is said to be, with counts, while a server runs", arguments: TestDatabase.engines)
    func intact(engine: TestDatabase.Engine) async throws {
        try await with(engine) { harness, directory, database in
            let report = try await verify(directory, database)
            #expect(report.isIntact && report.damages.isEmpty && report.notes.isEmpty, "\(report.damages)")
            #expect(report.loggedValues == 94 && report.openValues == 10 && report.chunks == 3)
            #expect(report.storedPoints == 84 && report.visiblePoints == 92 && report.repeatedValues == 2)
            #expect(try await verify(directory, database, tenant: harness.tenant).visiblePoints == 92)
            let none = try await verify(directory, database, tenant: TenantID(high: 7, low: 7))
            #expect(none.isIntact && none.visiblePoints == 0 && none.chunks == 0 && none.groups == report.groups)
            harness.now.set(Harness.noon + .seconds(3700 * 86_400))
            try await harness.telemetry.flush()
            try await harness.telemetry.keep()
            let ended = try await verify(directory, database)
            #expect(ended.isIntact && ended.summaries == 2 && ended.chunks == 0 && ended.visiblePoints == 0)
            try await harness.telemetry.close()
        }
    }

    @Test(
        "beside another schema's chunks, what holds none yet is verified as empty, and no table is made for it",
        .enabled(if: TestDatabase.engines.contains(.postgres)))
    func otherSchema() async throws {
        let other = "test_other_\(UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased())"
        try await TestDatabase.administer("CREATE SCHEMA \(other); CREATE TABLE \(other).chunk (hour BIGINT)")
        try await withTemporaryDirectory { directory in
            try await TestDatabase.Engine.postgres.withDatabase([TelemetrySchema.part]) { database in
                let report = try await verify(directory, database)
                #expect(report.isIntact && report.partitions == 0 && report.chunks == 0)
                let isMade = try await database.platform.read { tx in
                    try tx.row("SELECT to_regclass('chunk') IS NOT NULL")?.bool(0)
                }
                #expect(isMade == false)
            }
        }
        try await TestDatabase.administer("DROP SCHEMA \(other) CASCADE")
    }

    @Test("a byte that is flipped anywhere in a segment or the registry is found, and the place named")
    func flippedLog() async throws {
        try await with(.sqlite) { harness, directory, database in
            for name in try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            where name.hasSuffix(".seg") || name == "registry.log" {
                let url = URL(filePath: "\(directory)/\(name)")
                let whole = try Data(contentsOf: url)
                #expect(whole.count > 100)
                for place in stride(from: 0, to: whole.count, by: name.hasSuffix(".seg") ? 7 : 1) {
                    var bytes = whole
                    bytes[place] ^= 1 << UInt8(place % 8)
                    try bytes.write(to: url)
                    var report = TelemetryReport()
                    _ = try LogExamination(directory, tenant: nil, report: &report)
                    #expect(!report.isIntact, "\(name) at \(place)")
                    let first = try #require(report.damages.first)
                    if name.hasSuffix(".seg") {
                        let offset = try #require(first.offset)
                        #expect(first.file == name && offset <= Int64(place) && offset > Int64(place) - 120)
                    }
                }
                try whole.write(to: url)
            }
            #expect(try await verify(directory, database).isIntact)
            try await harness.telemetry.close()
        }
    }

    @Test("a segment that is cut off, gone or in another's place is found")
    func cutLog() async throws {
        try await with(.sqlite) { harness, directory, database in
            // A second segment, as a start after a crash begins one.
            try FileManager.default.removeItem(atPath: "\(directory)/flushed")
            let second = try await Harness.open(directory: directory, database: database, now: harness.now)
            for number in 100..<103 { try await report(number, second, second.device) }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".seg") }
                .sorted()
            #expect(names.count == 2)
            #expect(try await verify(directory, database).isIntact)
            let urls = names.map { URL(filePath: "\(directory)/\($0)") }
            let (early, late) = (try Data(contentsOf: urls[0]), try Data(contentsOf: urls[1]))
            func damage() async throws -> TelemetryDamage? { try await verify(directory, database).damages.first }
            for count in [early.count - 1, early.count - 30, early.count / 2, 5] {
                try early.prefix(count).write(to: urls[0])
                let found = try #require(try await damage(), "cut at \(count)")
                #expect(found.kind == .missing && found.file == names[1])
            }
            try early.write(to: urls[0])
            for count in [late.count - 1, late.count - 30, 5] {
                try late.prefix(count).write(to: urls[1])
                let report = try await verify(directory, database)
                #expect(
                    report.notes.count == 1 && report.notes[0].hasPrefix(names[1]),
                    "an end that a crash may leave is told")
            }
            try early.write(to: urls[1])
            try late.write(to: urls[0])
            #expect(try await damage()?.kind == .missing)
            try early.write(to: urls[0])
            try late.write(to: urls[1])
            try FileManager.default.removeItem(at: URL(filePath: "\(directory)/registry.log"))
            #expect(try await damage()?.file == "registry.log")
        }
    }

    struct Mutation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var kind: TelemetryDamage.Kind
        /// Whose chunks are named, and which part of the hour.
        var named: [DeviceID: Int64?]
        var change: @Sendable (Transaction) throws -> Void
    }

    static let mine = DeviceID(high: 3, low: 4)
    static let mutations = [
        Mutation(testDescription: "the chunks of two devices are swapped", kind: .damaged, named: [mine: 0, other: 0]) {
            tx in
            let body = "SELECT body FROM chunk WHERE tenant = $1 AND device = $2 AND part = 0 AND hour = $3"
            let bodies = try [mine, other].map { try tx.row(body, $0, Int64(hour))?.blob(0) ?? [] }
            for (device, body) in zip([other, mine], bodies) {
                try tx.execute(
                    "UPDATE chunk SET body = $4 WHERE tenant = $1 AND device = $2 AND part = 0 AND hour = $3", device,
                    Int64(hour), body)
            }
        },
        Mutation(testDescription: "a late part lies in another hour's row", kind: .damaged, named: [mine: 1]) {
            try $0.execute("UPDATE chunk SET hour = hour + 1 WHERE part = 1 AND tenant = $1")
        },
        Mutation(testDescription: "a late part lies in another device's row", kind: .damaged, named: [other: 7]) {
            try $0.execute("UPDATE chunk SET part = 7, device = $2 WHERE part = 1 AND tenant = $1", other)
        },
        Mutation(testDescription: "a late part is gone", kind: .lost, named: [mine: nil]) {
            try $0.execute("DELETE FROM chunk WHERE part = 1 AND tenant = $1")
        },
    ]

    @Test(
        "what is done to chunks behind the server's back is found and named", arguments: TestDatabase.engines, mutations
    )
    func mutated(engine: TestDatabase.Engine, mutation: Mutation) async throws {
        try await with(engine) { harness, directory, database in
            try await partition(database).tenant(harness.tenant).write { try mutation.change($0) }
            let found = try await verify(directory, database).damages.filter { $0.kind == mutation.kind }
            #expect(
                Dictionary(found.map { ($0.device, $0.part) }) { $1 }
                    == Dictionary(uniqueKeysWithValues: mutation.named.map { ($0, $1) }))
            for damage in found {
                #expect(damage.tenant == harness.tenant && damage.hour != nil && !damage.message.isEmpty)
                #expect(damage.file.hasPrefix(mutation.kind == .lost ? "log-" : "2026-03-01"))
            }
        }
    }

    @Test("every flipped or missing byte of a chunk is found and the chunk named", arguments: TestDatabase.engines)
    func flippedChunk(engine: TestDatabase.Engine) async throws {
        try await with(engine) { harness, directory, database in
            let (partition, tenant, device) = (try await partition(database), harness.tenant, harness.device)
            let whole = try #require(
                try await partition.tenant(tenant).read {
                    try $0.row("SELECT body FROM chunk WHERE tenant = $1 AND device = $2 AND part = 1", device)?.blob(0)
                })
            for place in stride(from: 0, to: whole.count, by: 3) {
                var bytes = whole
                if place % 2 == 0 { bytes[place] ^= 0x10 } else { bytes.removeLast(place) }
                let changed = bytes
                try await partition.tenant(tenant).write {
                    try $0.execute(
                        "UPDATE chunk SET body = $3 WHERE tenant = $1 AND device = $2 AND part = 1", device, changed)
                }
                let first = try #require(try await verify(directory, database).damages.first)
                #expect(first.kind == .damaged && first.device == device && first.part == 1 && first.tenant == tenant)
                #expect(first.hour == Harness.noon)
            }
        }
    }

    @Test(
        "a summary that is not the points', a series without a name, and a summary of a day that can not be read are named",
        arguments: TestDatabase.engines)
    func inside(engine: TestDatabase.Engine) async throws {
        try await with(engine) { harness, directory, database in
            let (partition, tenant, device) = (try await partition(database), harness.tenant, harness.device)
            // Version 1, as a bug would make it: series 0, three values of 0 whose maximum is said to be 2.
            let content = try #require([UInt8](hex: "010101" + "030001000a" + "0000000100000000020000"))
            let sum = content.withUnsafeBytes { Checksum.of($0) }
            let chunk = content + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> $0) }
            try await partition.tenant(tenant).write {
                try $0.execute(
                    "UPDATE chunk SET body = $3 WHERE tenant = $1 AND device = $2 AND part = 1", device, chunk)
            }
            let first = try #require(try await verify(directory, database).damages.first)
            #expect(first.kind == .summary && first.device == device && first.message.contains("maximum"))
            try await database.tenant(tenant).write { tx in
                try tx.execute("DELETE FROM series WHERE tenant = $1 AND name = $2", "on")
                try tx.execute(
                    "INSERT INTO day_summary (tenant, device, day, body) VALUES ($1, $2, $3, $4)", device, 20_000,
                    [9 as UInt8])
            }
            let report = try await verify(directory, database)
            #expect(Set(report.damages.map(\.kind)) == [.malformed, .summary, .nameless])
            #expect(report.damages[0].file == "day_summary" && report.damages[0].device == device)
        }
    }

    @Test("a day whose file is gone, and a file that no day lists, are named")
    func files() async throws {
        try await withTemporaryDirectory { directory in
            var options = DatabaseOptions()
            options.partitionDirectory = directory
            let database = try await Database.open(.sqlite(path: "\(directory)/main"), options: options)
            try await database.migrate([TelemetrySchema.part])
            let harness = try await Harness.open(directory: directory, database: database, now: .init(Harness.noon))
            try await report(1, harness, harness.device)
            try await harness.telemetry.close()
            await database.close()
            options.isReadOnly = true
            func look() async throws -> TelemetryReport {
                let database = try await Database.open(.sqlite(path: "\(directory)/main"), options: options)
                let report = try await verify(directory, database)
                await database.close()
                return report
            }
            #expect(try await look().isIntact)
            let day = "\(directory)/2026-03-01.db"
            try FileManager.default.moveItem(atPath: day, toPath: "\(directory)/2026-03-02.db")
            let moved = try await look()
            #expect(moved.damages.map(\.file) == ["2026-03-01.db", "2026-03-02.db"])
            #expect(moved.damages.map(\.kind) == [.missing, .misplaced])
            #expect(!FileManager.default.fileExists(atPath: day), "looking makes no file")
            try Data("no database at all, but long enough to be taken for one".utf8).write(to: URL(filePath: day))
            #expect(try await look().damages.first?.kind == .damaged)
        }
    }
}
