public import NIOCore

/// PUBLISH: an application message (section 3.3).
///
/// A decoded message shares its packet's storage: topic, properties and payload are slices, and nothing is copied.
public struct Publish: Sendable, Hashable {
    /// Whether this may be a repetition.
    public var isDuplicate: Bool
    /// The quality of service.
    public var qos: QoS
    /// Whether the server is asked to keep the message for later subscribers.
    public var retain: Bool
    /// Where it is published; empty when a topic alias stands for it.
    public var topic: Topic
    /// What acknowledgements will name, or 0 at QoS 0.
    public var packetID: UInt16
    /// The properties of version 5.
    public var properties: Properties
    /// The content.
    public var payload: ByteBuffer

    /// A message with these fields.
    public init(
        topic: Topic, payload: ByteBuffer, qos: QoS = .atMostOnce, packetID: UInt16 = 0, retain: Bool = false,
        isDuplicate: Bool = false, properties: Properties = .init()
    ) {
        self.isDuplicate = isDuplicate
        self.qos = qos
        self.retain = retain
        self.topic = topic
        self.packetID = packetID
        self.properties = properties
        self.payload = payload
    }

    init(
        from reader: inout BodyReader, flags: UInt8, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        guard let qos = QoS(rawValue: flags >> 1 & 0x03) else { throw .malformed("the QoS is 3") }  // [MQTT-3.3.1-4]
        let isDuplicate = flags & 0x08 != 0
        // [MQTT-3.3.1-2]
        guard qos != .atMostOnce || !isDuplicate else { throw .malformed("a QoS 0 message is a duplicate") }
        let topic = try Topic(checking: try reader.binary(), limits: limits)
        let packetID = qos == .atMostOnce ? 0 : try reader.packetID()
        let properties = version == .v5 ? try Properties(from: &reader, in: .publish, limits: limits) : Properties()
        if topic.isEmpty {
            guard version == .v5 else { throw .malformed("the topic name is empty") }  // 3.1.1, [MQTT-4.7.3-1]
            guard properties.contains(.topicAlias) else {
                throw .protocolError("neither a topic name nor an alias stands in the message")  // section 3.3.2.1
            }
        }
        self.init(
            topic: topic, payload: try reader.rest(), qos: qos, packetID: packetID, retain: flags & 0x01 != 0,
            isDuplicate: isDuplicate, properties: properties)
    }

    /// The bytes after the fixed header.
    func remainingLength(_ version: ProtocolVersion) -> Int {
        2 + topic.bytes.readableBytes + (qos == .atMostOnce ? 0 : 2) + (version == .v5 ? properties.encodedLength : 0)
            + payload.readableBytes
    }

    /// The bytes of the whole packet.
    func packetLength(_ version: ProtocolVersion) -> Int {
        let length = remainingLength(version)
        return 1 + ByteBuffer.variableIntegerLength(length) + length
    }

    /// Writes the whole packet.
    func write(to buffer: inout ByteBuffer, version: ProtocolVersion) throws(ProtocolViolation) {
        let length = remainingLength(version)
        guard length + 5 <= FixedHeader.largestPacket else {
            throw ProtocolViolation(.packetTooLarge, "the packet is larger than the specification allows")
        }
        guard let topicLength = UInt16(exactly: topic.bytes.readableBytes) else {
            throw ProtocolViolation(.packetTooLarge, "a topic name is longer than 65,535 bytes")
        }
        guard qos == .atMostOnce || packetID != 0 else { throw .protocolError("a packet identifier is zero") }
        buffer.reserveCapacity(minimumWritableBytes: length + 5)
        buffer.writeInteger(
            PacketType.publish.rawValue << 4 | (isDuplicate ? 0x08 : 0) | qos.rawValue << 1 | (retain ? 0x01 : 0))
        buffer.writeVariableInteger(length)
        buffer.writeInteger(topicLength)
        buffer.writeImmutableBuffer(topic.bytes)
        if qos != .atMostOnce { buffer.writeInteger(packetID) }
        if version == .v5 { properties.write(to: &buffer) }
        buffer.writeImmutableBuffer(payload)
    }
}
