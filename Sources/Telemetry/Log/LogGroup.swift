/// The frames of one commit on disk: a header, then the frames.
///
/// Header, little-endian: magic `TGL1`, length of the frames (u32), CRC-32 over sequence and frames (u32), sequence
/// (u64). Sequences rise by one from group to group across segments, so a lost or swapped segment is noticed.
enum LogGroup {
    /// What stands in a segment.
    enum Finding: Hashable, Sendable {
        /// A whole group; the ranges are places in the segment.
        case group(sequence: UInt64, bytes: Range<Int>, frames: Range<Int>)
        /// Bytes that are no group as they were written.
        case damage(Range<Int>)
        /// The end of a group that was not written to its end: nobody was told that it is stored.
        case unfinished(Range<Int>)
    }

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

    /// Calls `body` with everything that stands in a segment, in order; behind damage it goes on at the next whole group.
    static func forEach(in segment: UnsafeRawBufferPointer, _ body: (Finding) -> Void) {
        var position = 0
        while position < segment.count {
            if let (sequence, end) = group(in: segment, at: position) {
                body(.group(sequence: sequence, bytes: position..<end, frames: position + headerLength..<end))
                position = end
                continue
            }
            let next = nextGroup(in: segment, after: position)
            let rest = position..<(next ?? segment.count)
            body(next == nil && isUnfinished(segment, rest) ? .unfinished(rest) : .damage(rest))
            position = rest.upperBound
        }
    }

    /// The whole group that begins at `position`, and its end.
    private static func group(in segment: UnsafeRawBufferPointer, at position: Int) -> (sequence: UInt64, end: Int)? {
        var reader = LogReader(segment, from: position)
        guard reader.integer(as: UInt32.self) == magic, let length = reader.integer(as: UInt32.self),
            length <= UInt32(maximumLength), let sum = reader.integer(as: UInt32.self),
            let sequence = reader.integer(as: UInt64.self), let frames = reader.slice(Int(length)),
            Checksum.of(frames, continuing: checksumSeed(sequence)) == sum
        else { return nil }
        return (sequence, reader.position)
    }

    private static func nextGroup(in segment: UnsafeRawBufferPointer, after position: Int) -> Int? {
        guard position + headerLength < segment.count else { return nil }
        let first = UInt8(truncatingIfNeeded: magic)
        return (position + 1...segment.count - headerLength).first { index in
            segment[index] == first && group(in: segment, at: index) != nil
        }
    }

    /// Zeros at a file's end that tell of a power cut: the file grew, and its last bytes never came.
    static let tellingZeros = 512

    /// Whether the last bytes of a segment can be the beginning of a group: its header, or a part of it, and fewer
    /// frames than it says, or zeros instead. A length that is wrong while the rest fits its checksum is damage.
    private static func isUnfinished(_ segment: UnsafeRawBufferPointer, _ rest: Range<Int>) -> Bool {
        let zeros = segment[rest].reversed().prefix { $0 == 0 }.count
        if zeros == rest.count || zeros >= tellingZeros { return true }
        var reader = LogReader(segment, from: rest.lowerBound)
        let start = withUnsafeBytes(of: magic.littleEndian) { Array($0) }
        guard rest.count >= headerLength else { return zip(segment[rest], start).allSatisfy { $0 == $1 } }
        guard reader.integer(as: UInt32.self) == magic, let length = reader.integer(as: UInt32.self),
            let sum = reader.integer(as: UInt32.self), let sequence = reader.integer(as: UInt64.self)
        else { return false }
        guard length <= UInt32(maximumLength), Int(length) > reader.remaining else { return false }
        let frames = UnsafeRawBufferPointer(rebasing: segment[reader.position...])
        return Checksum.of(frames, continuing: checksumSeed(sequence)) != sum
    }
}
