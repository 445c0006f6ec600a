import NIOCore

/// UNSUBSCRIBE: which messages a client no longer wants (section 3.10).
public struct Unsubscribe: Sendable, Hashable {
    /// What UNSUBACK will name.
    public var packetID: UInt16
    /// The filters, in the order in which UNSUBACK answers.
    public var filters: [TopicFilter]
    /// The properties of version 5.
    public var properties: Properties

    /// An UNSUBSCRIBE with these fields.
    public init(packetID: UInt16, filters: [TopicFilter], properties: Properties = .init()) {
        self.packetID = packetID
        self.filters = filters
        self.properties = properties
    }

    init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        packetID = try reader.packetID()
        properties = version == .v5 ? try Properties(from: &reader, in: .unsubscribe, limits: limits) : Properties()
        filters = []
        guard reader.remaining > 0 else { throw .protocolError("UNSUBSCRIBE names no filter") }  // [MQTT-3.10.3-2]
        while reader.remaining > 0 {
            guard filters.count < limits.filtersPerPacket else {
                throw ProtocolViolation(.quotaExceeded, "UNSUBSCRIBE names too many filters")
            }
            filters.append(try TopicFilter(from: &reader, version: version, limits: limits))
        }
    }

    func write(to buffer: inout ByteBuffer, version: ProtocolVersion) throws(ProtocolViolation) {
        guard packetID != 0 else { throw .protocolError("a packet identifier is zero") }
        guard !filters.isEmpty else { throw .protocolError("UNSUBSCRIBE names no filter") }
        buffer.writeInteger(packetID)
        if version == .v5 { properties.write(to: &buffer) }
        for filter in filters { try buffer.writeText(filter.text) }
    }
}
