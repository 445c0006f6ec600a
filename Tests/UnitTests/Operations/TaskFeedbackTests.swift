import Testing

@testable import Operations

@Suite("What is kept of devices' words")
struct TaskFeedbackTests {
    @Test("a text is cut by its bytes, wherever its characters end, and never within a scalar")
    func cut() {
        #expect(TaskFeedback.cut("", to: 4) == "")
        #expect(TaskFeedback.cut("abcd", to: 4) == "abcd")
        #expect(TaskFeedback.cut("abcde", to: 4) == "abcd")
        #expect(TaskFeedback.cut("abcé", to: 4) == "abc")
        #expect(TaskFeedback.cut("😀😀", to: 7) == "😀")
        #expect(TaskFeedback.cut("😀", to: 3) == "")
        // One character of a letter and thousands of marks is no way around the bound.
        let marks = "a" + String(repeating: "\u{301}", count: 10_000)
        #expect(marks.count == 1)
        #expect(TaskFeedback.cut(marks, to: 512).utf8.count == 511)
        #expect(TaskFeedback.cut("a\r\nb", to: 2).utf8.elementsEqual("a\r".utf8))
    }
}
