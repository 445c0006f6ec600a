import Base
import Testing

@testable import SignIn

@Suite("codes from the time")
struct TimeCodeTests {
    static let secret = Array("12345678901234567890".utf8)

    static func moment(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    @Test(
        "RFC 6238's codes come out, of which the last six digits are shown",
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ] as [(Int64, String)])
    func vectors(seconds: Int64, code: String) {
        #expect(TimeCode.code(Self.secret, step: TimeCode.step(at: Self.moment(seconds))) == code.suffix(6))
    }

    @Test("the step itself and its two neighbours count, and none beyond")
    func neighbours() {
        let now = Self.moment(1_790_000_010)
        let step = TimeCode.step(at: now)
        for offset in -3...3 as ClosedRange<Int64> {
            let code = TimeCode.code(Self.secret, step: step + offset)
            let found = TimeCode.match(code, Self.secret, at: now, after: 0)
            #expect(found == (abs(offset) <= 1 ? step + offset : nil), "\(offset)")
        }
    }

    @Test("a step's code counts once, and no earlier one after it")
    func once() {
        let now = Self.moment(1_790_000_010)
        let step = TimeCode.step(at: now)
        for used in -1...1 as ClosedRange<Int64> {
            for offset in -1...1 as ClosedRange<Int64> {
                let code = TimeCode.code(Self.secret, step: step + offset)
                let found = TimeCode.match(code, Self.secret, at: now, after: step + used)
                #expect((found != nil) == (offset > used))
            }
        }
    }

    @Test("what is no code matches nothing", arguments: ["", "0", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-00001"])
    func nonsense(text: String) {
        #expect(TimeCode.match(text, Self.secret, at: Self.moment(59), after: 0) == nil)
    }

    @Test("spaces within a code are passed over, as programs show them")
    func spaces() {
        #expect(TimeCode.match("287 082", Self.secret, at: Self.moment(59), after: 0) == 1)
    }

    @Test("the address names issuer and account, and nothing in them can end its place")
    func address() {
        let text = TimeCode.address(secret: Self.secret, account: "a&b?c@x.example", issuer: "fleet:1")
        #expect(
            text == "otpauth://totp/fleet%3A1:a%26b%3Fc%40x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=fleet%3A1&algorithm=SHA1&digits=6&period=30")
    }

    @Test(
        "base32 is RFC 4648's, without padding",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ])
    func base32(text: String, encoded: String) {
        #expect(Base32.text(Array(text.utf8)) == encoded)
    }

    @Test("a QR code is drawn with its three corners and the border around")
    func picture() throws {
        let svg = try #require(QRPicture("otpauth://totp/x?secret=ABC")).svg
        let side = try #require(svg.firstMatch(of: /viewBox="0 0 (\d+) \d+"/).flatMap { Int($0.1) })
        var dark = [[Bool]](repeating: [Bool](repeating: false, count: side), count: side)
        for match in svg.matches(of: /M(\d+) (\d+)h(\d+)v1H(\d+)z/) {
            let (x, y, length) = (try #require(Int(match.1)), try #require(Int(match.2)), try #require(Int(match.3)))
            #expect(Int(match.4) == x)
            for column in x..<x + length { dark[y][column] = true }
        }
        let corner = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
        for (top, left) in [(4, 4), (4, side - 11), (side - 11, 4)] {
            let found = (0..<7).map { row in (0..<7).map { dark[top + row][left + $0] ? "1" : "0" }.joined() }
            #expect(found == corner)
        }
        #expect(!dark[side - 5][side - 5] || !dark[side - 11][side - 11] || !dark[side - 11][side - 5])
        for place in 0..<side {
            #expect(!dark[3][place] && !dark[place][3] && !dark[side - 4][place] && !dark[place][side - 4])
        }
        #expect(QRPicture(String(repeating: "x", count: SignInLimits.pictureBytes + 1)) == nil)
    }
}
