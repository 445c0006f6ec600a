import Base
import Testing

@Suite struct JSONParsingTests {
    @Test(
        "a JSON text becomes its value",
        arguments: [
            ("null", JSONValue.null), (" true ", true), ("[]", []), ("{}", [:]), ("-0", 0), ("0.5", .number(0.5)),
            ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("1e2", .number(100)), ("\"\\u00e9\\ud83d\\ude00\\n\\/\"", "é😀\n/"),
            ("{\"a\":[1,{\"b\":null}]}", ["a": [1, ["b": .null]]]),
        ] as [(String, JSONValue)])
    func parses(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == value)
    }

    @Test(
        "what is not JSON is refused with the place where it went wrong",
        arguments: [
            ("", ""), ("nul", ""), ("[1,]", "/1"), ("[1 2]", ""), ("{\"a\":1,}", ""), ("{\"a\" 1}", ""),
            ("{\"a\":tru}", "/a"), ("{\"a\":[0,01]}", "/a"), ("1.", ""), ("1e", ""), ("1e999", ""), ("+1", ""),
            ("\"\\ud800\"", ""), ("\"\\x\"", ""), ("\"\n\"", ""), ("\"a", ""), ("1 2", ""),
            ("{\"a/b\":[,]}", "/a~1b/0"),
            ("{\"a\":1,\"a\":2}", "/a"), ("\u{FEFF}1", ""), ("\"\\u12\"", ""), ("{1:2}", ""), ("[", "/0"), ("\\", ""),
        ] as [(String, String)])
    func refuses(text: String, pointer: String) {
        let fault = #expect(throws: JSONFault.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(fault?.pointer == pointer)
    }

    @Test("bytes that are not UTF-8 are refused")
    func refusesBadText() {
        #expect(throws: JSONFault.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONFault.self) { try JSONValue(parsing: [0x22, 0xC0, 0x80, 0x22]) }
    }

    @Test("depth and length are bounded")
    func bounds() throws {
        let limits = JSONLimits(bytes: 100, depth: 3)
        #expect(throws: Never.self) { try JSONValue(parsing: Array("[[[1]]]".utf8), limits: limits) }
        #expect(throws: JSONFault.self) { try JSONValue(parsing: Array("[[[[1]]]]".utf8), limits: limits) }
        #expect(throws: JSONFault.self) { try JSONValue(parsing: Array(repeating: 0x20, count: 101), limits: limits) }
        #expect(throws: JSONFault.self) { try JSONValue(parsing: Array(repeating: UInt8(ascii: "["), count: 1 << 20)) }
    }

    @Test("every cut of a valid text is refused without a trap")
    func cuts() {
        let text = Array("{\"name\":\"m\\u0041\",\"list\":[1,-2.5e3,true,null]}".utf8)
        for length in 0..<text.count {
            #expect(throws: JSONFault.self) { try JSONValue(parsing: Array(text[..<length])) }
        }
    }

    @Test("the canonical text of a value parses to the same value")
    func roundTrip() throws {
        let value: JSONValue = ["z": [1, .number(2.5), "a\"\\\u{1}é"], "a": ["": .null, "~/": true]]
        #expect(try JSONValue(parsing: Array(value.canonical.utf8)) == value)
    }
}
