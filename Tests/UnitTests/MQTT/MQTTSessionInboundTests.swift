import MQTT
import NIOCore
import Testing

@Suite struct MQTTSessionInboundTests {
    @Test("a QoS 0 message comes without a handle and gets no answer", arguments: [ProtocolVersion.v311, .v5])
    func atMostOnce(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version)
        #expect(try d.say(.message(0, .atMostOnce)) == ["publish t 0"])
        #expect(d.handles.isEmpty)
        #expect(try d.heard().isEmpty)
    }

    @Test("PUBACK leaves when the owner says so", arguments: [ProtocolVersion.v311, .v5])
    func atLeastOnce(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version)
        #expect(try d.say(.message(7)) == ["publish t 7"])
        #expect(try d.heard().isEmpty)
        d.acknowledge(0)
        #expect(try d.heard() == [.ack(.puback, 7)])
        d.acknowledge(0)
        #expect(try d.heard().isEmpty)
    }

    @Test("acknowledgements leave in the order of arrival, whatever the order of decisions")
    func order() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.say(.message(5), .message(3, .exactlyOnce), .message(9), .message(1))
        d.acknowledge(2)
        d.acknowledge(1)
        #expect(try d.heard().isEmpty)
        d.acknowledge(0)
        #expect(try d.heard() == [.ack(.puback, 5), .ack(.pubrec, 3), .ack(.puback, 9)])
        d.acknowledge(3)
        #expect(try d.heard() == [.ack(.puback, 1)])
    }

    @Test("one call acknowledges everything up to a message, with the reasons already given")
    func through() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.say(.message(1), .message(2), .message(3), .message(4))
        d.acknowledge(1, .quotaExceeded)
        d.acknowledge(through: 2)
        #expect(try d.heard() == [.ack(.puback, 1), .ack(.puback, 2, .quotaExceeded), .ack(.puback, 3)])
        #expect(d.unacknowledgedCount == 1)
        d.acknowledge(through: 0)
        #expect(try d.heard().isEmpty)
    }

    @Test("a reason reaches a version 5 client; 3.1.1 knows only acceptance")
    func reasons() throws {
        let (new, _) = try MQTTDialogue.established(.v5)
        _ = try new.say(.message(1), .message(2))
        new.acknowledge(0, .notAuthorized)
        new.acknowledge(1, .sessionTakenOver)  // Not a reason of PUBACK.
        #expect(try new.heard() == [.ack(.puback, 1, .notAuthorized), .ack(.puback, 2, .unspecifiedError)])
        let (old, _) = try MQTTDialogue.established(.v311)
        _ = try old.say(.message(1))
        old.acknowledge(0, .notAuthorized)
        #expect(try old.heard() == [.ack(.puback, 1)])
    }

    @Test("a refusal's words reach a version 5 client in their turn, unless it wants none or takes no such packet")
    func words() throws {
        let long = String(repeating: "x", count: 200)
        func reasons(_ change: (inout Connect) throws -> Void) throws -> [String?] {
            let (d, _) = try MQTTDialogue.established(.v5, change: change)
            _ = try d.say(.message(1), .message(2, .exactlyOnce))
            d.session.acknowledge(d.handles[1], reason: .notAuthorized, text: long, into: &d.output)
            d.session.acknowledge(d.handles[0], reason: .quotaExceeded, text: "first", into: &d.output)
            return try d.heard().map { packet in
                switch packet {
                case .puback(let ack):
                    #expect(ack.reason == .quotaExceeded)
                    return ack.properties[.reasonString]
                case .pubrec(let ack):
                    #expect(ack.reason == .notAuthorized)
                    return ack.properties[.reasonString]
                default: return "\(packet)"
                }
            }
        }
        #expect(try reasons { _ in } == ["first", long])
        #expect(try reasons { $0.properties.requestProblemInformation = true } == ["first", long])
        #expect(try reasons { $0.properties.requestProblemInformation = false } == [nil, nil])
        #expect(try reasons { $0.properties.maximumPacketSize = 100 } == ["first", nil])
    }

    @Test("words are said once, also of a message that a later one carries along")
    func wordsThrough() throws {
        let (d, _) = try MQTTDialogue.established(.v5)
        _ = try d.say(.message(1), .message(2), .message(3))
        d.session.acknowledge(d.handles[1], reason: .quotaExceeded, text: "no", into: &d.output)
        d.acknowledge(through: 2)
        let heard = try d.heard()
        #expect(heard.count == 3)
        guard case .puback(let second) = heard[1], case .puback(let third) = heard[2] else {
            Issue.record("not acknowledged")
            return
        }
        #expect(second.properties[.reasonString] == "no")
        #expect(third.reason == .success && third.properties.isEmpty)
    }

    @Test("a QoS 2 message is delivered once however often it comes", arguments: [ProtocolVersion.v311, .v5])
    func exactlyOnce(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version)
        #expect(try d.say(.message(4, .exactlyOnce)) == ["publish t 4"])
        #expect(try d.say(.message(4, .exactlyOnce, dup: true)) == [])
        #expect(try d.heard().isEmpty)
        d.acknowledge(0)
        #expect(try d.heard() == [.ack(.pubrec, 4)])
        #expect(try d.say(.message(4, .exactlyOnce, dup: true)) == [])
        #expect(try d.heard() == [.ack(.pubrec, 4)])
        #expect(try d.say(.ack(.pubrel, 4)) == [])
        #expect(try d.heard() == [.ack(.pubcomp, 4)])
        // The packet identifier is free again [MQTT-4.3.3-12].
        #expect(try d.say(.message(4, .exactlyOnce)) == ["publish t 4"])
    }

    @Test("after a PUBREC that refuses, the packet identifier is free")
    func refusedExactlyOnce() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.say(.message(4, .exactlyOnce))
        d.acknowledge(0, .quotaExceeded)
        #expect(try d.heard() == [.ack(.pubrec, 4, .quotaExceeded)])
        #expect(try d.say(.message(4, .exactlyOnce)) == ["publish t 4"])  // [MQTT-4.3.3-9]
    }

    @Test("PUBREL for an unknown message is completed", arguments: [ProtocolVersion.v311, .v5])
    func unknownRelease(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version)
        _ = try d.say(.ack(.pubrel, 4))
        #expect(
            try d.heard() == [.ack(.pubcomp, 4, version == .v5 ? .packetIdentifierNotFound : .success)])
    }

    @Test("PUBREL before PUBREC is a protocol error")
    func earlyRelease() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.say(.message(4, .exactlyOnce))
        #expect(try d.say(.ack(.pubrel, 4)) == ["end protocolError"])
    }

    @Test("a version 5 client that exceeds the receive maximum is disconnected")
    func receiveMaximum() throws {
        var limits = Limits()
        limits.receiveMaximum = 2
        let (d, _) = try MQTTDialogue.established(limits: limits)
        #expect(try d.say(.message(1), .message(2, .exactlyOnce), .message(0, .atMostOnce)).count == 3)
        d.acknowledge(through: 1)
        _ = try d.heard()
        // PUBREC does not give the place back, PUBCOMP does (section 4.9).
        #expect(try d.say(.message(3)) == ["publish t 3"])
        #expect(try d.say(.ack(.pubrel, 2), .message(4)) == ["publish t 4"])
        #expect(try d.say(.message(5)) == ["end receiveMaximumExceeded"])
        #expect(
            try d.heard() == [.ack(.pubcomp, 2), .disconnect(Disconnect(reason: .receiveMaximumExceeded))])
    }

    @Test("a repeated QoS 2 message does not count twice")
    func repetitionCountsOnce() throws {
        var limits = Limits()
        limits.receiveMaximum = 1
        let (d, _) = try MQTTDialogue.established(limits: limits)
        #expect(try d.say(.message(1, .exactlyOnce), .message(1, .exactlyOnce, dup: true)) == ["publish t 1"])
    }

    @Test("a 3.1.1 client that sends too much is held back, not disconnected")
    func heldBack() throws {
        var limits = Limits()
        limits.receiveMaximum = 2
        let (d, _) = try MQTTDialogue.established(.v311, limits: limits)
        #expect(try d.say(.message(1), .message(2), .message(3), .pingreq) == ["publish t 1", "publish t 2"])
        #expect(!d.wantsInput)
        // What is not read cannot keep the connection alive, so silence does not count.
        #expect(d.deadline == nil)
        #expect(d.take() == [])
        d.now = d.now + .seconds(1000)
        d.acknowledge(0)
        #expect(d.wantsInput)
        #expect(d.take() == ["publish t 3"])
        #expect(try d.heard() == [.ack(.puback, 1), .pingresp])
        #expect(d.deadline == d.now + .seconds(90))
    }

    @Test("QoS 0 messages pass a 3.1.1 client's full window")
    func atMostOnceIsNotHeldBack() throws {
        var limits = Limits()
        limits.receiveMaximum = 1
        let (d, _) = try MQTTDialogue.established(.v311, limits: limits)
        #expect(try d.say(.message(1), .message(0, .atMostOnce)).count == 2)
    }

    @Test("the number of unreleased QoS 2 messages is bounded")
    func unreleased() throws {
        var limits = Limits()
        limits.receiveMaximum = 2
        limits.unreleased = 5
        let (d, _) = try MQTTDialogue.established(.v311, limits: limits)
        for packetID in UInt16(1)...5 {
            _ = try d.say(.message(packetID, .exactlyOnce))
            d.acknowledge(Int(packetID) - 1)
        }
        #expect(try d.say(.message(6, .exactlyOnce)) == ["end receiveMaximumExceeded"])
    }

    @Test("a topic alias stands for the topic it was set with")
    func alias() throws {
        let (d, _) = try MQTTDialogue.established()
        func message(_ topic: Topic, _ alias: UInt16) -> Packet {
            .publish(
                Publish(
                    topic: topic, payload: ByteBuffer(), properties: MQTTSample.properties { $0.topicAlias = alias }))
        }
        #expect(try d.say(message(try Topic("a"), 2), message(.none, 2)) == ["publish a ", "publish a "])
        #expect(try d.say(message(try Topic("b"), 2), message(.none, 2)) == ["publish b ", "publish b "])
        #expect(try d.say(message(.none, 1)) == ["end protocolError"])
    }

    @Test("a topic alias above the maximum is refused", arguments: [UInt16(5), 65_535])
    func aliasMaximum(_ alias: UInt16) throws {
        var limits = Limits()
        limits.topicAliasMaximum = 4
        let (d, _) = try MQTTDialogue.established(limits: limits)
        let publish = Publish(
            topic: try Topic("a"), payload: ByteBuffer(), properties: MQTTSample.properties { $0.topicAlias = alias })
        #expect(try d.say(.publish(publish)) == ["end topicAliasInvalid"])
    }

    @Test("properties, duplicate and retain flags reach the owner")
    func details() throws {
        let (d, _) = try MQTTDialogue.established()
        var publish = Publish(
            topic: try Topic("t"), payload: ByteBuffer(), qos: .atLeastOnce, packetID: 1, isDuplicate: true)
        publish.properties.messageExpiryInterval = 9
        try publish.properties.append(UserProperty("k", "v"))
        _ = try d.say(.publish(publish))
        #expect(d.messages == [publish])
        let (old, _) = try MQTTDialogue.established(.v311)
        _ = try old.say(.publish(Publish(topic: try Topic("t"), payload: ByteBuffer(), retain: true)))
        #expect(old.messages.first?.retain == true)
    }

    @Test("a version 5 client may neither retain nor name subscriptions")
    func refusedMessages() throws {
        let (d, _) = try MQTTDialogue.established()
        let retained = Publish(topic: try Topic("t"), payload: ByteBuffer(), retain: true)
        #expect(try d.say(.publish(retained)) == ["end retainNotSupported"])
        let (e, _) = try MQTTDialogue.established()
        let named = Publish(
            topic: try Topic("t"), payload: ByteBuffer(),
            properties: MQTTSample.properties { $0.append(subscriptionIdentifier: 1) })
        #expect(try e.say(.publish(named)) == ["end protocolError"])
    }

    @Test(
        "packets that only servers send are a protocol error",
        arguments: [
            Packet.connack(ConnAck()), .suback(SubAck(packetID: 1, reasons: [.success])),
            .unsuback(SubAck(packetID: 1, reasons: [.success])), .pingresp, .auth(Auth(reason: .success)),
            .disconnect(Disconnect(reason: .sessionTakenOver)),
        ])
    func wrongDirection(_ packet: Packet) throws {
        let (d, _) = try MQTTDialogue.established()
        #expect(try d.say(packet) == ["end protocolError"])
        #expect(try d.heard() == [.disconnect(Disconnect(reason: .protocolError))])
    }

    @Test("a message decided after the end changes nothing")
    func lateDecision() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.say(.message(1))
        d.lose()
        d.acknowledge(0)
        #expect(try d.heard().isEmpty)
    }

    @Test("QoS 2 stays exactly once over a broken connection")
    func resumedExactlyOnce() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        _ = try d.say(
            .message(1, .exactlyOnce), .message(2, .exactlyOnce), .message(3, .exactlyOnce), .message(4, .exactlyOnce))
        d.acknowledge(0)
        d.acknowledge(2)  // Decided, but its PUBREC waits behind the second.
        var kept = try #require(d.kept())
        kept.acknowledge(d.handles[1])  // Became durable after the connection broke.
        let (e, packets) = try MQTTDialogue.established(resuming: kept) { $0.properties.sessionExpiryInterval = 60 }
        guard case .connack(let connack)? = packets.first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.sessionPresent)
        // Only the fourth was never decided and counts as new.
        #expect(
            try e.say(
                .message(1, .exactlyOnce, dup: true), .message(2, .exactlyOnce, dup: true),
                .message(3, .exactlyOnce, dup: true), .message(4, .exactlyOnce, dup: true)) == ["publish t 4"])
        #expect(try e.heard() == [.ack(.pubrec, 1), .ack(.pubrec, 2), .ack(.pubrec, 3)])
        _ = try e.say(.ack(.pubrel, 1))
        #expect(try e.heard() == [.ack(.pubcomp, 1)])
    }
}
