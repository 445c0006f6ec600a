import Base
import Foundation
import Testing

@testable import Delivery

@Suite("Mails as they are handed to a mail server")
struct DeliveryMailTests {
    private func mail(
        subject: String = "Hello", text: String = "Hi", name: String = "Tidegate",
        attachments: [OutboundMessage.Attachment] = []
    ) throws -> String {
        String(
            decoding: MailMessage(
                from: try #require(MailAddress("fleet@example.com")), fromName: name,
                to: try #require(MailAddress("ada@example.org")), subject: subject, text: text,
                attachments: attachments, id: DeliveryID(high: 1, low: 2),
                date: try #require(Timestamp(rfc3339: "2026-03-01T07:08:09Z"))
            ).bytes, as: UTF8.self)
    }

    @Test("a plain mail is exactly this")
    func plain() throws {
        #expect(
            try mail(text: "Dear Ada,\n\nit works.\n") == """
                Date: Sun, 01 Mar 2026 07:08:09 +0000\r
                From: Tidegate <fleet@example.com>\r
                To: ada@example.org\r
                Subject: Hello\r
                Message-ID: <00000000000000010000000000000002@example.com>\r
                Auto-Submitted: auto-generated\r
                MIME-Version: 1.0\r
                Content-Type: text/plain; charset=utf-8\r
                Content-Transfer-Encoding: quoted-printable\r
                \r
                Dear Ada,\r
                \r
                it works.\r

                """)
    }

    @Test(
        "a day has its weekday",
        arguments: [
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 +0000"),
            ("2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 +0000"),
            ("1969-12-31T23:00:00Z", "Wed, 31 Dec 1969 23:00:00 +0000"),
        ])
    func date(text: String, expected: String) throws {
        #expect(MailMessage.date(try #require(Timestamp(rfc3339: text))) == expected)
    }

    @Test(
        "a subject of any language is encoded words that decode each by itself, on short lines",
        arguments: [
            "Grüße aus Köln", "設定リンク", String(repeating: "Ä", count: 200), String(repeating: "word ", count: 40),
            "=?utf-8?B?SGk=?=", " spaces ", "👩‍👩‍👧‍👦 " + String(repeating: "🎉", count: 60),
        ])
    func subject(text: String) throws {
        let field = EncodedWords.field(text, behind: 9)
        var decoded: [UInt8] = []
        for (index, line) in field.components(separatedBy: "\r\n ").enumerated() {
            #expect(line.utf8.count + (index == 0 ? 9 : 1) <= 76 && line.utf8.count <= 75)
            #expect(line.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            #expect(line.hasPrefix("=?utf-8?B?") && line.hasSuffix("?="))
            let part = Array(try #require(Data(base64Encoded: String(line.dropFirst(10).dropLast(2)))))
            #expect(String(validating: part, as: UTF8.self) != nil, "a character is cut in two")
            decoded += part
        }
        #expect(String(decoding: decoded, as: UTF8.self) == text)
    }

    @Test(
        "a body comes back as it was, on lines of at most 76 characters",
        arguments: [
            "", "plain", "ä=ö\n", ".\n..\n.hidden", "From here\n", "trailing space \nand tab\t\n", "a\r\nb\nc\rd",
            String(repeating: "x", count: 1000), String(repeating: "ü", count: 300), "nul \u{0} and \u{1b}[31m",
        ])
    func quotedPrintable(text: String) throws {
        let encoded = QuotedPrintable.encoded(text)
        #expect(encoded.hasSuffix("\r\n"))
        for line in encoded.components(separatedBy: "\r\n") {
            #expect(line.utf8.count <= 76 && line.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 9 })
            #expect(!line.hasPrefix(".") && !line.hasPrefix("From ") && !line.hasSuffix(" ") && !line.hasSuffix("\t"))
        }
        var decoded: [UInt8] = []
        var rest = Array(encoded.replacingOccurrences(of: "=\r\n", with: "").utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "=") {
                decoded += try #require([UInt8](hex: String(decoding: rest.prefix(2), as: UTF8.self).lowercased()))
                rest = rest.dropFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        let lines = text.replacingOccurrences(of: "\r\n", with: "\n").replacingOccurrences(of: "\r", with: "\n")
        let expected = (lines.hasSuffix("\n") ? lines : lines + "\n").replacingOccurrences(of: "\n", with: "\r\n")
        #expect(String(decoding: decoded, as: UTF8.self) == expected)
    }

    @Test("files travel as base64 behind the text")
    func attachments() throws {
        let file = OutboundMessage.Attachment(
            name: "report.csv", mediaType: "text/csv", bytes: Array(String(repeating: "1;2;3\n", count: 50).utf8))
        let text = try mail(attachments: [file])
        #expect(text.contains("Content-Type: multipart/mixed; boundary=\""))
        #expect(text.contains("Content-Disposition: attachment; filename=\"report.csv\"\r\n"))
        #expect(text.components(separatedBy: "\r\n").allSatisfy { $0.utf8.count <= 78 })
        let base64 = text.components(separatedBy: "base64\r\n\r\n")[1].components(separatedBy: "\r\n--=_")[0]
        #expect(Data(base64Encoded: base64.replacingOccurrences(of: "\r\n", with: "")) == Data(file.bytes))
    }

    @Test(
        "what would begin another header field, or is no address, is refused",
        arguments: [
            .mail(to: "ada@example.org", subject: "a\r\nBcc: eve@example.net", text: ""),
            .mail(to: "ada@example.org", subject: "a\u{2028}b", text: ""),
            .mail(to: "ada@example.org\r\nBcc: eve@example.net", subject: "", text: ""),
            .mail(to: "ada@example.org, eve@example.net", subject: "", text: ""),
            .mail(to: "Ada <ada@example.org>", subject: "", text: ""), .mail(to: "", subject: "", text: ""),
            .mail(to: "ada@", subject: "", text: ""), .mail(to: "@example.org", subject: "", text: ""),
            .mail(to: "ada@exa mple.org", subject: "", text: ""), .mail(to: "a..b@example.org", subject: "", text: ""),
            .mail(to: "ädä@example.org", subject: "", text: ""),
            .mail(to: "ada@example.org>", subject: "", text: ""),
            .mail(to: "ada@-example.org", subject: "", text: ""),
            .mail(to: "ada@example.org", subject: "a", text: "nul \u{0}"),
            .mail(
                to: "ada@example.org", subject: "a", text: "",
                attachments: [.init(name: "a\"\r\nX: y", mediaType: "text/csv", bytes: [])]),
            .mail(
                to: "ada@example.org", subject: "a", text: "",
                attachments: [.init(name: "a", mediaType: "text/csv\r\nX: y", bytes: [])]),
            .sms(to: "004930123456", text: "x"), .sms(to: "+4930 123456", text: "x"), .sms(to: "+49", text: "x"),
            .sms(to: "+49301234567", text: ""),
        ] as [OutboundMessage])
    func refused(message: OutboundMessage) {
        #expect(throws: Refusal(.invalid, "delivery.message", "")) { try message.check() }
    }

    @Test("a name beside the address can neither end its line nor add an address")
    func names() throws {
        for name in ["Ada \"Countess\" Lovelace", "Müller & Söhne", "x>, eve@example.net <y", "a,b"] {
            let line = try #require(
                try mail(name: name).components(separatedBy: "\r\n").first { $0.hasPrefix("From: ") })
            #expect(line.hasPrefix("From: =?utf-8?B?") && line.hasSuffix("?= <fleet@example.com>"))
        }
    }

    @Test("what is kept in the queue comes back the same")
    func kept() throws {
        for message in [
            OutboundMessage.mail(
                to: "ada@example.org", subject: "ä", text: "b",
                attachments: [.init(name: "f", mediaType: "a/b", bytes: [0, 255])]),
            .sms(to: "+49301234567", text: "c"),
            .webhook(outlet: OutletID(high: 1, low: 1), event: "device.registered", body: ["a": [1, .null]]),
        ] {
            let bytes = Array(message.content.json.canonical.utf8)
            #expect(OutboundMessage.Content(message.kind, bytes) == message.content)
        }
        #expect(OutboundMessage.Content(.mail, Array("{}".utf8)) == nil)
    }
}
