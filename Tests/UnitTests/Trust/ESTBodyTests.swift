import Base
import Foundation
import Testing

@testable import Trust

@Suite("bodies of EST")
struct ESTBodyTests {
    static let text = TrustTestRequests.p256plain
    static let unbroken = text.filter { $0 != "\n" }

    @Test(
        "a body may have line breaks or none, spaces around, or be PEM",
        arguments: [
            text, unbroken, text.replacingOccurrences(of: "\n", with: "\r\n"), " \r\n\(text)\n\n",
            "-----BEGIN CERTIFICATE REQUEST-----\n\(text)\n-----END CERTIFICATE REQUEST-----\n",
            "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n\(text)\r\n-----END NEW CERTIFICATE REQUEST-----",
        ])
    func tolerant(body: String) throws {
        #expect(try EST.decode(Array(body.utf8)) == Array(Data(base64Encoded: Self.unbroken) ?? Data()))
    }

    @Test("bare DER is taken as it is")
    func bareDER() throws {
        let der = Array(Data(base64Encoded: Self.unbroken) ?? Data())
        #expect(try EST.decode(der) == der)
    }

    @Test(
        "what is no base64 is refused",
        arguments: ["", " \n", "M", "MII!", "{\"csr\": 1}", "-----BEGIN", "-----BEGIN X-----\nMII"])
    func refused(body: String) {
        #expect(throws: Refusal(.invalid, "est.bodyMalformed", "")) { try EST.decode(Array(body.utf8)) }
    }

    @Test("a body larger than any request is refused unread")
    func tooLarge() {
        #expect(throws: Refusal(.tooLarge, "est.bodyTooLarge", "")) {
            try EST.decode(Array(repeating: UInt8(ascii: "M"), count: EST.bodyBytes + 1))
        }
    }

    @Test("base64 comes in lines of 64 characters, the last with its line break")
    func lines() {
        let text = String(decoding: EST.lines(Array(repeating: 0, count: 50)), as: UTF8.self)
        #expect(text == String(repeating: "A", count: 64) + "\nAAA=\n")
    }

    @Test("an empty certs-only message has the structure of RFC 5652")
    func emptyMessage() throws {
        #expect(
            try CertsOnly.encode([]).hex
                == "3025" + "06092a864886f70d010702" + "a018" + "3016" + "020101" + "3100" + "300b"
                + "06092a864886f70d010701" + "a000" + "3100")
    }

    @Test("csrattrs asks for ECDSA on P-256 with SHA-256")
    func attributes() throws {
        let body = String(decoding: try EST.attributesBody(), as: UTF8.self).filter { $0 != "\n" }
        #expect(
            Array(Data(base64Encoded: body) ?? Data()).hex
                == "3021" + "3015" + "06072a8648ce3d0201" + "310a" + "06082a8648ce3d030107" + "06082a8648ce3d040302")
    }
}
