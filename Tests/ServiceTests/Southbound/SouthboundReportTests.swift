import Access
import Base
import MQTT
import NIOCore
import Testing
import Trust

@testable import Fleet
@testable import Southbound

@Suite("Devices' documents and events over MQTT", .timeLimit(.minutes(5)))
struct SouthboundReportTests {
    private static func document(_ kind: DeviceDocument.Kind, of name: String = "gw-1", _ south: SouthboundFixture)
        async throws -> DeviceDocument
    {
        try await south.fleet.document(kind, of: name, in: south.acme, by: SouthboundFixture.admin)
    }

    private static func reported(_ south: SouthboundFixture, of name: String = "gw-1") async throws -> String {
        JSONValue.object(try await document(.reported, of: name, south).members).canonical
    }

    @discardableResult
    private static func desire(_ value: JSONValue, _ south: SouthboundFixture) async throws -> DeviceDocument {
        try await south.fleet.setDesired(value, of: "gw-1", in: south.acme, by: SouthboundFixture.admin)
    }

    private static func events(_ south: SouthboundFixture) async throws -> [String] {
        try await south.fleet.events(
            of: "gw-1", from: Timestamp(microseconds: 0), to: Timestamp(microseconds: .max), limit: 1000,
            in: south.acme, by: SouthboundFixture.admin
        ).events.map(\.event.code.text)
    }

    // MARK: - Reports

