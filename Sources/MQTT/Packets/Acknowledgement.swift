public import NIOCore

/// PUBACK, PUBREC, PUBREL or PUBCOMP: a step of the exchange that follows a PUBLISH (sections 3.4 to 3.7).
public struct Acknowledgement: Sendable, Hashable {
    /// The message it is about.
    public var packetID: UInt16
    /// How it went; always success in 3.1.1, which has no reason codes here.
    public var reason: ReasonCode
    /// The properties of version 5.
    public var properties: Properties

    /// An acknowledgement with these fields.
    public init(packetID: UInt16, reason: ReasonCode = .success, properties: Properties = .init()) {
        self.packetID = packetID
        self.reason = reason
        self.properties = properties
    }

    init(
        from reader: inout BodyReader, type: PacketType, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        packetID = try reader.packetID()
        reason = .success
        properties = Properties()
        // Reason code and properties may be left out when there is nothing to say (section 3.4.2.1).
        if version == .v5, reader.remaining > 0 {
            reason = try ReasonCode(try reader.byte(), in: type)
            if reader.remaining > 0 {
                properties = try Properties(from: &reader, in: PacketSet(type), limits: limits)
            }
        }
        try reader.finish()
    }

    func write(
        to buffer: inout ByteBuffer, as type: PacketType, version: ProtocolVersion
    ) throws(ProtocolViolation) {
        guard packetID != 0 else { throw .protocolError("a packet identifier is zero") }
        guard version == .v5, !properties.isEmpty else {
            buffer.writeAcknowledgement(type, packetID: packetID, reason: reason, version: version)
            return
        }
        try buffer.writePacket(type) { buffer throws(ProtocolViolation) in
            buffer.writeInteger(packetID)
            buffer.writeInteger(reason.rawValue)
            properties.write(to: &buffer)
        }
    }
}

extension ByteBuffer {
    /// Writes one acknowledgement without properties straight into the buffer: four bytes for success, five otherwise.
    public mutating func writeAcknowledgement(
        _ type: PacketType, packetID: UInt16, reason: ReasonCode = .success, version: ProtocolVersion
    ) {
        let first = UInt32(type.rawValue << 4 | type.reservedFlags) << 24
        if version == .v311 || reason == .success {
            writeInteger(first | 2 << 16 | UInt32(packetID))
        } else {
            writeInteger(first | 3 << 16 | UInt32(packetID))
            writeInteger(reason.rawValue)
        }
    }
}
