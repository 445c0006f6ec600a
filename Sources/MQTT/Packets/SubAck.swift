import NIOCore

/// SUBACK or UNSUBACK: the server's answer, one code for each filter (sections 3.9 and 3.11).
public struct SubAck: Sendable, Hashable {
    /// The request that is answered.
    public var packetID: UInt16
    /// One code for each filter, in order; none in the UNSUBACK of 3.1.1.
    public var reasons: [ReasonCode]
    /// The properties of version 5.
    public var properties: Properties

    /// An answer with these fields.
    public init(packetID: UInt16, reasons: [ReasonCode], properties: Properties = .init()) {
        self.packetID = packetID
        self.reasons = reasons
        self.properties = properties
    }

    init(
        from reader: inout BodyReader, type: PacketType, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        packetID = try reader.packetID()
        properties = version == .v5 ? try Properties(from: &reader, in: PacketSet(type), limits: limits) : Properties()
        reasons = []
        if version == .v311, type == .unsuback {
            try reader.finish()
            return
        }
        guard reader.remaining > 0 else { throw .protocolError("the answer has no reason code") }
        while reader.remaining > 0 {
            guard reasons.count < limits.filtersPerPacket else {
                throw ProtocolViolation(.quotaExceeded, "the answer has too many reason codes")
            }
            let code = try reader.byte()
            switch version {
            case .v5: reasons.append(try ReasonCode(code, in: type))
            case .v311:
                guard let reason = ReasonCode(subscribeCode311: code) else {
                    throw .malformed("an unknown return code")  // 3.1.1, [MQTT-3.9.3-2]
                }
                reasons.append(reason)
            }
        }
    }

    func write(
        to buffer: inout ByteBuffer, as type: PacketType, version: ProtocolVersion
    ) throws(ProtocolViolation) {
        guard packetID != 0 else { throw .protocolError("a packet identifier is zero") }
        buffer.writeInteger(packetID)
        switch version {
        case .v5:
            properties.write(to: &buffer)
            for reason in reasons { buffer.writeInteger(reason.rawValue) }
        case .v311 where type == .suback:
            for reason in reasons { buffer.writeInteger(reason.subscribeCode311) }
        case .v311: break
        }
    }
}
