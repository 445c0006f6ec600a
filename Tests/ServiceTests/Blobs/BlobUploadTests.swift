import Base
import Crypto
import Foundation
import NIOCore
import Testing

@testable import Blobs

/// Uploads and blobs on a real directory.
@Suite("Blobs in a directory")
struct BlobUploadTests {
    private struct World {
        let directory: String
        let blobs: Blobs
        let acme = TenantID(high: 1, low: 1)
        let rival = TenantID(high: 1, low: 2)

        static func with(_ body: (World) async throws -> Void) async throws {
            try await TestDatabase.withDirectory { directory in
                try await body(World(directory: directory, blobs: Blobs(directory: directory + "/blobs")))
            }
        }

        func upload(_ text: String, of tenant: TenantID) async throws -> BlobSummary {
            let upload = UploadID(now: WallClock.system.now)
            try await blobs.begin(upload, of: tenant)
            try await blobs.append(ByteBuffer(string: text), to: upload, at: 0, of: tenant)
            return try await blobs.finish(upload, of: tenant) { _, _ in }
        }

        func text(_ digest: BlobDigest, of tenant: TenantID) async throws -> String? {
            guard let blob = try await blobs.blob(digest, of: tenant) else { return nil }
            return String(buffer: try await blobs.read(blob, Int(blob.size), at: 0))
        }

        func serial(_ digest: BlobDigest, of tenant: TenantID) -> UInt64? {
            FileStatus(ofLink: blobs.path(of: digest, tenant))?.serial
        }
    }

    private static func refusal(_ act: () async throws -> Void) async -> BlobError? {
        do {
            try await act()
            return nil
        } catch {
            return error as? BlobError
        }
    }

    @Test("an upload in parts becomes a blob under its SHA-256, with what old clients compare")
    func parts() async throws {
        try await World.with { world in
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            #expect(try await world.blobs.received(upload, of: world.acme) == 0)
            try await world.blobs.append(ByteBuffer(string: "a"), to: upload, at: 0, of: world.acme)
            try await world.blobs.append(ByteBuffer(string: "bc"), to: upload, at: 1, of: world.acme)
            try await world.blobs.synchronise(upload, of: world.acme)
            #expect(try await world.blobs.received(upload, of: world.acme) == 3)
            let summary = try await world.blobs.finish(upload, of: world.acme) { summary, blob in
                #expect(summary.size == 3)
                #expect(blob.size == 3)
            }
            #expect(
                summary.digest.text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
            #expect(summary.sha1.hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
            #expect(summary.md5.hex == "900150983cd24fb0d6963f7d28e17f72")
            #expect(summary.head == Array("abc".utf8))
            #expect(try await world.text(summary.digest, of: world.acme) == "abc")
            #expect(try await world.blobs.received(upload, of: world.acme) == nil)
            let path = world.blobs.path(of: summary.digest, world.acme)
            #expect(FileStatus(ofLink: path)?.permissions == 0o400)
        }
    }

