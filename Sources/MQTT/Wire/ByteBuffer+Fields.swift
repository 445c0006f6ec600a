import NIOCore

extension ByteBuffer {
    /// Writes `text` after its two-byte length.
    mutating func writeText(_ text: String) throws(ProtocolViolation) {
        guard let length = UInt16(exactly: text.utf8.count) else {
            throw ProtocolViolation(.packetTooLarge, "a string is longer than 65,535 bytes")
        }
        writeInteger(length)
        writeString(text)
    }

    /// Writes `bytes` after their two-byte length.
    mutating func writeBinary(_ bytes: ByteBuffer) throws(ProtocolViolation) {
        guard let length = UInt16(exactly: bytes.readableBytes) else {
            throw ProtocolViolation(.packetTooLarge, "binary data is longer than 65,535 bytes")
        }
        writeInteger(length)
        writeImmutableBuffer(bytes)
    }

    /// Writes a variable byte integer (5.0, section 1.5.5); the caller keeps it within 28 bits.
    mutating func writeVariableInteger(_ value: Int) {
        var rest = value
        while rest >= 0x80 {
            writeInteger(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }

    /// The bytes that `writeVariableInteger` needs for `value`.
    static func variableIntegerLength(_ value: Int) -> Int {
        value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
    }

    /// Writes a packet whose length is known only after its body. On failure nothing is written.
    mutating func writePacket(
        _ type: PacketType, body: (inout ByteBuffer) throws(ProtocolViolation) -> Void
    ) throws(ProtocolViolation) {
        let start = writerIndex
        writeInteger(type.rawValue << 4 | type.reservedFlags)
        writeInteger(UInt8(0))
        do throws(ProtocolViolation) {
            try body(&self)
            let length = writerIndex - start - 2
            guard length + 5 <= FixedHeader.largestPacket else {
                throw ProtocolViolation(.packetTooLarge, "the packet is larger than the specification allows")
            }
            if length < 0x80 {
                setInteger(UInt8(length), at: start + 1)
            } else if let body = getSlice(at: start + 2, length: length) {
                // More than the one length byte that was left for it: rare outside PUBLISH, so the body is written again.
                moveWriterIndex(to: start + 1)
                writeVariableInteger(length)
                writeImmutableBuffer(body)
            }
        } catch {
            moveWriterIndex(to: start)
            throw error
        }
    }
}
