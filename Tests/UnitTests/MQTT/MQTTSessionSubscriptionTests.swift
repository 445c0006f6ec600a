import MQTT
import NIOCore
import Testing

@Suite struct MQTTSessionSubscriptionTests {
    private func subscribe(_ packetID: UInt16, _ filters: String..., qos: QoS = .exactlyOnce) throws -> Packet {
        .subscribe(
            Subscribe(
                packetID: packetID,
                subscriptions: try filters.map { Subscription(try TopicFilter($0), maximumQoS: qos) }))
    }

    @Test("the owner decides on each filter; no more than QoS 1 is granted")
    func granting() throws {
        let (d, _) = try MQTTDialogue.established()
        #expect(try d.say(subscribe(3, "desired", "tasks", "other", "more")) == ["subscribe desired tasks other more"])
        #expect(try d.heard().isEmpty)
        d.answer(0, .grantedQoS2, .success, .notAuthorized)
        #expect(
            try d.heard() == [
                .suback(
                    SubAck(packetID: 3, reasons: [.grantedQoS1, .success, .notAuthorized, .unspecifiedError]))
            ])
        #expect(Set(d.subscriptions.map(\.filter.text)) == ["desired", "tasks"])
    }

    @Test("3.1.1 knows one refusal")
    func refusal311() throws {
        let (d, _) = try MQTTDialogue.established(.v311)
        _ = try d.say(subscribe(3, "desired", "#"))
        d.answer(0, .grantedQoS1, .notAuthorized)
        #expect(try d.heard() == [.suback(SubAck(packetID: 3, reasons: [.grantedQoS1, .unspecifiedError]))])
    }

    @Test("no more is granted than was asked for")
    func requestedQuality() throws {
        let (d, _) = try MQTTDialogue.established()
        _ = try d.say(subscribe(3, "desired", qos: .atMostOnce))
        d.answer(0, .grantedQoS1)
        #expect(try d.heard() == [.suback(SubAck(packetID: 3, reasons: [.success]))])
    }

    @Test("UNSUBSCRIBE is answered at once and the owner is told what ended")
    func unsubscribing() throws {
        for version in [ProtocolVersion.v311, .v5] {
            let (d, _) = try MQTTDialogue.established(version)
            _ = try d.say(subscribe(3, "desired"))
            d.answer(0, .grantedQoS1)
            _ = try d.heard()
            let filters = [try TopicFilter("desired"), try TopicFilter("none")]
            #expect(
                try d.say(.unsubscribe(Unsubscribe(packetID: 4, filters: filters))) == ["unsubscribed desired"])
            #expect(
                try d.heard() == [
                    .unsuback(
                        SubAck(packetID: 4, reasons: version == .v5 ? [.success, .noSubscriptionExisted] : []))
                ])
            #expect(d.subscriptions.isEmpty)
            #expect(try d.say(.unsubscribe(Unsubscribe(packetID: 5, filters: filters))) == [])
        }
    }

    @Test(
        "what CONNACK said is not available ends the connection of a version 5 client",
        arguments: [
            ("a/+", ReasonCode.wildcardSubscriptionsNotSupported), ("#", .wildcardSubscriptionsNotSupported),
            ("$share/g/a", .sharedSubscriptionsNotSupported),
        ])
    func unavailable(_ filter: String, _ reason: ReasonCode) throws {
        let (d, _) = try MQTTDialogue.established()
        #expect(try d.say(subscribe(1, filter)) == ["end \(reason)"])
        #expect(try d.heard() == [.disconnect(Disconnect(reason: reason))])
    }

    @Test("a subscription identifier ends the connection")
    func subscriptionIdentifier() throws {
        let (d, _) = try MQTTDialogue.established()
        let subscribe = Subscribe(
            packetID: 1, subscriptions: [Subscription(try TopicFilter("a"))],
            properties: MQTTSample.properties { $0.append(subscriptionIdentifier: 5) })
        #expect(try d.say(.subscribe(subscribe)) == ["end subscriptionIdentifiersNotSupported"])
    }

    @Test("wildcards are the owner's matter where they are available, and in 3.1.1")
    func wildcards() throws {
        var limits = Limits()
        limits.wildcardSubscriptions = true
        let (d, _) = try MQTTDialogue.established(limits: limits)
        #expect(try d.say(subscribe(1, "v1/devices/me/rpc/request/+")).count == 1)
        let (e, _) = try MQTTDialogue.established(.v311)
        #expect(try e.say(subscribe(1, "v1/devices/me/rpc/request/+")).count == 1)
        // 3.1.1 has no shared subscriptions: this is an ordinary filter there.
        #expect(e.say(hex: "82 0C 0002 0007 2473686172652F 00").count == 1)
    }

    @Test("subscriptions and open requests are bounded")
    func bounds() throws {
        var limits = Limits()
        limits.subscriptions = 2
        limits.openRequests = 2
        let (d, _) = try MQTTDialogue.established(limits: limits)
        _ = try d.say(subscribe(1, "a", "b", "c"))
        d.answer(0, .success, .success, .success)
        #expect(try d.heard() == [.suback(SubAck(packetID: 1, reasons: [.success, .success, .quotaExceeded]))])
        // Replacing one is always possible [MQTT-3.8.4-3].
        _ = try d.say(subscribe(2, "a"))
        d.answer(1, .grantedQoS1)
        #expect(try d.heard() == [.suback(SubAck(packetID: 2, reasons: [.grantedQoS1]))])
        #expect(try d.say(subscribe(3, "x"), subscribe(4, "y"), subscribe(5, "z")).last == "end quotaExceeded")
    }

    @Test("subscriptions outlive the connection in the session")
    func kept() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        _ = try d.say(subscribe(1, "desired"))
        d.answer(0, .grantedQoS1)
        let kept = try #require(d.kept())
        #expect(kept.subscriptions.keys.map(\.text) == ["desired"])
        let (e, _) = try MQTTDialogue.established(resuming: kept)
        #expect(e.subscriptions.map(\.filter.text) == ["desired"])
    }

    @Test("an answer that the client's packet size does not allow ends the connection")
    func tooLargeAnswer() throws {
        var limits = Limits()
        limits.filtersPerPacket = 100
        let (d, _) = try MQTTDialogue.established(limits: limits) { $0.properties.maximumPacketSize = 50 }
        let filters = try (0..<50).map { try TopicFilter("a\($0)") }
        _ = try d.say(.subscribe(Subscribe(packetID: 1, subscriptions: filters.map { Subscription($0) })))
        d.answer(0)
        #expect(d.ending?.reason == .packetTooLarge)
        #expect(try d.heard() == [.disconnect(Disconnect(reason: .packetTooLarge))])
        let (e, _) = try MQTTDialogue.established(limits: limits) { $0.properties.maximumPacketSize = 50 }
        #expect(try e.say(.unsubscribe(Unsubscribe(packetID: 1, filters: filters))) == ["end packetTooLarge"])
    }
}
