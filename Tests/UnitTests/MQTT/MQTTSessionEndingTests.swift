import MQTT
import NIOCore
import Testing

@Suite struct MQTTSessionEndingTests {
    private func will(delay: UInt32? = nil) throws -> Will {
        Will(
            topic: try Topic("w"), payload: ByteBuffer(string: "gone"), qos: .atLeastOnce,
            properties: MQTTSample.properties { $0.willDelayInterval = delay })
    }

    @Test("the will is dropped at a goodbye and kept at any other end")
    func willAtTheEnd() throws {
        let ends: [(ProtocolVersion, Bool, (MQTTDialogue) throws -> Void)] = [
            (.v311, false, { _ = try $0.say(.disconnect(Disconnect())) }),
            (.v5, false, { _ = try $0.say(.disconnect(Disconnect())) }),
            (.v5, true, { _ = try $0.say(.disconnect(Disconnect(reason: .disconnectWithWill))) }),
            (.v5, true, { _ = try $0.say(.disconnect(Disconnect(reason: .unspecifiedError))) }),
            (.v311, true, { $0.lose() }),
            (.v5, true, { $0.lose() }),
            (.v5, true, { _ = try $0.say(.pingresp) }),
            (.v311, true, { _ = $0.say(hex: "00 00") }),
            (.v5, true, { $0.disconnect(.sessionTakenOver) }),
            (
                .v5, true,
                {
                    $0.now = $0.now + .seconds(100)
                    $0.timeOut()
                }
            ),
        ]
        for (index, (version, isKept, end)) in ends.enumerated() {
            let will = try will()
            let (d, _) = try MQTTDialogue.established(version) { $0.will = will }
            try end(d)
            #expect(d.endings.count == 1, "\(index)")
            #expect(d.ending?.will == (isKept ? will : nil), "\(index)")
            #expect(!d.isEstablished)
            d.lose()
            d.disconnect(.serverShuttingDown)
            d.timeOut()
            #expect(d.endings.count == 1, "an end is told once")
        }
    }

    @Test(
        "a will waits for its delay, but no longer than the session is kept",
        arguments: [
            (UInt32?.none, UInt32(60), UInt32(0)), (5, 60, 5), (100, 60, 60), (5, 0, 0),
        ])
    func willDelay(_ delay: UInt32?, _ expiry: UInt32, _ expected: UInt32) throws {
        let will = try will(delay: delay)
        let (d, _) = try MQTTDialogue.established {
            $0.will = will
            $0.properties.sessionExpiryInterval = expiry
        }
        d.lose()
        #expect(d.ending?.willDelay == expected)
    }

    @Test("the session is kept as long as the client asked and the server allows")
    func expiry() throws {
        var limits = Limits()
        limits.sessionExpiryMaximum = 100
        let cases: [(ProtocolVersion, Bool, UInt32?, UInt32?)] = [
            (.v311, true, nil, nil), (.v311, false, nil, 100),
            (.v5, true, nil, nil), (.v5, false, nil, nil), (.v5, true, 30, 30), (.v5, false, 1000, 100),
            (.v5, false, .max, 100),
        ]
        for (version, cleanStart, requested, kept) in cases {
            let (d, _) = try MQTTDialogue.established(version, limits: limits) {
                $0.cleanStart = cleanStart
                $0.properties.sessionExpiryInterval = requested
            }
            d.lose()
            #expect(d.ending?.state?.expiryInterval == kept)
        }
    }

