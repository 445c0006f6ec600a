import NIOCore

/// The first two to five bytes of a packet (section 2.1).
struct FixedHeader {
    /// The most that four length bytes can announce, with the header itself: 268,435,460 bytes.
    static let largestPacket = 268_435_455 + 5

    let type: PacketType
    /// The lower half of the first byte: only PUBLISH has any choice in it.
    let flags: UInt8
    /// The bytes of this header.
    let length: Int
    /// The bytes that follow it.
    let remainingLength: Int
    /// Whether the length was written in as few bytes as possible, which only version 5 demands [MQTT-1.5.5-1].
    let isMinimal: Bool

    var packetLength: Int { length + remainingLength }

    /// The header at the start of `buffer`, or nil while it is incomplete.
    ///
    /// Everything that the header alone can tell is refused here, before any of the body has arrived.
    static func peek(_ buffer: ByteBuffer, largestPacket: Int) throws(ProtocolViolation) -> FixedHeader? {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self) else { return nil }
        guard let type = PacketType(rawValue: first >> 4) else { throw .malformed("packet type 0 is forbidden") }
        let flags = first & 0x0F
        guard type == .publish || flags == type.reservedFlags else {
            throw .malformed("reserved bits of the fixed header are set")
        }
        var value = 0
        var length = 1
        while true {
            guard let byte = buffer.getInteger(at: start + length, as: UInt8.self) else { return nil }
            value |= Int(byte & 0x7F) << (7 * (length - 1))
            length += 1
            if byte & 0x80 == 0 {
                guard length + value <= largestPacket else {
                    throw ProtocolViolation(.packetTooLarge, "the packet is larger than allowed")
                }
                return FixedHeader(
                    type: type, flags: flags, length: length, remainingLength: value,
                    isMinimal: byte != 0 || length == 2)
            }
            guard length < 5 else { throw .malformed("the remaining length has more than four bytes") }
        }
    }
}
