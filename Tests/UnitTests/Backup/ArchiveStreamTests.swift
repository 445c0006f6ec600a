import Base
import Crypto
import Testing

@testable import Backup

@Suite("Frames and compression of an archive")
struct ArchiveStreamTests {
    static let key = SymmetricKey(data: [UInt8](0..<32))
    static let header = ArchiveHeader(id: Array(16..<32))

    private func seal(_ text: String, _ number: UInt64, _ isLast: Bool) throws -> [UInt8] {
        try Array(text.utf8).withUnsafeBytes {
            try FrameCipher(archiveKey: Self.key, header: Self.header).seal($0, number: number, isLast: isLast)
        }
    }

    private func open(
        _ sealed: [UInt8], _ number: UInt64, _ isLast: Bool, key: SymmetricKey = key, header: ArchiveHeader = header
    ) -> String? {
        sealed.withUnsafeBytes { FrameCipher(archiveKey: key, header: header).open($0, number: number, isLast: isLast) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a frame opens in its own place of its own archive only")
    func place() throws {
        let sealed = try seal("tide", 7, false)
        #expect(sealed.count == 4 + FrameCipher.tagBytes)
        #expect(open(sealed, 7, false) == "tide")
        #expect(open(sealed, 8, false) == nil)
        #expect(open(sealed, 7, true) == nil)
        #expect(open(sealed, 7, false, key: SymmetricKey(size: .bits256)) == nil)
        #expect(open(sealed, 7, false, header: ArchiveHeader(id: Array(0..<16))) == nil)
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1
            #expect(open(damaged, 7, false) == nil)
        }
        for count in 0..<sealed.count { #expect(open(Array(sealed[..<count]), 7, false) == nil) }
    }

    @Test("the sealed form stays what the format's description says")
    func golden() throws {
        #expect(try seal("tide", 0, true) == Self.golden)
    }

    /// Computed apart from this program, from the description: HKDF-SHA-256 and AES-256-GCM of another library.
    static let golden = [UInt8](hex: "030dc1c067b7c667b6981c2d4a598079f1002824")

    @Test("a stream comes back whole, whatever the sizes of its pieces", arguments: [0, 1, 1000, 300_000, 2_000_000])
    func compression(count: Int) throws {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += [UInt8](repeating: UInt8.random(in: 0...255, using: &generator), count: 37)
        }
        bytes.removeLast(bytes.count - count)
        var compressed: [UInt8] = []
        let compressor = try Compressor()
        for start in stride(from: 0, to: bytes.count, by: 70_001) {
            try bytes[start..<min(start + 70_001, bytes.count)].withUnsafeBytes {
                try compressor.take($0) { compressed += $0 }
            }
        }
        try compressor.take(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { compressed += $0 }
        var rest = compressed[...]
        let more = { () -> [UInt8]? in
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(4099) }
            return Array(rest.prefix(4099))
        }
        let decompressor = try Decompressor()
        var read: [UInt8] = []
        while let stretch = try decompressor.next(more) { read += stretch }
        #expect(read == bytes)
        // Without its end it is noticed.
        if count > 0 {
            rest = compressed.dropLast(3)
            let other = try Decompressor()
            #expect(throws: Decompressor.Fault.self) { while try other.next(more) != nil {} }
        }
    }
}
