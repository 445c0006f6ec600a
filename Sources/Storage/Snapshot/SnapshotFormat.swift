/// The file of a snapshot: one form for both engines, so that a backup can also move a deployment between them.
///
///     "TIDEGATE-SNAPSHOT-1\n"
///     count, then for each applied migration: part, number, checksum (8 bytes)
///     for each table:  "T" name, count and names of its columns
///                      for each row: "R" and a value for each column
///                      "E" and the number of rows
///     "Z" and the 64-bit FNV-1a hash of all bytes before the hash
///
/// Counts, numbers and lengths are variable-length integers, seven bits to a byte, the lowest first; names and texts are
/// UTF-8 behind their length. A value is a tag (`SnapshotTag`) and its content; integers are zigzag coded, so that small
/// ones are short; fixed 8-byte numbers are big-endian. The hash finds damage; who may change a backup is up to the
/// encryption around it.
enum SnapshotFormat {
    static let heading = Array("TIDEGATE-SNAPSHOT-1\n".utf8)
    static let table = UInt8(ascii: "T")
    static let row = UInt8(ascii: "R")
    static let tableEnd = UInt8(ascii: "E")
    static let end = UInt8(ascii: "Z")
    static let bufferBytes = 256 << 10
}

/// What a value's first byte says.
enum SnapshotTag: UInt8 {
    case null = 0
    case integer = 1
    case real = 2
    case text = 3
    case blob = 4
}

/// One migration that had been applied when a snapshot was made.
struct SnapshotMigration: Equatable {
    let part: String
    let number: Int
    let checksum: Int64
}
