/// Variable-length integers (LEB128, seven bits a byte, low bits first) as the log and the head store them.
enum Varint {
    /// Appends `value` in one to ten bytes.
    @inline(__always)
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a signed value, zig-zag coded so that small magnitudes stay short.
    @inline(__always)
    static func append(signed value: Int64, to bytes: inout [UInt8]) {
        append(UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63), to: &bytes)
    }
}

/// Reads what the log wrote; every method returns nil instead of running past the end, because the bytes come from a
/// disk that may have lied.
struct LogReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    private let end: Int

    init(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) {
        self.bytes = bytes
        position = start
        end = bytes.count
    }

    var isAtEnd: Bool { position >= end }
    var remaining: Int { end - position }

    mutating func byte() -> UInt8? {
        guard position < end else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    @inline(__always)
    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let next = bytes[position]
            position += 1
            if shift == 63, next > 1 { return nil }
            value |= UInt64(next & 0x7F) << shift
            if next & 0x80 == 0 { return value }
            shift += 7
            if shift > 63 { return nil }
        }
        return nil
    }

    mutating func signed() -> Int64? {
        guard let value = varint() else { return nil }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func slice(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func integer<T: FixedWidthInteger>(as type: T.Type) -> T? {
        guard let slice = slice(MemoryLayout<T>.size) else { return nil }
        return T(littleEndian: slice.loadUnaligned(as: T.self))
    }
}
