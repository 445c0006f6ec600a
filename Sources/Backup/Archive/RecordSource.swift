import Base

/// The plain stream of an archive, in pieces of any size.
final class RecordSource {
    private let path: String
    private let frames: FrameReader
    private let decompressor: Decompressor
    private var stretch: ArraySlice<UInt8> = []

    init(_ path: String, _ frames: FrameReader) throws {
        self.path = path
        self.frames = frames
        decompressor = try Decompressor()
    }

    func byte() throws -> UInt8 { try take(1).first ?? 0 }

    func number(width: Int) throws -> UInt64 { try take(width).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Exactly `count` bytes; callers have checked that they are few.
    func take(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try forward(UInt64(count)) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Hands exactly `count` bytes on as they come.
    func forward(_ count: UInt64, _ handOn: (UnsafeRawBufferPointer) throws -> Void) throws {
        var rest = count
        while rest > 0 {
            if stretch.isEmpty, try !refill() { throw ArchiveReader.disorder(path) }
            let portion = stretch.prefix(Int(min(rest, UInt64(stretch.count))))
            try portion.withUnsafeBytes { try handOn($0) }
            stretch = stretch.dropFirst(portion.count)
            rest -= UInt64(portion.count)
        }
    }

    /// Whether nothing is left, which also proves that the archive is whole.
    var isAtEnd: Bool {
        get throws { try stretch.isEmpty && !refill() }
    }

    private func refill() throws -> Bool {
        do {
            guard let next = try decompressor.next({ try frames.next() }) else { return false }
            stretch = next
            return true
        } catch let fault as Decompressor.Fault {
            throw Refusal.damagedArchive(path, "can not be decompressed: \(fault.reason)")
        }
    }
}
