import MQTT
import NIOCore
import Testing

@Suite struct MQTTSessionOpeningTests {
    @Test("a client is authenticated, let in, and heard", arguments: [ProtocolVersion.v311, .v5])
    func opening(_ version: ProtocolVersion) throws {
        let d = MQTTDialogue(version)
        #expect(try d.say(.connect(Connect(version: version, clientID: "c"))) == ["authenticate c"])
        #expect(!d.wantsInput)
        #expect(try d.heard().isEmpty)
        d.note(d.session.accept(clientID: "c", into: &d.output, at: d.now))
        #expect(d.isEstablished)
        #expect(d.wantsInput)
        guard case .connack(let connack)? = try d.heard().first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.reason == .success)
        #expect(!connack.sessionPresent)
        #expect(try d.say(.pingreq).isEmpty)
        #expect(try d.heard() == [.pingresp])
    }

    @Test("a version 5 client is told what the server can do and allows")
    func capabilities() throws {
        var limits = Limits()
        limits.receiveMaximum = 20
        limits.packetSize = 4096
        limits.topicAliasMaximum = 8
        limits.keepAliveMaximum = 600
        limits.sessionExpiryMaximum = 100
        let (_, packets) = try MQTTDialogue.established(limits: limits) {
            $0.keepAlive = 1200
            $0.properties.sessionExpiryInterval = 1000
        }
        guard case .connack(let connack)? = packets.first else {
            Issue.record("no CONNACK")
            return
        }
        let properties = connack.properties
        #expect(properties.receiveMaximum == 20)
        #expect(properties.maximumPacketSize == 4096)
        #expect(properties.topicAliasMaximum == 8)
        #expect(properties.serverKeepAlive == 600)
        #expect(properties.sessionExpiryInterval == 100)
        #expect(properties.retainAvailable == false)
        #expect(properties.wildcardSubscriptionAvailable == false)
        #expect(properties.subscriptionIdentifierAvailable == false)
        #expect(properties.sharedSubscriptionAvailable == false)
        #expect(properties.maximumQoS == nil)
        #expect(properties[.assignedClientIdentifier] == nil)
    }

    @Test("what is as the client asked is not repeated")
    func noRepetition() throws {
        var limits = Limits()
        limits.wildcardSubscriptions = true
        limits.topicAliasMaximum = 0
        let (_, packets) = try MQTTDialogue.established(limits: limits) { $0.properties.sessionExpiryInterval = 60 }
        guard case .connack(let connack)? = packets.first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.properties.serverKeepAlive == nil)
        #expect(connack.properties.sessionExpiryInterval == nil)
        #expect(connack.properties.wildcardSubscriptionAvailable == nil)
        #expect(connack.properties.topicAliasMaximum == nil)
    }

    @Test("a client without a name is told the one it got")
    func assignedIdentifier() throws {
        let (_, packets) = try MQTTDialogue.established { $0.clientID = "" }
        guard case .connack(let connack)? = packets.first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.properties[.assignedClientIdentifier] == "meter-1")
    }

    @Test("3.1.1: a client without a name must want a clean session")
    func emptyIdentifier() throws {
        let d = MQTTDialogue(.v311)
        #expect(
            try d.say(.connect(Connect(version: .v311, clientID: "", cleanStart: false)))
                == ["end clientIdentifierNotValid"])
        #expect(try d.heard() == [.connack(ConnAck(reason: .clientIdentifierNotValid))])
        let clean = MQTTDialogue(.v311)
        #expect(
            try clean.say(.connect(Connect(version: .v311, clientID: "", cleanStart: true))) == ["authenticate "])
    }

    @Test(
        "a refused client is told why as its version can",
        arguments: [
            (ProtocolVersion.v311, ReasonCode.notAuthorized, ReasonCode?.some(.notAuthorized)),
            (.v311, .banned, .notAuthorized),
            (.v311, .serverBusy, .serverUnavailable),
            (.v311, .administrativeAction, nil),
            (.v5, .badUserNameOrPassword, .badUserNameOrPassword),
            (.v5, .banned, .banned),
            (.v5, .sessionTakenOver, .unspecifiedError),
        ])
    func refusal(_ version: ProtocolVersion, _ reason: ReasonCode, _ told: ReasonCode?) throws {
        let d = MQTTDialogue(version)
        _ = try d.say(.connect(Connect(version: version, clientID: "c")))
        d.note(d.session.refuse(reason, into: &d.output))
        #expect(d.ending?.reason == reason)
        #expect(try d.heard() == told.map { [.connack(ConnAck(reason: $0))] } ?? [])
        // [MQTT-3.1.4-6]
        #expect(try d.say(.pingreq).isEmpty)
        #expect(try d.heard().isEmpty)
        d.lose()
        #expect(d.endings.count == 1)
    }

    @Test("a reason in words is left out when it does not fit")
    func refusalText() throws {
        for (largest, text) in [(UInt32(1000), String?.some("unknown device")), (10, nil)] {
            let d = MQTTDialogue()
            var connect = Connect(version: .v5, clientID: "c")
            connect.properties.maximumPacketSize = largest
            _ = try d.say(.connect(connect))
            d.note(d.session.refuse(.notAuthorized, text: "unknown device", into: &d.output))
            guard case .connack(let connack)? = try d.heard().first else {
                Issue.record("no CONNACK")
                return
            }
            #expect(connack.properties[.reasonString] == text)
        }
    }

    @Test(
        "a version that is not spoken is refused in the nearest one",
        arguments: [
            ("10 0F 0006 4D5149736470 03 02 003C 0001 61", "20 02 00 01"),
            ("10 0D 0004 4D515454 03 02 003C 0001 61", "20 02 00 01"),
            ("10 0D 0004 4D515454 84 02 003C 0001 61", "20 02 00 01"),
            ("10 0D 0004 4D515454 06 02 003C 0001 61", "20 03 00 84 00"),
            ("10 0D 0004 48545450 04 02 003C 0001 61", ""),
        ])
    func versions(_ connect: String, _ answer: String) {
        let d = MQTTDialogue(.v311)
        #expect(d.say(hex: connect) == ["end unsupportedProtocolVersion"])
        #expect(d.output == MQTTSample.buffer(answer))
    }

    @Test(
        "a connection that does not begin with CONNECT ends without a word",
        arguments: [
            "C0 00", "30 05 0001 74 3432", "16 03 01 02 00 01", "47 45 54 20 2F",
        ])
    func firstPacket(_ hex: String) {
        let d = MQTTDialogue()
        #expect(d.say(hex: hex).count == 1)
        #expect(d.ending?.will == nil)
        #expect(d.output.readableBytes == 0)
    }

    @Test("a malformed CONNECT is answered in its version when that could be read")
    func malformedConnect() throws {
        let d = MQTTDialogue()
        #expect(d.say(hex: "10 0D 0004 4D515454 05 03 003C 00 0000") == ["end malformedPacket"])
        #expect(try d.heard() == [.connack(ConnAck(reason: .malformedPacket))])
        let old = MQTTDialogue(.v311)
        #expect(old.say(hex: "10 0C 0004 4D515454 04 03 003C 0000") == ["end malformedPacket"])
        #expect(try old.heard().isEmpty)
    }

    @Test("enhanced authentication is refused")
    func authenticationMethod() throws {
        let d = MQTTDialogue()
        var connect = Connect(version: .v5, clientID: "c")
        try connect.properties.set(.authenticationMethod, to: "SCRAM-SHA-256")
        #expect(try d.say(.connect(connect)) == ["end badAuthenticationMethod"])
        #expect(try d.heard() == [.connack(ConnAck(reason: .badAuthenticationMethod))])
    }

    @Test("a will that asks to be retained is refused where retaining is not available")
    func retainedWill() throws {
        let will = Will(topic: try Topic("w"), payload: ByteBuffer(), retain: true)
        let d = MQTTDialogue()
        #expect(try d.say(.connect(Connect(version: .v5, clientID: "c", will: will))) == ["end retainNotSupported"])
        let old = MQTTDialogue(.v311)
        #expect(try old.say(.connect(Connect(version: .v311, clientID: "c", will: will))) == ["authenticate c"])
    }

    @Test("a client that accepts only tiny packets is not let in")
    func tinyPackets() throws {
        let (d, packets) = try MQTTDialogue.established { $0.properties.maximumPacketSize = 5 }
        #expect(packets.isEmpty)
        #expect(d.ending?.reason == .packetTooLarge)
        #expect(!d.isEstablished)
    }

    @Test("packets behind CONNECT wait until the client is let in")
    func pipelining() throws {
        let d = MQTTDialogue()
        #expect(
            try d.say(.connect(Connect(version: .v5, clientID: "c")), .message(1), .pingreq) == ["authenticate c"])
        #expect(try d.heard().isEmpty)
        d.note(d.session.accept(clientID: "c", into: &d.output, at: d.now))
        #expect(d.take() == ["publish t 1"])
        d.acknowledge(0)
        #expect(try d.heard().map(\.type) == [.connack, .pingresp, .puback])
    }

    @Test("a second CONNECT is a protocol error", arguments: [ProtocolVersion.v311, .v5])
    func secondConnect(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version)
        #expect(try d.say(.connect(Connect(version: version, clientID: "c"))) == ["end protocolError"])
        #expect(try d.heard() == (version == .v5 ? [.disconnect(Disconnect(reason: .protocolError))] : []))
    }

    @Test("a second CONNECT cannot change the version")
    func versionStays() throws {
        let (d, _) = try MQTTDialogue.established(.v5)
        #expect(d.say(hex: "10 0C 0004 4D515454 04 02 0000 0000") == ["end protocolError"])
        let version = d.session.version
        #expect(version == .v5)
    }

    @Test("a connection that does not send CONNECT in time ends")
    func connectTimeout() throws {
        var limits = Limits()
        limits.connectSeconds = 10
        let d = MQTTDialogue(limits: limits)
        #expect(d.deadline == d.now + .seconds(10))
        d.now = d.now + .seconds(9)
        d.timeOut()
        #expect(d.ending == nil)
        d.now = d.now + .seconds(1)
        d.timeOut()
        #expect(d.ending?.cause == .silence)
        #expect(d.output.readableBytes == 0)
        #expect(d.deadline == nil)
    }
}
