import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A file that has its name only once it is whole and on disk; until then it ends in `.partial`, and it goes with the
/// last reference.
final class OutputFile {
    private static let ending = ".partial"

    let path: String
    private let partial: String
    private let descriptor: CInt
    private var isPublished = false
    /// Bytes written so far.
    private(set) var bytes: UInt64 = 0

    /// A new file, readable by the owner only.
    init(_ path: String) throws {
        self.path = path
        partial = path + Self.ending
        descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Refusal.file("create", path) }
        // While the lock is held nobody takes the file for one that a crash has left.
        flock(descriptor, LOCK_EX | LOCK_NB)
    }

    deinit {
        if !isPublished { unlink(partial) }
        close(descriptor)
    }

    /// Appends bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Self.posixWrite(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Refusal.file("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        self.bytes += UInt64(bytes.count)
    }

    /// Returns once all bytes are on disk.
    func synchronise() throws {
        guard fsync(descriptor) == 0 else { throw Refusal.file("write", path) }
    }

    /// Gives the file its name, on disk when this returns.
    func publish() throws {
        guard rename(partial, path) == 0 else { throw Refusal.file("create", path) }
        isPublished = true
        try Self.synchroniseDirectory(of: path)
    }

    /// Makes names in the directory of `path` durable.
    static func synchroniseDirectory(of path: String) throws {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Refusal.file("open", parent) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Refusal.file("write", parent) }
    }

    /// Removes the file at `path`, a partial one, unless somebody still writes it.
    static func removeIfAbandoned(_ path: String) {
        guard path.hasSuffix(".backup" + ending) || path.hasSuffix(".keys" + ending) else { return }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
    }

    private static func posixWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #else
            Musl.write(descriptor, bytes, count)
        #endif
    }
}
