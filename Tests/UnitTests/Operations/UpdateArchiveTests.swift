import Base
import Testing

@testable import Operations

/// What is read of SWUpdate's archives.
@Suite("Archives and descriptions of updates")
struct UpdateArchiveTests {
    /// An entry as cpio writes it; `size` and `length` may be lies.
    static func entry(
        _ name: String, _ content: [UInt8] = [], magic: String = "070701", size: Int? = nil, length: Int? = nil
    ) -> [UInt8] {
        var fields = [Int](repeating: 0, count: 13)
        fields[6] = size ?? content.count
        fields[11] = length ?? name.utf8.count + 1
        var bytes = Array(magic.utf8)
        for field in fields {
            let digits = String(field, radix: 16)
            bytes += Array((String(repeating: "0", count: max(0, 8 - digits.count)) + digits).utf8)
        }
        bytes += Array(name.utf8) + [0]
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
        bytes += content
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
        return bytes
    }

    /// Walks bytes as they would be read from a blob.
    static func walk(_ bytes: [UInt8]) throws -> [ArchiveWalk.File] {
        var walk = ArchiveWalk(size: Int64(bytes.count))
        while !walk.isAtEnd {
            let start = Int(min(walk.position, Int64(bytes.count)))
            try walk.take(Array(bytes[start...].prefix(ArchiveWalk.headBytes)))
        }
        return walk.files
    }

    @Test("the files of an archive are found where they lie", arguments: ["070701", "070702"])
    func files(magic: String) throws {
        let end = Self.entry("TRAILER!!!", magic: magic)
        let bytes = Self.entry("sw-description", [1, 2, 3], magic: magic) + Self.entry("b", [4], magic: magic) + end
        let files = try Self.walk(bytes + [0, 0, 0, 0])
        #expect(files.map(\.name) == ["sw-description", "b"])
        #expect(files.map { Array(bytes[Int($0.offset)..<Int($0.offset + $0.size)]) } == [[1, 2, 3], [4]])
        #expect(ArtifactType(head: bytes) == .swu)
    }

    static let end = entry("TRAILER!!!")
    static let malformed: [(what: String, bytes: [UInt8])] = [
        ("nothing", []), ("no end", entry("a", [1])), ("another form", entry("a", magic: "070707") + end),
        ("longer than the file", entry("a", [1], size: 0xFFFF_FFFF) + end),
        ("one byte longer", Array((entry("a", [1, 2, 3, 4]) + end).prefix(entry("a").count + 3))),
        ("the same name twice", entry("a", [1]) + entry("a", [2]) + end),
        ("a name without an end", entry("a", length: 300) + end), ("no name", entry("", length: 0) + end),
        ("no digits", Array("0707010000000G".utf8) + [UInt8](repeating: 48, count: 200)),
        ("cut in the head", Array(entry("a", [1]).prefix(60))),
        ("a zero in the name", entry("a\u{0}b", [1]) + end),
        ("too many files", (0...OperationLimits.archiveFiles).flatMap { entry("f\($0)") } + end),
    ]

    @Test("what is no whole archive, or can be read in two ways, is refused", arguments: malformed.indices)
    func refused(index: Int) {
        #expect(throws: ArchiveWalk.Malformed.self, "\(Self.malformed[index].what)") {
            try Self.walk(Self.malformed[index].bytes)
        }
    }

    private static let hash = String(repeating: "ab", count: 32)

    @Test("a description's files are found wherever they stand, in libconfig and in JSON")
    func described() throws {
        let text = """
            # of a gateway
            software = {
                version = "1.0" "." "2"; // put together
                /* by hardware = { } */
                gateway: {
                    stable: { images: (
                        { filename = "a.img"; sha256 = "\(Self.hash)"; size = 0x10L; ok = TRUE; rate = -1.5e3 },
                        { filename = "b\\"c.img", sha256 = "$hash" }
                    ); scripts = ( { filename: "s.lua" } ) };
                };
                compatible = [ "1.0", "1.2" ];
            };
            """
        let description = try #require(SoftwareDescription(Array(text.utf8)))
        #expect(description.files.map(\.name) == ["a.img", "b\"c.img", "s.lua"])
        #expect(description.files.map { $0.sha256?.hex } == [Self.hash, nil, nil])
        let json = #"{"software": {"images": [{"filename": "a", "sha256": "\#(Self.hash)"}]}}"#
        #expect(SoftwareDescription(Array(json.utf8))?.files.map(\.name) == ["a"])
    }

    static let texts = [
        "software = {", "software", "= 3;", "a = ( 1, 2", "a = \"x", "a = \"\\", "a = \"\\xg0\";", "a = 1; a = 2;",
        "@include \"/etc/passwd\"", "a = { b = 1; ]", "<software/>", "a = }", "a = [ 1 2 ];",
        String(repeating: "a = { ", count: 40), String(repeating: "[", count: 1000),
    ]

    @Test("what is no description is not understood", arguments: texts)
    func unreadable(text: String) {
        #expect(SoftwareDescription(Array(text.utf8)) == nil)
    }

    @Test("a type is what the first bytes say")
    func types() {
        let heads: [(String, ArtifactType)] = [
            ("hsqs....", .rauc), ("!<arch>\ndebian-binary", .deb), ("!<arch>\nother", .binary), ("", .binary),
            ("0707", .binary), (" \n{ \"bomFormat\": \"CycloneDX\"", .cycloneDX), ("CycloneDX", .binary),
            ("{ \"bomFormat\": \"SPDX\"", .binary),
        ]
        for (text, type) in heads { #expect(ArtifactType(head: Array(text.utf8)) == type, "\(text)") }
        #expect(ArtifactType(head: [0x3D, 0xB8, 0xF3, 0x96, 0]) == .mcuboot)
        #expect(ArtifactType(head: [0x28, 0xB5, 0x2F, 0xFD]) == .zstd)
    }
}
