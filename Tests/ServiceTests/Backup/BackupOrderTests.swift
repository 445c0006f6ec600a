import Audit
import Base
import Foundation
import Storage
import Telemetry
import Testing
import Trust

@testable import Backup

/// Everything that a server does, done just between two steps of a backup: docs/decisions/0007-backup.md as tests.
@Suite("What happens between two steps of a backup")
struct BackupOrderTests {
    static let places: [(TestDatabase.Engine, BackupStep)] = TestDatabase.engines.flatMap { engine in
        BackupStep.allCases.map { (engine, $0) }
    }

    /// Drills and restores, and answers what the restored server has: points of `power`, all series, lockers.
    private func examine(
        _ fixture: BackupFixture, _ pair: BackupPair
    ) async throws -> (points: [String], series: [String: [String]], secrets: [String]) {
        let report = try await Drill(
            archive: pair.archive, keys: pair.keys, recoveryKey: fixture.recoveryKey, schema: BackupFixture.schema,
            clock: fixture.harness.now.clock
        ).run(scratch: fixture.layout.backup)
        #expect(report.isSound, "\(report.problems)")
        let directory = "\(fixture.layout.directory)-restored"
        _ = try await fixture.restoration(pair).restore(into: directory)
        let layout = DataLayout(directory)
        let database = try await Database.open(.sqlite(path: layout.database), options: BackupFixture.options(layout))
        let restored = try await BackupFixture.open(directory, database, now: fixture.harness.now)
        // What comes after the restore must not take the place of anything that was there.
        try await restored.harness.report(#"{"ts":1772459000000,"values":{"afterwards":99}}"#)
        try await restored.harness.telemetry.flush()
        let known = try await restored.harness.telemetry.reader.series(
            tenant: restored.tenant, device: restored.harness.device)
        var series: [String: [String]] = [:]
        for name in known.map(\.name) { series[name] = try await restored.harness.points(name) }
        let found = (points: series["power"] ?? [], series: series, secrets: try await restored.secrets())
        try await restored.harness.telemetry.close()
        await database.close()
        return found
    }

    @Test("readings of a new series, chunks and overlays of them, and their log cut off", arguments: places)
    func telemetry(engine: TestDatabase.Engine, step: BackupStep) async throws {
        try await BackupFixture.with(engine) { fixture in
            let pair = try await fixture.backUp(before: step) {
                // Other processes on the same log, as after crashes: each begins a segment, and the chunks that it writes
                // let it remove the ones before. The first one's segment lives only during the backup.
                let brief = try await TelemetryHarness.open(
                    directory: fixture.layout.telemetry, database: fixture.database, now: fixture.harness.now)
                try await brief.report(#"{"ts":1772366402000,"values":{"brief":6}}"#)
                try await brief.telemetry.flush()
                let next = try await TelemetryHarness.open(
                    directory: fixture.layout.telemetry, database: fixture.database, now: fixture.harness.now)
                try await next.report(#"{"ts":1772366402000,"values":{"during":7}}"#)
                // A day that no partition is there for yet.
                try await next.report(#"{"ts":1772500000000,"values":{"tomorrow":8}}"#)
                try await next.telemetry.flush()
                let segments = try FileManager.default.contentsOfDirectory(atPath: fixture.layout.telemetry)
                    .filter { $0.hasSuffix(".seg") }
                #expect(segments.count == 1)
                try await next.report(#"{"ts":1772366403000,"values":{"later":9}}"#)
            }
            let found = try await examine(fixture, pair)
            #expect(found.points == BackupFixture.points)
            #expect(found.series["afterwards"] == ["1772459000000: 99"])
            // In no copied segment; it may be missing, and if it is there it has its own name.
            #expect([[], ["1772366402000: 6"]].contains(found.series["brief"] ?? []))
            #expect(found.series["during"] == ["1772366402000: 7"])
            #expect(found.series["tomorrow"] == ["1772500000000: 8"])
            #expect(found.series["later"] == ["1772366403000: 9"])
        }
    }

    @Test("new audit entries with their checkpoints", arguments: places)
    func audit(engine: TestDatabase.Engine, step: BackupStep) async throws {
        try await BackupFixture.with(engine) { fixture in
            let pair = try await fixture.backUp(before: step) {
                for number in 1...5 { try await fixture.note("locker.opened", "\(number)") }
                try await fixture.audit.settle()
            }
            _ = try await examine(fixture, pair)
        }
    }

    @Test("a rotation of the root key and of the seal key, and rows sealed by new keys", arguments: places)
    func rotation(engine: TestDatabase.Engine, step: BackupStep) async throws {
        try await BackupFixture.with(engine) { fixture in
            let pair = try await fixture.backUp(before: step) {
                try fixture.ring.rotateRoot()
                while try await !fixture.ring.rotationStep(in: fixture.database).isIdle {}
                try fixture.ring.rotateSeal()
                try await fixture.hide("secret 4", in: 4)
            }
            let secrets = try await examine(fixture, pair).secrets
            let fourth = [.blobs, .readingLog].contains(step) ? [] : ["secret 4"]
            #expect(secrets == ["secret 1", "secret 2", "secret 3"] + fourth)
        }
    }

    @Test("a day that retention ends, with its partition", arguments: places)
    func retention(engine: TestDatabase.Engine, step: BackupStep) async throws {
        try await BackupFixture.with(engine) { fixture in
            let pair = try await fixture.backUp(before: step) {
                let chunks = StoredChunks(database: fixture.database)
                let day = try #require(try await chunks.days.first)
                try await fixture.database.dropPartition(named: StoredChunks.name(ofDay: day))
                try await fixture.database.platform.write { transaction in
                    try transaction.execute("DELETE FROM telemetry_day WHERE day = $1", day)
                }
            }
            let found = try await examine(fixture, pair)
            #expect(found.points.suffix(2) == BackupFixture.points.suffix(2))
        }
    }
}
