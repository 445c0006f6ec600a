/// Walks the heads of a cpio archive; whoever has the bytes reads from ``position`` on and hands them in.
struct ArchiveWalk: Sendable {
    /// A file in the archive.
    struct File: Hashable, Sendable {
        let name: String
        /// Where its content begins.
        let offset: Int64
        /// Bytes of its content.
        let size: Int64
    }

    /// The archive is none, is cut off, or can be read in more than one way.
    struct Malformed: Error, Hashable {
        let position: Int64
    }

    /// Bytes that one step needs, or as many as there are.
    static let headBytes = CPIOEntry.headBytes + CPIOEntry.nameBytes
    /// The name of the entry that ends an archive.
    private static let trailer = "TRAILER!!!"

    /// Bytes of the archive.
    let size: Int64
    /// The files up to here, in their order.
    private(set) var files: [File] = []
    /// Where the next head begins.
    private(set) var position: Int64 = 0
    /// Whether all files were found.
    private(set) var isAtEnd = false
    private var names: Set<String> = []

    /// A walk through an archive of so many bytes.
    init(size: Int64) { self.size = size }

    /// Takes the bytes at ``position``.
    mutating func take(_ bytes: [UInt8]) throws(Malformed) {
        guard let entry = CPIOEntry(bytes) else { throw Malformed(position: position) }
        if entry.name == Self.trailer {
            isAtEnd = true
            return
        }
        let content = position + Int64(entry.contentOffset)
        // Two files of one name leave open which of them was signed for.
        guard Int64(entry.size) <= size - content, files.count < OperationLimits.archiveFiles,
            names.insert(entry.name).inserted
        else { throw Malformed(position: position) }
        files.append(File(name: entry.name, offset: content, size: Int64(entry.size)))
        position += Int64(entry.next)
    }
}
