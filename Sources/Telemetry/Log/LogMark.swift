#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The file that says up to where chunks hold what the log holds, so that the next start does not take it again.
///
/// It is a hint that may be old or missing, never early: it is written after the chunks are committed. Its content is
/// the sequence of the first group that must be taken, and the CRC-32 of these eight bytes, both little-endian.
enum LogMark {
    static let fileName = "flushed"

    /// The first group to take; nil when no readable mark says so.
    static func read(in directory: String) throws(LogError) -> UInt64? {
        guard let bytes = try LogFile.contents(of: "\(directory)/\(fileName)") else { return nil }
        return bytes.withUnsafeBytes { raw in
            var reader = LogReader(raw)
            guard let sequence = reader.integer(as: UInt64.self), let sum = reader.integer(as: UInt32.self),
                reader.isAtEnd, sum == LogGroup.checksumSeed(sequence)
            else { return nil }
            return sequence
        }
    }

    /// Puts a new mark in the place of the old one, so that a reader finds either.
    static func write(_ sequence: UInt64, in directory: String) throws(LogError) {
        let path = "\(directory)/\(fileName)"
        var bytes: [UInt8] = []
        withUnsafeBytes(of: sequence.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: LogGroup.checksumSeed(sequence).littleEndian) { bytes.append(contentsOf: $0) }
        var file = try LogFile(appendingTo: "\(path).new", at: 0)
        try file.append(bytes)
        guard rename("\(path).new", path) == 0 else { throw LogError(operation: "rename", path: path, code: errno) }
    }
}
