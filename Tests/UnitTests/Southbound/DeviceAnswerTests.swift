import Base
import NIOCore
import Testing

@testable import Southbound

@Suite("Answers to devices")
struct DeviceAnswerTests {
    static let date = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)

    static func text(_ answer: Answer, closing: Bool = false) -> String {
        var buffer = ByteBuffer()
        answer.write(to: &buffer, date: date, closing: closing)
        return String(buffer: buffer)
    }

    @Test("an answer without content has no length")
    func noContent() {
        #expect(Self.text(.done) == "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
    }

    @Test("a stranger gets the status and nothing else")
    func bare() {
        #expect(
            Self.text(.bare(.unauthorized, headers: "WWW-Authenticate: Bearer\r\n"), closing: true) == """
                HTTP/1.1 401 Unauthorized\r
                Date: Sun, 06 Nov 1994 08:49:37 GMT\r
                Content-Length: 38\r
                Content-Type: application/problem+json\r
                WWW-Authenticate: Bearer\r
                Connection: close\r
                \r
                {"title":"Unauthorized","status":401}

                """)
    }

    @Test("a problem names its code, its faults and when to come back")
    func problem() throws {
        let refusal = Refusal(
            .limited, "telemetry.rate", "Slower.", detail: "never shown",
            faults: [Refusal.Fault(place: "/0", message: "late")], retryAfter: .milliseconds(1500))
        let text = Self.text(.problem(refusal, accepted: 3))
        #expect(text.hasPrefix("HTTP/1.1 429 Too Many Requests\r\n"))
        #expect(text.contains("Retry-After: 2\r\n"))
        #expect(
            text.hasSuffix(
                #"{"accepted":3,"code":"telemetry.rate","detail":"Slower.","faults":[{"message":"late","place":"/0"}],"#
                    + #""status":429,"title":"Too Many Requests","type":"urn:tidegate:problem:telemetry.rate"}"# + "\n")
        )
    }

    @Test(
        "a date is written as HTTP has it",
        arguments: [
            ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("2028-02-29T23:59:59.999Z", "Tue, 29 Feb 2028 23:59:59 GMT"),
            ("1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        ])
    func date(moment: String, text: String) throws {
        let moment = try #require(Timestamp(rfc3339: moment))
        #expect(String(decoding: HTTPDate().text(at: moment), as: UTF8.self) == text)
    }
}
