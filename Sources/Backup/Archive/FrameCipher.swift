import Crypto
import FoundationEssentials

/// Seals the numbered frames of one archive: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) with
/// AES-256-GCM.
///
/// The nonce is the frame's number and whether it is the last, so a frame opens only in its own place and an archive
/// only when it is whole. The key belongs to one archive and its header, so no nonce is ever used twice with it.
struct FrameCipher {
    static let tagBytes = 16

    private let key: SymmetricKey

    init(archiveKey: SymmetricKey, header: ArchiveHeader) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: archiveKey, salt: header.bytes, info: Array("tidegate backup frames".utf8),
            outputByteCount: 32)
    }

    /// The sealed form of frame `number`: as many bytes and a tag.
    func seal(_ plaintext: UnsafeRawBufferPointer, number: UInt64, isLast: Bool) throws -> [UInt8] {
        let box = try AES.GCM.seal(plaintext, using: key, nonce: Self.nonce(number, isLast))
        return Array(box.ciphertext) + Array(box.tag)
    }

    /// The content of frame `number`, or nil when it was not sealed as that frame of this archive.
    func open(_ sealed: UnsafeRawBufferPointer, number: UInt64, isLast: Bool) -> [UInt8]? {
        guard sealed.count >= Self.tagBytes,
            let nonce = try? Self.nonce(number, isLast),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: sealed.dropLast(Self.tagBytes), tag: sealed.suffix(Self.tagBytes)),
            let plaintext = try? AES.GCM.open(box, using: key)
        else { return nil }
        return Array(plaintext)
    }

    private static func nonce(_ number: UInt64, _ isLast: Bool) throws -> AES.GCM.Nonce {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
        return try AES.GCM.Nonce(data: [0, 0, 0] + counter + [isLast ? 1 : 0])
    }
}
