import Base
import Testing

@testable import Fleet

@Suite("What devices say has happened")
struct DeviceEventTests {
    private static let received = Timestamp(microseconds: 1_800_000_000_123_456)

    private static func events(_ text: String) throws -> [DeviceEvent] {
        try DeviceEvent.events(in: JSONValue(parsing: Array(text.utf8)), received: received)
    }

    @Test("an event needs a code and nothing else")
    func least() throws {
        let event = try #require(try Self.events(#"{"code":"door.opened"}"#).first)
        #expect(event.code.text == "door.opened")
        #expect(event.severity == .info)
        #expect(event.text == nil)
        #expect(event.details.isEmpty)
        #expect(event.time == Self.received)
    }

    @Test("an event says what it likes to say")
    func most() throws {
        let event = try #require(
            try Self.events(
                #"{"code":"tamper","severity":"critical","text":"Lid open","ts":1700000000000,"details":{"lid":[1]}}"#
            ).first)
        #expect(event.severity == .critical)
        #expect(event.text == "Lid open")
        #expect(event.time == Timestamp(milliseconds: 1_700_000_000_000))
        #expect(event.details == ["lid": [1]])
    }

    @Test("an array keeps its order, and every event its own number")
    func array() throws {
        let events = try Self.events(#"[{"code":"a"},{"code":"b"},{"code":"c"}]"#)
        #expect(events.map(\.code.text) == ["a", "b", "c"])
        let numbers = EventNumbers()
        let kept = numbers.number(events, received: Self.received) + numbers.number(events, received: Self.received)
        let first = Self.received.microseconds
        #expect(kept.map(\.sequence) == (0..<6).map { first + $0 })
    }

    @Test(
        "what is wrong is named by its place",
        arguments: [
            ("1", ""), ("[]", ""), ("{}", "/code"), (#"{"code":""}"#, "/code"), (#"{"code":"a b"}"#, "/code"),
            (#"{"code":"a","severity":"bad"}"#, "/severity"), (#"{"code":"a","text":"\u0007"}"#, "/text"),
            (#"{"code":"a","ts":"now"}"#, "/ts"), (#"{"code":"a","ts":-1}"#, "/ts"), (#"{"code":"a","ts":1.5}"#, "/ts"),
            (#"{"code":"a","ts":9223372036854775807}"#, "/ts"), (#"{"code":"a","details":[]}"#, "/details"),
            (#"{"code":"a","colour":"red"}"#, "/colour"), (#"[{"code":"a"},{"code":"b","ts":true}]"#, "/1/ts"),
            (#"[[]]"#, "/0"),
        ])
    func faults(text: String, place: String) throws {
        let refusal = #expect(throws: Refusal.self) { try Self.events(text) }
        #expect(refusal?.code == "events.invalid")
        #expect(refusal?.faults.first?.place == place)
    }

    @Test("no event and no message is larger than allowed")
    func sizes() throws {
        let many =
            "[" + Array(repeating: #"{"code":"a"}"#, count: FleetLimits.eventsAtOnce + 1).joined(separator: ",") + "]"
        #expect(throws: Refusal.self) { try Self.events(many) }
        let text = String(repeating: "x", count: FleetLimits.eventTextBytes + 1)
        #expect(throws: Refusal.self) { try Self.events(#"{"code":"a","text":"\#(text)"}"#) }
        let details = String(repeating: "x", count: FleetLimits.eventDetailsBytes)
        #expect(throws: Refusal.self) { try Self.events(#"{"code":"a","details":{"x":"\#(details)"}}"#) }
    }
}
