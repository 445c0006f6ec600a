import Base
import Operations
import Testing

@testable import Southbound

@Suite("Statuses of tasks")
struct StatusReportTests {
    private func read(_ text: String) -> StatusReport? { try? StatusReport(Array(text.utf8)) }

    @Test(
        "a status says what its word says",
        arguments: [
            ("taken", TaskFeedback.Report.taken), ("running", .progress), ("succeeded", .succeeded),
            ("failed", .failed), ("refused", .refused), ("cancelled", .cancelled), ("continues", .goesOn),
        ])
    func states(word: String, report: TaskFeedback.Report) {
        #expect(read("{\"state\":\"\(word)\"}") == StatusReport(report))
        #expect(read("{\"state\":\"\(word)\",\"new\":[1],\"progress\":null,\"code\":null}") == StatusReport(report))
    }

    @Test("progress, code and details are kept")
    func members() {
        #expect(
            read(#"{"state":"running","progress":{"done":3,"of":10},"code":-7,"details":["a","b"]}"#)
                == StatusReport(.progress, code: -7, details: ["3 of 10", "a", "b"]))
        #expect(read(#"{"state":"failed","details":["a\u0000b"]}"#)?.details == ["ab"])
        let many = "[" + Array(repeating: "\"x\"", count: 900).joined(separator: ",") + "]"
        #expect(read("{\"state\":\"failed\",\"details\":\(many)}")?.details.count == Limits.ddiDetails)
    }

    @Test(
        "anything else is refused with one code",
        arguments: [
            "", "x", "[]", "{}", "null", #"{"state":1}"#, #"{"state":"done"}"#, #"{"state":"Running"}"#,
            #"{"state":"running","progress":3}"#, #"{"state":"running","progress":{"done":3}}"#,
            #"{"state":"running","progress":{"done":3,"of":2}}"#, #"{"state":"running","progress":{"done":-1,"of":2}}"#,
            #"{"state":"running","progress":{"done":0,"of":0}}"#, #"{"state":"failed","code":"7"}"#,
            #"{"state":"failed","code":1.5}"#, #"{"state":"failed","details":"x"}"#,
            #"{"state":"failed","details":[1]}"#, #"{"state":"failed""#,
        ])
    func wrong(text: String) {
        #expect { try StatusReport(Array(text.utf8)) } throws: { ($0 as? Refusal)?.code == "task.status" }
    }
}
