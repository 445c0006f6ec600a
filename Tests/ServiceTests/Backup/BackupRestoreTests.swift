import Audit
import Base
import Foundation
import NIOCore
import Storage
import Synchronization
import Telemetry
import Testing
import Trust

@testable import Backup
@testable import Blobs

@Suite("Backup and restore")
struct BackupRestoreTests {
    static let routes: [(TestDatabase.Engine, TestDatabase.Engine)] = TestDatabase.engines.flatMap { from in
        TestDatabase.engines.map { (from, $0) }
    }

    /// Checks that a restored server has everything that `BackupFixture.fill` made.
    private func check(_ directory: String, _ database: Database, now: TelemetryHarness.TestTime) async throws {
        let restored = try await BackupFixture.open(directory, database, now: now)
        #expect(try await restored.secrets() == ["secret 1", "secret 2", "secret 3"])
        #expect(try await restored.harness.points("power") == BackupFixture.points)
        // The restored server goes on: more audit entries, more readings, another backup.
        try await restored.note("locker.closed", "1")
        try await restored.audit.settle()
        let reports = try await AuditVerification.database(database, directory: restored.layout.audit)
        #expect(reports.count == 2)
        #expect(reports.flatMap(\.damages) == [])
        let report = try #require(reports.first { $0.tenant == restored.tenant })
        // The twenty of before, the restoration, and the one since.
        #expect(report.entries == 22)
        #expect(report.restorations.map(\.restoration.kept) == [20])
        #expect(report.restorations.first?.restoration.backup.hasPrefix("tidegate-") == true)
        let codes = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows("SELECT code FROM audit_entry WHERE tenant = $1", TenantID.platform)
                .map { try $0.text(0) }
        }
        #expect(codes.contains("backup.restored"))
        try await restored.harness.report(#"{"ts":1772452802000,"values":{"power":6}}"#)
        try await restored.harness.telemetry.flush()
        #expect(try await restored.harness.points("power") == BackupFixture.points + ["1772452802000: 6"])
        try await restored.harness.telemetry.close()
    }

