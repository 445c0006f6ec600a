import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An upload's file that nobody else writes, names or finishes as long as this lives.
final class LockedFile: Sendable {
    /// The mode of a blob.
    static let blobMode: UInt32 = 0o400
    /// The mode of a blob that nothing named when upkeep looked.
    static let markedMode: UInt32 = 0o600

    private let path: String
    private let descriptor: Int32
    /// Its length when it was opened.
    let size: Int64

    /// Opens the file; refuses with `EWOULDBLOCK` while another has it, because nobody may wait here on a pool's thread.
    init(_ path: String) throws(BlobError) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw BlobFile.failure("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = BlobFile.failure("lock", path)
            close(descriptor)
            throw failure
        }
        // Before it was locked it may have become a blob, which nobody changes, or have been given up.
        guard let status = FileStatus(ofDescriptor: descriptor), status.isFile,
            FileStatus(ofLink: path)?.serial == status.serial
        else {
            close(descriptor)
            throw BlobError.gone(path)
        }
        self.path = path
        self.descriptor = descriptor
        size = Int64(status.size)
    }

    deinit {
        // A program that is just being started may have the file open, too, for a moment.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Writes at the end as it was when the file was opened.
    func append(_ bytes: UnsafeRawBufferPointer) throws(BlobError) {
        var rest = bytes
        var place = off_t(size)
        while !rest.isEmpty {
            let written = pwrite(descriptor, rest.baseAddress, rest.count, place)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                let failure = BlobFile.failure("write", path)
                // What did not fit must not look as if it had come.
                ftruncate(descriptor, off_t(size))
                throw failure
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            place += off_t(written)
        }
    }

    func synchronise() throws(BlobError) {
        guard fdatasync(descriptor) == 0 else { throw BlobFile.failure("synchronise", path) }
    }

    /// Gives the file its place among the blobs, where it is only read.
    func become(_ place: String) throws(BlobError) {
        guard fchmod(descriptor, mode_t(Self.blobMode)) == 0, fsync(descriptor) == 0, rename(path, place) == 0 else {
            throw BlobFile.failure("name", path)
        }
    }
}