    @Test("a blob larger than what is read at once is hashed as a whole, and its parts as parts")
    func large() async throws {
        try await World.with { world in
            let bytes = (0..<(BlobLimits.readBytes * 2 + 7)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            try await world.blobs.append(ByteBuffer(bytes: bytes), to: upload, at: 0, of: world.acme)
            let summary = try await world.blobs.finish(upload, of: world.acme) { _, _ in }
            #expect(summary.digest.bytes == Array(SHA256.hash(data: bytes)))
            #expect(summary.head.count == BlobLimits.headBytes)
            let blob = try #require(try await world.blobs.blob(summary.digest, of: world.acme))
            let part = try await world.blobs.digest(of: blob, from: 5, count: Int64(BlobLimits.readBytes) + 1)
            #expect(part.bytes == Array(SHA256.hash(data: bytes[5..<(BlobLimits.readBytes + 6)])))
        }
    }

    @Test("bytes that begin elsewhere than where the upload stands are refused, and change nothing")
    func wrongOffset() async throws {
        try await World.with { world in
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            try await world.blobs.append(ByteBuffer(string: "abc"), to: upload, at: 0, of: world.acme)
            for offset: Int64 in [0, 2, 4, .max] {
                let error = await Self.refusal {
                    try await world.blobs.append(ByteBuffer(string: "x"), to: upload, at: offset, of: world.acme)
                }
                #expect(error?.isElsewhere == true)
            }
            #expect(try await world.blobs.received(upload, of: world.acme) == 3)
        }
    }

    @Test("of two who send one upload at once, one is refused, and nobody's bytes are mixed")
    func twoSenders() async throws {
        try await World.with { world in
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            var held: LockedFile? = try LockedFile(world.blobs.path(of: upload, world.acme))
            let error = await Self.refusal {
                try await world.blobs.append(ByteBuffer(string: "x"), to: upload, at: 0, of: world.acme)
            }
            #expect(error?.isBusy == true)
            #expect(held?.size == 0)
            held = nil
            let sent = await withTaskGroup(of: Bool.self) { group in
                for letter in ["a", "b", "c", "d", "e", "f", "g", "h"] {
                    group.addTask {
                        await Self.refusal {
                            let bytes = ByteBuffer(string: String(repeating: letter, count: 1000))
                            try await world.blobs.append(bytes, to: upload, at: 0, of: world.acme)
                        } == nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(sent == 1)
            let summary = try await world.blobs.finish(upload, of: world.acme) { _, _ in }
            let text = try #require(try await world.text(summary.digest, of: world.acme))
            #expect(text.count == 1000)
            #expect(Set(text).count == 1)
        }
    }

    @Test("what is refused at the end stays an upload, and what is given up is gone")
    func refusedAndAbandoned() async throws {
        struct NotWanted: Error {}
        try await World.with { world in
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            try await world.blobs.append(ByteBuffer(string: "abc"), to: upload, at: 0, of: world.acme)
            await #expect(throws: NotWanted.self) {
                try await world.blobs.finish(upload, of: world.acme) { _, _ in throw NotWanted() }
            }
            #expect(try await world.blobs.received(upload, of: world.acme) == 3)
            #expect(try await world.blobs.blobs(of: world.acme) == [])
            try await world.blobs.abandon(upload, of: world.acme)
            try await world.blobs.abandon(upload, of: world.acme)
            #expect(try await world.blobs.received(upload, of: world.acme) == nil)
            let error = await Self.refusal {
                try await world.blobs.append(ByteBuffer(string: "x"), to: upload, at: 3, of: world.acme)
            }
            #expect(error?.isGone == true)
        }
    }

    @Test("who held an upload open while it became a blob can not write into the blob")
    func lateWriter() async throws {
        try await World.with { world in
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            try await world.blobs.append(ByteBuffer(string: "abc"), to: upload, at: 0, of: world.acme)
            let summary = try await world.blobs.finish(upload, of: world.acme) { _, _ in
                let error = await Self.refusal {
                    try await world.blobs.append(ByteBuffer(string: "x"), to: upload, at: 3, of: world.acme)
                }
                #expect(error?.isBusy == true)
            }
            let error = await Self.refusal {
                try await world.blobs.append(ByteBuffer(string: "x"), to: upload, at: 3, of: world.acme)
            }
            #expect(error?.isGone == true)
            #expect(try await world.text(summary.digest, of: world.acme) == "abc")
        }
    }

    @Test("the same bytes are one file of a tenant, and two tenants share none")
    func tenantsShareNothing() async throws {
        try await World.with { world in
            let first = try await world.upload("same", of: world.acme)
            let again = try await world.upload("same", of: world.acme)
            let theirs = try await world.upload("same", of: world.rival)
            #expect(first.digest == again.digest)
            #expect(first.digest == theirs.digest)
            #expect(try await world.blobs.blobs(of: world.acme).count == 1)
            #expect(world.serial(first.digest, of: world.acme) != world.serial(first.digest, of: world.rival))
            try await world.blobs.remove(first.digest, of: world.acme)
            #expect(try await world.text(first.digest, of: world.acme) == nil)
            #expect(try await world.text(first.digest, of: world.rival) == "same")
            try await world.blobs.purge(world.rival)
            #expect(try await world.blobs.tenants() == [world.acme])
        }
    }

    @Test("a blob that is removed while it is read is read to its end")
    func removedWhileRead() async throws {
        try await World.with { world in
            let summary = try await world.upload("read me", of: world.acme)
            let blob = try #require(try await world.blobs.blob(summary.digest, of: world.acme))
            try await world.blobs.remove(summary.digest, of: world.acme)
            #expect(String(buffer: try await world.blobs.read(blob, 100, at: 5)) == "me")
            #expect(try await world.blobs.read(blob, 100, at: 7).readableBytes == 0)
        }
    }

    @Test("upkeep removes what nothing names, but nothing that is new or under way")
    func upkeep() async throws {
        try await World.with { world in
            let named = try await world.upload("named", of: world.acme)
            let unnamed = try await world.upload("unnamed", of: world.acme)
            let (open, stray) = (UploadID(high: 7, low: 1), UploadID(high: 7, low: 2))
            for upload in [open, stray] { try await world.blobs.begin(upload, of: world.acme) }
            func tidy(_ age: Duration) async throws -> [Int] {
                [
                    try await world.blobs.removeBlobs(
                        of: world.acme, except: [named.digest], unnamedFor: age, grace: age),
                    try await world.blobs.removeUploads(of: world.acme, except: [open], olderThan: age),
                ]
            }
            #expect(try await tidy(.seconds(3600)) == [0, 0])
            // First it is marked, then it goes; what is named again in between stays.
            #expect(try await tidy(.zero) == [0, 1])
            #expect(try await world.text(unnamed.digest, of: world.acme) == "unnamed")
            _ = try await world.upload("unnamed", of: world.acme)
            #expect(try await tidy(.zero) == [0, 0])
            #expect(try await tidy(.zero) == [1, 0])
            #expect(try await world.text(named.digest, of: world.acme) == "named")
            #expect(try await world.text(unnamed.digest, of: world.acme) == nil)
            #expect(try await world.blobs.received(open, of: world.acme) == 0)
            #expect(try await world.blobs.received(stray, of: world.acme) == nil)
            #expect(
                try await world.blobs.removeBlobs(
                    of: world.rival, except: [], unnamedFor: .zero, grace: .zero) == 0)
        }
    }

    @Test("what the disk says no to is an error that names the file, and leaves what was there")
    func diskErrors() async throws {
        try await World.with { world in
            // Something that is no directory stands where the tenant's is to be.
            let home = world.blobs.home(of: world.acme)
            try Data().write(to: URL(filePath: home))
            let error = await Self.refusal {
                try await world.blobs.begin(UploadID(high: 1, low: 9), of: world.acme)
            }
            #expect(error?.description.contains(home) == true)
            // Something that is no file stands where a blob is.
            let summary = try await world.upload("x", of: world.rival)
            let path = world.blobs.path(of: summary.digest, world.rival)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            await #expect(throws: BlobError.self) { try await world.blobs.blob(summary.digest, of: world.rival) }
            #expect(try await world.blobs.blobs(of: world.rival) == [])
        }
    }

    @Test("a link in the place of an upload is not followed")
    func links() async throws {
        try await World.with { world in
            let upload = UploadID(now: WallClock.system.now)
            try await world.blobs.begin(upload, of: world.acme)
            let (path, other) = (world.blobs.path(of: upload, world.acme), world.directory + "/other")
            try Data().write(to: URL(filePath: other))
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: other)
            let error = await Self.refusal {
                try await world.blobs.append(ByteBuffer(string: "x"), to: upload, at: 0, of: world.acme)
            }
            #expect(error != nil)
            #expect(FileStatus(of: other)?.size == 0)
        }
    }
}
