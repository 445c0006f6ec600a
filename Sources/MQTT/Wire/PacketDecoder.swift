public import NIOCore

/// Turns a stream of bytes into packets, each as soon as all of it is there.
///
/// The version is learned from CONNECT; a client, which receives none, gives it at the start.
public struct PacketDecoder: Sendable {
    /// The version spoken, nil until CONNECT has named one.
    public private(set) var version: ProtocolVersion?
    /// The bounds on what is accepted.
    public var limits: Limits
    /// The protocol level of a CONNECT that asked for a version unknown here.
    private(set) var unknownLevel: UInt8?

    /// A decoder for one connection.
    public init(version: ProtocolVersion? = nil, limits: Limits = .init()) {
        self.version = version
        self.limits = limits
    }

    /// The next packet of `buffer`, whose reader index then stands behind it, or nil when more bytes are needed.
    ///
    /// After a violation the stream cannot be understood any more and the connection must end.
    public mutating func next(from buffer: inout ByteBuffer) throws(ProtocolViolation) -> Packet? {
        guard let header = try header(of: buffer), header.packetLength <= buffer.readableBytes else { return nil }
        let packet = try packet(header, in: buffer)
        buffer.moveReaderIndex(forwardBy: header.packetLength)
        return packet
    }

    /// The fixed header at the front of `buffer`, whether or not the rest is there.
    func header(of buffer: ByteBuffer) throws(ProtocolViolation) -> FixedHeader? {
        let largest = version == nil ? limits.connectPacketSize : limits.packetSize
        guard let header = try FixedHeader.peek(buffer, largestPacket: largest) else { return nil }
        switch version {
        case nil where header.type != .connect:
            throw .protocolError("the first packet is not CONNECT")  // [MQTT-3.1.0-1]
        case .v311 where header.type == .auth: throw .malformed("packet type 15 is forbidden in MQTT 3.1.1")
        case .v5 where !header.isMinimal: throw .malformed("the remaining length is longer than needed")
        default: return header
        }
    }

    /// The packet with this header, which lies whole at the front of `buffer`.
    mutating func packet(_ header: FixedHeader, in buffer: ByteBuffer) throws(ProtocolViolation) -> Packet {
        var reader = reader(header, in: buffer)
        guard header.type != .connect else { return .connect(try connect(from: &reader, header)) }
        guard let version else { throw .protocolError("the first packet is not CONNECT") }
        switch header.type {
        case .connect, .publish:
            return .publish(try Publish(from: &reader, flags: header.flags, version: version, limits: limits))
        case .connack: return .connack(try ConnAck(from: &reader, version: version, limits: limits))
        case .puback: return .puback(try acknowledgement(from: &reader, header, version))
        case .pubrec: return .pubrec(try acknowledgement(from: &reader, header, version))
        case .pubrel: return .pubrel(try acknowledgement(from: &reader, header, version))
        case .pubcomp: return .pubcomp(try acknowledgement(from: &reader, header, version))
        case .subscribe: return .subscribe(try Subscribe(from: &reader, version: version, limits: limits))
        case .suback: return .suback(try SubAck(from: &reader, type: .suback, version: version, limits: limits))
        case .unsubscribe: return .unsubscribe(try Unsubscribe(from: &reader, version: version, limits: limits))
        case .unsuback: return .unsuback(try SubAck(from: &reader, type: .unsuback, version: version, limits: limits))
        case .pingreq:
            try reader.finish()
            return .pingreq
        case .pingresp:
            try reader.finish()
            return .pingresp
        case .disconnect: return .disconnect(try Disconnect(from: &reader, version: version, limits: limits))
        case .auth: return .auth(try Auth(from: &reader, limits: limits))
        }
    }

    /// The message with this header, without the detour over `Packet`: the one packet that comes all the time.
    func publish(
        _ header: FixedHeader, in buffer: ByteBuffer, version: ProtocolVersion
    ) throws(ProtocolViolation) -> Publish {
        var reader = reader(header, in: buffer)
        return try Publish(from: &reader, flags: header.flags, version: version, limits: limits)
    }

    private func reader(_ header: FixedHeader, in buffer: ByteBuffer) -> BodyReader {
        BodyReader(buffer, at: buffer.readerIndex + header.length, length: header.remainingLength)
    }

    private func acknowledgement(
        from reader: inout BodyReader, _ header: FixedHeader, _ version: ProtocolVersion
    ) throws(ProtocolViolation) -> Acknowledgement {
        try Acknowledgement(from: &reader, type: header.type, version: version, limits: limits)
    }

    private mutating func connect(
        from reader: inout BodyReader, _ header: FixedHeader
    ) throws(ProtocolViolation) -> Connect {
        switch try Connect.version(from: &reader) {
        case .unknown(let level):
            unknownLevel = level
            throw ProtocolViolation(.unsupportedProtocolVersion, "the version of MQTT is not spoken here")
        case .known(let level):
            version = level
            guard level == .v311 || header.isMinimal else {
                throw .malformed("the remaining length is longer than needed")
            }
            return try Connect(from: &reader, version: level, limits: limits)
        }
    }
}
