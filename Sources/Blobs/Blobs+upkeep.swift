public import Base
import NIOPosix

/// A blob, as it lies in the directory.
public struct StoredBlob: Sendable, Hashable {
    /// Whose it is.
    public let tenant: TenantID
    /// Its name.
    public let digest: BlobDigest
    /// Its length in bytes.
    public let size: Int64
}

extension Blobs {
    /// Removes what lies there of uploads for which nothing has come for as long as `age`, those in `known` aside.
    ///
    /// - Returns: How many there were.
    public func removeUploads(
        of tenant: TenantID, except known: Set<UploadID>, olderThan age: Duration
    ) async throws -> Int {
        let folder = "\(home(of: tenant))/incoming"
        return try await pool.runIfActive {
            let limit = WallClock.system.now - age
            var removed = 0
            for name in try BlobFile.names(in: folder) {
                if let upload = UploadID(text: name), known.contains(upload) { continue }
                guard let status = FileStatus(ofLink: "\(folder)/\(name)"), status.changed <= limit else { continue }
                try BlobFile.removeTree("\(folder)/\(name)")
                removed += 1
            }
            return removed
        }
    }

    /// Marks the blobs of a tenant that are not in `named`, and removes those that were marked `grace` ago and are still
    /// not in it; what got its name within `age` is left alone, because whoever finished it may be about to write that
    /// down.
    ///
    /// The grace is for backups: what a copy of the database names is still there when blobs are copied after it. The
    /// mark is the file's mode, which a new file under the same name does not have.
    ///
    /// - Returns: How many were removed.
    public func removeBlobs(
        of tenant: TenantID, except named: Set<BlobDigest>, unnamedFor age: Duration, grace: Duration
    ) async throws -> Int {
        var removed = 0
        for blob in try await blobs(of: tenant) {
            let (path, isNamed) = (path(of: blob.digest, tenant), named.contains(blob.digest))
            removed += try await pool.runIfActive { [naming] in
                // The same bytes may just be getting this name once more; see ``finish(_:of:check:)``.
                try naming.withLock { _ throws(BlobError) in
                    guard let status = FileStatus(ofLink: path) else { return 0 }
                    let isMarked = status.permissions != LockedFile.blobMode
                    let rest = WallClock.system.now - status.changed
                    if isNamed {
                        if isMarked { try BlobFile.setMode(path, LockedFile.blobMode) }
                    } else if !isMarked, rest >= age {
                        try BlobFile.setMode(path, LockedFile.markedMode)
                    } else if isMarked, rest >= grace {
                        try BlobFile.remove(path)
                        return 1
                    }
                    return 0
                }
            }
        }
        return removed
    }

    /// The blobs of a tenant, in the order of their names.
    public func blobs(of tenant: TenantID) async throws -> [StoredBlob] {
        let home = home(of: tenant)
        return try await pool.runIfActive { try Self.blobs(of: tenant, in: home) }
    }

    /// The tenants that have, or had, something here.
    public func tenants() async throws -> [TenantID] {
        try await pool.runIfActive { [directory] in
            try BlobFile.names(in: directory).compactMap { TenantID(text: $0) }.sorted()
        }
    }

    private static func blobs(of tenant: TenantID, in home: String) throws(BlobError) -> [StoredBlob] {
        var blobs: [StoredBlob] = []
        for folder in try BlobFile.names(in: home).sorted() where folder.utf8.count == 2 {
            for name in try BlobFile.names(in: "\(home)/\(folder)").sorted() {
                guard let digest = BlobDigest(text: name), name.hasPrefix(folder),
                    let status = FileStatus(ofLink: "\(home)/\(folder)/\(name)"), status.isFile
                else { continue }
                blobs.append(StoredBlob(tenant: tenant, digest: digest, size: Int64(status.size)))
            }
        }
        return blobs
    }
}
