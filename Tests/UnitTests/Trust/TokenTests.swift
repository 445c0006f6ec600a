import Base
import Testing

@testable import Trust

@Suite("tokens")
struct TokenTests {
    /// A generator that only repeats itself, so that the expected text can be written down.
    struct Steps: RandomNumberGenerator {
        var state: UInt64 = 0
        mutating func next() -> UInt64 {
            state &+= 0x0BAD_CAFE_DEAD_BEEF
            return state
        }
    }

    @Test("a token reads back, with its kind")
    func readsBack() throws {
        let token = Token.make(kind: "enrol")
        let read = try #require(Token(token.text))
        #expect(read.kind == "enrol")
        #expect(read.hash == token.hash)
        #expect(token.hash.count == 32)
        #expect(token.text.wholeMatch(of: /tg_enrol_[0-9A-Za-z]{27}_[0-9A-Za-z]{6}/) != nil)
    }

    @Test("two tokens differ")
    func unique() {
        #expect(Set((0..<1000).map { _ in Token.make(kind: "api").text }).count == 1000)
    }

    @Test("the checksum is the CRC-32 in base 62, so that other programs can recognise a token")
    func checksum() throws {
        // CRC-32 of the text before the last underscore is 0x27A4E9A2 = 665119138, "0j0ls2" in base 62.
        #expect(Token("tg_api_000000000000000000000000000_0j0ls2") != nil)
    }

    @Test("one wrong character anywhere is noticed")
    func mistyped() {
        var steps = Steps()
        let text = Array(Token.make(kind: "api", using: &steps).text)
        for index in text.indices {
            var changed = text
            changed[index] = changed[index] == "x" ? "y" : "x"
            #expect(Token(String(changed)) == nil)
        }
    }

    @Test(
        "what was never a token is none",
        arguments: [
            "", "tg", "tg_api__", "tg_API_000000000000000000000000000_000000", "api-0123",
            String(repeating: "tg_", count: 100),
        ])
    func foreign(text: String) { #expect(Token(text) == nil) }

    @Test("a token in a log shows its kind only")
    func description() {
        let token = Token.make(kind: "api")
        #expect("\(token)" == "tg_api_…")
        #expect(!String(reflecting: token).contains(token.text))
        #expect(!String(describing: [token]).contains(token.text.suffix(20)))
    }

    @Test(
        "secrets compare by content",
        arguments: [([], [], true), ([1], [1], true), ([1], [2], false), ([1], [1, 1], false), ([], [0], false)]
            as [([UInt8], [UInt8], Bool)])
    func constantTime(left: [UInt8], right: [UInt8], equal: Bool) {
        #expect(ConstantTime.equal(left, right) == equal)
    }
}
