import NIOCore

/// Reads the fields of one packet's body, front to back, and never past its end.
struct BodyReader {
    private let buffer: ByteBuffer
    private(set) var index: Int
    private let end: Int

    /// A reader of the `length` bytes at `start`, which must all be readable in `buffer`.
    init(_ buffer: ByteBuffer, at start: Int, length: Int) {
        self.buffer = buffer
        index = start
        end = start + length
    }

    var remaining: Int { end - index }

    /// Moves past the next `count` bytes and says where they start.
    private mutating func advance(_ count: Int) throws(ProtocolViolation) -> Int {
        guard count <= remaining else { throw .malformed("the packet ends within a field") }
        defer { index += count }
        return index
    }

    private mutating func integer<Value: FixedWidthInteger>() throws(ProtocolViolation) -> Value {
        guard let value = buffer.getInteger(at: try advance(MemoryLayout<Value>.size), as: Value.self) else {
            throw .malformed("the packet ends within a field")
        }
        return value
    }

    mutating func byte() throws(ProtocolViolation) -> UInt8 { try integer() }
    mutating func uint16() throws(ProtocolViolation) -> UInt16 { try integer() }
    mutating func uint32() throws(ProtocolViolation) -> UInt32 { try integer() }

    /// A packet identifier, which is never zero [MQTT-2.2.1-3].
    mutating func packetID() throws(ProtocolViolation) -> UInt16 {
        let value = try uint16()
        guard value != 0 else { throw .protocolError("a packet identifier is zero") }
        return value
    }

    /// A variable byte integer (5.0, section 1.5.5): four bytes at most, no more than needed.
    mutating func variableInteger() throws(ProtocolViolation) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 21, by: 7) {
            let byte = try byte()
            value |= UInt32(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else { throw .malformed("a variable byte integer is longer than needed") }
                return value
            }
        }
        throw .malformed("a variable byte integer has more than four bytes")
    }

    /// The next `length` bytes, sharing the packet's storage.
    mutating func slice(_ length: Int) throws(ProtocolViolation) -> ByteBuffer {
        guard let slice = buffer.getSlice(at: try advance(length), length: length) else {
            throw .malformed("the packet ends within a field")
        }
        return slice
    }

    /// Moves past the next `count` bytes.
    mutating func skip(_ count: Int) throws(ProtocolViolation) { _ = try advance(count) }

    /// Everything that is left.
    mutating func rest() throws(ProtocolViolation) -> ByteBuffer { try slice(remaining) }

    /// Bytes that follow their two-byte length.
    mutating func binary() throws(ProtocolViolation) -> ByteBuffer { try slice(Int(try uint16())) }

    /// A UTF-8 encoded string (5.0, section 1.5.4), which may be `unusual` in free text only.
    mutating func text(allowsUnusual: Bool = true) throws(ProtocolViolation) -> String {
        let bytes = try binary()
        switch bytes.withUnsafeReadableBytes({ TextQuality(of: $0) }) {
        case .clean: break
        case .unusual where allowsUnusual: break
        case .unusual: throw .malformed("a string holds a control character or a non-character")
        case .illFormed: throw .malformed("a string is not UTF-8 or holds U+0000")
        }
        return String(buffer: bytes)
    }

    /// Checks a string like `text` and moves past it without building one.
    mutating func skipText() throws(ProtocolViolation) {
        let bytes = try binary()
        guard bytes.withUnsafeReadableBytes({ TextQuality(of: $0) }) != .illFormed else {
            throw .malformed("a string is not UTF-8 or holds U+0000")
        }
    }

    /// Refuses bytes after the last field.
    func finish() throws(ProtocolViolation) {
        guard remaining == 0 else { throw .malformed("bytes follow the last field of the packet") }
    }
}
