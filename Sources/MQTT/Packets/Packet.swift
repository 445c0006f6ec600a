public import NIOCore

/// Any control packet, in either direction.
///
/// What comes once in a connection is boxed, so that the packets that come often stay small.
public enum Packet: Sendable, Hashable {
    indirect case connect(Connect)
    case connack(ConnAck)
    case publish(Publish)
    case puback(Acknowledgement)
    case pubrec(Acknowledgement)
    case pubrel(Acknowledgement)
    case pubcomp(Acknowledgement)
    case subscribe(Subscribe)
    case suback(SubAck)
    case unsubscribe(Unsubscribe)
    case unsuback(SubAck)
    case pingreq
    case pingresp
    case disconnect(Disconnect)
    case auth(Auth)

    /// The kind of packet.
    public var type: PacketType {
        switch self {
        case .connect: .connect
        case .connack: .connack
        case .publish: .publish
        case .puback: .puback
        case .pubrec: .pubrec
        case .pubrel: .pubrel
        case .pubcomp: .pubcomp
        case .subscribe: .subscribe
        case .suback: .suback
        case .unsubscribe: .unsubscribe
        case .unsuback: .unsuback
        case .pingreq: .pingreq
        case .pingresp: .pingresp
        case .disconnect: .disconnect
        case .auth: .auth
        }
    }

    /// Appends the packet to `buffer`; on failure, which only a value beyond what the protocol can carry causes, nothing
    /// is appended.
    ///
    /// A CONNECT is written in the version that it names.
    public func write(to buffer: inout ByteBuffer, version: ProtocolVersion) throws(ProtocolViolation) {
        switch self {
        case .publish(let publish): try publish.write(to: &buffer, version: version)
        case .puback(let ack), .pubrec(let ack), .pubrel(let ack), .pubcomp(let ack):
            try ack.write(to: &buffer, as: type, version: version)
        case .auth where version == .v311: throw .protocolError("MQTT 3.1.1 has no AUTH packet")
        default:
            try buffer.writePacket(type) { buffer throws(ProtocolViolation) in
                try writeBody(to: &buffer, version: version)
            }
        }
    }

    private func writeBody(to buffer: inout ByteBuffer, version: ProtocolVersion) throws(ProtocolViolation) {
        switch self {
        case .connect(let packet): try packet.write(to: &buffer)
        case .connack(let packet): try packet.write(to: &buffer, version: version)
        case .subscribe(let packet): try packet.write(to: &buffer, version: version)
        case .suback(let packet), .unsuback(let packet): try packet.write(to: &buffer, as: type, version: version)
        case .unsubscribe(let packet): try packet.write(to: &buffer, version: version)
        case .disconnect(let packet): packet.write(to: &buffer, version: version)
        case .auth(let packet): packet.write(to: &buffer)
        case .pingreq, .pingresp, .publish, .puback, .pubrec, .pubrel, .pubcomp: break
        }
    }
}
