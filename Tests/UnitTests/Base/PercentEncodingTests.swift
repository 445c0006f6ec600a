import Base
import Testing

@Suite("percent-encoding")
struct PercentEncodingTests {
    @Test("what is not unreserved is encoded, byte by byte, and comes back")
    func thereAndBack() {
        let text = "Aß z-._~/?&=+%\n\u{1F600}"
        #expect(
            text.percentEncoded == "A%C3%9F%20z-._~%2F%3F%26%3D%2B%25%0A%F0%9F%98%80")
        #expect(String(percentDecoding: text.percentEncoded) == text)
        #expect(String(percentDecoding: text.percentEncoded, plusIsSpace: true) == text)
    }

    @Test("a plus sign is a space in forms only")
    func plus() {
        #expect(String(percentDecoding: "a+b%2B") == "a+b+")
        #expect(String(percentDecoding: "a+b%2B", plusIsSpace: true) == "a b+")
    }

    @Test(
        "what stands for no text is refused",
        arguments: ["%", "%4", "%zz", "a%", "%C3", "%FF", "%C0%80", "%00", "a\u{0}b", "%ED%A0%80", "%+1", "% 1"])
    func refused(_ text: String) {
        #expect(String(percentDecoding: text) == nil)
    }

    @Test("digits are taken in either case")
    func cases() { #expect(String(percentDecoding: "%c3%9f%C3%9F") == "ßß") }
}