    @Test("a goodbye may change how long the session is kept")
    func expiryAtTheEnd() throws {
        func bye(_ interval: UInt32) -> Packet {
            .disconnect(Disconnect(properties: MQTTSample.properties { $0.sessionExpiryInterval = interval }))
        }
        let (d, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        #expect(try d.say(bye(0)) == ["end success"])
        #expect(d.ending?.state == nil)
        let (e, _) = try MQTTDialogue.established { $0.properties.sessionExpiryInterval = 60 }
        #expect(try e.say(bye(10)) == ["end success"])
        #expect(e.ending?.state?.expiryInterval == 10)
        // A session that was to end with the connection cannot be revived (section 3.14.2.2.2).
        let (f, _) = try MQTTDialogue.established()
        #expect(try f.say(bye(10)) == ["end protocolError"])
    }

    @Test("silence of one and a half times the keep alive ends the connection", arguments: [ProtocolVersion.v311, .v5])
    func keepAlive(_ version: ProtocolVersion) throws {
        let (d, _) = try MQTTDialogue.established(version) { $0.keepAlive = 10 }
        let start = d.now
        #expect(d.deadline == start + .seconds(15))
        d.now = start + .seconds(14)
        _ = try d.say(.pingreq)
        _ = try d.heard()
        #expect(d.deadline == start + .seconds(29))
        d.now = start + .seconds(28)
        d.timeOut()
        #expect(d.ending == nil)
        d.now = start + .seconds(29)
        d.timeOut()
        #expect(d.ending?.cause == .silence)
        #expect(try d.heard() == (version == .v5 ? [.disconnect(Disconnect(reason: .keepAliveTimeout))] : []))
    }

    @Test("half a packet does not keep the connection alive")
    func partialPacket() throws {
        let (d, _) = try MQTTDialogue.established(.v311) { $0.keepAlive = 10 }
        let start = d.now
        d.now = start + .seconds(10)
        #expect(d.say(hex: "30 05 0001") == [])
        #expect(d.deadline == start + .seconds(15))
    }

    @Test("a server keep alive replaces the client's; 3.1.1 cannot be told and keeps its own")
    func serverKeepAlive() throws {
        var limits = Limits()
        limits.keepAliveMaximum = 100
        for (version, asked, seconds) in [
            (ProtocolVersion.v5, UInt16(0), Int64?.some(150)), (.v5, 1000, 150), (.v5, 10, 15), (.v311, 0, nil),
            (.v311, 1000, 1500),
        ] {
            let (d, _) = try MQTTDialogue.established(version, limits: limits) { $0.keepAlive = asked }
            #expect(d.deadline == seconds.map { d.now + .seconds($0) })
        }
    }

    @Test(
        "the server says why it leaves, as the version can",
        arguments: [
            ReasonCode.sessionTakenOver, .quotaExceeded, .administrativeAction, .serverShuttingDown, .notAuthorized,
            .messageRateTooHigh,
        ])
    func serverLeaves(_ reason: ReasonCode) throws {
        let (d, _) = try MQTTDialogue.established()
        d.disconnect(reason)
        #expect(try d.heard() == [.disconnect(Disconnect(reason: reason))])
        #expect(d.ending?.cause == .server)
        #expect(try d.say(.pingreq) == [])
        #expect(try d.heard().isEmpty)
        let (old, _) = try MQTTDialogue.established(.v311)
        old.disconnect(reason)
        #expect(try old.heard().isEmpty)
        #expect(old.ending?.reason == reason)
    }

    @Test("a reason in words is left out when it does not fit")
    func text() throws {
        let (d, _) = try MQTTDialogue.established { $0.properties.maximumPacketSize = 60 }
        d.disconnect(.quotaExceeded, text: String(repeating: "x", count: 60))
        #expect(try d.heard() == [.disconnect(Disconnect(reason: .quotaExceeded))])
        let (e, _) = try MQTTDialogue.established { $0.properties.maximumPacketSize = 60 }
        e.disconnect(.quotaExceeded, text: "slow down")
        guard case .disconnect(let disconnect)? = try e.heard().first else {
            Issue.record("no DISCONNECT")
            return
        }
        #expect(disconnect.properties[.reasonString] == "slow down")
    }

    @Test("before CONNACK no DISCONNECT is sent")
    func leavingEarly() throws {
        let d = MQTTDialogue()
        d.disconnect(.serverShuttingDown)
        #expect(d.ending != nil)
        #expect(try d.heard().isEmpty)
        let e = MQTTDialogue()
        _ = try e.say(.connect(Connect(version: .v5, clientID: "c")))
        e.disconnect(.serverShuttingDown)
        #expect(try e.heard() == [.connack(ConnAck(reason: .serverUnavailable))])
        d.lose()
        #expect(d.endings.count == 1)
    }

    @Test("what was received before a violation is answered, nothing after it is read")
    func violation() throws {
        let (d, _) = try MQTTDialogue.established()
        #expect(d.say(hex: "C000 C100 C000") == ["end malformedPacket"])
        #expect(try d.heard() == [.pingresp, .disconnect(Disconnect(reason: .malformedPacket))])
        #expect(d.ending?.cause == .violation("reserved bits of the fixed header are set"))
    }
}
