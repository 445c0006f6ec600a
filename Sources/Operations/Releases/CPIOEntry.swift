/// The head of one file in a cpio archive of the forms `newc` (070701) and `crc` (070702), which SWUpdate reads.
///
/// Thirteen fields of eight hexadecimal digits follow the magic; the name follows at byte 110 with a zero at its end, and
/// is filled up with its head to a multiple of four, as is the content (Linux, Documentation/driver-api/early-userspace/
/// buffer-format.rst).
struct CPIOEntry: Hashable, Sendable {
    /// Bytes of the head without the name.
    static let headBytes = 110
    /// Bytes of a name; longer ones are no archive that anybody means.
    static let nameBytes = 256

    let name: String
    /// Bytes of the content.
    let size: Int
    /// Where the content begins, counted from the entry's head.
    let contentOffset: Int
    /// Where the next entry begins, counted from this one's head.
    let next: Int

    /// The entry whose head stands at the beginning of `bytes`; nil when there is none, or it is not whole.
    init?(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes.prefix(Self.headBytes + Self.nameBytes))
        guard bytes.count > Self.headBytes,
            bytes.starts(with: "070701".utf8) || bytes.starts(with: "070702".utf8),
            let size = Self.field(6, bytes), let length = Self.field(11, bytes), (2...Self.nameBytes).contains(length),
            bytes.count >= Self.headBytes + length, bytes[Self.headBytes + length - 1] == 0
        else { return nil }
        let name = bytes[Self.headBytes..<(Self.headBytes + length - 1)]
        guard !name.contains(0) else { return nil }
        self.name = String(decoding: name, as: UTF8.self)
        self.size = size
        contentOffset = Self.filled(Self.headBytes + length)
        next = Self.filled(contentOffset + size)
    }

    /// The field of this number, of which each has 32 bits at most.
    private static func field(_ number: Int, _ bytes: [UInt8]) -> Int? {
        let start = 6 + number * 8
        var value = 0
        for byte in bytes[start..<(start + 8)] {
            switch byte {
            case 48...57: value = value << 4 | Int(byte - 48)
            case 65...70: value = value << 4 | Int(byte - 55)
            case 97...102: value = value << 4 | Int(byte - 87)
            default: return nil
            }
        }
        return value
    }

    private static func filled(_ length: Int) -> Int { (length + 3) & ~3 }
}
