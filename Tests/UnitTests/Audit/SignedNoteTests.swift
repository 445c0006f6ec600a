import Base
import Crypto
import Testing

@testable import Audit

@Suite struct SignedNoteTests {
    /// The example of Go's `golang.org/x/mod/sumdb/note`, the form's first implementation.
    static let neumannKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let neumannNote = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

        """

    @Test("a note that another implementation signed is verified")
    func foreign() throws {
        let key = try #require(NoteVerifier(Self.neumannKey))
        let note = try #require(SignedNote(Self.neumannNote))
        #expect(key.verifies(note))
        #expect(key.description == Self.neumannKey)
        #expect(note.encoded == Self.neumannNote)
        var changed = note
        changed.text = note.text.replacing("cryptography", with: "Cryptography")
        #expect(!key.verifies(changed))
    }

    @Test("a key whose identifier does not fit its name is refused")
    func wrongKey() {
        #expect(NoteVerifier(Self.neumannKey.replacing("Peter", with: "Petra")) == nil)
        #expect(NoteVerifier("name") == nil)
        #expect(NoteVerifier(name: "a b", publicKey: [UInt8](repeating: 0, count: 32)) == nil)
        #expect(NoteVerifier(name: "a+b", publicKey: [UInt8](repeating: 0, count: 32)) == nil)
    }

    @Test(
        "what is no note is refused",
        arguments: [
            "", "\n", "\n\n", "text\n", "text\n\n", "text\n\nno dash\n", "text\n\n\u{2014} name\n",
            "text\n\n\u{2014} name !!!!\n", "text\n\n\u{2014} name AAAA\n", "te\u{1}xt\n\n\u{2014} name AAAAAAAA\n",
            "text\n\n\u{2014} name AAAAAAAA", "text\n\u{2014} name AAAAAAAA\n",
        ])
    func malformed(text: String) {
        #expect(SignedNote(text) == nil)
    }

    @Test("a checkpoint is read as it was written, extension lines are passed over")
    func checkpoint() throws {
        let checkpoint = Checkpoint(origin: "localhost/audit/platform", size: 42, root: .empty)
        #expect(
            checkpoint.text == "localhost/audit/platform\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
        #expect(Checkpoint(text: checkpoint.text) == checkpoint)
        #expect(Checkpoint(text: checkpoint.text + "more\n") == checkpoint)
    }

    @Test("a declared restoration is read as it was written, and only as it was written")
    func restoration() throws {
        let key = try #require(NoteVerifier(Self.neumannKey))
        let restoration = AuditRestoration(
            backup: "tidegate-20261121T061500Z-5f0c2a91", time: Timestamp(microseconds: 1_790_000_000_000_000),
            kept: 40,
            key: key)
        let checkpoint = Checkpoint(
            origin: "localhost/audit/platform", size: 42, root: .empty, restoration: restoration)
        let plain = Checkpoint(origin: "localhost/audit/platform", size: 42, root: .empty).text
        #expect(
            checkpoint.text == plain
                + """
                restored tidegate-20261121T061500Z-5f0c2a91
                restored-at 2026-09-21T14:13:20Z
                kept 40
                next-key \(Self.neumannKey)

                """)
        #expect(Checkpoint(text: checkpoint.text) == checkpoint)
        for (from, to) in [
            ("kept 40", "kept 040"), ("kept 40", "kept -1"), ("next-key P", "next-key Q"), ("kept 40\n", ""),
        ] {
            #expect(Checkpoint(text: checkpoint.text.replacing(from, with: to))?.restoration == nil)
        }
        #expect(Checkpoint(text: checkpoint.text + "more\n")?.restoration == nil)
    }

    @Test("a log's tenant is told by its name")
    func origin() {
        let tenant = TenantID(high: 7, low: 9)
        #expect(AuditOrigin.tenant(AuditOrigin.name(deployment: "fleet.example.com", tenant: tenant)) == tenant)
        #expect(AuditOrigin.tenant("fleet.example.com/audit/platform") == .platform)
        #expect(AuditOrigin.tenant("fleet.example.com/other/platform") == nil)
    }

    @Test(
        "what is no checkpoint is refused",
        arguments: [
            "", "a\n1\n", "a\n1\nAAAA\n", "a\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "a\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "a\n99999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ])
    func malformedCheckpoint(text: String) {
        #expect(Checkpoint(text: text) == nil)
    }
}
