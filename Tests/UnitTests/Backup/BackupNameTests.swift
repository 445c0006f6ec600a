import Base
import Blobs
import Storage
import Testing

@testable import Backup

@Suite("Names of backups and of what is in them")
struct BackupNameTests {
    @Test("a pair's name tells its moment, and sorts by it")
    func pair() throws {
        let moment = try #require(Timestamp(rfc3339: "2026-03-01T12:05:09Z"))
        let pair = BackupPair(id: [1, 2, 3, 4, 5], created: moment, archivesIn: "/a", keysIn: "/k")
        #expect(pair.name == "tidegate-20260301T120509Z-01020304")
        #expect(pair.archive == "/a/tidegate-20260301T120509Z-01020304.backup")
        #expect(pair.keys == "/k/tidegate-20260301T120509Z-01020304.keys")
        let read = try #require(BackupPair(name: pair.name, archivesIn: "/a", keysIn: "/k"))
        #expect(read == pair)
    }

    static let strangers = [
        "", "tidegate", "tidegate-20260301T120509Z", "tidegate-20260301T120509Z-0102030", "tidegate-2026-01020304",
        "other-20260301T120509Z-01020304", "tidegate-20261301T120509Z-01020304", "tidegate-20260301X120509Z-01020304",
        "tidegate-20260301T120509Z-01020304-copy",
    ]

    @Test("a file with another name is no backup of ours, so retention leaves it", arguments: strangers)
    func stranger(name: String) {
        #expect(BackupPair(name: name, archivesIn: "/a", keysIn: "/a") == nil)
    }

    private static let tenant = String(repeating: "0", count: 31) + "2"
    private static let digest = String(repeating: "ab", count: 32)

    @Test("a blob's entry names its tenant and its SHA-256")
    func blob() throws {
        let name = EntryName.blob(
            TenantID(high: 0, low: 2), try #require(BlobDigest(text: Self.digest)))
        #expect(name.description == "blobs/\(Self.tenant)/\(Self.digest)")
        #expect(EntryName(name.description) == name)
    }

    static let entries: [(String, EntryName?)] = [
        ("database", .database), ("partitions/2026-03-01", .partition("2026-03-01")),
        ("telemetry/log-0000000000000001.seg", .telemetry("log-0000000000000001.seg")),
        ("audit/checkpoints.log.1", .audit("checkpoints.log.1")), ("", nil), ("database/x", nil),
        ("blobs/x/y", nil), ("blobs/\(tenant)/..", nil), ("blobs/\(tenant)/" + digest.uppercased(), nil),
        ("blobs/\(tenant)/\(digest)/x", nil),
        ("keys/seal.key", nil),
        ("telemetry/../../etc/passwd", nil), ("telemetry/..", nil), ("telemetry/.x", nil), ("telemetry/", nil),
        ("/telemetry/x", nil), ("telemetry/a b", nil), ("audit/" + String(repeating: "a", count: 65), nil),
    ]

    @Test("an entry goes where its name says, and nowhere else", arguments: entries)
    func entry(text: String, name: EntryName?) {
        #expect(EntryName(text) == name)
        if let name { #expect(name.description == text) }
    }

    @Test("a partition's day is the day of its name", arguments: [0, 1, 20_513, 365_000] as [Int64])
    func day(day: Int64) {
        #expect(StoredChunks.day(named: StoredChunks.name(ofDay: day)) == day)
        #expect(StoredChunks.day(named: EntryName.sharedPartition) == nil)
    }

    @Test("a manifest is read as it was written, and nothing else is read")
    func manifest() throws {
        let manifest = BackupManifest(
            id: Array(0..<16), created: Timestamp(microseconds: 1_772_366_400_000_000), deployment: "fleet.example.com",
            program: "1.2.3", engine: .postgres)
        #expect(BackupManifest(manifest.bytes) == manifest)
        #expect(BackupManifest(Array("{}".utf8)) == nil)
        #expect(BackupManifest(Array(manifest.bytes.dropLast())) == nil)
    }
}
