public import Base
public import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension Blobs {
    /// Makes room for an upload.
    public func begin(_ upload: UploadID, of tenant: TenantID) async throws {
        let (home, path) = (home(of: tenant), path(of: upload, tenant))
        try await pool.runIfActive { [directory] in
            try BlobFile.makeDirectory(home)
            try BlobFile.makeDirectory("\(home)/incoming")
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw BlobFile.failure("make", path) }
            close(descriptor)
            for folder in ["\(home)/incoming", home, directory] { try BlobFile.synchroniseDirectory(folder) }
        }
    }

    /// How many bytes of an upload have come; nil when it is not there.
    public func received(_ upload: UploadID, of tenant: TenantID) async throws -> Int64? {
        let path = path(of: upload, tenant)
        return try await pool.runIfActive { FileStatus(ofLink: path).map { Int64($0.size) } }
    }

    /// Appends bytes that begin at `offset`, which must be where the upload stands.
    ///
    /// Who writes holds the file's lock, so that of two senders of one upload, as after a lost connection that the server
    /// has not noticed, one is refused instead of both writing.
    public func append(_ bytes: ByteBuffer, to upload: UploadID, at offset: Int64, of tenant: TenantID) async throws {
        let path = path(of: upload, tenant)
        try await pool.runIfActive {
            let file = try LockedFile(path)
            guard file.size == offset else { throw BlobError(operation: "append to", path: path, code: ESTALE) }
            try bytes.withUnsafeReadableBytes { bytes throws(BlobError) in try file.append(bytes) }
        }
    }

    /// Returns once all that has come of an upload is on the disk.
    public func synchronise(_ upload: UploadID, of tenant: TenantID) async throws {
        let path = path(of: upload, tenant)
        try await pool.runIfActive { try LockedFile(path).synchronise() }
    }

    /// Reads an upload once and makes it a blob, which is then on the disk under its name.
    ///
    /// The pool's threads are given back between the parts, so that a large upload holds up no reader of others.
    ///
    /// - Parameter check: Throws when the bytes are not what was wanted; then the upload stays what it is.
    public func finish(
        _ upload: UploadID, of tenant: TenantID, check: @Sendable (BlobSummary, OpenBlob) async throws -> Void
    ) async throws -> BlobSummary {
        let path = path(of: upload, tenant)
        // Held until the blob has its name: nobody appends to what is being read, or to a blob.
        let file = try await pool.runIfActive {
            let file = try LockedFile(path)
            try file.synchronise()
            return file
        }
        guard let bytes = try await pool.runIfActive({ try OpenBlob(path: path) }) else { throw BlobError.gone(path) }
        var reader = BlobReader()
        while true {
            let part = try await read(bytes, BlobLimits.readBytes, at: reader.size)
            if part.readableBytes == 0 { break }
            reader = try await pool.runIfActive { [reader] in reader.adding(part) }
        }
        let summary = reader.summary
        try await check(summary, bytes)
        let (place, home) = (self.path(of: summary.digest, tenant), home(of: tenant))
        let folder = folder(of: summary.digest, tenant)
        try await pool.runIfActive { [naming] in
            try BlobFile.makeDirectory(folder)
            try naming.withLock { _ throws(BlobError) in try file.become(place) }
            try BlobFile.synchroniseDirectory(folder)
            try BlobFile.synchroniseDirectory(home)
        }
        return summary
    }

    /// Gives an upload up; whoever still sends it is refused.
    public func abandon(_ upload: UploadID, of tenant: TenantID) async throws {
        let path = path(of: upload, tenant)
        try await pool.runIfActive { try BlobFile.remove(path) }
    }
}
