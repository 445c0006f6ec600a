/// Every bound of this target, on one page.
enum Limits {
    /// Bytes of plain text in each frame of an archive but the last; part of the format.
    static let frameBytes = 256 * 1024
    /// Bytes of an archive's manifest.
    static let manifestBytes = 64 * 1024
    /// Bytes of an entry's name in an archive.
    static let entryNameBytes = 128
    /// Files in one archive: a partition a day for a century, as many log segments, and blobs.
    static let entries = 2_000_000
    /// Bytes of a key bundle.
    static let bundleBytes = 8 << 20
    /// Files in a key bundle.
    static let keyFiles = 256
    /// Bytes of one file in a key bundle.
    static let keyFileBytes = 256 * 1024
    /// Times that the database is copied again because the key files changed meanwhile.
    static let keyAttempts = 3
    /// The logarithm of the largest window that a compressed stream may ask for.
    static let windowLog: Int32 = 23
    /// Rows that are moved in one transaction when chunks change engines.
    static let movedRows = 200
    /// Problems that a drill lists; it counts all.
    static let listedProblems = 20
}
