import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An open file to read from; it stays readable when its name goes.
final class InputFile {
    let path: String
    private let descriptor: CInt

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Refusal.file("read", path) }
    }

    deinit { close(descriptor) }

    /// The file's length now.
    var length: UInt64 {
        get throws {
            guard let size = FileStatus(ofDescriptor: descriptor)?.size else { throw Refusal.file("read", path) }
            return UInt64(max(size, 0))
        }
    }

    /// Fills `buffer` as far as there are bytes and gives their number.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var total = 0
        while total < buffer.count {
            let count = Self.posixRead(descriptor, buffer.baseAddress.map { $0 + total }, buffer.count - total)
            if count < 0 {
                if errno == EINTR { continue }
                throw Refusal.file("read", path)
            }
            if count == 0 { break }
            total += count
        }
        return total
    }

    /// All bytes of a small file, refused when there are more than `limit`.
    static func contents(of path: String, limit: Int) throws -> [UInt8] {
        let file = try InputFile(path)
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        guard count <= limit else {
            throw Refusal(
                .invalid, "backup.fileTooLarge", "\(path) is larger than \(limit) bytes, which such a file never is.")
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static func posixRead(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer, count)
        #else
            Musl.read(descriptor, buffer, count)
        #endif
    }
}
