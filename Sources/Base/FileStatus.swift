#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What the file system says about a file: its kind, mode and owner.
///
/// It stands here, in a target without Foundation, because in a module that sees Foundation an optimised build takes C's
/// `stat` for CoreFoundation's and refuses its members.
public struct FileStatus: Hashable, Sendable {
    /// The permission bits.
    public let permissions: UInt32
    /// The user who owns the file.
    public let owner: UInt32
    /// The length in bytes.
    public let size: Int
    /// When the file, its name or its mode were changed last.
    public let changed: Timestamp
    /// The file's number in its file system.
    public let serial: UInt64
    /// True for a plain file.
    public let isFile: Bool
    /// True for a directory.
    public let isDirectory: Bool

    /// The status of what has this name, of the link itself if it is one; nil, with `errno` set, if there is nothing.
    public init?(ofLink path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The status of what this name leads to; nil, with `errno` set, if that is nothing.
    public init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The status of an open file; nil, with `errno` set, if it is not open.
    public init?(ofDescriptor descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        permissions = UInt32(status.st_mode) & 0o7777
        owner = UInt32(status.st_uid)
        size = Int(status.st_size)
        changed = Timestamp(
            microseconds: Int64(status.st_ctim.tv_sec) * 1_000_000 + Int64(status.st_ctim.tv_nsec) / 1000)
        serial = UInt64(status.st_ino)
        isFile = status.st_mode & S_IFMT == S_IFREG
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
    }
}
