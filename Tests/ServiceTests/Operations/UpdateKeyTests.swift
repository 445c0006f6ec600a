import Base
import Foundation
import Testing

@testable import Trust

/// Signatures that openssl made, checked against what a tenant trusts.
@Suite("Signatures of updates")
struct UpdateKeyTests {
    private static let content = Array("software = { };".utf8)
    /// A minute from now: certificates are valid from the second in which they were made.
    private static var now: Timestamp { WallClock.system.now + .seconds(60) }

    private func with(_ body: (UpdateWorkshop) async throws -> Void) async throws {
        try await TestDatabase.withDirectory { try await body(UpdateWorkshop($0)) }
    }

    static let kinds: [(key: [String], more: [String], name: String)] = [
        (["rsa:2048"], [], "RSA 2048"),
        (["rsa:3072"], ["-md", "sha512"], "RSA 3072"),
        (["rsa:2048"], ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-1"], "RSA 2048"),
        (["rsa:2048"], ["-noattr"], "RSA 2048"),
        (["rsa:2048"], ["-nocerts"], "RSA 2048"),
        (["rsa:2048"], ["-keyid"], "RSA 2048"),
        (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], [], "P-256"),
        (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], ["-md", "sha384"], "P-384"),
    ]

    @Test("what openssl signs for a certificate is valid, and for another is not", arguments: kinds.indices)
    func cms(index: Int) async throws {
        let kind = Self.kinds[index]
        try await with { workshop in
            let key = try UpdateKey(pem: await workshop.certificate("mine", kind.key))
            let other = try UpdateKey(pem: await workshop.certificate("other", kind.key))
            #expect(key.algorithm == kind.name)
            #expect(key.subject?.contains("mine") == true)
            let signature = try await workshop.signed(Self.content, by: "mine", more: kind.more)
            #expect(key.hasSigned(Self.content, signature, at: Self.now))
            #expect(!other.hasSigned(Self.content, signature, at: Self.now))
            #expect(!key.hasSigned(Self.content + [0x20], signature, at: Self.now))
            // A certificate that has ended trusts nothing any more.
            #expect(!key.hasSigned(Self.content, signature, at: Self.now + .seconds(400 * 86_400)))
            for place in stride(from: 0, to: signature.count, by: 37) {
                var broken = signature
                broken[place] ^= 0x41
                // Whatever the byte meant, nothing traps; most say no, but some bytes say nothing of who signed.
                _ = key.hasSigned(Self.content, broken, at: Self.now)
            }
            for length in stride(from: 0, to: signature.count, by: 61) {
                #expect(!key.hasSigned(Self.content, Array(signature[..<length]), at: Self.now))
            }
        }
    }

    @Test("a signature by SHA-1, and one that brings its own content, is not taken")
    func weak() async throws {
        try await with { workshop in
            let key = try UpdateKey(pem: await workshop.certificate("mine"))
            let sha1 = try await workshop.signed(Self.content, by: "mine", more: ["-md", "sha1"])
            #expect(!key.hasSigned(Self.content, sha1, at: Self.now))
            let attached = try await workshop.signed(Self.content, by: "mine", more: ["-nodetach"])
            #expect(!key.hasSigned(Self.content, attached, at: Self.now))
        }
    }

    @Test("an authority's certificate trusts what it issued for signing, and nothing else")
    func authority() async throws {
        try await with { workshop in
            let authority = try UpdateKey(pem: await workshop.certificate("authority"))
            #expect(authority.kind == .authority)
            func issue(_ name: String, _ use: String, by issuer: String) async throws {
                try workshop.write("ext", Array("basicConstraints=CA:FALSE\nextendedKeyUsage=\(use)\n".utf8))
                try await workshop.openssl(
                    "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(name).key", "-out", "\(name).csr", "-subj",
                    "/CN=\(name)")
                try await workshop.openssl(
                    "x509", "-req", "-in", "\(name).csr", "-CA", "\(issuer).pem", "-CAkey", "\(issuer).key",
                    "-set_serial", "7", "-days", "30", "-extfile", "ext", "-out", "\(name).pem")
            }
            try await issue("signer", "codeSigning", by: "authority")
            #expect(
                authority.hasSigned(
                    Self.content, try await workshop.signed(Self.content, by: "signer"), at: Self.now))
            // Neither after the signer's certificate has ended, nor when it does not come along.
            let signature = try await workshop.signed(Self.content, by: "signer")
            #expect(!authority.hasSigned(Self.content, signature, at: Self.now + .seconds(40 * 86_400)))
            let bare = try await workshop.signed(Self.content, by: "signer", more: ["-nocerts"])
            #expect(!authority.hasSigned(Self.content, bare, at: Self.now))
            // The tenant's web servers sign no updates.
            try await issue("web", "serverAuth", by: "authority")
            #expect(
                !authority.hasSigned(Self.content, try await workshop.signed(Self.content, by: "web"), at: Self.now))
            // Another authority of the same name.
            _ = try await workshop.certificate("impostor", subject: "authority")
            try await issue("forged", "codeSigning", by: "impostor")
            #expect(
                !authority.hasSigned(Self.content, try await workshop.signed(Self.content, by: "forged"), at: Self.now))
        }
    }

    @Test(
        "a plain public key checks plain signatures as well",
        arguments: [[], ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"]])
    func plain(options: [String]) async throws {
        try await with { workshop in
            try await workshop.openssl("genrsa", "-out", "mine.key", "2048")
            try await workshop.openssl("rsa", "-in", "mine.key", "-pubout", "-out", "mine.pub")
            let key = try UpdateKey(pem: workshop.text("mine.pub"))
            #expect(key.kind == .publicKey)
            try workshop.write("content", Self.content)
            let command = ["dgst", "-sha256", "-sign", "mine.key"] + options + ["-out", "content.sig", "content"]
            let done = try await SystemProgram.run("openssl", command, in: workshop.directory)
            #expect(done.status == 0, "\(done.output)")
            let signature = try workshop.read("content.sig")
            #expect(key.hasSigned(Self.content, signature, at: Self.now))
            #expect(!key.hasSigned(Self.content + [1], signature, at: Self.now))
            #expect(!key.hasSigned(Self.content, signature.reversed(), at: Self.now))
            #expect(!key.hasSigned(Self.content, [], at: Self.now))
        }
    }

    @Test("what is no key is refused with a code of its own")
    func refused() async throws {
        try await with { workshop in
            _ = try await workshop.certificate("mine")
            let (pem, key) = (try workshop.text("mine.pem"), try workshop.text("mine.key"))
            let weak = try await workshop.certificate("weak", ["rsa:1024"])
            for (text, code) in [
                (key, "updateKey.private"), (pem + key, "updateKey.private"), (pem + pem, "updateKey.malformed"),
                ("", "updateKey.malformed"), ("hello", "updateKey.malformed"),
                (String(pem.dropLast(200)), "updateKey.malformed"),
                (weak, "updateKey.malformed"), (String(repeating: "x", count: 20_000), "updateKey.tooLarge"),
            ] {
                let refusal = #expect(throws: Refusal.self) { try UpdateKey(pem: text) }
                #expect(refusal?.code == code)
            }
        }
    }
}
