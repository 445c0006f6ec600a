/// Cuts a stream into frames, seals them and writes them.
final class FrameWriter {
    private let file: OutputFile
    private let cipher: FrameCipher
    private var buffer: [UInt8] = []
    private var number: UInt64 = 0

    init(_ file: OutputFile, _ cipher: FrameCipher) {
        self.file = file
        self.cipher = cipher
        buffer.reserveCapacity(Limits.frameBytes)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            // A full frame waits for more bytes, because only then it is known not to be the last.
            if buffer.count == Limits.frameBytes { try write(isLast: false) }
            let room = min(Limits.frameBytes - buffer.count, rest.count)
            buffer.append(contentsOf: rest[..<room])
            rest = UnsafeRawBufferPointer(rebasing: rest[room...])
        }
    }

    /// Writes the last frame.
    func finish() throws { try write(isLast: true) }

    private func write(isLast: Bool) throws {
        let sealed = try buffer.withUnsafeBytes { try cipher.seal($0, number: number, isLast: isLast) }
        try sealed.withUnsafeBytes { try file.write($0) }
        number += 1
        buffer.removeAll(keepingCapacity: true)
    }
}
