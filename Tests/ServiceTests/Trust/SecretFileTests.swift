import Base
import Foundation
import Testing

@testable import Trust

@Suite("files of keys")
struct SecretFileTests {
    private func mode(_ path: String) throws -> Int {
        let value = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        return try #require(value).intValue
    }

    @Test("a key is written with mode 0600 and a certificate with 0644, and both read back")
    func modes() async throws {
        try await TestDatabase.withDirectory { directory in
            try SecretFile.replace("\(directory)/key", with: [1, 2, 3])
            try SecretFile.replace("\(directory)/certificate", with: [], for: .everybody)
            #expect(try mode("\(directory)/key") == 0o600)
            #expect(try mode("\(directory)/certificate") == 0o644)
            #expect(try SecretFile.read("\(directory)/key") == [1, 2, 3])
            #expect(try SecretFile.read("\(directory)/certificate", for: .everybody) == [])
        }
    }

    @Test("replacing leaves the new content and nothing else behind")
    func replaces() async throws {
        try await TestDatabase.withDirectory { directory in
            try SecretFile.replace("\(directory)/key", with: Array(repeating: 1, count: 100_000))
            try SecretFile.replace("\(directory)/key", with: [2])
            #expect(try SecretFile.read("\(directory)/key") == [2])
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["key"])
        }
    }

    @Test("a key that others can read is refused with what to do", arguments: [0o644, 0o640, 0o604, 0o660, 0o610])
    func readableByOthers(mode: Int) async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/key"
            try SecretFile.replace(path, with: [1])
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let refusal = #expect(throws: Refusal.self) { try SecretFile.read(path) }
            #expect(refusal?.code == "trust.keyReadableByOthers")
            #expect(refusal?.message.contains("chmod 600 \(path)") == true)
        }
    }

    @Test("an operator's key may be shared with the group but not with everybody")
    func sharedWithGroup() async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/key"
            try SecretFile.replace(path, with: [1], for: .group)
            #expect(try SecretFile.read(path, for: .group) == [1])
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(throws: Refusal(.unavailable, "trust.keyReadableByOthers", "")) {
                try SecretFile.read(path, for: .group)
            }
        }
    }

    @Test("a key of another user is refused", .enabled(if: geteuid() == 0, "only root can give files away"))
    func wrongOwner() async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/key"
            try SecretFile.replace(path, with: [1])
            #expect(chown(path, 12_345, 12_345) == 0)
            #expect(throws: Refusal(.unavailable, "trust.wrongOwner", "")) { try SecretFile.read(path) }
            #expect(throws: Refusal(.unavailable, "trust.wrongOwner", "")) { try SecretFile.read(path, for: .group) }
        }
    }

    @Test("a link, a directory, a pipe and a missing file are no key files, and none of them blocks")
    func notPlain() async throws {
        try await TestDatabase.withDirectory { directory in
            try SecretFile.replace("\(directory)/key", with: [1])
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory)/link", withDestinationPath: "\(directory)/key")
            #expect(mkfifo("\(directory)/pipe", 0o600) == 0)
            #expect(throws: Refusal(.unavailable, "trust.file", "")) { try SecretFile.read("\(directory)/link") }
            #expect(throws: Refusal(.unavailable, "trust.notAFile", "")) { try SecretFile.read("\(directory)/pipe") }
            #expect(throws: Refusal(.unavailable, "trust.notAFile", "")) { try SecretFile.read(directory) }
            #expect(throws: Refusal(.unavailable, "trust.file", "")) { try SecretFile.read("\(directory)/absent") }
        }
    }

    @Test("a directory of keys that others can use is refused")
    func openDirectory() async throws {
        try await TestDatabase.withDirectory { directory in
            let path = "\(directory)/keys"
            try SecretFile.createDirectory(path, for: .owner)
            #expect(try mode(path) == 0o700)
            try SecretFile.createDirectory(path, for: .owner)
            try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: path)
            #expect(throws: Refusal(.unavailable, "trust.directoryOpen", "")) {
                try SecretFile.createDirectory(path, for: .owner)
            }
        }
    }
}
