import Base

/// Reads and opens the frames of an archive in their order.
final class FrameReader {
    private static let sealedBytes = Limits.frameBytes + FrameCipher.tagBytes

    private let file: InputFile
    private let cipher: FrameCipher
    private var ahead: [UInt8]
    private var number: UInt64 = 0
    private var isFinished = false

    /// Reads from behind the header, which the caller has taken from `file`.
    init(_ file: InputFile, _ cipher: FrameCipher) throws {
        self.file = file
        self.cipher = cipher
        ahead = []
        ahead = try nextBytes()
    }

    /// The next frame's content, or nil after the last.
    func next() throws -> [UInt8]? {
        guard !isFinished else { return nil }
        let sealed = ahead
        ahead = sealed.count == Self.sealedBytes ? try nextBytes() : []
        let isLast = ahead.isEmpty
        guard let content = open(sealed, isLast: isLast) else { throw fault(sealed, isLast: isLast) }
        // Two ways to write one archive would be one too many: only an empty archive ends in an empty frame.
        guard !content.isEmpty || number == 0 else { throw Refusal.damagedArchive(file.path, "ends in an empty frame") }
        number += 1
        isFinished = isLast
        return content
    }

    private func open(_ sealed: [UInt8], isLast: Bool) -> [UInt8]? {
        sealed.withUnsafeBytes { cipher.open($0, number: number, isLast: isLast) }
    }

    /// Says what is wrong with a frame that does not open, as far as that can be told.
    private func fault(_ sealed: [UInt8], isLast: Bool) -> Refusal {
        let offset = UInt64(ArchiveHeader.length) + number * UInt64(Self.sealedBytes)
        if isLast, sealed.count < FrameCipher.tagBytes || open(sealed, isLast: false) != nil {
            return Refusal.damagedArchive(file.path, "is cut off: its last frame is missing")
        }
        if !isLast, open(sealed, isLast: true) != nil {
            return Refusal.damagedArchive(file.path, "has something behind its last frame")
        }
        let end = offset + UInt64(sealed.count)
        return Refusal.damagedArchive(
            file.path, "is damaged or cut off: frame \(number + 1), bytes \(offset) to \(end), is not what was written")
    }

    private func nextBytes() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.sealedBytes)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
