/// The records of which the stream inside an archive consists; numbers are big-endian.
///
///     "M" length (4 bytes), manifest: JSON                            once, first
///     "F" length of the name (2), name, length (8), content           for each file
///     "Z" number of files (4)                                         once, last
enum ArchiveRecord {
    static let manifest = UInt8(ascii: "M")
    static let file = UInt8(ascii: "F")
    static let end = UInt8(ascii: "Z")

    static func bytes(_ number: UInt64, width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (width - 1 - $0))) }
    }
}
