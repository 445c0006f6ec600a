import Base
import Testing

@testable import Backup

@Suite("The recovery key's text")
struct RecoveryKeyTests {
    @Test("a key written down is the same key when typed in again, with comments, breaks and spaces")
    func roundTrip() throws {
        let key = try RecoveryKey()
        let text = key.text
        #expect(text.hasPrefix("tgr1-"))
        for form in [
            text, " \(text)\r\n", "# a comment\n# another\n\(text)\n",
            text.replacing("-", with: " ").replacing("tgr1 ", with: "tgr1-"),
        ] {
            #expect(try RecoveryKey(form).publicKey.text == key.publicKey.text)
        }
        let broken = String(text.prefix(40)) + "\n" + text.dropFirst(40)
        #expect(try RecoveryKey(broken).publicKey.identifier == key.publicKey.identifier)
    }

    @Test("the public half survives its file, and is not the key")
    func publicHalf() throws {
        let key = try RecoveryKey()
        let read = try #require(RecoveryPublicKey("# comment\n\(key.publicKey.text)\n"))
        #expect(read.identifier == key.publicKey.identifier)
        #expect(!key.publicKey.text.contains(key.text.dropFirst(5).prefix(16)))
        #expect(RecoveryPublicKey("") == nil)
        #expect(RecoveryPublicKey("00ff") == nil)
    }

    static let malformed = ["", "tgr1-", "tgr1-00", "hello", String(repeating: "a", count: 72)]

    @Test("what is no key is refused", arguments: malformed)
    func refused(text: String) {
        #expect(throws: Refusal(.invalid, "backup.recoveryKeyMalformed", "")) { try RecoveryKey(text) }
    }

    @Test("one wrong digit is noticed, wherever it is")
    func digit() throws {
        let text = Array(try RecoveryKey().text)
        for index in text.indices.dropFirst(5) where text[index] != "-" {
            var other = text
            other[index] = other[index] == "0" ? "1" : "0"
            #expect(throws: Refusal(.invalid, "backup.recoveryKeyMalformed", "")) { try RecoveryKey(String(other)) }
        }
    }
}