    @Test(
        "what is acknowledged is kept: merged documents, attributes, events", arguments: TestDatabase.engines,
        [ProtocolVersion.v311, .v5])
    func kept(engine: TestDatabase.Engine, version: ProtocolVersion) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            let device = try await SouthboundMQTTClient.connect(south, credential, version)
            #expect(try await device.publish("reported", #"{"a":{"b":1},"c":2}"#)?.reason == .success)
            #expect(try await Self.reported(south) == #"{"a":{"b":1},"c":2}"#)
            #expect(try await device.publish("reported", #"{"a":{"d":3},"c":null}"#)?.reason == .success)
            #expect(try await Self.reported(south) == #"{"a":{"b":1,"d":3}}"#)
            #expect(try await device.publish("v1/devices/me/attributes", #"{"a":{"e":4}}"#)?.reason == .success)
            #expect(try await Self.reported(south) == #"{"a":{"e":4}}"#)
            #expect(
                try await device.publish("events", #"[{"code":"x","ts":1},{"code":"y","ts":2}]"#)?.reason == .success)
            #expect(try await device.publish("events", #"{"code":"z","ts":3}"#)?.reason == .success)
            #expect(try await Self.events(south) == ["z", "y", "x"])
            // With QoS 0 too, though nobody is told.
            try device.send(.publish(try device.message("reported", #"{"last":true}"#, qos: .atMostOnce)))
            #expect(try await device.publish("reported", #"{"a":null}"#)?.reason == .success)
            #expect(try await Self.reported(south) == #"{"last":true}"#)
            #expect(south.counter("tidegate_mqtt_events_total") == 3)
            #expect(south.counter("tidegate_mqtt_reports_total") == 7)
            await device.client.close()
        }
    }

    @Test(
        "what can not be kept is refused with a reason, and the connection goes on",
        arguments: [
            ("reported", "no json", ReasonCode.payloadFormatInvalid, "not JSON"),
            ("reported", "[1]", .payloadFormatInvalid, "JSON object"),
            ("reported", #"{"a":NaN}"#, .payloadFormatInvalid, "not JSON"),
            ("reported", #"{"a":1,"a":1}"#, .payloadFormatInvalid, "twice"),
            ("reported", String(repeating: #"{"a":"#, count: 40), .payloadFormatInvalid, "not JSON"),
            ("reported", #"{"a":""# + String(repeating: "x", count: 70_000) + #""}"#, .quotaExceeded, "allowed"),
            ("events", #"{"text":"no code"}"#, .payloadFormatInvalid, "fault"),
            ("v1/devices/me/attributes", "7", .payloadFormatInvalid, "JSON object"),
            ("v1/devices/me/attributes/request/1", "[]", .payloadFormatInvalid, "JSON object"),
            ("v1/devices/me/rpc/request/1", "{}", .topicNameInvalid, "no calls from devices"),
            ("desired", "{}", .topicNameInvalid, "no topic"),
            ("v1/devices/other/attributes", "{}", .topicNameInvalid, ""),
        ])
    func refused(topic: String, payload: String, reason: ReasonCode, words: String) async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            let device = try await SouthboundMQTTClient.connect(south, credential)
            let answer = try #require(try await device.publish(topic, payload))
            #expect(answer.reason == reason)
            #expect(words.isEmpty || answer.text?.contains(words) == true, "\(answer.text ?? "")")
            #expect(try await device.publish("reported", #"{"on":true}"#)?.reason == .success)
            #expect(try await Self.reported(south) == #"{"on":true}"#)
            #expect(south.counter("tidegate_mqtt_messages_refused_total") == 1)
            await device.client.close()
        }
    }

    @Test("3.1.1 has no word for a refusal: it closes, but never because of a task or call that nobody knows")
    func old() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            let device = try await SouthboundMQTTClient.connect(south, credential, .v311)
            for (topic, payload, code) in [
                ("tasks/1/status", #"{"state":"running"}"#, "task.unknown"), ("tasks/1/status", "{}", "task.status"),
                ("v1/devices/me/rpc/response/1", "{}", "task.unknown"),
                ("v1/devices/me/rpc/request/1", "{}", "task.call"),
            ] {
                let counter = "tidegate_mqtt_words_refused_total{code=\"\(code)\"}"
                let before = south.counter(counter)
                #expect(try await device.publish(topic, payload)?.reason == .success)
                #expect(south.counter(counter) == before + 1, "\(topic) \(payload)")
            }
            #expect(try await device.publish("reported", #"{"kept":1}"#)?.reason == .success)
            #expect(try await device.publish("reported", "[]") == nil)
            #expect(try await Self.reported(south) == #"{"kept":1}"#)
        }
    }

    @Test("a streaming credential opens telemetry and nothing else, a maintenance one the rest")
    func channels() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            _ = try await south.fleet.createModel(
                try #require(Name("strict")), ModelDocument(oneCertificateForBoth: false), in: south.acme,
                by: SouthboundFixture.admin)
            let (_, stream) = try await south.enrolled("gw-1", channel: .stream)
            let (_, maintenance) = try await south.enrolled("gw-2") { $0.model = "strict" }
            let streaming = try await SouthboundMQTTClient.connect(south, stream)
            #expect(try await streaming.publish("telemetry", #"{"power":1}"#)?.reason == .success)
            let others = [
                "reported", "events", "v1/devices/me/attributes", "v1/devices/me/attributes/request/1",
                "tasks/1/status",
            ]
            for topic in others {
                #expect(try await streaming.publish(topic, #"{"code":"a"}"#)?.reason == .notAuthorized)
            }
            #expect(
                try await streaming.subscribe("desired", "v1/devices/me/attributes") == [
                    .notAuthorized, .notAuthorized,
                ])
            #expect(south.record.refused.elements == Array(repeating: "device.channel", count: others.count))
            let maintaining = try await SouthboundMQTTClient.connect(south, maintenance)
            #expect(try await maintaining.publish("reported", #"{"a":1}"#)?.reason == .success)
            #expect(try await maintaining.publish("telemetry", #"{"power":1}"#)?.reason == .notAuthorized)
            await streaming.client.close()
            await maintaining.client.close()
        }
    }

    @Test(
        "acknowledgements leave in the order of arrival, whatever the disk they wait for",
        arguments: [ProtocolVersion.v311, .v5])
    func order(version: ProtocolVersion) async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            let device = try await SouthboundMQTTClient.connect(south, credential, version)
            south.record.reportsFail.current = true
            let messages = try (0..<20).map { number in
                try device.message(
                    number % 3 == 1 ? "reported" : "telemetry", #"{"power":\#(number)}"#)
            }
            try device.send(messages.map { .publish($0) })
            // The first reading is durable long before the report behind it, and the ones behind that have to wait.
            guard case .puback(let first)? = try await device.next("PUBACK") else { return }
            #expect(first.packetID == messages[0].packetID)
            #expect(try await device.hearsNothing())
            #expect(try await Self.reported(south) == "{}")
            south.record.reportsFail.current = false
            for message in messages.dropFirst() {
                guard case .puback(let ack)? = try await device.next("PUBACK") else { return }
                #expect(ack.packetID == message.packetID)
                #expect(ack.reason == .success)
            }
            #expect(try await Self.reported(south) == #"{"power":19}"#)
            await device.client.close()
        }
    }

    @Test(
        "ten thousand messages in a burst are kept, many in one transaction", arguments: TestDatabase.engines,
        [QoS.atMostOnce, .atLeastOnce])
    func burst(engine: TestDatabase.Engine, qos: QoS) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            // The usual rate would spread them over minutes.
            var plan = try #require(south.fleet.directory.plan(of: south.acme))
            plan.deviceMessagesPerSecond = 1_000_000
            _ = try await south.access.putPlan(plan, by: SouthboundFixture.admin)
            let device = try await SouthboundMQTTClient.connect(south, credential, .v311)
            let count = 10_000
            for start in stride(from: 0, to: count, by: 500) {
                try device.send(
                    try (start..<start + 500).map {
                        .publish(try device.message("reported", #"{"n":\#($0)}"#, qos: qos))
                    })
            }
            if qos == .atLeastOnce {
                for number in 1...count {
                    guard case .puback(let ack)? = try await device.next("PUBACK") else { break }
                    #expect(Int(ack.packetID) == number)
                }
            }
            // Each part by itself, because a busy disk may take its time.
            for part in stride(from: count / 10, through: count, by: count / 10) {
                try await south.eventually("the burst is through to \(part)") {
                    south.record.groups.elements.reduce(0, +) >= part
                }
            }
            #expect(try await Self.reported(south) == #"{"n":9999}"#)
            #expect(south.record.groups.elements.count < count / 4)
            await device.client.close()
        }
    }

    @Test("many devices share transactions, and a full queue loses nothing and starves nobody")
    func crowd() async throws {
        var limits = SouthboundFixture.limits
        limits.reports = 8
        limits.reportsPerConnection = 4
        try await SouthboundFixture.with(limits: limits, loops: 2, speaksMQTT: true) { south in
            south.record.reportsFail.current = true
            var devices: [SouthboundMQTTClient] = []
            for number in 0..<12 {
                let (_, credential) = try await south.enrolled("gw-\(number)")
                devices.append(try await SouthboundMQTTClient.connect(south, credential))
            }
            for device in devices {
                try device.send(
                    try (0..<10).map { .publish(try device.message("reported", #"{"n\#($0)":\#($0)}"#)) })
            }
            try await south.eventually("the queue is full") { south.counter("tidegate_reports_waiting") == 8 }
            // One that goes away while it waits must not take the others' room along.
            try await devices.removeLast().client.channel.close()
            south.record.reportsFail.current = false
            for (number, device) in devices.enumerated() {
                for _ in 0..<10 {
                    guard case .puback(let ack)? = try await device.next("PUBACK") else { return }
                    #expect(ack.reason == .success)
                }
                #expect(try await Self.document(.reported, of: "gw-\(number)", south).members.count == 10)
                await device.client.close()
            }
            try await south.eventually("the queue is empty") { south.counter("tidegate_reports_waiting") == 0 }
            #expect(south.record.groups.elements.allSatisfy { $0 <= 8 })
        }
    }

    // MARK: - The desired document

    @Test(
        "a device hears what it is wanted to be when it subscribes and at each change", arguments: TestDatabase.engines,
        [ProtocolVersion.v311, .v5])
    func desired(engine: TestDatabase.Engine, version: ProtocolVersion) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            let device = try await SouthboundMQTTClient.connect(south, credential, version)
            #expect(try await device.subscribe("desired") == [.grantedQoS1])
            // There is none yet; a report's way through the queue shows that the look has come back.
            #expect(try await device.publish("reported", "{}")?.reason == .success)
            #expect(try await device.hearsNothing())
            try await Self.desire(["interval": 5], south)
            #expect(try await device.told() == #"desired {"desired":{"interval":5},"version":1}"#)
            try await Self.desire(["interval": 6, "mode": "eco"], south)
            #expect(try await device.told() == #"desired {"desired":{"interval":6,"mode":"eco"},"version":2}"#)
            // Without a change nothing is said.
            try await Self.desire(["interval": 6, "mode": "eco"], south)
            #expect(try await device.hearsNothing())
            // Asking again gets an answer again.
            #expect(try await device.subscribe("desired") == [.grantedQoS1])
            #expect(try await device.told() == #"desired {"desired":{"interval":6,"mode":"eco"},"version":2}"#)
            await device.client.close()
        }
    }

    @Test("a device that is slow to acknowledge gets the newest document next, and none between")
    func slow() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            let device = try await SouthboundMQTTClient.connect(south, credential)
            _ = try await device.subscribe("desired")
            try await Self.desire(["n": 1], south)
            guard case .publish(let first)? = try await device.next("the first") else { return }
            for number in 2...5 { try await Self.desire(["n": .integer(Int64(number))], south) }
            #expect(try await device.hearsNothing())
            try device.send(.puback(Acknowledgement(packetID: first.packetID)))
            #expect(try await device.told() == #"desired {"desired":{"n":5},"version":5}"#)
            #expect(try await device.hearsNothing())
            await device.client.close()
        }
    }

    @Test("a session that is resumed hears of what changed meanwhile, and nothing twice")
    func resumed() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            func connect() async throws -> SouthboundMQTTClient {
                try await SouthboundMQTTClient.connect(south, credential, .v311) { $0.cleanStart = false }
            }
            func settled(_ device: SouthboundMQTTClient) async throws -> Bool {
                _ = try await device.publish("reported", "{}")
                return try await device.hearsNothing()
            }
            var device = try await connect()
            _ = try await device.subscribe("desired")
            try await Self.desire(["n": 1], south)
            #expect(try await device.told() == #"desired {"desired":{"n":1},"version":1}"#)
            #expect(try await device.hearsNothing())
            try await device.disconnect()

            device = try await connect()
            #expect(device.sessionPresent)
            #expect(try await settled(device))
            try await device.disconnect()

            try await Self.desire(["n": 2], south)
            try await Self.desire(["n": 3], south)
            device = try await connect()
            #expect(device.sessionPresent)
            // Not acknowledged: it may be lost, so it comes again.
            #expect(try await device.told(acknowledges: false) == #"desired {"desired":{"n":3},"version":3}"#)
            #expect(try await settled(device))
            try await device.disconnect()

            device = try await connect()
            #expect(try await device.told() == #"desired {"desired":{"n":3},"version":3}"#)
            #expect(try await settled(device))
            // A clean start has no subscriptions, so it hears nothing before it asks.
            try await device.disconnect()
            device = try await SouthboundMQTTClient.connect(south, credential, .v311)
            #expect(!device.sessionPresent)
            #expect(try await settled(device))
            await device.client.close()
        }
    }

    // MARK: - ThingsBoard

    @Test("a ThingsBoard device asks for attributes and hears of changed ones", arguments: TestDatabase.engines)
    func thingsBoard(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            try await Self.desire(["interval": 5, "mode": "eco"], south)
            let device = try await SouthboundMQTTClient.connect(south, credential, .v311)
            let granted = try await device.subscribe(
                "v1/devices/me/attributes", "v1/devices/me/attributes/response/+", "v1/devices/me/rpc/request/+",
                "v1/devices/me/rpc/response/+")
            #expect(granted.allSatisfy { $0 == .grantedQoS1 })
            // The answer knows what was reported in the same breath.
            try device.send(
                .publish(try device.message("v1/devices/me/attributes", #"{"firmware":"1.2","serial":7}"#)),
                .publish(
                    try device.message(
                        "v1/devices/me/attributes/request/9", #"{"clientKeys":"firmware","sharedKeys":"interval,none"}"#
                    )))
            var answer: String?
            for _ in 0..<3 {
                guard let packet = try await device.next("an answer") else { break }
                if case .publish(let publish) = packet {
                    answer = "\(publish.topic) \(String(buffer: publish.payload))"
                }
            }
            #expect(
                answer
                    == #"v1/devices/me/attributes/response/9 {"client":{"firmware":"1.2"},"shared":{"interval":5}}"#)
            try await Self.desire(["interval": 6, "mode": "eco", "limit": 3], south)
            #expect(try await device.told() == #"v1/devices/me/attributes {"interval":6,"limit":3}"#)
            try await Self.desire(["interval": 7], south)
            #expect(try await device.told() == #"v1/devices/me/attributes {"deleted":["limit","mode"],"interval":7}"#)
            #expect(try await device.hearsNothing())
            await device.client.close()
        }
    }
}

/// How often the usual rates are obeyed is tested where rates are; here only that reports and events count.
extension SouthboundReportTests {
    @Test("each event of a message counts like a message, so an array is no way around the rate")
    func rates() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let (_, credential) = try await south.enrolled("gw-1")
            try await south.setDeviceRate(20)
            let device = try await SouthboundMQTTClient.connect(south, credential)
            let events = "[" + Array(repeating: #"{"code":"a"}"#, count: 100).joined(separator: ",") + "]"
            #expect(try await device.publish("events", #"{"code":"a"}"#)?.reason == .success)
            #expect(south.counter("tidegate_mqtt_throttled_total") == 0)
            #expect(try await device.publish("events", events)?.reason == .success)
            #expect(south.counter("tidegate_mqtt_throttled_total") == 1)
            await device.client.close()
        }
    }
}
