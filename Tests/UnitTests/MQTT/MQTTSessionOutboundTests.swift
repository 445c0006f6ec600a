import MQTT
import NIOCore
import Testing

@Suite struct MQTTSessionOutboundTests {
    private func ids(_ packets: [Packet]) -> [UInt16] {
        packets.compactMap { if case .publish(let publish) = $0 { publish.packetID } else { nil } }
    }

    @Test("a message is sent, acknowledged and reported as delivered", arguments: [ProtocolVersion.v311, .v5])
    func delivery(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version)
        #expect(try d.send(77, payload: "open") == nil)
        #expect(
            try d.heard() == [
                .publish(
                    Publish(
                        topic: try Topic("tasks"), payload: ByteBuffer(string: "open"), qos: .atLeastOnce, packetID: 1))
            ])
        #expect(try d.say(.ack(.puback, 1)) == ["delivered 77"])
        #expect(try d.say(.ack(.puback, 1)) == [])
    }

    @Test("QoS 0 leaves at once and is not awaited; QoS 2 is sent as QoS 1")
    func qualities() throws {
        let (d, _) = try MQTTDialogue.established()
        #expect(try d.send(1, qos: .atMostOnce) == nil)
        #expect(try d.send(2, qos: .exactlyOnce) == nil)
        let qualities = try d.heard().compactMap { if case .publish(let publish) = $0 { publish.qos } else { nil } }
        #expect(qualities == [.atMostOnce, .atLeastOnce])
    }

    @Test("no more is in flight than the client's receive maximum; the rest follows in order")
    func window() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.receiveMaximum = 2 }
        for id in UInt64(1)...4 { #expect(try d.send(id) == nil) }
        #expect(ids(try d.heard()) == [1, 2])
        #expect(try d.say(.ack(.puback, 2)) == ["delivered 2"])
        #expect(ids(try d.heard()) == [3])
        #expect(try d.say(.ack(.puback, 1), .ack(.puback, 3)) == ["delivered 1", "delivered 3"])
        #expect(ids(try d.heard()) == [4])
    }

    @Test("the queue is bounded")
    func queue() throws {
        var limits = Limits()
        limits.outboundInFlight = 1
        limits.outboundQueue = 2
        let (d, _) = try MQTTDialogue.established(limits: limits)
        for id in UInt64(1)...3 { #expect(try d.send(id) == nil) }
        #expect(try d.send(4) == .queueFull)
    }

    @Test("a message that the client's packet size does not allow is not sent")
    func packetSize() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.maximumPacketSize = 100 }
        #expect(try d.send(1, payload: String(repeating: "x", count: 100)) == .tooLarge)
        #expect(try d.send(2, payload: String(repeating: "x", count: 100), qos: .atMostOnce) == .tooLarge)
        #expect(try d.heard().isEmpty)
    }

    @Test("a refused message is reported with the client's reason")
    func refused() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.send(5)
        #expect(try d.say(.ack(.puback, 1, .quotaExceeded)) == ["undelivered 5 refused(MQTT.ReasonCode.quotaExceeded)"])
    }

    @Test("what is unacknowledged is sent again on the next connection, marked as duplicate and in order")
    func resend() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        for id in UInt64(1)...3 { _ = try d.send(id) }
        _ = try d.say(.ack(.puback, 2))
        let kept = try #require(d.kept())
        #expect(kept.outboundCount == 2)
        let (e, packets) = try MQTTDialogue.established(resuming: kept) { $0.properties.receiveMaximum = 1 }
        #expect(packets.map(\.type) == [.connack, .publish])
        guard case .publish(let first)? = packets.last else { return }
        #expect(first.packetID == 1)
        #expect(first.isDuplicate)
        #expect(try e.send(4) == nil)
        #expect(try e.heard().isEmpty)
        #expect(try e.say(.ack(.puback, 1)) == ["delivered 1"])
        guard case .publish(let second)? = try e.heard().first else {
            Issue.record("no message")
            return
        }
        #expect(second.packetID == 3)
        #expect(second.isDuplicate)
        #expect(try e.say(.ack(.puback, 3)) == ["delivered 3"])
        guard case .publish(let third)? = try e.heard().first else {
            Issue.record("no message")
            return
        }
        #expect(!third.isDuplicate)
    }

    @Test("an acknowledgement from an earlier connection does not complete what was not sent again yet")
    func staleAcknowledgement() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        for id in UInt64(1)...2 { _ = try d.send(id) }
        let (e, _) = try MQTTDialogue.established(resuming: d.kept()) {
            $0.properties.receiveMaximum = 1
        }
        #expect(try e.say(.ack(.puback, 2)) == [])
    }

    @Test("a clean start forgets what was unacknowledged")
    func cleanStart() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        _ = try d.send(1)
        let (_, packets) = try MQTTDialogue.established(resuming: d.kept()) { $0.cleanStart = true }
        guard case .connack(let connack)? = packets.first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(packets.count == 1)
        #expect(!connack.sessionPresent)
    }

    @Test("messages for an absent client wait in its session and leave when it returns")
    func offline() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        var kept = try #require(d.kept())
        var limits = Limits()
        limits.outboundQueue = 1
        let topic = try Topic("tasks")
        #expect(kept.enqueue(OutboundMessage(id: 8, topic: topic, payload: ByteBuffer()), limits: limits) == nil)
        #expect(
            kept.enqueue(OutboundMessage(id: 9, topic: topic, payload: ByteBuffer()), limits: limits) == .queueFull)
        #expect(
            kept.enqueue(OutboundMessage(id: 9, topic: topic, payload: ByteBuffer(), qos: .atMostOnce), limits: limits)
                == .notConnected)
        let (_, packets) = try MQTTDialogue.established(resuming: kept)
        #expect(ids(packets) == [1])
    }

    @Test("an expired message is given up, and what is left of the time is told")
    func expiry() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.receiveMaximum = 1 }
        _ = try d.send(1)
        #expect(try d.send(2, expires: d.now + .seconds(5)) == nil)
        #expect(try d.send(3, expires: d.now + .seconds(60)) == nil)
        #expect(try d.send(4, expires: d.now) == .expired)
        _ = try d.heard()
        d.now = d.now + .milliseconds(10_500)
        #expect(try d.say(.ack(.puback, 1)) == ["delivered 1", "undelivered 2 expired"])
        guard case .publish(let publish)? = try d.heard().first else {
            Issue.record("no message")
            return
        }
        #expect(publish.properties.messageExpiryInterval == 50)
    }

    @Test("what became too large for the client's next connection is given up")
    func tooLargeLater() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        _ = try d.send(1, payload: String(repeating: "x", count: 200))
        _ = try d.send(2)
        let (e, packets) = try MQTTDialogue.established(resuming: d.kept()) {
            $0.properties.maximumPacketSize = 100
        }
        #expect(ids(packets) == [2])
        #expect(e.take() == ["undelivered 1 tooLarge"])
    }

    @Test("PUBREC for what was never sent is released, PUBREC for a QoS 1 message is a protocol error")
    func strayReceived() throws {
        let (d, _) = try MQTTDialogue.established()
        #expect(try d.say(.ack(.pubrec, 9), .ack(.pubcomp, 9), .ack(.pubrec, 8, .unspecifiedError)) == [])
        #expect(try d.heard() == [.ack(.pubrel, 9, .packetIdentifierNotFound)])
        _ = try d.send(1)
        #expect(try d.say(.ack(.pubrec, 1)) == ["end protocolError"])
    }

    @Test("packet identifiers in flight are never used again")
    func packetIdentifiers() throws {
        var limits = Limits()
        limits.outboundInFlight = 3
        let (d, _) = try MQTTDialogue.established(limits: limits)
        _ = try d.send(0)  // Stays in flight as packet 1.
        _ = try d.heard()
        var wrong = 0
        for id in UInt64(1)...65_600 {
            _ = try d.send(id)
            let packetID = ids(try d.heard()).first ?? 0
            let actions = try d.say(.ack(.puback, packetID))
            if packetID < 2 || actions != ["delivered \(id)"] { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test("nothing is sent before the client is let in or after it left")
    func notConnected() throws {
        let d = MQTTDialogue()
        #expect(try d.send(1) == .notConnected)
        let (e, _) = try MQTTDialogue.established()
        e.lose()
        #expect(try e.send(1) == .notConnected)
    }
}
