/// What a file is, as its first bytes say; its name decides nothing.
public enum ArtifactType: String, CaseIterable, Sendable {
    /// SWUpdate's archive: cpio in the form `newc` or `crc` whose first file is `sw-description`.
    case swu
    /// RAUC's bundle: a squashfs with a signature behind it.
    case rauc
    /// MCUboot's image, as Zephyr's devices take it.
    case mcuboot
    /// A package of Debian.
    case deb
    /// A zchunk file.
    case zchunk
    /// gzip.
    case gzip
    /// xz.
    case xz
    /// Zstandard.
    case zstd
    /// A bill of materials: CycloneDX in JSON.
    case cycloneDX
    /// Anything else.
    case binary

    /// The type of what begins with these bytes.
    public init(head: [UInt8]) {
        func begins(_ text: String) -> Bool { head.starts(with: text.utf8) }
        if begins("070701") || begins("070702"), CPIOEntry(head)?.name == "sw-description" {
            self = .swu
        } else if begins("hsqs") {
            self = .rauc
        } else if head.starts(with: [0x3D, 0xB8, 0xF3, 0x96]) {
            self = .mcuboot
        } else if begins("!<arch>\ndebian") {
            self = .deb
        } else if head.starts(with: [0x00]) && head.dropFirst().starts(with: "ZCK1".utf8) {
            self = .zchunk
        } else if head.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if head.starts(with: [0xFD]) && head.dropFirst().starts(with: "7zXZ\0".utf8) {
            self = .xz
        } else if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstd
        } else if head.first(where: { !Self.isBlank($0) }) == UInt8(ascii: "{"), Self.contains("CycloneDX", head) {
            self = .cycloneDX
        } else {
            self = .binary
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x09, 0x0A, 0x0D, 0x20].contains(byte) }

    private static func contains(_ word: String, _ bytes: [UInt8]) -> Bool {
        let word = Array(word.utf8)
        guard bytes.count >= word.count else { return false }
        return (0...(bytes.count - word.count)).contains { start in
            bytes[start] == word[0] && bytes[start..<(start + word.count)].elementsEqual(word)
        }
    }
}
