import Crypto
import NIOCore

/// What is known of a blob of which a part has been read.
struct BlobReader: Sendable {
    private var sha256 = SHA256()
    private var sha1 = Insecure.SHA1()
    private var md5 = Insecure.MD5()
    private var head: [UInt8] = []
    /// Bytes that were read.
    private(set) var size: Int64 = 0

    /// The same with one more part.
    func adding(_ part: ByteBuffer) -> BlobReader {
        var next = self
        part.withUnsafeReadableBytes { bytes in
            next.sha256.update(bufferPointer: bytes)
            next.sha1.update(bufferPointer: bytes)
            next.md5.update(bufferPointer: bytes)
            if next.head.count < BlobLimits.headBytes {
                next.head += bytes.prefix(BlobLimits.headBytes - next.head.count)
            }
        }
        next.size += Int64(part.readableBytes)
        return next
    }

    var summary: BlobSummary {
        guard let digest = BlobDigest(bytes: sha256.finalize()) else { preconditionFailure("SHA-256 has 32 bytes") }
        return BlobSummary(
            digest: digest, sha1: Array(sha1.finalize()), md5: Array(md5.finalize()), size: size, head: head)
    }
}
