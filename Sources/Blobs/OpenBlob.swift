import Base
public import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A blob that is being read; its file stays readable until the last use of this, even if the blob is removed.
public final class OpenBlob: Sendable {
    /// Its length in bytes.
    public let size: Int64
    private let path: String
    private let descriptor: Int32

    init?(path: String) throws(BlobError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw BlobFile.failure("open", path)
        }
        guard let status = FileStatus(ofDescriptor: descriptor), status.isFile else {
            close(descriptor)
            throw BlobError(operation: "read", path: path, code: EISDIR)
        }
        self.path = path
        self.descriptor = descriptor
        size = Int64(status.size)
    }

    deinit { close(descriptor) }

    /// Appends at most `count` bytes from `offset` on to `buffer`, waiting for the disk: never on an event loop.
    ///
    /// - Returns: How many there were; 0 at the end.
    public func read(_ count: Int, at offset: Int64, into buffer: inout ByteBuffer) throws -> Int {
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            while true {
                let read = pread(descriptor, space.baseAddress, min(count, space.count), off_t(offset))
                if read >= 0 { return read }
                guard errno == EINTR else { throw BlobFile.failure("read", path) }
            }
        }
    }
}
