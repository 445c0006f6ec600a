import CZlib

/// The CRC-32 of ISO 3309 (zlib's), which finds torn and rotten groups; it proves nothing against an attacker.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer, continuing sum: UInt32 = 0) -> UInt32 {
        guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return sum }
        return UInt32(truncatingIfNeeded: crc32_z(UInt(sum), base, bytes.count))
    }
}
