import Base
import Crypto
import Foundation
import Storage
import Testing

@testable import Backup

@Suite("Damaged, cut and foreign backups")
struct BackupDamageTests {
    /// Tries a restore from these bytes, expects a refusal with this code, and that nothing was written.
    private func expectRefusal(
        _ fixture: BackupFixture, archive: [UInt8], keys: [UInt8], key: RecoveryKey? = nil, _ code: String,
        _ what: String
    ) async throws {
        let base = "\(fixture.layout.directory)-damaged"
        try Data(archive).write(to: URL(filePath: "\(base).backup"))
        try Data(keys).write(to: URL(filePath: "\(base).keys"))
        let directory = "\(base)-restored"
        await #expect(throws: Refusal(.invalid, code, ""), "\(what)") {
            try await Restoration(
                archive: "\(base).backup", keys: "\(base).keys", recoveryKey: try key ?? fixture.recoveryKey,
                schema: BackupFixture.schema
            ).restore(into: directory)
        }
        let left = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        #expect(left.isEmpty, "\(what)")
    }

    /// A backup of more than four frames, as bytes.
    private func withBackup(_ body: (BackupFixture, _ archive: [UInt8], _ keys: [UInt8]) async throws -> Void)
        async throws
    {
        try await BackupFixture.with { fixture in
            let noise = (0..<1_100_000).map { _ in UInt8.random(in: .min ... .max) }
            try await fixture.database.tenant(fixture.tenant).write { transaction in
                try transaction.execute("INSERT INTO locker (tenant, number, secret) VALUES ($1, 99, $2)", noise)
            }
            let pair = try await fixture.backUp()
            try await body(
                fixture, [UInt8](Data(contentsOf: URL(filePath: pair.archive))),
                [UInt8](Data(contentsOf: URL(filePath: pair.keys))))
        }
    }

    private static let frame = Limits.frameBytes + FrameCipher.tagBytes

    @Test("one changed bit is refused in every region of both files")
    func flipped() async throws {
        try await withBackup { fixture, archive, keys in
            #expect(archive.count > ArchiveHeader.length + 4 * Self.frame)
            let header = ArchiveHeader.length
            let places: [(String, Int, String)] = [
                ("magic", 3, "backup.damaged"), ("identifier", 20, "backup.otherKeys"),
                ("first frame", header, "backup.damaged"),
                ("first frame's end", header + Self.frame - 17, "backup.damaged"),
                ("first tag", header + Self.frame - 1, "backup.damaged"),
                ("second frame", header + Self.frame + 5, "backup.damaged"),
                ("middle", archive.count / 2, "backup.damaged"), ("last frame", archive.count - 20, "backup.damaged"),
                ("last tag", archive.count - 1, "backup.damaged"),
            ]
            for (what, place, code) in places {
                var damaged = archive
                damaged[place] ^= 0x10
                try await expectRefusal(fixture, archive: damaged, keys: keys, code, what)
            }
            let bundlePlaces: [(String, Int, String)] = [
                ("magic", 0, "backup.keysDamaged"), ("archive's identifier", 16, "backup.keysDamaged"),
                ("recovery key's identifier", 32, "backup.otherRecoveryKey"),
                ("encapsulated key", 40, "backup.keysDamaged"),
                ("encapsulated key's end", 1159, "backup.keysDamaged"), ("content", 1200, "backup.keysDamaged"),
                ("tag", keys.count - 1, "backup.keysDamaged"),
            ]
            for (what, place, code) in bundlePlaces {
                var damaged = keys
                damaged[place] ^= 0x10
                try await expectRefusal(fixture, archive: archive, keys: damaged, code, "bundle: \(what)")
            }
        }
    }

    @Test("a file that is cut, lengthened or put together otherwise is refused")
    func cut() async throws {
        try await withBackup { fixture, archive, keys in
            let header = ArchiveHeader.length
            for length in [
                0, 5, header - 1, header, header + 7, header + Self.frame, header + 2 * Self.frame, archive.count / 2,
                archive.count - 1,
            ] {
                try await expectRefusal(
                    fixture, archive: Array(archive[..<length]), keys: keys, "backup.damaged", "\(length)")
            }
            try await expectRefusal(fixture, archive: archive + [0], keys: keys, "backup.damaged", "one more byte")
            let frames = stride(from: header, to: archive.count, by: Self.frame).map {
                Array(archive[$0..<min($0 + Self.frame, archive.count)])
            }
            let start = Array(archive[..<header])
            var swapped = frames
            swapped.swapAt(1, 2)
            var missing = frames
            missing.remove(at: 1)
            let doubled = frames + frames.suffix(1)
            for (what, frames) in [
                ("swapped frames", swapped), ("a frame left out", missing), ("the last twice", doubled),
            ] {
                let bytes = start + Array(frames.joined())
                try await expectRefusal(fixture, archive: bytes, keys: keys, "backup.damaged", what)
            }
            for length in [0, 10, 100, 1160, keys.count - 1] {
                try await expectRefusal(
                    fixture, archive: archive, keys: Array(keys[..<length]), "backup.keysDamaged", "bundle: \(length)")
            }
            try await expectRefusal(
                fixture, archive: archive, keys: keys + [0], "backup.keysDamaged", "bundle: one more byte")
        }
    }

    @Test("a cut at a frame's end is said to be one")
    func cutMessage() async throws {
        try await withBackup { fixture, archive, keys in
            let base = "\(fixture.layout.directory)-cut"
            try Data(archive[..<(ArchiveHeader.length + 2 * Self.frame)]).write(to: URL(filePath: "\(base).backup"))
            try Data(keys).write(to: URL(filePath: "\(base).keys"))
            let restoration = try Restoration(
                archive: "\(base).backup", keys: "\(base).keys", recoveryKey: fixture.recoveryKey, schema: [])
            let refusal = #expect(throws: Refusal.self) { try restoration.check() }
            #expect(refusal?.message.contains("is cut off: its last frame is missing") == true)
        }
    }

    @Test("another recovery key, another backup's bundle, and no key at all open nothing")
    func foreign() async throws {
        try await BackupFixture.with { fixture in
            let first = try await fixture.backUp()
            fixture.harness.now.set(fixture.harness.now.now + .seconds(60))
            let second = try await fixture.backUp()
            let archive = [UInt8](try Data(contentsOf: URL(filePath: first.archive)))
            let keys = [UInt8](try Data(contentsOf: URL(filePath: first.keys)))
            let otherKeys = [UInt8](try Data(contentsOf: URL(filePath: second.keys)))
            try await expectRefusal(
                fixture, archive: archive, keys: keys, key: RecoveryKey(), "backup.otherRecoveryKey", "recovery key")
            try await expectRefusal(fixture, archive: archive, keys: otherKeys, "backup.otherKeys", "bundle")
            // A bundle relabelled to fit the archive is one that was changed.
            var relabelled = otherKeys
            relabelled.replaceSubrange(16..<32, with: keys[16..<32])
            try await expectRefusal(
                fixture, archive: archive, keys: relabelled, "backup.keysDamaged", "relabelled bundle")
            // Nothing that the server keeps secret, or keeps at all, shows in either file.
            let seal = try Data(contentsOf: URL(filePath: "\(fixture.layout.keys)/seal.key"))
            for bytes in [archive, keys] {
                #expect(Data(bytes).range(of: seal) == nil)
                #expect(Data(bytes).range(of: Data("power".utf8)) == nil)
                #expect(Data(bytes).range(of: Data("fleet.example.com".utf8)) == nil)
            }
        }
    }

    @Test("a backup is never restored over data", arguments: ["tidegate.db", "keys", "notes.txt"])
    func notEmpty(name: String) async throws {
        try await BackupFixture.with { fixture in
            let pair = try await fixture.backUp()
            let directory = "\(fixture.layout.directory)-other"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: URL(filePath: "\(directory)/\(name)"))
            await #expect(throws: Refusal(.conflict, "backup.notEmpty", "")) {
                try await fixture.restoration(pair).restore(into: directory)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [name])
            // What an interrupted restore has left does not count, nor what a fresh disk has.
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
            try FileManager.default.createDirectory(
                atPath: "\(directory)/restoring/keys", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: "\(directory)/lost+found", withIntermediateDirectories: true)
            _ = try await fixture.restoration(pair).restore(into: directory)
            #expect(!FileManager.default.fileExists(atPath: "\(directory)/restoring"))
        }
    }

    @Test("a PostgreSQL database that holds a server is left alone", arguments: TestDatabase.engines)
    func postgresNotEmpty(engine: TestDatabase.Engine) async throws {
        guard engine == .postgres else { return }
        try await BackupFixture.with(.postgres) { fixture in
            let pair = try await fixture.backUp()
            try await engine.withLocation { given in
                guard case .postgres(let url) = given else { return }
                let directory = "\(fixture.layout.directory)-other"
                _ = try await fixture.restoration(pair).restore(into: directory, postgres: url)
                await #expect(throws: Refusal(.conflict, "backup.databaseNotEmpty", "")) {
                    try await fixture.restoration(pair).restore(into: "\(directory)-2", postgres: url)
                }
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)-2").isEmpty)
            }
        }
    }

    @Test("a backup of a newer program is refused with the reason")
    func newer() async throws {
        try await BackupFixture.with { fixture in
            let pair = try await fixture.backUp()
            let older = try Restoration(
                archive: pair.archive, keys: pair.keys, recoveryKey: fixture.recoveryKey,
                schema: BackupFixture.schema.dropLast())
            let directory = "\(fixture.layout.directory)-other"
            await #expect(throws: Refusal(.conflict, "backup.otherProgram", "")) {
                try await older.restore(into: directory)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test("the newest backup of a directory is taken, with the bundle beside it")
    func newest() async throws {
        try await BackupFixture.with { fixture in
            let first = try await fixture.backUp()
            fixture.harness.now.set(fixture.harness.now.now + .seconds(60))
            let second = try await fixture.backUp()
            #expect(try BackupPair.find(fixture.archives) == (second.archive, second.keys))
            #expect(try BackupPair.find(first.archive) == (first.archive, first.keys))
            #expect(try BackupPair.find(first.archive, keys: "/elsewhere") == (first.archive, "/elsewhere"))
            #expect(throws: Refusal(.notFound, "backup.none", "")) { try BackupPair.find(fixture.layout.keys) }
        }
    }
}
