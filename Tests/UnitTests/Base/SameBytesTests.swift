import Base
import Testing

@testable import Fleet

/// What looks alike and is written otherwise.
@Suite("Texts that look alike")
struct SameBytesTests {
    private let composed: JSONValue = "Caf\u{E9}"
    private let decomposed: JSONValue = "Cafe\u{301}"

    @Test("JSON values are equal when their canonical texts are, and then alone")
    func values() throws {
        #expect(composed != decomposed && composed == "Caf\u{E9}")
        let pairs: [(JSONValue, JSONValue)] = [
            (["a": composed], ["a": decomposed]), ([composed], [decomposed]), (["\u{E9}": 1], ["e\u{301}": 1]),
            (["a": ["b": composed]], ["a": ["b": decomposed]]), (1, .number(1)), (.null, false), ([:], []),
        ]
        for (left, right) in pairs {
            #expect(left != right && !left.canonical.hasSameBytes(as: right.canonical))
            #expect(left == left && Set([left, left]).count == 1)
        }
    }

    @Test(
        "the pointer to a member leads back to it, whatever its names begin with",
        arguments: [
            ["net", "\u{301}x"], ["\u{301}x"], ["~\u{301}"], ["a/\u{301}", "~1"], ["", "/"], ["\u{D4E}", "x"],
        ])
    func pointers(steps: [String]) throws {
        let path = MemberPath(steps)
        let again = try #require(MemberPath(pointer: path.pointer))
        #expect(again.steps.map { Array($0.utf8) } == steps.map { Array($0.utf8) })
        var members: [String: JSONValue] = [:]
        members.setMember("secret", at: path)
        #expect(members[again] == "secret")
    }
}
