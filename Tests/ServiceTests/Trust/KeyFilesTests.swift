import Base
import Foundation
import Testing

@testable import Trust

@Suite("seal and root key files")
struct KeyFilesTests {
    private func versions(_ keys: RootKeys) -> [UInt32: [UInt8]] { keys.versions.mapValues(\.bytes) }

    @Test("the first start makes both files, and the next finds the same keys")
    func firstStart() async throws {
        try await TestDatabase.withDirectory { directory in
            let files = KeyFiles(directory: directory)
            let keys = try files.load()
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["root.wrapped", "seal.key"])
            #expect(try SecretFile.read("\(directory)/seal.key").count == 32)
            #expect(try versions(files.load()) == versions(keys))
        }
    }

    @Test("a new seal key opens the same root keys, and the old one is gone")
    func sealRotation() async throws {
        try await TestDatabase.withDirectory { directory in
            let files = KeyFiles(directory: directory)
            let keys = try files.load()
            let old = try SecretFile.read("\(directory)/seal.key")
            try files.replaceSeal(of: keys)
            #expect(try SecretFile.read("\(directory)/seal.key") != old)
            #expect(try versions(files.load()) == versions(keys))
        }
    }

    /// What lies in the directory when the machine stops in the middle of a seal rotation.
    enum Interruption: CaseIterable {
        case beforeWrapping, afterWrapping, firstStartBeforeWrapping, firstStartAfterWrapping
    }

    @Test("a seal rotation or first start that was cut short goes on without loss", arguments: Interruption.allCases)
    func cutShort(interruption: Interruption) async throws {
        try await TestDatabase.withDirectory { directory in
            let files = KeyFiles(directory: directory)
            let (seal, next, root) = (
                "\(directory)/seal.key", "\(directory)/seal.key.next", "\(directory)/root.wrapped"
            )
            let keys = try files.load()
            let oldSeal = try SecretFile.read(seal)
            let oldRoot = try SecretFile.read(root)
            try files.replaceSeal(of: keys)
            let newSeal = try SecretFile.read(seal)
            switch interruption {
            case .beforeWrapping:
                try SecretFile.replace(seal, with: oldSeal)
                try SecretFile.replace(next, with: newSeal)
                try SecretFile.replace(root, with: oldRoot)
            case .afterWrapping:
                try SecretFile.replace(seal, with: oldSeal)
                try SecretFile.replace(next, with: newSeal)
            case .firstStartBeforeWrapping:
                try SecretFile.rename(from: seal, to: next)
                try SecretFile.remove(root)
            case .firstStartAfterWrapping:
                try SecretFile.rename(from: seal, to: next)
            }
            let loaded = try files.load()
            if interruption != .firstStartBeforeWrapping { #expect(versions(loaded) == versions(keys)) }
            #expect(!SecretFile.exists(next))
            #expect(try versions(files.load()) == versions(loaded))
        }
    }

    @Test("a missing, foreign or damaged key file is refused by name and never replaced")
    func refusals() async throws {
        try await TestDatabase.withDirectory { directory in
            let files = KeyFiles(directory: directory)
            let (seal, root) = ("\(directory)/seal.key", "\(directory)/root.wrapped")
            _ = try files.load()
            let (goodSeal, goodRoot) = (try SecretFile.read(seal), try SecretFile.read(root))

            try SecretFile.remove(seal)
            #expect(throws: Refusal(.unavailable, "trust.sealKeyMissing", "")) { try files.load() }
            try SecretFile.replace(seal, with: Array(repeating: 1, count: 32))
            #expect(throws: Refusal(.unavailable, "trust.sealKeyMissing", "")) { try files.load() }
            try SecretFile.replace(seal, with: Array(goodSeal.dropLast()))
            #expect(throws: Refusal(.unavailable, "trust.sealKeyDamaged", "")) { try files.load() }
            try SecretFile.replace(seal, with: goodSeal)

            try SecretFile.replace(root, with: goodRoot.dropLast() + [goodRoot[goodRoot.count - 1] ^ 1])
            #expect(throws: Refusal(.unavailable, "trust.rootKeyDamaged", "")) { try files.load() }
            try SecretFile.replace(root, with: [1, 2, 3])
            #expect(throws: Refusal(.unavailable, "trust.rootKeyDamaged", "")) { try files.load() }
            try SecretFile.remove(root)
            #expect(throws: Refusal(.unavailable, "trust.rootKeyMissing", "")) { try files.load() }
            #expect(try SecretFile.read(seal) == goodSeal)
        }
    }
}
