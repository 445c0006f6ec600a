import CZlib

/// Packs answers for browsers (RFC 1952).
enum GzipWriter {
    /// The packed bytes; the bytes themselves never fail to fit, because the room is what zlib says it may need.
    static func pack(_ bytes: [UInt8], level: Int32) -> [UInt8] {
        var stream = z_stream()
        // 15 + 16: the largest window, with gzip's wrapping; 8 is zlib's own choice of memory.
        guard
            deflateInit2_(
                &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { preconditionFailure("zlib takes these constants") }
        defer { deflateEnd(&stream) }
        let room = Int(deflateBound(&stream, UInt(bytes.count)))
        return bytes.withUnsafeBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: room) { target, count in
                // zlib only reads its input; the C type does not say so.
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(room)
                let status = deflate(&stream, Z_FINISH)
                precondition(status == Z_STREAM_END, "the bound is zlib's own")
                count = room - Int(stream.avail_out)
            }
        }
    }
}
