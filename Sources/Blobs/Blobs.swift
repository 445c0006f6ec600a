public import Base
public import NIOCore
public import NIOPosix
import Synchronization

/// Large objects of tenants, each named by its SHA-256, in a directory.
///
/// ```
/// blobs/<tenant>/<first two digits>/<64 digits>   what is whole; never changed, only removed
/// blobs/<tenant>/incoming/<upload>                what is still coming
/// ```
///
/// The same bytes of one tenant are kept once; two tenants never share a file, so that nobody learns from the time of
/// an upload what another tenant has. All work with files runs on a thread pool, never on an event loop or task.
public struct Blobs: Sendable {
    let directory: String
    let pool: NIOThreadPool
    /// Held while a blob gets its name or loses it.
    let naming = Naming()

    /// The blobs below `directory`, which is made when it is not there.
    public init(directory: String, pool: NIOThreadPool = .singleton) throws {
        self.directory = directory
        self.pool = pool
        try BlobFile.makeDirectory(directory)
    }

    /// A blob, open for reading; nil when there is none.
    public func blob(_ digest: BlobDigest, of tenant: TenantID) async throws -> OpenBlob? {
        let path = path(of: digest, tenant)
        return try await pool.runIfActive { try OpenBlob(path: path) }
    }

    /// At most `count` bytes of an open blob from `offset` on; none at its end.
    public func read(_ blob: OpenBlob, _ count: Int, at offset: Int64) async throws -> ByteBuffer {
        try await pool.runIfActive {
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            _ = try blob.read(count, at: offset, into: &buffer)
            return buffer
        }
    }

    /// Removes a blob; whoever reads it at this moment reads on to its end.
    public func remove(_ digest: BlobDigest, of tenant: TenantID) async throws {
        let path = path(of: digest, tenant)
        try await pool.runIfActive { try BlobFile.remove(path) }
    }

    /// Removes everything of a tenant.
    public func purge(_ tenant: TenantID) async throws {
        let path = home(of: tenant)
        try await pool.runIfActive { try BlobFile.removeTree(path) }
    }

    func home(of tenant: TenantID) -> String { "\(directory)/\(tenant.text)" }

    func folder(of digest: BlobDigest, _ tenant: TenantID) -> String {
        "\(home(of: tenant))/\(digest.text.prefix(2))"
    }

    /// Where a blob's file lies, for whoever copies them all.
    package func path(of digest: BlobDigest, _ tenant: TenantID) -> String {
        "\(folder(of: digest, tenant))/\(digest.text)"
    }

    func path(of upload: UploadID, _ tenant: TenantID) -> String { "\(home(of: tenant))/incoming/\(upload.text)" }
}

/// Lets one name of a blob be given or taken at a time.
final class Naming: Sendable {
    private let lock = Mutex(())

    func withLock<Value: Sendable>(_ act: (inout Void) throws(BlobError) -> sending Value) throws(BlobError) -> Value {
        try lock.withLock(act)
    }
}

/// Marks identifiers of uploads.
public enum UploadKind {}
/// The identifier of an upload.
public typealias UploadID = Identifier<UploadKind>
