import MQTT
import NIOCore
import Testing

@Suite struct MQTTTopicTests {
    @Test("a topic equals the literal with the same bytes and no other")
    func comparison() throws {
        let topic = try Topic("telemetry")
        #expect(topic == "telemetry")
        #expect(!(topic == "telemetr"))
        #expect(!(topic == "telemetrx"))
        #expect(Topic.none == "")
        switch topic {
        case "events": Issue.record("not that one")
        case "telemetry": break
        default: Issue.record("not found")
        }
    }

    @Test("the level between two literals is found, and only one whole level")
    func level() throws {
        #expect(try Topic("tasks/17/status").level(after: "tasks/", before: "/status") == "17")
        #expect(try Topic("v1/rpc/response/4").level(after: "v1/rpc/response/") == "4")
        #expect(try Topic("tasks//status").level(after: "tasks/", before: "/status") == nil)
        #expect(try Topic("tasks/a/b/status").level(after: "tasks/", before: "/status") == nil)
        #expect(try Topic("tasks/17/other").level(after: "tasks/", before: "/status") == nil)
        #expect(try Topic("task").level(after: "tasks/", before: "/status") == nil)
    }

    @Test(
        "a filter matches as section 4.7 says",
        arguments: [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("#", "a/b", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/monitor", false),
            ("+/monitor", "$SYS/monitor", false),
            ("$SYS/#", "$SYS/monitor", true),
            ("a/b", "a/b", true),
            ("a/b", "A/b", false),
            ("a/b", "a/b/c", false),
            ("a/+/c/#", "a/b/c", true),
            ("$share/group/a/+", "a/b", true),
        ])
    func matching(_ filter: String, _ topic: String, _ expected: Bool) throws {
        #expect(try TopicFilter(filter).matches(try Topic(topic)) == expected)
    }

    @Test("a filter knows whether it has wildcards and is shared")
    func kinds() throws {
        #expect(try TopicFilter("a/b").hasWildcard == false)
        #expect(try TopicFilter("a/+").hasWildcard)
        #expect(try TopicFilter("$share/g/a").isShared)
        #expect(try TopicFilter("$shared/g/a").isShared == false)
    }

    @Test("text that cannot name a topic is refused", arguments: ["", "a/#", "+", "a\u{0}b", "a\u{7}b", "\u{FFFE}"])
    func refusedNames(_ text: String) {
        #expect(throws: ProtocolViolation.self) { try Topic(text) }
    }

    @Test(
        "text that cannot be a filter is refused",
        arguments: ["", "a#", "#/a", "a+/b", "$share/", "$share/g", "$share//a", "$share/+/a", "$share/g/"])
    func refusedFilters(_ text: String) {
        #expect(throws: ProtocolViolation.self) { try TopicFilter(text) }
    }

    @Test("every well-formed character passes, each form of ill-formed one does not")
    func utf8() throws {
        for text in ["ä", "€", "𝄞", "\u{D7FF}", "\u{E000}", "\u{10FFFD}", "\u{FEFF}", "a b", "~"] {
            #expect(try Topic(text).string == text)
        }
        let bad: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xC3], [0xE2, 0x82],
            [0xF0, 0x9D, 0x84], [0xC3, 0x28], [0xE2, 0x28, 0xA1],
        ]
        for bytes in bad {
            var buffer = ByteBuffer(bytes: [0x30, UInt8(bytes.count + 2), 0, UInt8(bytes.count)] + bytes)
            var decoder = PacketDecoder(version: .v311)
            #expect(throws: ProtocolViolation(.malformedPacket, "")) { try decoder.next(from: &buffer) }
        }
    }

    @Test("a byte order mark stays part of the name")
    func byteOrderMark() throws {
        var buffer = MQTTSample.buffer("30 06 0004 EFBBBF61")
        var decoder = PacketDecoder(version: .v311)
        guard case .publish(let publish)? = try decoder.next(from: &buffer) else {
            Issue.record("not a message")
            return
        }
        #expect(publish.topic.bytes.readableBytes == 4)  // [MQTT-1.5.4-3]
        #expect(!(publish.topic == "a"))
    }
}
