/// The first bytes of an archive, in the clear: what it is, and which key bundle opens it.
struct ArchiveHeader: Hashable {
    static let magic = Array("TIDEGATE-BACKUP-1\n".utf8)
    static let identifierBytes = 16
    static let length = magic.count + identifierBytes

    let id: [UInt8]

    var bytes: [UInt8] { Self.magic + id }

    init(id: [UInt8]) {
        self.id = id
    }

    /// The header that `bytes` spell, or nil when no archive of this form begins so.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.length, bytes.starts(with: Self.magic) else { return nil }
        id = Array(bytes[Self.magic.count...])
    }
}
