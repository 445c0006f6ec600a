import Base
import CZstd

/// Compresses a stream with Zstandard.
final class Compressor {
    // A context of the library, used by whoever holds this object, one call at a time.
    private let context: OpaquePointer
    private var output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())

    init() throws {
        guard let context = ZSTD_createCCtx() else { throw Self.fault("no memory") }
        self.context = context
        try Self.check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3))
        try Self.check(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, Limits.windowLog))
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Takes bytes, and hands on what is ready; all of it when they are the last.
    func take(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool = false, _ handOn: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            let (rest, count) = output.withUnsafeMutableBytes { space in
                var out = ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
                let rest = ZSTD_compressStream2(context, &out, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
                return (rest, out.pos)
            }
            try Self.check(rest)
            if count > 0 { try output.withUnsafeBytes { try handOn(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
            if isLast ? rest == 0 : input.pos == input.size { return }
        }
    }

    private static func check(_ code: Int) throws {
        guard ZSTD_isError(code) == 0 else { throw fault(String(cString: ZSTD_getErrorName(code))) }
    }

    private static func fault(_ reason: String) -> Refusal {
        Refusal(.unavailable, "backup.compression", "The backup can not be compressed: \(reason).")
    }
}

/// Gives back the bytes of a compressed stream, a stretch at a time.
final class Decompressor {
    // A context of the library, used by whoever holds this object, one call at a time.
    private let context: OpaquePointer
    private var output = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
    private var input: [UInt8] = []
    private var position = 0
    private var mayHoldMore = false
    private var isAtEnd = true

    /// Why the bytes are no stream.
    struct Fault: Error {
        let reason: String
    }

    init() throws {
        guard let context = ZSTD_createDCtx() else {
            throw Refusal(.unavailable, "backup.compression", "The backup can not be decompressed: no memory.")
        }
        self.context = context
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Limits.windowLog)
    }

    deinit { ZSTD_freeDCtx(context) }

    /// The next stretch, asking `more` for compressed bytes; nil when there are none and the stream is whole.
    func next(_ more: () throws -> [UInt8]?) throws -> ArraySlice<UInt8>? {
        while true {
            if position == input.count, !mayHoldMore {
                guard let bytes = try more() else {
                    guard isAtEnd else { throw Fault(reason: "ends too early") }
                    return nil
                }
                input = bytes
                position = 0
            }
            let (rest, count) = decompress()
            guard ZSTD_isError(rest) == 0 else { throw Fault(reason: String(cString: ZSTD_getErrorName(rest))) }
            isAtEnd = rest == 0
            mayHoldMore = count == output.count
            if count > 0 { return output[..<count] }
        }
    }

    private func decompress() -> (rest: Int, count: Int) {
        input.withUnsafeBytes { bytes in
            output.withUnsafeMutableBytes { space in
                var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: position)
                var out = ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
                let rest = ZSTD_decompressStream(context, &out, &source)
                position = source.pos
                return (rest, out.pos)
            }
        }
    }
}
