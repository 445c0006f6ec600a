import Base
import Foundation
import Storage
import Synchronization
import Testing
import Trust

@testable import Audit

@Suite struct AuditLogTests {
    @Test(
        "an entry is read back as it was recorded, and its personal part is stored nowhere in the clear",
        arguments: TestDatabase.engines)
    func recorded(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<1)
            let page = try await world.log.page(
                tenant: world.tenant, filter: AuditFilter(codePrefix: "device."), reader: AuditFixture.reader)
            let found = try #require(page.entries.first)
            let expected = world.entry(0)
            #expect(page.entries.count == 1 && page.next == nil)
            #expect(found.index == 0)
            #expect(found.code == "device.registered")
            #expect(found.actor == expected.actor)
            #expect(found.object == expected.object)
            #expect(found.details == expected.details)
            #expect(found.domain == expected.domain)
            #expect(!found.isShredded)
            let stored = try await world.copy().flatMap { $0 }.flatMap { $0 }
            for value in stored {
                // In its quotation marks: the three letters alone are found in base64 and in what is sealed, too.
                if case .text(let text) = value {
                    #expect(text != "Ada" && !text.contains("\"Ada\"") && !text.contains("192.0.2.1"))
                }
                if case .blob(let bytes) = value { #expect(!bytes.contains(Array("\"Ada\"".utf8))) }
            }
        }
    }

    @Test("an action that fails leaves no entry", arguments: TestDatabase.engines)
    func rolledBackAction(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            let (log, entry) = (world.log, world.entry(0))
            await #expect(throws: Refusal.self) {
                try await world.database.tenant(world.tenant).write { transaction in
                    try log.record(entry, in: transaction)
                    throw Refusal(.conflict, "test.failed", "")
                }
            }
            try await world.log.settle()
            #expect(try await world.count("audit_entry") == 0)
        }
    }

    @Test("a sequencer that stops at any moment loses and doubles nothing", arguments: TestDatabase.engines)
    func stopped(engine: TestDatabase.Engine) async throws {
        struct Stop: Error {}
        try await AuditFixture.with(engine) { world in
            let log = world.log
            let entries = (0..<600).map { world.entry($0) }
            try await world.database.tenant(world.tenant).write { try log.record(entries, in: $0) }
            for limit in [1, 100, 300, 599] {
                // All of a step's writes are done and the commit does not come.
                await #expect(throws: Stop.self) {
                    try await world.database.platform.write { transaction in
                        _ = try Sequencer.move(world.tenant, limit: limit, in: transaction)
                        throw Stop()
                    }
                }
                let moved = try await world.database.platform.write {
                    try Sequencer.move(world.tenant, limit: limit / 4 + 1, in: $0)
                }
                #expect(moved == limit / 4 + 1)
            }
            // A new process finds what is left.
            let next = try AuditFixture.makeLog(world.database, world.keyRing, world.directory + "/", world.time)
            try await next.settle()
            let report = try await world.report()
            #expect(report.isIntact && report.size == 600 && report.entries == 600 && report.pending == 0)
            let different = try await world.database.tenant(world.tenant).read { transaction in
                try transaction.row("SELECT count(DISTINCT object_id) FROM audit_entry WHERE tenant = $1")?.int(0)
            }
            #expect(different == 600)
        }
    }

    @Test("two nodes that sequence at once place each entry once", arguments: TestDatabase.engines)
    func twoNodes(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            let other = try AuditFixture.makeLog(world.database, world.keyRing, "\(world.directory)/other-", world.time)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<20 {
                    let log = round % 2 == 0 ? world.log : other
                    let entries = (0..<25).map { world.entry(round * 25 + $0) }
                    group.addTask {
                        try await world.database.tenant(world.tenant).write { try log.record(entries, in: $0) }
                        try await log.sequence(search: true)
                    }
                }
                try await group.waitForAll()
            }
            try await world.log.settle()
            let report = try await world.report(.some(nil))
            #expect(report.isIntact && report.size == 500 && report.entries == 500)
        }
    }

    @Test("one tenant's damaged row does not hold up the others", arguments: TestDatabase.engines)
    func damagedPending(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            let (log, keyRing, other) = (world.log, world.keyRing, TenantID(high: 8, low: 8))
            let entry = world.entry(1)
            try await world.database.platform.write { transaction in
                try keyRing.createTenantKey(other, in: transaction)
                for tenant in [world.tenant, other, .platform] {
                    var entry = entry
                    entry.tenant = tenant
                    try log.record(entry, in: transaction)
                }
            }
            try await world.tamper("UPDATE audit_pending SET outcome = 'nonsense' WHERE tenant = $1")
            await #expect(throws: StorageError.self) { try await world.log.settle() }
            let next = try AuditFixture.makeLog(world.database, world.keyRing, world.directory + "/", world.time)
            await #expect(throws: StorageError.self) { try await next.settle() }
            let reports = try await AuditVerification.database(world.database, directory: nil)
            #expect(reports.filter { $0.size > 0 }.map(\.tenant) == [.platform, other])
            #expect(reports.first { $0.tenant == world.tenant }?.pending == 1)
        }
    }

    @Test("pages are newest first, do not overlap, and end", arguments: TestDatabase.engines)
    func pages(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<25)
            var objects: [String] = []
            var cursor: String?
            repeat {
                let page = try await world.log.page(
                    tenant: world.tenant, filter: AuditFilter(codePrefix: "device."), after: cursor, limit: 10,
                    reader: AuditFixture.reader)
                objects += page.entries.map(\.object.id)
                cursor = page.next
            } while cursor != nil
            #expect(objects == (0..<25).reversed().map { "d\($0)" })
            await #expect(throws: Refusal(.invalid, "audit.cursor", "")) {
                try await world.log.page(tenant: world.tenant, after: "nonsense", reader: AuditFixture.reader)
            }
        }
    }

    @Test("each filter finds what it should, alone and with others", arguments: TestDatabase.engines)
    func filters(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            let codes = ["device.registered", "device.revoked", "device.", "devices.x", "tenant.updated", "device"]
                .map { AuditCode($0, "") }
            let log = world.log
            let start = world.time.now
            let entries = (0..<36).map { number in
                var entry = world.entry(
                    number, code: codes[number % codes.count], outcome: AuditEntry.Outcome.allCases[number % 3])
                entry.time = start + .seconds(number)
                return entry
            }
            try await world.database.tenant(world.tenant).write { try log.record(entries, in: $0) }
            func found(_ filter: AuditFilter) async throws -> [String] {
                try await world.log.page(tenant: world.tenant, filter: filter, limit: 1000, reader: .system("test"))
                    .entries.filter { $0.code != "audit.read" }.map(\.object.id)
            }
            func expected(_ isWanted: (AuditEntry) -> Bool) -> [String] {
                entries.reversed().filter(isWanted).map(\.object.id)
            }
            #expect(try await found(AuditFilter()) == expected { _ in true })
            #expect(
                try await found(AuditFilter(codePrefix: "device.")) == expected { $0.code.text.hasPrefix("device.") })
            #expect(try await found(AuditFilter(codePrefix: "nothing")) == [])
            #expect(try await found(AuditFilter(actor: "user-1")) == expected { $0.actor.id == "user-1" })
            #expect(try await found(AuditFilter(objectKind: "device", objectID: "d7")) == ["d7"])
            for outcome in AuditEntry.Outcome.allCases {
                #expect(try await found(AuditFilter(outcome: outcome)) == expected { $0.outcome == outcome })
            }
            let (from, to) = (start + .seconds(5), start + .seconds(20))
            #expect(
                try await found(AuditFilter(codePrefix: "device.", from: from, to: to))
                    == expected {
                        $0.code.text.hasPrefix("device.") && ($0.time ?? from) >= from && ($0.time ?? to) < to
                    })
            #expect(
                try await found(AuditFilter(codePrefix: "device", actor: "user-2", outcome: .failed, from: from))
                    == expected {
                        $0.code.text.hasPrefix("device") && $0.actor.id == "user-2" && $0.outcome == .failed
                            && ($0.time ?? from) >= from
                    })
        }
    }

    @Test("reading and exporting are themselves recorded", arguments: TestDatabase.engines)
    func readingIsRecorded(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            _ = try await world.log.page(
                tenant: world.tenant, filter: AuditFilter(actor: "x"), reader: AuditFixture.reader)
            try await world.log.export(tenant: world.tenant, reader: AuditFixture.reader) { _ in }
            let page = try await world.log.page(tenant: world.tenant, reader: AuditFixture.reader)
            #expect(page.entries.map(\.code) == ["audit.read", "audit.exported", "audit.read"])
            #expect(page.entries.last?.details["actor"] == "x")
            #expect(page.entries.last?.actor.name == "Grace")
        }
    }

    @Test("refusals and denials become entries of few rows", arguments: TestDatabase.engines)
    func refusals(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            for _ in 0..<50 { world.log.refuse(source: "192.0.2.3", code: "token.invalid", tenant: world.tenant) }
            for _ in 0..<50 {
                world.log.refuse(source: "192.0.2.3", code: "token.invalid", tenant: TenantID(high: 9, low: 9))
            }
            for _ in 0..<30 {
                world.log.deny(
                    AuditEntry(
                        .denied, tenant: world.tenant, actor: AuditFixture.reader,
                        object: AuditObject(kind: "tenant", id: "t"), details: ["permission": "device.read"]))
            }
            try await world.log.settle()
            let page = try await world.log.page(
                tenant: world.tenant, filter: AuditFilter(codePrefix: "access."), reader: .system("test"))
            #expect(Set(page.entries.map(\.code)) == ["access.denied", "access.refused"])
            #expect(page.entries.first { $0.code == "access.refused" }?.details["times"] == 50)
            #expect(page.entries.first { $0.code == "access.denied" }?.details["times"] == 30)
            // A tenant without a key has no log to write to; the platform hears of it.
            let platform = try await world.log.page(
                tenant: .platform, filter: AuditFilter(codePrefix: "access."), reader: .system("test"))
            #expect(platform.entries.map(\.details["times"]) == [50])
        }
    }

    @Test("a destroyed key takes the personal parts and leaves every proof", arguments: TestDatabase.engines)
    func shredded(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<10)
            try await world.log.conclude(world.tenant)
            let keyRing = world.keyRing
            try await world.database.platform.write { try keyRing.destroyTenantKeys(world.tenant, in: $0) }
            let report = try await world.report()
            #expect(report.isIntact && report.signedSize == 10)
            // Retention still works, and says so without a key.
            try await world.log.trim(world.tenant, olderThan: world.time.now)
            try await world.log.settle()
            #expect(try await world.report().isIntact)
        }
    }

    @Test("retention drops bodies of whole tiles and leaves every proof", arguments: TestDatabase.engines)
    func trimmed(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<700, checkpointEvery: 100)
            let cutoff = world.time.now - .milliseconds(100)
            #expect(try await world.log.trim(world.tenant, olderThan: cutoff) == 512)
            #expect(try await world.log.trim(world.tenant, olderThan: cutoff) == 0)
            #expect(try await world.report().isIntact)
            try await world.log.settle()
            let report = try await world.report()
            #expect(report.isIntact && report.keptFrom == 512 && report.size == 701 && report.entries == 189)
            let proof = try await world.log.proof(of: 600, tenant: world.tenant)
            #expect(proof.holds)
            let path = world.directory + "/trimmed.ndjson"
            try await AuditBundleFile.write(world, to: path)
            #expect(try AuditVerification.bundle(at: path).isIntact)
        }
    }

    @Test("every entry's proof holds against the signed checkpoint", arguments: TestDatabase.engines)
    func proofs(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<600, checkpointEvery: 77)
            for index in [0, 1, 255, 256, 257, 511, 512, 599] as [Int64] {
                let proof = try await world.log.proof(of: index, tenant: world.tenant)
                #expect(proof.size == 600)
                #expect(proof.holds)
                #expect(proof.path.count <= 10)
            }
            let growth = try await world.log.consistency(from: 77, tenant: world.tenant)
            #expect(growth.holds)
            await #expect(throws: Refusal(.notFound, "audit.entryUnknown", "")) {
                try await world.log.proof(of: 600, tenant: world.tenant)
            }
        }
    }

    @Test("the stored tree is right across three levels of tiles", arguments: TestDatabase.engines)
    func tiles(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            let count: Int64 = 65_536 + 256 * 3
            let expected = try await world.database.tenant(world.tenant).write { transaction -> [TreeHash] in
                let tiles = TreeTiles(of: world.tenant, in: transaction)
                var frontier = TreeFrontier()
                for start in stride(from: Int64(0), to: count, by: 256) {
                    let leaves = (start..<start + 256).map {
                        TreeHash.leaf(withUnsafeBytes(of: $0.bigEndian) { Array($0) })
                    }
                    try tiles.append(leaves, at: start)
                    for leaf in leaves { frontier.append(leaf) }
                }
                return frontier.roots
            }
            let found = try await world.database.tenant(world.tenant).read { transaction in
                let tiles = TreeTiles(of: world.tenant, in: transaction)
                return try [
                    TreeNode(level: 16, index: 0), TreeNode(level: 9, index: 128), TreeNode(level: 8, index: 258),
                ]
                .map { try tiles.node($0) }
            }
            #expect(found == expected)
        }
    }

    @Test(
        "a checkpoint is signed in the form that other tools read, and kept in three places",
        arguments: TestDatabase.engines)
    func checkpoints(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<3)
            #expect(try await world.log.checkpoint() == 0)
            let lines = try CheckpointFile.read(directory: world.auditDirectory)
            let keys = lines.compactMap { line in
                if case .key(world.tenant, let key) = line { key } else { nil }
            }
            let notes = lines.compactMap { line in
                if case .checkpoint(world.tenant, _, let note) = line { note } else { nil }
            }
            let key = try #require(keys.first)
            #expect(key.name == "fleet.example.com/audit/\(world.tenant.text)")
            let text = try #require(notes.first)
            let note = try #require(SignedNote(text))
            #expect(key.verifies(note))
            #expect(Checkpoint(text: note.text)?.size == 3)
            let platform = try await world.log.page(
                tenant: .platform, filter: AuditFilter(codePrefix: "audit.anchored"), reader: .system("test"))
            #expect(platform.entries.first?.object.id.hasPrefix("\(world.tenant.text):3:") == true)
            // Not at every checkpoint, but again when the interval is over.
            try await world.fill(3..<4)
            world.time.advance(by: .seconds(61))
            try await world.fill(4..<5)
            let later = try await world.log.page(
                tenant: .platform, filter: AuditFilter(codePrefix: "audit.anchored"), reader: .system("test"))
            #expect(later.entries.map { $0.object.id.split(separator: ":")[1] } == ["5", "3"])
        }
    }

    @Test("the checkpoint file stays bounded and keeps what verification needs")
    func checkpointFile() async throws {
        try await TestDatabase.withDirectory { directory in
            let file = try CheckpointFile(directory: directory + "/audit", limit: 4_000)
            let key = try #require(NoteVerifier(name: "a", publicKey: [UInt8](repeating: 1, count: 32)))
            let tenants = [TenantID(high: 0, low: 5), TenantID(high: 0, low: 6)]
            try await file.append(tenants.map { .key($0, key) })
            for number in 0..<200 {
                try await file.append([
                    .checkpoint(
                        tenants[number % 2], madeAt: Timestamp(microseconds: Int64(number)), note: "note \(number)\n")
                ])
            }
            let bytes = try Data(contentsOf: URL(filePath: file.path)).count
            #expect(bytes < 8_000)
            let lines = try CheckpointFile.read(directory: directory + "/audit")
            #expect(tenants.allSatisfy { lines.contains(.key($0, key)) })
            #expect(lines.contains(.checkpoint(tenants[1], madeAt: Timestamp(microseconds: 199), note: "note 199\n")))
            #expect(lines.contains(.checkpoint(tenants[0], madeAt: Timestamp(microseconds: 198), note: "note 198\n")))
        }
    }

    @Test(
        "the service places, signs and summarises by itself, and once more when it stops",
        arguments: TestDatabase.engines)
    func service(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            var settings = AuditSettings()
            settings.sequencingInterval = .milliseconds(10)
            settings.checkpointInterval = .milliseconds(10)
            let log = try AuditFixture.makeLog(
                world.database, world.keyRing, world.directory + "/", world.time, settings: settings)
            let entry = world.entry(1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await log.run() }
                try await world.database.tenant(world.tenant).write { try log.record(entry, in: $0) }
                let deadline = ContinuousClock.now + .seconds(120)
                while try await world.count("audit_checkpoint") == 0, ContinuousClock.now < deadline {
                    await Task.yield()
                }
                #expect(try await world.count("audit_checkpoint") > 0)
                log.refuse(source: "192.0.2.8", code: "token.invalid", tenant: world.tenant)
                group.cancelAll()
                try await group.waitForAll()
            }
            let page = try await world.log.page(
                tenant: world.tenant, filter: AuditFilter(codePrefix: "access.refused"), reader: .system("test"))
            #expect(page.entries.count == 1)
        }
    }
}

/// Writes a bundle into a file.
enum AuditBundleFile {
    static func write(_ world: AuditFixture, to path: String) async throws {
        let pieces = Mutex<[UInt8]>([])
        try await world.log.export(tenant: world.tenant, reader: AuditFixture.reader) { bytes in
            pieces.withLock { $0 += bytes }
        }
        try Data(pieces.withLock { $0 }).write(to: URL(filePath: path))
    }
}