    @Test(
        "a running server's backup restores on either engine with everything that was acknowledged", arguments: routes)
    func restores(from: TestDatabase.Engine, to: TestDatabase.Engine) async throws {
        try await BackupFixture.with(from) { fixture in
            let pair = try await fixture.backUp()
            // What comes later is not in it.
            try await fixture.hide("late", in: 4)
            try await to.withLocation { given in
                let directory = "\(fixture.layout.directory)-restored"
                let layout = DataLayout(directory)
                var postgres: String?
                if case .postgres(let url) = given { postgres = url }
                let restored = try await fixture.restoration(pair).restore(into: directory, postgres: postgres)
                #expect(restored.contents.manifest.engine.rawValue == from.rawValue)
                #expect(restored.contents.logBytes > 0)
                #expect(restored.nextSteps.contains { $0.contains("tidegate serve") })
                #expect(Set(restored.logs.map(\.tenant)) == [.platform, fixture.tenant])
                #expect(restored.logs.first { $0.tenant == fixture.tenant }?.kept == 20)
                let names = Set(try FileManager.default.contentsOfDirectory(atPath: directory))
                #expect(
                    names == Set(["audit", "keys", "telemetry", "trust"] + (postgres == nil ? ["tidegate.db"] : [])))
                #expect(
                    try SecretFile.read("\(directory)/trust/server-ca.pem", for: .everybody)
                        == Array("a certificate".utf8))
                _ = try SecretFile.read("\(directory)/keys/seal.key")
                let database = try await Database.open(
                    BackupFixture.location(to, given, layout), options: BackupFixture.options(layout))
                try await check(directory, database, now: fixture.harness.now)
                await database.close()
            }
        }
    }

    @Test("a restore lets go of what may have ended since, before anybody uses the database")
    func releases() async throws {
        try await BackupFixture.with { fixture in
            let pair = try await fixture.backUp()
            let directory = "\(fixture.layout.directory)-released"
            _ = try await Restoration(
                archive: pair.archive, keys: pair.keys, recoveryKey: fixture.recoveryKey, schema: BackupFixture.schema,
                clock: fixture.harness.now.clock,
                release: { tx, _ in try tx.acrossTenants.execute("DELETE FROM locker WHERE number = 2") }
            ).restore(into: directory)
            let layout = DataLayout(directory)
            let database = try await Database.open(
                .sqlite(path: layout.database), options: BackupFixture.options(layout))
            let restored = try await BackupFixture.open(directory, database, now: fixture.harness.now)
            #expect(try await restored.secrets() == ["secret 1", "secret 3"])
            try await restored.harness.telemetry.close()
            await database.close()
        }
    }

    @Test("blobs come back whole; one that was damaged before is left out, and said", arguments: TestDatabase.engines)
    func blobs(engine: TestDatabase.Engine) async throws {
        try await BackupFixture.with(engine) { fixture in
            let blobs = try Blobs(directory: fixture.layout.blobs)
            var digests: [BlobDigest] = []
            for (number, text) in ["first", "second", "third"].enumerated() {
                let upload = UploadID(high: 1, low: UInt64(number))
                try await blobs.begin(upload, of: fixture.tenant)
                try await blobs.append(ByteBuffer(string: text), to: upload, at: 0, of: fixture.tenant)
                digests.append(try await blobs.finish(upload, of: fixture.tenant) { _, _ in }.digest)
            }
            // What is still coming is nobody's artifact.
            try await blobs.begin(UploadID(high: 1, low: 9), of: fixture.tenant)
            try Data("THIRD".utf8).write(to: URL(filePath: blobs.path(of: digests[2], fixture.tenant)))
            let pair = try await fixture.backUp()
            let restoration = try fixture.restoration(pair)
            #expect(try restoration.check().blobs == 2)
            #expect(try restoration.check().damagedBlobs == 1)
            let directory = "\(fixture.layout.directory)-blobs"
            try await engine.withLocation { given in
                var postgres: String?
                if case .postgres(let url) = given { postgres = url }
                let restored = try await restoration.restore(into: directory, postgres: postgres)
                #expect(restored.nextSteps.contains { $0.contains("1 were damaged") })
            }
            let back = try Blobs(directory: DataLayout(directory).blobs)
            #expect(try await back.tenants() == [fixture.tenant])
            let kept = digests[..<2].sorted { $0.text < $1.text }
            #expect(try await back.blobs(of: fixture.tenant).map(\.digest) == kept)
            let first = try #require(try await back.blob(digests[0], of: fixture.tenant))
            #expect(String(buffer: try await back.read(first, 100, at: 0)) == "first")
        }
    }

    @Test("the data directory of a server that was killed backs up and restores whole")
    func killed() async throws {
        try await BackupFixture.with { fixture in
            // The files as they are while the server lives: write-ahead logs, open segments and all.
            let copy = DataLayout("\(fixture.layout.directory)-copy")
            try FileManager.default.copyItem(atPath: fixture.layout.directory, toPath: copy.directory)
            let database = try await Database.open(.sqlite(path: copy.database), options: BackupFixture.options(copy))
            try await database.migrate(BackupFixture.schema)
            let backups = Backups(
                database: database, layout: copy, audit: fixture.audit,
                deployment: try #require(DeploymentName("fleet.example.com")), program: "test",
                clock: fixture.harness.now.clock, logger: BackupFixture.quiet)
            let pair = try await backups.create(in: fixture.archives, by: .system("test")).pair
            await database.close()
            let key = try RecoveryKey(String(contentsOfFile: copy.recoveryKey, encoding: .utf8))
            let directory = "\(fixture.layout.directory)-restored"
            _ = try await Restoration(
                archive: pair.archive, keys: pair.keys, recoveryKey: key, schema: BackupFixture.schema,
                clock: fixture.harness.now.clock
            ).restore(into: directory)
            let layout = DataLayout(directory)
            let restored = try await Database.open(
                .sqlite(path: layout.database), options: BackupFixture.options(layout))
            try await check(directory, restored, now: fixture.harness.now)
            await restored.close()
        }
    }

    /// How far the work beside a backup has come.
    final class Progress: Sendable {
        let acknowledged = Atomic(0)
        let isDone = Atomic(false)
    }

    @Test(
        "work goes on during a backup, and nothing acknowledged before it is missing", arguments: TestDatabase.engines)
    func underWork(engine: TestDatabase.Engine) async throws {
        try await BackupFixture.with(engine) { fixture in
            let progress = Progress()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var number = 0
                    while !progress.isDone.load(ordering: .relaxed) {
                        // A new series each time, and chunks whose log is cut off behind them.
                        number += 1
                        try await fixture.harness.report(
                            #"{"ts":\#(1_772_452_900_000 + number * 1000),"values":{"series\#(number)":\#(number)}}"#)
                        progress.acknowledged.store(number, ordering: .relaxed)
                        try await fixture.note("locker.opened", "\(number)")
                        if number.isMultiple(of: 3) { try await fixture.harness.telemetry.flush() }
                        if number.isMultiple(of: 5) { try await fixture.audit.settle() }
                    }
                }
                for round in 0..<3 {
                    let before = progress.acknowledged.load(ordering: .relaxed)
                    try await examine(fixture, fixture.backUp(), before, round)
                }
                progress.isDone.store(true, ordering: .relaxed)
                try await group.waitForAll()
            }
        }
    }

    /// Checks that a backup made under work is sound, and has each series up to `number` with its own value.
    private func examine(_ fixture: BackupFixture, _ pair: BackupPair, _ number: Int, _ round: Int) async throws {
        let report = try await Drill(
            archive: pair.archive, keys: pair.keys, recoveryKey: fixture.recoveryKey, schema: BackupFixture.schema,
            clock: fixture.harness.now.clock
        ).run(scratch: fixture.layout.backup)
        #expect(report.isSound, "\(report.problems)")
        let directory = "\(fixture.layout.directory)-restored-\(round)"
        _ = try await fixture.restoration(pair).restore(into: directory)
        let layout = DataLayout(directory)
        let database = try await Database.open(.sqlite(path: layout.database), options: BackupFixture.options(layout))
        try await database.migrate(BackupFixture.schema)
        let harness = try await TelemetryHarness.open(
            directory: layout.telemetry, database: database, now: fixture.harness.now)
        let series = try await harness.telemetry.reader.series(tenant: harness.tenant, device: harness.device).map(
            \.name)
        #expect(series.count > number)
        let names = Set(series + (0..<number).map { "series\($0 + 1)" }).subtracting(["power"]).sorted()
        let query = PointQuery(
            tenant: harness.tenant, device: harness.device, series: names, from: TelemetryHarness.noon,
            to: TelemetryHarness.noon + .seconds(10 * 86_400))
        var found: [String: [String]] = [:]
        for try await page in harness.telemetry.reader.points(query) {
            for column in page.columns {
                found[column.name, default: []] += zip(column.times, column.values).map { "\($0): \($1)" }
            }
        }
        for name in names {
            let value = Int(name.dropFirst(6)) ?? 0
            #expect(found[name] == ["\(1_772_452_900_000 + value * 1000): \(value)"])
        }
        try await harness.telemetry.close()
        await database.close()
    }

    @Test("a failed backup leaves no file and says so in the audit log")
    func failure() async throws {
        try await BackupFixture.with { fixture in
            // A directory in the place of a segment can not be read.
            let obstacle = "\(fixture.layout.telemetry)/log-ffffffffffffffff.seg"
            try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
            await #expect(throws: Refusal(.unavailable, "backup.file", "")) { try await fixture.backUp() }
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.archives).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: "\(fixture.layout.backup)/staging"))
            let outcomes = try await fixture.database.platform.read { transaction in
                try transaction.acrossTenants.rows("SELECT code, outcome FROM audit_pending").map {
                    "\(try $0.text(0)) \(try $0.text(1))"
                }
            }
            #expect(outcomes == ["backup.created failed"])
            try FileManager.default.removeItem(atPath: obstacle)
            // A crash leaves partial files, which the next backup clears; another process's stay.
            let left = "\(fixture.archives)/tidegate-20250101T000000Z-00000000.backup.partial"
            try Data("half".utf8).write(to: URL(filePath: left))
            let other = try OutputFile("\(fixture.archives)/tidegate-20250101T000000Z-00000001.backup")
            _ = try await fixture.backUp()
            #expect(!FileManager.default.fileExists(atPath: left))
            #expect(FileManager.default.fileExists(atPath: "\(other.path).partial"))
        }
    }

    @Test("the newest backups are kept, and a new one is made when it is due")
    func retention() async throws {
        try await BackupFixture.with { fixture in
            let service = BackupService(
                fixture.backups, directory: fixture.archives, every: .seconds(86_400), keep: 2,
                clock: fixture.harness.now.clock, logger: BackupFixture.quiet)
            func names() throws -> [String] {
                try BackupPair.list(in: fixture.archives).map { String($0.name.prefix(17)) }
            }
            let start = fixture.harness.now.now
            #expect(await service.round() == BackupService.longestRest)
            #expect(try names() == ["tidegate-20260302"])
            fixture.harness.now.set(start + .seconds(86_000))
            #expect(await service.round() == .seconds(400))
            #expect(try names() == ["tidegate-20260302"])
            for day in 1...3 {
                fixture.harness.now.set(start + .seconds(Int64(day) * 86_400))
                _ = await service.round()
            }
            #expect(try names() == ["tidegate-20260304", "tidegate-20260305"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.archives).count == 4)
            // A stranger's file is not retention's business.
            let stranger = "\(fixture.archives)/yearly.backup"
            try Data("kept".utf8).write(to: URL(filePath: stranger))
            fixture.harness.now.set(start + .seconds(4 * 86_400))
            _ = await service.round()
            #expect(FileManager.default.fileExists(atPath: stranger))
            #expect(try names() == ["tidegate-20260305", "tidegate-20260306"])
        }
    }

    @Test("a drill finds a sound backup sound, and names a chunk that does not open", arguments: TestDatabase.engines)
    func drill(engine: TestDatabase.Engine) async throws {
        try await BackupFixture.with(engine) { fixture in
            func drill(_ pair: BackupPair) async throws -> Drill.Report {
                try await Drill(
                    archive: pair.archive, keys: pair.keys, recoveryKey: fixture.recoveryKey,
                    schema: BackupFixture.schema, clock: fixture.harness.now.clock
                ).run(scratch: fixture.layout.backup)
            }
            let good = try await drill(fixture.backUp())
            #expect(good.isSound, "\(good.problems)")
            #expect(good.points == BackupFixture.points.count)
            #expect(good.replayedBytes > 0)
            #expect(good.audit.count == 2)
            let chunks = StoredChunks(database: fixture.database)
            let partition = try await chunks.partition(engine == .sqlite ? "2026-03-01" : "any")
            try await partition.tenant(fixture.tenant).write { transaction in
                try transaction.execute(
                    "UPDATE chunk SET body = $2 WHERE tenant = $1 AND part = 1", [1, 2, 3, 4, 5] as [UInt8])
            }
            try await fixture.database.tenant(fixture.tenant).write { transaction in
                try transaction.execute("UPDATE audit_entry SET code = 'x.y' WHERE tenant = $1 AND position = 7")
            }
            fixture.harness.now.set(fixture.harness.now.now + .seconds(60))
            let bad = try await drill(fixture.backUp())
            #expect(bad.problemCount == 2, "\(bad.problems)")
            #expect(bad.problems.contains { $0.contains("part 1") })
            #expect(bad.problems.contains { $0.contains("audit log") })
            let left = try FileManager.default.contentsOfDirectory(atPath: fixture.layout.backup).sorted()
            #expect(left == ["recovery.key", "recovery.pub"])
        }
    }

    @Test("a server goes on making backups when its operator has taken the recovery key away")
    func recoveryKeyAway() async throws {
        try await BackupFixture.with { fixture in
            let first = try await fixture.backups.create(in: fixture.archives, by: .system("test"))
            #expect(first.recoveryKey == fixture.layout.recoveryKey)
            let key = try fixture.recoveryKey
            try FileManager.default.removeItem(atPath: fixture.layout.recoveryKey)
            fixture.harness.now.set(fixture.harness.now.now + .seconds(60))
            let second = try await fixture.backups.create(in: fixture.archives, by: .system("test"))
            #expect(second.recoveryKey == nil)
            for pair in [first.pair, second.pair] {
                let restoration = try Restoration(
                    archive: pair.archive, keys: pair.keys, recoveryKey: key, schema: BackupFixture.schema)
                let contents = try restoration.check()
                #expect(contents.partitions == 2)
            }
        }
    }
}
