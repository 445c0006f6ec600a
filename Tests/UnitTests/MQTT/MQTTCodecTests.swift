import MQTT
import NIOCore
import Testing

@Suite struct MQTTCodecTests {
    @Test("a packet written out by hand is read as what it means", arguments: MQTTSample.all)
    func decodesVector(_ sample: MQTTSample) throws {
        var decoder = PacketDecoder(version: sample.version, limits: .specification)
        var buffer = sample.bytes
        #expect(try decoder.next(from: &buffer) == sample.packet)
        #expect(buffer.readableBytes == 0)
    }

    @Test("a packet is written as the specification writes it", arguments: MQTTSample.all)
    func encodesVector(_ sample: MQTTSample) throws {
        var buffer = ByteBuffer()
        try sample.packet.write(to: &buffer, version: sample.version)
        #expect(buffer == sample.bytes)
    }

    @Test(
        "a packet that comes byte by byte is asked for until it is whole, then equals the whole",
        arguments: MQTTSample.all)
    func dripFeed(_ sample: MQTTSample) throws {
        var decoder = PacketDecoder(version: sample.version, limits: .specification)
        var buffer = ByteBuffer()
        let bytes = Array(sample.bytes.readableBytesView)
        for byte in bytes.dropLast() {
            buffer.writeInteger(byte)
            #expect(try decoder.next(from: &buffer) == nil)
        }
        buffer.writeBytes(bytes.suffix(1))
        #expect(try decoder.next(from: &buffer) == sample.packet)
        #expect(try decoder.next(from: &buffer) == nil)
    }

    @Test("packets that come together are read one after the other", arguments: [ProtocolVersion.v311, .v5])
    func stream(_ version: ProtocolVersion) throws {
        let samples = MQTTSample.all.filter { $0.version == version && $0.packet.type != .connect }
        var buffer = ByteBuffer()
        for sample in samples { buffer.writeImmutableBuffer(sample.bytes) }
        var decoder = PacketDecoder(version: version, limits: .specification)
        for sample in samples { #expect(try decoder.next(from: &buffer) == sample.packet) }
        #expect(try decoder.next(from: &buffer) == nil)
    }

    @Test("every kind of packet is among the samples")
    func coverage() {
        let types = Set(MQTTSample.all.map(\.packet.type))
        #expect(types == Set(PacketType.allCases))
    }

    @Test("the version is learned from CONNECT")
    func version() throws {
        for sample in MQTTSample.all where sample.packet.type == .connect {
            var decoder = PacketDecoder()
            var buffer = sample.bytes
            _ = try decoder.next(from: &buffer)
            #expect(decoder.version == sample.version)
        }
    }

    @Test("the long forms of packets whose end may be left out are read too")
    func longForms() throws {
        let forms: [(String, Packet)] = [
            ("40 03 000A 00", .puback(Acknowledgement(packetID: 10))),
            ("40 04 000A 00 00", .puback(Acknowledgement(packetID: 10))),
            ("E0 01 00", .disconnect(Disconnect())),
            ("E0 02 00 00", .disconnect(Disconnect())),
            ("F0 02 00 00", .auth(Auth(reason: .success))),
        ]
        for (hex, packet) in forms {
            var decoder = PacketDecoder(version: .v5)
            var buffer = MQTTSample.buffer(hex)
            #expect(try decoder.next(from: &buffer) == packet, "\(hex)")
        }
    }

    @Test("the payload of a message is a slice of the input, not a copy")
    func payloadIsSlice() throws {
        var buffer = MQTTSample.buffer("30 05 0001 74 3432")
        let input = buffer
        var decoder = PacketDecoder(version: .v311)
        guard case .publish(let publish)? = try decoder.next(from: &buffer) else {
            Issue.record("not a message")
            return
        }
        let inside = input.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        let payload = publish.payload.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(payload == inside + 5)
    }

    @Test(
        "the length of a packet takes as many bytes as it needs", arguments: [0, 127, 128, 16_383, 16_384, 2_097_152])
    func lengths(_ size: Int) throws {
        let publish = Publish(topic: try Topic("t"), payload: ByteBuffer(repeating: 7, count: size))
        let subscribe = Subscribe(
            packetID: 1,
            subscriptions: try (0...min(size, 16_384) / 8).map { Subscription(try TopicFilter("topic/\($0)")) })
        for packet in [Packet.publish(publish), .subscribe(subscribe)] {
            var buffer = ByteBuffer()
            try packet.write(to: &buffer, version: .v5)
            var decoder = PacketDecoder(version: .v5, limits: .specification)
            #expect(try decoder.next(from: &buffer) == packet)
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test("a packet that is too large is refused before its body comes")
    func packetSize() throws {
        var limits = Limits()
        limits.packetSize = 100
        limits.connectPacketSize = 50
        var decoder = PacketDecoder(version: .v5, limits: limits)
        var fits = MQTTSample.buffer("30 62")
        #expect(try decoder.next(from: &fits) == nil)
        var large = MQTTSample.buffer("30 63")
        #expect(throws: ProtocolViolation(.packetTooLarge, "")) { try decoder.next(from: &large) }
        decoder = PacketDecoder(limits: limits)
        var connect = MQTTSample.buffer("10 31")
        #expect(throws: ProtocolViolation(.packetTooLarge, "")) { try decoder.next(from: &connect) }
    }

    @Test("a value that the protocol cannot carry is refused, and nothing of it is written")
    func unwritable() throws {
        let long = String(repeating: "x", count: 65_536)
        let packets: [Packet] = [
            .connect(Connect(version: .v5, clientID: long)),
            .connect(Connect(version: .v5, clientID: "", password: ByteBuffer(string: long))),
            .publish(Publish(topic: try Topic("t"), payload: ByteBuffer(), qos: .atLeastOnce, packetID: 0)),
            .publish(Publish(topic: try Topic("t"), payload: ByteBuffer(repeating: 0, count: 268_435_456))),
            .puback(Acknowledgement(packetID: 0)),
            .subscribe(Subscribe(packetID: 1, subscriptions: [])),
            .unsubscribe(Unsubscribe(packetID: 1, filters: [])),
            .suback(SubAck(packetID: 0, reasons: [.success])),
        ]
        for packet in packets {
            var buffer = ByteBuffer(string: "before")
            #expect(throws: ProtocolViolation.self) { try packet.write(to: &buffer, version: .v5) }
            #expect(String(buffer: buffer) == "before")
        }
        var buffer = ByteBuffer()
        #expect(throws: ProtocolViolation.self) {
            try Packet.auth(Auth(reason: .success)).write(to: &buffer, version: .v311)
        }
        #expect(throws: ProtocolViolation.self) {
            try Packet.connack(ConnAck(reason: .packetTooLarge)).write(to: &buffer, version: .v311)
        }
        #expect(buffer.readableBytes == 0)
    }

    @Test("an acknowledgement is four bytes, or five when something went wrong")
    func acknowledgementBytes() {
        var buffer = ByteBuffer()
        buffer.writeAcknowledgement(.puback, packetID: 0x1234, version: .v5)
        buffer.writeAcknowledgement(.pubrec, packetID: 1, reason: .quotaExceeded, version: .v5)
        buffer.writeAcknowledgement(.pubrel, packetID: 2, reason: .packetIdentifierNotFound, version: .v311)
        #expect(buffer == MQTTSample.buffer("40021234 50030001 97 62020002"))
    }
}
