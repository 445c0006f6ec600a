import MQTT
import NIOCore
import Testing

@Suite struct MQTTPropertiesTests {
    @Test("what is set is read back, and setting again replaces it")
    func values() throws {
        var properties = Properties()
        #expect(properties.isEmpty)
        properties.sessionExpiryInterval = .max
        properties.receiveMaximum = 7
        properties.topicAlias = 1
        properties.topicAlias = 2
        properties.retainAvailable = false
        properties.maximumQoS = .atLeastOnce
        try properties.set(.reasonString, to: "first")
        try properties.set(.reasonString, to: "zweiter ä")
        try properties.append(UserProperty("a", "1"))
        try properties.append(UserProperty("a", "2"))
        try properties.set(correlationData: ByteBuffer(bytes: [0, 255]))
        properties.append(subscriptionIdentifier: 268_435_455)
        properties.append(subscriptionIdentifier: 1)
        #expect(properties.sessionExpiryInterval == .max)
        #expect(properties.receiveMaximum == 7)
        #expect(properties.topicAlias == 2)
        #expect(properties.retainAvailable == false)
        #expect(properties.maximumQoS == .atLeastOnce)
        #expect(properties[.reasonString] == "zweiter ä")
        #expect(properties.userProperties == [UserProperty("a", "1"), UserProperty("a", "2")])
        #expect(properties.correlationData == ByteBuffer(bytes: [0, 255]))
        #expect(properties.subscriptionIdentifiers == [268_435_455, 1])
        #expect(properties.willDelayInterval == nil)
        #expect(properties[.contentType] == nil)
        #expect(properties.detached == properties)
    }

    @Test("a property set to nil is gone")
    func removal() throws {
        var properties = Properties()
        properties.topicAlias = 2
        properties.messageExpiryInterval = 9
        properties.topicAlias = nil
        #expect(properties.topicAlias == nil)
        #expect(properties.messageExpiryInterval == 9)
        properties.messageExpiryInterval = nil
        #expect(properties == Properties())
        #expect(properties.isEmpty)
    }

    @Test("text longer than the protocol can carry is refused and leaves the rest alone")
    func overlong() throws {
        var properties = Properties()
        properties.topicAlias = 2
        let before = properties
        let long = String(repeating: "x", count: 65_536)
        #expect(throws: ProtocolViolation.self) { try properties.set(.contentType, to: long) }
        #expect(throws: ProtocolViolation.self) { try properties.append(UserProperty("a", long)) }
        #expect(throws: ProtocolViolation.self) { try properties.set(correlationData: ByteBuffer(string: long)) }
        #expect(properties == before)
        #expect(properties[.contentType] == nil)
        #expect(properties.userProperties.isEmpty)
    }

    @Test("free text keeps its line breaks")
    func lineBreaks() throws {
        var properties = Properties()
        try properties.append(UserProperty("note", "one\ntwo"))
        let publish = Packet.publish(Publish(topic: try Topic("t"), payload: ByteBuffer(), properties: properties))
        var buffer = ByteBuffer()
        try publish.write(to: &buffer, version: .v5)
        var decoder = PacketDecoder(version: .v5)
        #expect(try decoder.next(from: &buffer) == publish)
    }
}
