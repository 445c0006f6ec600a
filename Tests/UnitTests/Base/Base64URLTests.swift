import Base
import Testing

@Suite("base64url")
struct Base64URLTests {
    @Test(
        "the vectors of RFC 4648 read and write",
        arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")])
    func vectors(plain: String, encoded: String) {
        #expect(Array(plain.utf8).base64URL == encoded)
        #expect([UInt8](base64URL: encoded) == Array(plain.utf8))
    }

    @Test("all bytes come back, in any length")
    func all() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 251) }
            #expect([UInt8](base64URL: bytes.base64URL) == bytes)
        }
        #expect([0xFB, 0xFF, 0xBF].base64URL == "-_-_")
    }

    @Test(
        "there is one text for each value: padding, white space, other alphabets and left-over bits are refused",
        arguments: ["Zg==", "Zm9vYg=", "Zm 9v", "Zm9v\n", "+/+/", "Z", "Zh", "Zm9vY", "Zm9", "Ä"])
    func strict(text: String) { #expect([UInt8](base64URL: text) == nil) }
}
