import Base
import Crypto
import Foundation
import Testing

/// Makes updates as a vendor does: keys and signatures by openssl, the archive as `cpio -o -H crc` writes it.
struct UpdateWorkshop: Sendable {
    let directory: String

    init(_ directory: String) throws {
        self.directory = directory + "/workshop"
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
    }

    @discardableResult
    func openssl(_ arguments: String...) async throws -> String {
        let done = try await SystemProgram.run("openssl", arguments, in: directory)
        try #require(done.status == 0, "\(arguments): \(done.output)")
        return done.output
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(name)"))
    }

    func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: "\(directory)/\(name)"))) }

    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    /// A key and a certificate that it signed itself, `NAME.key` and `NAME.pem`.
    func certificate(_ name: String, _ key: [String] = ["rsa:2048"], subject: String? = nil) async throws -> String {
        let command =
            ["req", "-x509", "-newkey"] + key
            + [
                "-nodes", "-keyout", "\(name).key", "-out", "\(name).pem", "-days", "300", "-subj",
                "/CN=\(subject ?? name)",
            ]
        let done = try await SystemProgram.run("openssl", command, in: directory)
        try #require(done.status == 0, "\(done.output)")
        return try text("\(name).pem")
    }

    /// The detached CMS signature of some bytes, as SWUpdate's documentation has it made.
    func signed(_ bytes: [UInt8], by name: String, more: [String] = []) async throws -> [UInt8] {
        try write("content", bytes)
        let command =
            [
                "cms", "-sign", "-in", "content", "-out", "content.sig", "-signer", "\(name).pem", "-inkey",
                "\(name).key", "-outform", "DER", "-nosmimecap", "-binary",
            ] + more
        let done = try await SystemProgram.run("openssl", command, in: directory)
        try #require(done.status == 0, "\(done.output)")
        return try read("content.sig")
    }

    static func description(_ files: [(name: String, bytes: [UInt8])], hashed: Bool = true) -> [UInt8] {
        let images = files.map { file in
            let hash = hashed ? "sha256 = \"\(Array(SHA256.hash(data: file.bytes)).hex)\";" : ""
            return "{ filename = \"\(file.name)\"; type = \"raw\"; device = \"/dev/null\"; \(hash) }"
        }
        return Array(
            """
            software = {
                version = "2.4.0";  # what devices report
                hardware-compatibility: [ "1.0", "1.2" ];
                images: ( \(images.joined(separator: ",\n")) );
            };
            """.utf8)
    }

    /// An archive of these files.
    static func archive(_ files: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        var archive: [UInt8] = []
        for (name, bytes) in files + [("TRAILER!!!", [])] {
            let sum = bytes.reduce(UInt32(0)) { $0 &+ UInt32($1) }
            let fields: [UInt32] = [
                1, 0o100644, 0, 0, 1, 0, UInt32(bytes.count), 0, 0, 0, 0, UInt32(name.utf8.count + 1), sum,
            ]
            archive += Array("070702".utf8)
            for field in fields {
                let digits = String(field, radix: 16)
                archive += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
            }
            archive += Array(name.utf8) + [0]
            while !archive.count.isMultiple(of: 4) { archive.append(0) }
            archive += bytes
            while !archive.count.isMultiple(of: 4) { archive.append(0) }
        }
        return archive
    }

    /// An update of these files, signed by somebody or not.
    func update(_ files: [(name: String, bytes: [UInt8])], by signer: String?, hashed: Bool = true) async throws
        -> [UInt8]
    {
        let description = Self.description(files, hashed: hashed)
        var all = [(name: "sw-description", bytes: description)]
        if let signer { all.append(("sw-description.sig", try await signed(description, by: signer))) }
        return Self.archive(all + files)
    }
}
