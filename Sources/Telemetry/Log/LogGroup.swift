/// The frames of one commit on disk: a header, then the frames.
///
/// Header, little-endian: magic `TGL1`, length of the frames (u32), CRC-32 over sequence and frames (u32), sequence
/// (u64). Sequences rise by one from group to group across segments, so a lost or swapped segment is noticed.
enum LogGroup {
    static let headerLength = 20
    static let magic: UInt32 = 0x314C_4754
    /// No group is longer: the writer starts another one before.
    static let maximumLength = 1 << 30

    /// The header for these frames.
    static func header(sequence: UInt64, length: Int, checksum: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerLength)
        withUnsafeBytes(of: magic.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: length).littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: sequence.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Where a checksum over a group begins: with its sequence.
    static func checksumSeed(_ sequence: UInt64) -> UInt32 {
        withUnsafeBytes(of: sequence.littleEndian) { Checksum.of($0) }
    }

    /// Calls `body` with each whole group of a segment; returns the length of the good part.
    static func forEach(
        in segment: [UInt8], _ body: (_ sequence: UInt64, _ frames: UnsafeRawBufferPointer) -> Void
    ) -> Int {
        segment.withUnsafeBytes { raw in
            var reader = LogReader(raw)
            var good = 0
            while let found = reader.integer(as: UInt32.self), found == magic,
                let length = reader.integer(as: UInt32.self), length <= UInt32(maximumLength),
                let sum = reader.integer(as: UInt32.self), let sequence = reader.integer(as: UInt64.self),
                let frames = reader.slice(Int(length)),
                Checksum.of(frames, continuing: checksumSeed(sequence)) == sum
            {
                body(sequence, frames)
                good = reader.position
            }
            return good
        }
    }
}
