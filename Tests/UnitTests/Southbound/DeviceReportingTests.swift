import Base
import MQTT
import NIOCore
import Testing

@testable import Fleet
@testable import Southbound

@Suite("Topics of devices and what is told to them")
struct DeviceReportingTests {
    private static func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    private static func members(_ text: String) throws -> [String: JSONValue] {
        guard case .object(let members) = try json(text) else { return [:] }
        return members
    }

    // MARK: - Topics

    @Test(
        "a topic is for one thing",
        arguments: [
            ("telemetry", "telemetry(nil)"), ("reported", "reported"), ("events", "events"),
            ("v1/devices/me/attributes", "attributes"),
            ("v1/devices/me/attributes/request/17", "attributeRequest(\"17\")"),
            ("tasks/0af3/status", "status(\"0af3\")"), ("v1/devices/me/rpc/response/4", "callAnswer(\"4\")"),
            ("v1/devices/me/rpc/request/4", "call(\"4\")"),
            ("tasks//status", "unknown"), ("tasks/a/b/status", "unknown"), ("tasks", "unknown"),
            ("tasks/a/statuses", "unknown"), ("desired", "unknown"), ("reported/x", "unknown"), ("Reported", "unknown"),
            ("events/", "unknown"), ("v1/devices/other/attributes", "unknown"),
            ("v1/devices/me/attributes/request", "unknown"), ("v1/devices/me/attributes/request/1/2", "unknown"),
            ("v1/devices/me/attributes/response/1", "unknown"), ("v1/gateway/attributes", "unknown"),
        ])
    func topics(name: String, publication: String) throws {
        #expect("\(DeviceTopics.publication(try Topic(name)))" == publication)
    }

    // MARK: - ThingsBoard's attributes

    private static func documents(_ reported: String, _ desired: String) throws -> DeviceDocuments {
        var (first, second) = (DeviceDocument.unwritten(.reported), DeviceDocument.unwritten(.desired))
        first.members = try members(reported)
        second.members = try members(desired)
        return DeviceDocuments(reported: first, desired: second)
    }

    @Test(
        "a request gets what it names and is there, and everything when it names nothing",
        arguments: [
            (#"{"clientKeys":"a,b","sharedKeys":"c"}"#, #"{"client":{"a":1,"b":{"x":2}},"shared":{"c":true}}"#),
            (#"{"clientKeys":"a,nothing"}"#, #"{"client":{"a":1}}"#),
            (#"{"sharedKeys":"c,d"}"#, #"{"shared":{"c":true,"d":[1]}}"#),
            (#"{"sharedKeys":"nothing"}"#, "{}"), (#"{"clientKeys":"","sharedKeys":"c"}"#, #"{"shared":{"c":true}}"#),
            ("{}", #"{"client":{"a":1,"b":{"x":2}},"shared":{"c":true,"d":[1]}}"#),
            ("", #"{"client":{"a":1,"b":{"x":2}},"shared":{"c":true,"d":[1]}}"#),
        ])
    func requests(payload: String, answer: String) throws {
        let request = try AttributeRequest("1", ByteBuffer(string: payload))
        let documents = try Self.documents(#"{"a":1,"b":{"x":2}}"#, #"{"c":true,"d":[1]}"#)
        #expect(request.answer(documents).canonical == answer)
    }

    @Test(
        "a request that is none is refused",
        arguments: [
            "x", "[]", "1", #"{"clientKeys":1}"#, #"{"clientKeys":["a"]}"#, #"{"a":{"b":{"c":1}}}"#,
            #"{"clientKeys":"\#(String(repeating: "a,", count: 4096))"}"#,
        ])
    func badRequests(payload: String) {
        let refusal = #expect(throws: Refusal.self) { try AttributeRequest("1", ByteBuffer(string: payload)) }
        #expect(refusal?.code == "attributes.invalid")
        #expect(refusal?.reasonCode == .payloadFormatInvalid)
    }

    @Test(
        "an update names what changed and what is gone",
        arguments: [
            ("{}", #"{"a":1}"#, #"{"a":1}"#), (#"{"a":1,"b":2}"#, #"{"a":1,"b":3}"#, #"{"b":3}"#),
            (#"{"a":1,"b":2,"c":3}"#, #"{"b":4}"#, #"{"b":4,"deleted":["a","c"]}"#),
            (#"{"a":1}"#, "{}", #"{"deleted":["a"]}"#),
        ])
    func updates(old: String, new: String, update: String) throws {
        #expect(try AttributeRequest.update(from: Self.members(old), to: Self.members(new))?.canonical == update)
    }

    @Test("without a change there is nothing to tell; after a gap there is everything")
    func gap() throws {
        let members = try Self.members(#"{"a":1,"b":2}"#)
        #expect(AttributeRequest.update(from: members, to: members) == nil)
        let all = AttributeRequest.update(from: members, to: members, tellingAll: true)
        #expect(all?.canonical == #"{"a":1,"b":2}"#)
    }

    // MARK: - The desired document

    private static func document(_ version: Int64) -> DeviceDocument {
        var document = DeviceDocument.unwritten(.desired)
        document.version = version
        return document
    }

    @Test("a device is told of a document once, and of a change when the one before has arrived")
    func delivery() {
        var delivery = DesiredDelivery()
        #expect(delivery.offer(Self.document(0)) == nil)
        #expect(delivery.offer(Self.document(1))?.version == 1)
        #expect(delivery.offer(Self.document(1)) == nil)
        #expect(delivery.offer(Self.document(2)) == nil)
        #expect(delivery.offer(Self.document(4)) == nil)
        // An older one that comes late is not told any more.
        #expect(delivery.offer(Self.document(3)) == nil)
        #expect(delivery.ended(7, isAcknowledged: true) == nil)
        #expect(delivery.ended(1, isAcknowledged: true)?.version == 4)
        #expect(delivery.ended(4, isAcknowledged: true) == nil)
        #expect(delivery.offer(Self.document(4)) == nil)
        #expect(delivery.offer(Self.document(5))?.version == 5)
    }

    @Test("a device that asks is told again, and one that gave up at its next chance")
    func asking() {
        var delivery = DesiredDelivery()
        _ = delivery.offer(Self.document(3))
        delivery.asked()
        // On its way already.
        #expect(delivery.offer(Self.document(3)) == nil)
        #expect(delivery.ended(3, isAcknowledged: true) == nil)
        #expect(delivery.offer(Self.document(3)) == nil)
        delivery.asked()
        #expect(delivery.offer(Self.document(3))?.version == 3)
        #expect(delivery.ended(3, isAcknowledged: false) == nil)
        #expect(delivery.offer(Self.document(3))?.version == 3)
    }
}
