import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A file of a blob could not be written or read.
public struct BlobError: Error, CustomStringConvertible, Sendable {
    let operation: String
    let path: String
    let code: Int32

    /// Whether the disk is full.
    public var isFull: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether what was to be read or written is not there, or no longer.
    public var isGone: Bool { code == ENOENT }

    /// Whether another writes to it at this moment.
    public var isBusy: Bool { code == EWOULDBLOCK }

    /// Whether an upload stands elsewhere than its sender thinks.
    public var isElsewhere: Bool { code == ESTALE }

    static func gone(_ path: String) -> BlobError { BlobError(operation: "open", path: path, code: ENOENT) }

    /// What could not be done, with which file and why.
    public var description: String { "\(operation) \(path): \(String(cString: strerror(code)))" }
}

/// The system's calls on files, with their errors thrown.
enum BlobFile {
    /// Makes a directory that only the server may enter; one that is there stays as it is.
    static func makeDirectory(_ path: String) throws(BlobError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make", path) }
    }

    static func setMode(_ path: String, _ mode: UInt32) throws(BlobError) {
        guard chmod(path, mode_t(mode)) == 0 || errno == ENOENT else { throw failure("mark", path) }
    }

    static func remove(_ path: String) throws(BlobError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    /// Removes a directory with the directories and files in it.
    static func removeTree(_ path: String) throws(BlobError) {
        guard let status = FileStatus(ofLink: path) else { return }
        guard status.isDirectory else { return try remove(path) }
        for name in try names(in: path) { try removeTree("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    static func names(in directory: String) throws(BlobError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw failure("open", directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func failure(_ operation: String, _ path: String) -> BlobError {
        BlobError(operation: operation, path: path, code: errno)
    }

    /// Makes a new name in a directory durable.
    static func synchroniseDirectory(_ path: String) throws(BlobError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("synchronise", path) }
    }
}
