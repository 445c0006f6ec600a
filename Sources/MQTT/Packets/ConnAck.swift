import NIOCore

/// CONNACK: the server's answer to CONNECT (section 3.2).
public struct ConnAck: Sendable, Hashable {
    /// Whether the server goes on with an earlier session.
    public var sessionPresent: Bool
    /// Success, or why the connection is refused.
    public var reason: ReasonCode
    /// The properties of version 5: what the server can do and allows.
    public var properties: Properties

    /// A CONNACK with these fields.
    public init(sessionPresent: Bool = false, reason: ReasonCode = .success, properties: Properties = .init()) {
        self.sessionPresent = sessionPresent
        self.reason = reason
        self.properties = properties
    }

    init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        let flags = try reader.byte()
        guard flags & 0xFE == 0 else { throw .malformed("reserved CONNACK flags are set") }  // [MQTT-3.2.2-1]
        sessionPresent = flags == 1
        let code = try reader.byte()
        switch version {
        case .v311:
            guard let reason = ReasonCode(returnCode311: code) else { throw .malformed("an unknown return code") }
            self.reason = reason
            properties = Properties()
        case .v5:
            reason = try ReasonCode(code, in: .connack)
            properties = try Properties(from: &reader, in: .connack, limits: limits)
        }
        guard reason == .success || !sessionPresent else {
            throw .protocolError("a refusal claims that a session is present")  // [MQTT-3.2.2-6]
        }
        try reader.finish()
    }

    func write(to buffer: inout ByteBuffer, version: ProtocolVersion) throws(ProtocolViolation) {
        buffer.writeInteger(UInt8(sessionPresent ? 1 : 0))
        switch version {
        case .v311:
            guard let code = reason.returnCode311 else {
                throw ProtocolViolation(reason, "the reason has no return code in MQTT 3.1.1")
            }
            buffer.writeInteger(code)
        case .v5:
            buffer.writeInteger(reason.rawValue)
            properties.write(to: &buffer)
        }
    }
}

extension ReasonCode {
    /// The code on the wire, if the specification lists it for packets of `type`.
    init(_ code: UInt8, in type: PacketType) throws(ProtocolViolation) {
        guard let reason = ReasonCode(rawValue: code), reason.isAllowed(in: type) else {
            throw .protocolError("a reason code may not stand in this packet")
        }
        self = reason
    }
}
