import Base
import Crypto
import Foundation
import Storage
import Testing

@testable import Audit

/// What somebody with access to the database can do to a log, and that each is found and named.
@Suite struct AuditMutationTests {
    /// 700 entries, signed for at 100, 200, … 700: two complete tiles, and one that has begun.
    private static func withLog(
        _ engine: TestDatabase.Engine, _ body: (AuditFixture) async throws -> Void
    ) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<700, checkpointEvery: 100)
            let report = try await world.report()
            try #require(report.isIntact)
            #expect(report.size == 700 && report.entries == 700 && report.signedSize == 700 && report.checkpoints == 7)
            #expect(report.unsigned == 0 && report.pending == 0)
            try await body(world)
        }
    }

    @Test("an edited entry is found and named, whichever column it is", arguments: TestDatabase.engines)
    func edited(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let edits = [
                "code = 'device.revoked'", "time = time + 1", "outcome = 'failed'", "actor_id = 'x'",
                "actor_kind = 'client'",
                "actor_credential = NULL", "object_kind = 'x'", "object_id = 'x'", "domain = NULL", "sealed = NULL",
                "actor_home = tenant", "outcome = 'nonsense'",
            ]
            for (number, edit) in edits.enumerated() {
                let index = Int64(number * 63)
                let before = try await world.copy()
                try await world.tamper("UPDATE audit_entry SET \(edit) WHERE tenant = $1 AND position = $2", index)
                let report = try await world.report()
                #expect(report.damages.map(\.kind) == [.edited], "\(edit)")
                #expect(report.damages.first?.index == index, "\(edit)")
                if edit.hasPrefix("code") {
                    #expect(report.damages.first?.code == "device.revoked" && report.damages.first?.time != nil)
                }
                try await world.putBack(before)
            }
        }
    }

    @Test(
        "an entry that was edited together with its hash is found", arguments: TestDatabase.engines,
        [40, 300, 650] as [Int64])
    func editedWithHash(engine: TestDatabase.Engine, index: Int64) async throws {
        try await Self.withLog(engine) { world in
            try await Self.editWithLeaf(index, world)
            let report = try await world.report()
            #expect(report.damages.first?.kind == .edited)
            #expect(report.damages.first?.index == index)
        }
    }

    @Test(
        "an entry that was edited together with every stored hash is found within its checkpoint",
        arguments: TestDatabase.engines)
    func editedWithTree(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            try await Self.editWithLeaf(350, world)
            try await Self.rebuildTree(world)
            let report = try await world.report()
            #expect(report.damages.first?.kind == .edited)
            #expect(report.damages.first?.index == 300)
            #expect(report.signedSize == 300)
        }
    }

    @Test("a deleted entry is found and named", arguments: TestDatabase.engines, [0, 255, 300, 698] as [Int64])
    func deleted(engine: TestDatabase.Engine, index: Int64) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper("DELETE FROM audit_entry WHERE tenant = $1 AND position = $2", index)
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.deleted])
            #expect(report.damages.first?.index == index)
        }
    }

    @Test(
        "a deleted entry is found although later ones moved up", arguments: TestDatabase.engines, [300, 650] as [Int64])
    func deletedAndClosed(engine: TestDatabase.Engine, index: Int64) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper("DELETE FROM audit_entry WHERE tenant = $1 AND position = $2", index)
            for position in index + 1..<700 {
                try await world.tamper(
                    "UPDATE audit_entry SET position = position - 1 WHERE tenant = $1 AND position = $2", position)
            }
            let report = try await world.report()
            #expect(report.damages.first?.kind == .deleted)
            #expect(report.damages.first?.index == index)
        }
    }

    @Test(
        "entries in another order are found and named", arguments: TestDatabase.engines,
        [[10, 11], [20, 500], [600, 690]] as [[Int64]])
    func reordered(engine: TestDatabase.Engine, pair: [Int64]) async throws {
        try await Self.withLog(engine) { world in
            for (from, to) in [(pair[0], -1), (pair[1], pair[0]), (-1, pair[1])] as [(Int64, Int64)] {
                try await world.tamper(
                    "UPDATE audit_entry SET position = $3 WHERE tenant = $1 AND position = $2", from, to)
            }
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.reordered, .reordered])
            #expect(report.damages.map(\.index) == pair)
        }
    }

    @Test("missing newest entries are found and named", arguments: TestDatabase.engines, [1, 60, 200, 700])
    func truncated(engine: TestDatabase.Engine, count: Int64) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper("DELETE FROM audit_entry WHERE tenant = $1 AND position >= $2", 700 - count)
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.truncated])
            #expect(report.damages.first?.index == 700 - count)
        }
    }

    @Test("a log cut off together with its head and tree is found by its checkpoints", arguments: TestDatabase.engines)
    func truncatedWithTree(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper("DELETE FROM audit_entry WHERE tenant = $1 AND position >= $2", 640)
            try await Self.rebuildTree(world)
            let report = try await world.report(.some(nil))
            #expect(report.damages.map(\.kind).contains(.truncated))
            #expect(report.damages.first?.index == 640)
        }
    }

    @Test("an entry beyond the end is found", arguments: TestDatabase.engines)
    func added(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper("UPDATE audit_entry SET position = 700 WHERE tenant = $1 AND position = $2", 699)
            let report = try await world.report()
            #expect(report.damages.map(\.kind).contains(.added))
        }
    }

    @Test(
        "a whole log that was put back to an older state is found by the checkpoint file",
        arguments: TestDatabase.engines)
    func rolledBack(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let older = try await world.copy()
            try await world.fill(700..<900, checkpointEvery: 100)
            try await world.putBack(older)
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.rolledBack])
            #expect(report.damages.first?.index == 700)
            #expect(report.damages.first?.time != nil)
            // Without the file nothing in this log can show it: the reason why the file exists.
            #expect(try await world.report(.some(nil)).isIntact)
        }
    }

    @Test("a log that was put back is found by the platform's log as well", arguments: TestDatabase.engines)
    func rolledBackAnchored(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let older = try await world.copy()
            world.time.advance(by: .seconds(120))
            try await world.fill(700..<800)
            try await world.putBack(older)
            let report = try await world.report(.some(nil))
            #expect(report.damages.map(\.kind) == [.rolledBack])
            #expect(report.damages.first?.index == 700)
        }
    }

    @Test("a log that was put back and went on differently is found", arguments: TestDatabase.engines)
    func forked(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let older = try await world.copy()
            try await world.fill(700..<800)
            try await world.putBack(older)
            try await world.fill(1_700..<1_900, checkpointEvery: 100)
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.rolledBack])
            #expect(report.damages.first?.index == 700)
        }
    }

    @Test("a checkpoint whose text was changed is found", arguments: TestDatabase.engines)
    func forgedText(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper(
                """
                UPDATE audit_checkpoint SET note = (
                    SELECT c.note FROM audit_checkpoint c WHERE c.tenant = $1 AND c.size = 200)
                WHERE tenant = $1 AND size = $2
                """, 300)
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.forgedCheckpoint])
            #expect(report.damages.first?.index == 300)
        }
    }

    @Test(
        "a log that was rewritten and signed with another key is found by the checkpoint file",
        arguments: TestDatabase.engines)
    func forgedKey(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            try await Self.editWithLeaf(350, world)
            try await Self.rebuildTree(world)
            let name = "fleet.example.com/audit/\(world.tenant.text)"
            let key = Curve25519.Signing.PrivateKey()
            let verifier = try #require(NoteVerifier(name: name, publicKey: Array(key.publicKey.rawRepresentation)))
            let root = try await world.database.tenant(world.tenant).read { transaction in
                try LogHead.read(world.tenant, in: transaction)?.frontier.root
            }
            let forged = try #require(root)
            let text = Checkpoint(origin: name, size: 700, root: forged).text
            let note = SignedNote(
                text: text,
                signatures: [
                    .init(name: name, keyID: verifier.keyID, bytes: Array(try key.signature(for: Array(text.utf8))))
                ]
            ).encoded
            try await world.tamper("DELETE FROM audit_checkpoint WHERE tenant = $1")
            try await world.tamper("UPDATE audit_signer SET verifier = $2 WHERE tenant = $1", verifier.description)
            try await world.tamper(
                "INSERT INTO audit_checkpoint (tenant, size, made_at, note) VALUES ($1, 700, 1, $2)", note)
            let report = try await world.report()
            let kinds = Set(report.damages.map(\.kind))
            #expect(kinds.isSuperset(of: [.forgedCheckpoint, .rolledBack]))
            // In the database alone it looks like a log of that key: what the report's keys are to be compared for.
            let alone = try await world.report(.some(nil))
            #expect(alone.keys == [verifier.description])
        }
    }

    @Test(
        "changed hashes of the tree are found and do not put the entries in doubt", arguments: TestDatabase.engines,
        [0, 1] as [Int64])
    func treeEdited(engine: TestDatabase.Engine, level: Int64) async throws {
        try await Self.withLog(engine) { world in
            let tile = try await world.database.tenant(world.tenant).read { transaction in
                try transaction.row(
                    "SELECT hashes FROM audit_tile WHERE tenant = $1 AND level = $2 AND position = 0", level)?.blob(0)
            }
            var hashes = try #require(tile)
            hashes[7] ^= 1
            try await world.tamper(
                "UPDATE audit_tile SET hashes = $2 WHERE tenant = $1 AND level = $3 AND position = 0", hashes, level)
            let report = try await world.report()
            #expect(Set(report.damages.map(\.kind)) == [.treeEdited])
            #expect(report.signedSize == 700)
        }
    }

    @Test(
        "entries that are missing as if by retention are found when no retention is recorded",
        arguments: TestDatabase.engines)
    func falseRetention(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            try await world.tamper("DELETE FROM audit_entry WHERE tenant = $1 AND position < $2", 256)
            try await world.tamper("UPDATE audit_head SET kept_from = $2 WHERE tenant = $1", 256)
            let report = try await world.report()
            #expect(report.damages.map(\.kind) == [.deleted])
            #expect(report.damages.first?.index == 0)
        }
    }

    @Test("entries without a place are told, with the oldest one's time", arguments: TestDatabase.engines)
    func pending(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let (log, entries) = (world.log, [world.entry(1), world.entry(2)])
            let time = world.time.now
            try await world.database.tenant(world.tenant).write { try log.record(entries, in: $0) }
            let report = try await world.report()
            #expect(report.isIntact)
            #expect(report.pending == 2)
            #expect(report.oldestPending == time)
        }
    }

    @Test("entries after the newest checkpoint are told, and an edit there is found", arguments: TestDatabase.engines)
    func unsigned(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let (log, entries) = (world.log, (0..<20).map { world.entry($0) })
            try await world.database.tenant(world.tenant).write { try log.record(entries, in: $0) }
            try await world.log.sequence(search: true)
            let report = try await world.report()
            #expect(report.isIntact && report.size == 720 && report.unsigned == 20)
            try await Self.editWithLeaf(710, world)
            let damaged = try await world.report()
            #expect(damaged.damages.first?.kind == .edited)
            #expect(damaged.damages.first?.index == 700)
        }
    }

    // MARK: - What a thorough forger does

    /// Changes an entry and the hash beside it.
    private static func editWithLeaf(_ index: Int64, _ world: AuditFixture) async throws {
        try await world.database.tenant(world.tenant).write { transaction in
            try transaction.execute(
                "UPDATE audit_entry SET object_id = 'forged' WHERE tenant = $1 AND position = $2", index)
            let found = try transaction.row(
                "SELECT \(AuditLeaf.columnList) FROM audit_entry WHERE tenant = $1 AND position = $2", index)
            let row = try #require(found)
            let hash = TreeHash.leaf(try AuditLeaf(row, from: 0, tenant: world.tenant).bytes)
            try transaction.execute(
                "UPDATE audit_entry SET leaf = $3 WHERE tenant = $1 AND position = $2", index, hash.bytes)
        }
    }

    /// Makes tiles and head anew from the hashes beside the entries.
    private static func rebuildTree(_ world: AuditFixture) async throws {
        try await world.database.tenant(world.tenant).write { transaction in
            let leaves = try transaction.rows("SELECT leaf FROM audit_entry WHERE tenant = $1 ORDER BY position")
                .compactMap { TreeHash(try $0.blob(0)) }
            try transaction.execute("DELETE FROM audit_tile WHERE tenant = $1")
            let tiles = TreeTiles(of: world.tenant, in: transaction)
            try tiles.append(leaves, at: 0)
            try tiles.writeIncomplete(size: Int64(leaves.count))
            var head = try LogHead.claim(world.tenant, in: transaction)
            head.frontier = TreeFrontier()
            for leaf in leaves { head.frontier.append(leaf) }
            try head.write(world.tenant, in: transaction)
        }
    }
}
