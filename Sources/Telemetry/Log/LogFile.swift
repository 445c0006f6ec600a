import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One append-only file, owned by the thread that writes it.
struct LogFile: ~Copyable {
    let path: String
    private let descriptor: Int32
    private(set) var length: Int

    /// Opens `path` for appending at `length`, cutting off what lies behind it.
    init(appendingTo path: String, at length: Int) throws(LogError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LogError(operation: "open", path: path, code: errno) }
        guard ftruncate(descriptor, length) == 0, lseek(descriptor, length, SEEK_SET) == length else {
            let code = errno
            close(descriptor)
            throw LogError(operation: "truncate", path: path, code: code)
        }
        self.path = path
        self.descriptor = descriptor
        self.length = length
    }

    deinit { close(descriptor) }

    /// Writes all the bytes, however many calls it takes.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(LogError) {
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw LogError(operation: "write", path: path, code: errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            length += written
        }
    }

    /// Writes all the bytes, however many calls it takes.
    mutating func append(_ bytes: [UInt8]) throws(LogError) {
        var failure: LogError?
        bytes.withUnsafeBytes { raw in
            do throws(LogError) { try append(raw) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Returns once everything appended is on the disk.
    func synchronise() throws(LogError) {
        guard fdatasync(descriptor) == 0 else { throw LogError(operation: "fdatasync", path: path, code: errno) }
    }

    /// Throws unless so many bytes can be written below `directory` now.
    static func probe(_ directory: String, bytes: Int) throws(LogError) {
        let path = "\(directory)/probe.tmp"
        defer { unlink(path) }
        var file = try LogFile(appendingTo: path, at: 0)
        try file.append([UInt8](repeating: 0, count: bytes))
        try file.synchronise()
    }

    /// All bytes of a file, or nil when there is none.
    static func contents(of path: String) throws(LogError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw LogError(operation: "open", path: path, code: errno)
        }
        defer { close(descriptor) }
        guard let size = FileStatus(ofDescriptor: descriptor)?.size else {
            throw LogError(operation: "stat", path: path, code: errno)
        }
        var failure: LogError?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let read = read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = LogError(operation: "read", path: path, code: errno) }
                if read <= 0 { break }
                count += read
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Makes a new or removed file name itself durable.
    static func synchroniseDirectory(_ path: String) throws(LogError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LogError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LogError(operation: "fsync", path: path, code: errno) }
    }

    /// The names of the entries of a directory, sorted.
    static func names(in directory: String) throws(LogError) -> [String] {
        guard let stream = opendir(directory) else {
            throw LogError(operation: "open", path: directory, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
