import Base
import Crypto
import Foundation
import Storage
import Testing

@testable import Audit

@Suite("Declared restorations and silent ones")
struct AuditRestorationTests {
    private static let code = AuditCode("backup.restored", "A backup was put back.")

    /// Puts a copy back as a restore does: what the copy's server did not know is gone, its newer keys as well.
    private static func putBack(_ copy: Copy, in world: AuditFixture) async throws {
        try await world.putBack(copy.tables)
        for key in try await signers(world) where !copy.keys.contains(key) {
            try await world.tamper("DELETE FROM audit_signer WHERE tenant = $1 AND verifier = $2", key)
        }
    }

    private struct Copy {
        var tables: [[[SQLValue]]]
        var keys: [String]
    }

    private static func copy(_ world: AuditFixture) async throws -> Copy {
        Copy(tables: try await world.copy(), keys: try await signers(world))
    }

    private static func signers(_ world: AuditFixture) async throws -> [String] {
        try await world.database.tenant(world.tenant).read { transaction in
            try transaction.rows("SELECT verifier FROM audit_signer WHERE tenant = $1").map { try $0.text(0) }
        }
    }

    @discardableResult
    private static func declare(
        _ name: String, in world: AuditFixture, known: KnownCheckpoints = KnownCheckpoints()
    ) async throws -> AuditLog.DeclaredRestoration? {
        world.time.advance(by: .seconds(60))
        return try await world.log.declareRestoration(of: name, known: known) { tenant in
            AuditEntry(
                code, tenant: tenant, actor: .system("restore"), object: AuditObject(kind: "backup", id: name),
                details: ["created": "then"])
        }.first { $0.tenant == world.tenant }
    }

