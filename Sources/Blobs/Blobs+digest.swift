import Crypto
import NIOCore
import NIOPosix

extension Blobs {
    /// The SHA-256 of a part of an open blob, read a block at a time; of as much as there is when the blob ends before.
    public func digest(of blob: OpenBlob, from offset: Int64, count: Int64) async throws -> BlobDigest {
        var (hash, place) = (SHA256(), offset)
        while place < offset + count {
            let part = try await read(blob, Int(min(Int64(BlobLimits.readBytes), offset + count - place)), at: place)
            if part.readableBytes == 0 { break }
            hash = try await pool.runIfActive { [hash] in
                var next = hash
                part.withUnsafeReadableBytes { next.update(bufferPointer: $0) }
                return next
            }
            place += Int64(part.readableBytes)
        }
        guard let digest = BlobDigest(bytes: hash.finalize()) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
    }
}
