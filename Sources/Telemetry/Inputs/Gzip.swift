import CZlib

/// Unpacks gzip bodies (RFC 1952) within limits, so that a small body can not fill the memory.
public enum Gzip {
    /// The content of `body`, which may have several members, as the format allows.
    public static func unpack(
        _ body: UnsafeBufferPointer<UInt8>, limits: InputLimits
    ) throws(InputFault) -> [UInt8] {
        // zlib only reads its input; the C type does not say so.
        guard !body.isEmpty, let source = UnsafeMutablePointer(mutating: body.baseAddress) else {
            throw InputFault(.empty, at: 0)
        }
        guard body.count <= min(limits.payloadBytes, Int(Int32.max)) else { throw InputFault(.tooLarge, at: 0) }
        // The most that this body may become; one byte more shows that it would be exceeded.
        let ratioLimit = max(limits.inflatedFloor, body.count * limits.inflationRatio)
        let limit = min(limits.inflatedBytes, ratioLimit)
        var stream = z_stream()
        // 15 + 16: the largest window, and only the gzip wrapping.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw InputFault(.badGzip, at: 0)
        }
        defer { inflateEnd(&stream) }
        stream.next_in = source
        stream.avail_in = UInt32(body.count)
        var output: [UInt8] = []
        while true {
            let room = min(max(4096, max(body.count, output.count) * 2), limit + 1 - output.count)
            guard room > 0 else {
                throw InputFault(limit < limits.inflatedBytes ? .inflatedTooMuch : .inflatedTooLarge, at: 0)
            }
            let (status, produced) = step(&stream, room: room, into: &output)
            let place = body.count - Int(stream.avail_in)
            switch status {
            case Z_STREAM_END:
                guard output.count <= limit else { continue }
                if stream.avail_in == 0 { return output }
                guard inflateReset(&stream) == Z_OK else { throw InputFault(.badGzip, at: place) }
            case Z_OK: continue
            // No progress with room left: the input is used up before its end.
            case Z_BUF_ERROR where produced == 0 && stream.avail_in == 0: throw InputFault(.truncated, at: body.count)
            case Z_BUF_ERROR: continue
            default: throw InputFault(.badGzip, at: place)
            }
        }
    }

    /// Runs zlib once with `room` bytes behind what `output` holds.
    private static func step(
        _ stream: inout z_stream, room: Int, into output: inout [UInt8]
    ) -> (status: Int32, produced: Int) {
        let filled = output.count
        output.reserveCapacity(filled + room)
        var status = Z_OK
        var produced = 0
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            stream.next_out = buffer.baseAddress
            stream.avail_out = UInt32(room)
            status = inflate(&stream, Z_NO_FLUSH)
            produced = room - Int(stream.avail_out)
            count = produced
        }
        output.append(contentsOf: piece)
        return (status, produced)
    }
}