    private static func withLog(_ engine: TestDatabase.Engine, _ body: (AuditFixture) async throws -> Void) async throws
    {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<300, checkpointEvery: 100)
            try await body(world)
        }
    }

    @Test(
        "a declared restoration is reported with its name, time and size, and is no damage",
        arguments: TestDatabase.engines)
    func declared(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let copy = try await Self.copy(world)
            try await world.fill(300..<500, checkpointEvery: 50)
            try await Self.putBack(copy, in: world)
            #expect(Set(try await world.report().damages.map(\.kind)) == [.rolledBack])
            let declared = try #require(try await Self.declare("tidegate-1", in: world))
            #expect(declared.kept == 300)
            for round in 0..<2 {
                let report = try await world.report()
                #expect(report.damages == [] && report.isIntact)
                #expect(report.restorations.count == 1)
                let found = try #require(report.restorations.first)
                #expect(found.restoration.backup == "tidegate-1" && found.restoration.kept == 300)
                #expect(found.restoration.time > Timestamp(microseconds: 0) && found.known == 500)
                #expect(report.keys.count == 2)
                if round == 0 { try await world.fill(500..<900, checkpointEvery: 100) }
            }
            // The new key signs from here on; the old one's checkpoints of before still count.
            let report = try await world.report()
            #expect(report.size == 701 && report.signedSize == 701)
        }
    }

    @Test("a log that is put back silently after a declared restoration is found", arguments: TestDatabase.engines)
    func silentLater(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let first = try await Self.copy(world)
            try await world.fill(300..<400)
            try await Self.putBack(first, in: world)
            try await Self.declare("tidegate-1", in: world)
            try await world.fill(400..<500)
            let second = try await Self.copy(world)
            try await world.fill(500..<600)
            // To a moment after the restoration, to the very restoration, and to before it.
            try await Self.putBack(second, in: world)
            #expect(Set(try await world.report().damages.map(\.kind)) == [.rolledBack])
            try await world.fill(700..<900, checkpointEvery: 50)
            #expect(Set(try await world.report().damages.map(\.kind)) == [.rolledBack])
            try await Self.putBack(first, in: world)
            #expect(Set(try await world.report().damages.map(\.kind)) == [.rolledBack])
        }
    }

    @Test("an older backup may be restored after another one, and both are explained", arguments: TestDatabase.engines)
    func twice(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let first = try await Self.copy(world)
            try await world.fill(300..<350)
            let second = try await Self.copy(world)
            try await world.fill(350..<400)
            try await Self.putBack(first, in: world)
            try await Self.declare("tidegate-1", in: world)
            try await world.fill(400..<600, checkpointEvery: 20)
            // The newer backup holds nothing of that restoration.
            try await Self.putBack(second, in: world)
            #expect(Set(try await world.report().damages.map(\.kind)) == [.rolledBack])
            try await Self.declare("tidegate-2", in: world)
            try await world.fill(600..<700)
            let report = try await world.report()
            #expect(report.damages == [])
            #expect(report.restorations.map(\.restoration.backup) == ["tidegate-2"])
            #expect(report.restorations.first?.known == 501)
            // A third one, on the line of the second.
            let third = try await Self.copy(world)
            try await world.fill(700..<800)
            try await Self.putBack(third, in: world)
            try await Self.declare("tidegate-3", in: world)
            let last = try await world.report()
            #expect(last.damages == [])
            #expect(last.restorations.map(\.restoration.backup) == ["tidegate-2", "tidegate-3"])
        }
    }

    @Test("an entry that says so does not declare a restoration", arguments: TestDatabase.engines)
    func entryOnly(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let copy = try await Self.copy(world)
            try await world.fill(300..<400)
            try await Self.putBack(copy, in: world)
            // Whoever reaches the database adds the entry; the server that runs then even places and signs it.
            let (log, entry) = (world.log, world.entry(1, code: Self.code))
            try await world.database.tenant(world.tenant).write { try log.record(entry, in: $0) }
            try await world.fill(500..<700, checkpointEvery: 50)
            let report = try await world.report()
            #expect(Set(report.damages.map(\.kind)) == [.rolledBack] && report.restorations.isEmpty)
        }
    }

    @Test("a declaration that another key has signed counts nowhere", arguments: TestDatabase.engines, [true, false])
    func forged(engine: TestDatabase.Engine, inFile: Bool) async throws {
        try await Self.withLog(engine) { world in
            let copy = try await Self.copy(world)
            try await world.fill(300..<400)
            try await Self.putBack(copy, in: world)
            let root = try await world.database.tenant(world.tenant).read { transaction in
                try LogHead.read(world.tenant, in: transaction)?.frontier.root
            }
            let note = try Self.note(world.tenant, size: 300, root: #require(root), kept: 300, time: world.time.now)
            try await world.tamper("UPDATE audit_checkpoint SET note = $2 WHERE tenant = $1 AND size = 300", note.text)
            try await world.tamper(
                "INSERT INTO audit_signer (tenant, verifier, private_key, created_at) VALUES ($1, $2, $3, 1)",
                note.verifier.description, [UInt8]())
            if inFile {
                // Even whoever can write the checkpoint file declares nothing in the old key's name.
                let lines: [CheckpointFile.Line] = [
                    .key(world.tenant, note.verifier),
                    .checkpoint(world.tenant, madeAt: world.time.now, note: note.text),
                ]
                try await #require(world.log.checkpointFile).append(lines)
            }
            let kinds = Set(try await world.report().damages.map(\.kind))
            #expect(kinds.contains(.rolledBack))
            #expect(kinds.contains(.forgedCheckpoint) != inFile)
        }
    }

    @Test(
        "checkpoints that were kept elsewhere are held against a log, and a declaration explains them",
        arguments: TestDatabase.engines)
    func knownElsewhere(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let copy = try await Self.copy(world)
            try await world.fill(300..<400)
            // The lost server's checkpoint file is all that is left of it.
            let saved = "\(world.directory)/saved"
            try FileManager.default.copyItem(atPath: world.auditDirectory, toPath: saved)
            try FileManager.default.removeItem(atPath: "\(world.auditDirectory)/checkpoints.log")
            try await Self.putBack(copy, in: world)
            #expect(try await world.report().isIntact)
            func report(_ known: KnownCheckpoints) async throws -> AuditReport? {
                try await AuditVerification.database(
                    world.database, directory: world.auditDirectory, known: known
                ).first { $0.tenant == world.tenant }
            }
            let known = try KnownCheckpoints(at: saved)
            #expect(Set(try await report(known)?.damages.map(\.kind) ?? []) == [.rolledBack])
            let declared = try await Self.declare("tidegate-1", in: world, known: known)
            #expect(declared?.known == 400 && declared?.kept == 300)
            #expect(try await report(known)?.damages == [])
            // The evidence now lies beside the log.
            let own = try await world.report()
            #expect(own.damages == [] && own.restorations.first?.known == 400)
            // One checkpoint, by itself, as another witness may have kept it.
            let lines = try CheckpointFile.read(directory: saved)
            let last = lines.reversed().compactMap { line in
                if case .checkpoint(world.tenant, _, let note) = line { note } else { nil }
            }.first
            try #require(last).write(toFile: "\(world.directory)/note", atomically: true, encoding: .utf8)
            #expect(
                try await report(try KnownCheckpoints(at: "\(world.directory)/note"))?.restorations.first?.known == 400)
            #expect(throws: Refusal(.unavailable, "audit.file", "")) {
                try KnownCheckpoints(at: "\(world.directory)/none")
            }
            try "nothing".write(toFile: "\(world.directory)/note", atomically: true, encoding: .utf8)
            #expect(throws: Refusal(.invalid, "audit.noCheckpoints", "")) {
                try KnownCheckpoints(at: "\(world.directory)/note")
            }
        }
    }

    @Test("whoever trusts the old key only trusts the new one through the declaration", arguments: TestDatabase.engines)
    func bundle(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let old = try #require(NoteVerifier(try await Self.signers(world)[0]))
            let copy = try await Self.copy(world)
            try await world.fill(300..<400)
            let known = try KnownCheckpoints(at: world.auditDirectory)
            try await Self.putBack(copy, in: world)
            try await Self.declare("tidegate-1", in: world)
            try await world.fill(400..<500, checkpointEvery: 50)
            let path = "\(world.directory)/bundle.ndjson"
            try await AuditBundleFile.write(world, to: path)
            let report = try AuditVerification.bundle(at: path, trusted: [old], known: known.notes(of: world.tenant))
            #expect(report.damages == [])
            #expect(report.keys.count == 2 && report.restorations.first?.known == 400)
            #expect(try AuditVerification.bundle(at: path, known: known).isIntact)
        }
    }

    @Test("retention keeps what explains a restoration", arguments: TestDatabase.engines)
    func retention(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let copy = try await Self.copy(world)
            try await world.fill(300..<400)
            let known = try KnownCheckpoints(at: world.auditDirectory)
            try await Self.putBack(copy, in: world)
            try await Self.declare("tidegate-1", in: world)
            try await world.fill(400..<900, checkpointEvery: 100)
            #expect(try await world.log.trim(world.tenant, olderThan: world.time.now) == 768)
            let reports = try await AuditVerification.database(world.database, directory: nil, known: known)
            let report = reports.first { $0.tenant == world.tenant }
            #expect(report?.damages == [] && report?.restorations.count == 1)
        }
    }

    /// A declaration by a key that an attacker has made.
    private static func note(
        _ tenant: TenantID, size: Int64, root: TreeHash, kept: Int64, time: Timestamp
    ) throws -> (text: String, verifier: NoteVerifier) {
        let name = AuditOrigin.name(deployment: AuditFixture.deployment, tenant: tenant)
        let keys = [Curve25519.Signing.PrivateKey(), Curve25519.Signing.PrivateKey()]
        let verifiers = keys.compactMap { NoteVerifier(name: name, publicKey: Array($0.publicKey.rawRepresentation)) }
        let text = Checkpoint(
            origin: name, size: size, root: root,
            restoration: AuditRestoration(
                backup: "tidegate-1", time: time, kept: kept, key: try #require(verifiers.last))
        ).text
        let signatures = try zip(keys, verifiers).map { key, verifier in
            SignedNote.Signature(
                name: name, keyID: verifier.keyID, bytes: Array(try key.signature(for: Array(text.utf8))))
        }
        return (SignedNote(text: text, signatures: signatures).encoded, try #require(verifiers.first))
    }
}
