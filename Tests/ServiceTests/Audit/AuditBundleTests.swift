import Base
import Crypto
import Foundation
import Testing

@testable import Audit

/// What somebody can do to an exported bundle, and that each is found and named.
@Suite struct AuditBundleTests {
    private struct Bundle {
        var lines: [String]
        let path: String

        /// The line of an entry.
        func line(of index: Int) -> Int {
            lines.firstIndex { $0.hasPrefix("{\"index\":\(index),") } ?? 0
        }

        func report(trusted: [NoteVerifier] = [], known: [String] = []) throws -> AuditReport {
            try lines.joined(separator: "\n").appending("\n").write(toFile: path, atomically: true, encoding: .utf8)
            return try AuditVerification.bundle(at: path, trusted: trusted, known: known)
        }
    }

    /// A bundle of 601 entries, the last of them about the export.
    private static func withBundle(
        _ engine: TestDatabase.Engine, _ body: (AuditFixture, Bundle) async throws -> Void
    ) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<600, checkpointEvery: 100)
            try await body(world, try await bundle(world))
        }
    }

    private static func bundle(_ world: AuditFixture, _ name: String = "bundle") async throws -> Bundle {
        let path = "\(world.directory)/\(name).ndjson"
        try await AuditBundleFile.write(world, to: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return Bundle(lines: text.split(separator: "\n").map(String.init), path: path)
    }

    @Test("an untouched bundle is intact and readable without any key", arguments: TestDatabase.engines)
    func intact(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { world, bundle in
            let report = try bundle.report()
            #expect(report.isIntact)
            #expect(report.tenant == world.tenant && report.size == 601 && report.entries == 601)
            #expect(report.signedSize == 601 && report.checkpoints == 7)
            #expect(report.keys.count == 1)
            let line = bundle.lines[bundle.line(of: 3)]
            #expect(line.contains("\"opened\":{\"address\":\"192.0.2.1\",\"details\":{\"number\":3},\"name\":\"Ada\"}"))
            // The same with the key and the checkpoints from elsewhere.
            let lines = try CheckpointFile.read(directory: world.auditDirectory)
            let notes = lines.compactMap { line in
                if case .checkpoint(world.tenant, _, let note) = line { note } else { nil }
            }
            let key = try #require(NoteVerifier(report.keys[0]))
            #expect(try bundle.report(trusted: [key], known: notes).isIntact)
        }
    }

    @Test("an edited entry is found and named", arguments: TestDatabase.engines, [0, 299, 600])
    func edited(engine: TestDatabase.Engine, index: Int) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            let line = bundle.line(of: index)
            bundle.lines[line] = bundle.lines[line].replacing("\"outcome\":\"success\"", with: "\"outcome\":\"failed\"")
            let report = try bundle.report()
            #expect(report.damages.map(\.kind) == [.edited])
            #expect(report.damages.first?.index == Int64(index))
            #expect(report.damages.first?.code != nil && report.damages.first?.time != nil)
        }
    }

    @Test("a deleted entry is found and named", arguments: TestDatabase.engines, [0, 255, 400])
    func deleted(engine: TestDatabase.Engine, index: Int) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            bundle.lines.remove(at: bundle.line(of: index))
            let report = try bundle.report()
            #expect(report.damages.map(\.kind) == [.deleted])
            #expect(report.damages.first?.index == Int64(index))
        }
    }

    @Test("entries in another order are found and named", arguments: TestDatabase.engines)
    func reordered(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            let (a, b) = (bundle.line(of: 100), bundle.line(of: 400))
            let (first, second) = (bundle.lines[a], bundle.lines[b])
            bundle.lines[a] = second.replacing("{\"index\":400,", with: "{\"index\":100,")
            bundle.lines[b] = first.replacing("{\"index\":100,", with: "{\"index\":400,")
            let report = try bundle.report()
            #expect(report.damages.map(\.kind) == [.reordered, .reordered])
            #expect(report.damages.map(\.index) == [100, 400])
        }
    }

    @Test("a second entry for one place is found", arguments: TestDatabase.engines)
    func added(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            bundle.lines.insert(bundle.lines[bundle.line(of: 40)], at: bundle.line(of: 41))
            let report = try bundle.report()
            #expect(report.damages.map(\.kind) == [.added])
        }
    }

    @Test("a bundle whose end is missing is found", arguments: TestDatabase.engines, [1, 2, 50, 400])
    func truncated(engine: TestDatabase.Engine, count: Int) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            bundle.lines.removeLast(count)
            let report = try bundle.report()
            #expect(report.damages.allSatisfy { $0.kind == .truncated } && !report.isIntact)
        }
    }

    @Test(
        "a bundle whose end was cut off and closed again is found by its checkpoints", arguments: TestDatabase.engines)
    func truncatedAndClosed(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            bundle.lines.removeAll { line in
                (512..<601).contains { line.hasPrefix("{\"index\":\($0),") } || line.contains("\"tile\":2}")
            }
            bundle.lines[0] = bundle.lines[0].replacing("\"size\":601", with: "\"size\":512")
            let report = try bundle.report()
            #expect(report.damages.map(\.kind) == [.truncated])
            #expect(report.damages.first?.index == 512)
        }
    }

    @Test("an older bundle is found by a checkpoint from elsewhere", arguments: TestDatabase.engines)
    func rolledBack(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { world, bundle in
            try await world.fill(600..<700)
            let lines = try CheckpointFile.read(directory: world.auditDirectory)
            let notes = lines.compactMap { line in
                if case .checkpoint(world.tenant, _, let note) = line { note } else { nil }
            }
            #expect(try bundle.report().isIntact)
            let report = try bundle.report(known: notes)
            #expect(report.damages.map(\.kind) == [.rolledBack])
            #expect(report.damages.first?.index == 601)
        }
    }

    @Test("a checkpoint that was changed is found", arguments: TestDatabase.engines)
    func forged(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { _, bundle in
            var bundle = bundle
            let line = try #require(bundle.lines.firstIndex { $0.contains("\\n300\\n") })
            bundle.lines[line] = bundle.lines[line].replacing("\\n300\\n", with: "\\n301\\n")
            let report = try bundle.report()
            #expect(report.damages.map(\.kind) == [.forgedCheckpoint])
            #expect(report.damages.first?.index == 301)
        }
    }

    @Test(
        "a bundle that was signed anew with another key is found with the right key at hand",
        arguments: TestDatabase.engines)
    func forgedKey(engine: TestDatabase.Engine) async throws {
        try await Self.withBundle(engine) { world, bundle in
            var bundle = bundle
            let right = try #require(NoteVerifier(try bundle.report().keys[0]))
            let key = Curve25519.Signing.PrivateKey()
            let wrong = try #require(
                NoteVerifier(name: right.name, publicKey: Array(key.publicKey.rawRepresentation)))
            bundle.lines[0] = bundle.lines[0].replacing(right.description, with: wrong.description)
            for (index, line) in bundle.lines.enumerated() {
                guard case .checkpoint(let time, let note)? = ReadBundleLine(Array(line.utf8)),
                    let old = SignedNote(note)
                else { continue }
                let signature = Array(try key.signature(for: Array(old.text.utf8)))
                let new = SignedNote(
                    text: old.text, signatures: [.init(name: wrong.name, keyID: wrong.keyID, bytes: signature)])
                bundle.lines[index] = BundleLine.checkpoint(time: try #require(time), note: new.encoded).text
            }
            #expect(try bundle.report().keys == [wrong.description])
            let report = try bundle.report(trusted: [right])
            #expect(Set(report.damages.map(\.kind)) == [.forgedCheckpoint])
            #expect(report.signedSize == 0)
            _ = world
        }
    }

    @Test(
        "what is no bundle is refused",
        arguments: [
            "", "\n", "{}\n", "not json\n", "{\"bundle\":{\"version\":2}}\n",
            "{\"bundle\":{\"version\":1,\"size\":-1}}\n",
        ])
    func noBundle(text: String) async throws {
        try await TestDatabase.withDirectory { directory in
            let path = directory + "/x"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: Refusal(.invalid, "audit.noBundle", "")) { try AuditVerification.bundle(at: path) }
        }
    }

    @Test("a bundle of rubbish lines neither crashes nor counts as intact", arguments: 0..<20)
    func rubbish(seed: Int) async throws {
        try await AuditFixture.with(.sqlite) { world in
            try await world.fill(0..<40, checkpointEvery: 7)
            var bundle = try await Self.bundle(world)
            var generator = AuditTestRandom(seed: UInt64(seed))
            for _ in 0..<3 {
                let line = Int.random(in: 0..<bundle.lines.count, using: &generator)
                var bytes = Array(bundle.lines[line].utf8)
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 32..<127, using: &generator)
                bundle.lines[line] = String(decoding: bytes, as: UTF8.self)
            }
            // A change inside what is only shown (an opened part, a time) may pass; a trap would not.
            _ = try? bundle.report()
        }
    }
}

/// Random numbers that repeat for a seed (splitmix64).
struct AuditTestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
