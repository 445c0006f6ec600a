import Base
import MQTT
import NIOCore
import Testing

@testable import Operations
@testable import Southbound

@Suite("Which tasks a device is told of over MQTT, and how")
struct TaskTellingTests {
    private static func task(_ number: Int64, _ state: TaskState, _ type: TaskType = .reboot) -> PostedTask {
        PostedTask(
            number: number, id: TaskID(high: 1, low: UInt64(number)), operation: OperationID(high: 1, low: 1),
            type: type, state: state, release: nil)
    }

    @Test("a device hears of a task once, of the wish to end it once, and of all that is open when it asks again")
    func envelopes() {
        var delivery = TaskDelivery()
        func news(_ tasks: PostedTask...) -> [Int64] { delivery.news(tasks, by: .envelopes).map(\.number) }
        #expect(news(Self.task(11, .queued), Self.task(12, .running, .install)) == [11, 12])
        delivery.told(11, isCancel: false)
        #expect(news(Self.task(11, .offered), Self.task(12, .running, .install)) == [12], "not sent yet")
        delivery.told(12, isCancel: false)
        #expect(news(Self.task(11, .cancelling), Self.task(12, .running)) == [11])
        delivery.told(11, isCancel: true)
        #expect(news(Self.task(11, .cancelling), Self.task(12, .running)) == [])
        // It goes on, and is then to be ended again.
        delivery.goesOn(11)
        #expect(news(Self.task(11, .running)) == [])
        #expect(news(Self.task(11, .cancelling)) == [11])
        delivery.goesOn(99)
        delivery.asked()
        #expect(news(Self.task(11, .running), Self.task(13, .queued)) == [11, 13])
    }

    @Test("a call is made once and never for an install; nobody is called to end a task")
    func calls() {
        var delivery = TaskDelivery()
        let tasks = [
            Self.task(11, .queued), Self.task(12, .queued, .install), Self.task(13, .offered),
            Self.task(14, .running, .custom), Self.task(15, .cancelling), Self.task(16, .queued, .custom),
        ]
        #expect(delivery.news(tasks, by: .calls).map(\.number) == [11, 16])
    }

    @Test(
        "a call names the task's type and brings its input; a custom task may be any call",
        arguments: [
            (TaskType.reboot, "{}", #"{"method":"reboot","params":{}}"#),
            (.synchronise, #"{"a":1}"#, #"{"method":"synchronise","params":{"a":1}}"#),
            (.custom, #"{"method":"setGpio","params":{"pin":7}}"#, #"{"method":"setGpio","params":{"pin":7}}"#),
            (.custom, #"{"method":"getState"}"#, #"{"method":"getState","params":{}}"#),
            (.custom, #"{"pin":7}"#, #"{"method":"custom","params":{"pin":7}}"#),
            (.custom, #"{"method":7}"#, #"{"method":"custom","params":{"method":7}}"#),
        ])
    func requests(type: TaskType, input: String, call: String) throws {
        #expect(ThingsBoardCall.request(type, try JSONValue(parsing: Array(input.utf8))).canonical == call)
    }

    @Test(
        "any JSON answers a call, and says that it is done unless it says the contrary",
        arguments: [
            ("", TaskFeedback.Report.succeeded), ("{}", .succeeded), ("true", .succeeded), ("false", .succeeded),
            ("[1]", .succeeded), (#"{"success":true}"#, .succeeded), (#"{"error":null}"#, .succeeded),
            (#"{"success":false}"#, .failed), (#"{"error":"no such pin"}"#, .failed),
            (#"{"error":{"code":3}}"#, .failed),
        ])
    func answers(text: String, report: TaskFeedback.Report) throws {
        #expect(
            try ThingsBoardCall.answer(Array(text.utf8)) == StatusReport(report, details: text.isEmpty ? [] : [text]))
    }

    @Test("an answer that is no JSON is refused", arguments: ["x", "{", #"{"a":1,"a":2}"#, "{} {}"])
    func noAnswers(text: String) {
        #expect { try ThingsBoardCall.answer(Array(text.utf8)) } throws: { ($0 as? Refusal)?.code == "task.status" }
    }

    @Test("a word about a task has a bound, and the refusals have words in MQTT")
    func bounds() throws {
        #expect(try TaskWord.body(ByteBuffer(repeating: 32, count: Limits.statusBytes)).count == Limits.statusBytes)
        #expect {
            try TaskWord.body(ByteBuffer(repeating: 32, count: Limits.statusBytes + 1))
        } throws: {
            ($0 as? Refusal)?.reasonCode == .quotaExceeded
        }
        #expect(DeviceDesk.unknown.reasonCode == .topicNameInvalid)
        #expect(DeviceDesk.closed.reasonCode == .implementationSpecificError)
    }
}
