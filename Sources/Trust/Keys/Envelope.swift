import Base
import Crypto
import FoundationEssentials

/// A sealed value as it is stored: format (1 byte), key version (4), nonce (12), ciphertext, tag (16).
///
/// The version comes right after the constant format byte and most significant byte first, so that bytewise order
/// of envelopes is the order of their key versions: `column < prefix(ofVersion: n)` finds all that are older than n.
enum Envelope {
    private static let format: UInt8 = 1
    private static let headerBytes = 5
    private static let nonceBytes = 12
    private static let tagBytes = 16

    /// The bytes with which every envelope of this key version begins.
    static func prefix(ofVersion version: UInt32) -> [UInt8] { [format] + [UInt8](bigEndian: version) }

    /// The version of the key that sealed `envelope`, or nil when it is none.
    static func version(of envelope: [UInt8]) -> UInt32? {
        guard envelope.count >= headerBytes + nonceBytes + tagBytes, envelope[0] == format else { return nil }
        return envelope[1..<headerBytes].reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func seal(_ plaintext: [UInt8], with key: SymmetricKey, version: UInt32, authenticating data: [UInt8])
        throws -> [UInt8]
    {
        // Nonces are random: a key is good for 2^32 values (NIST SP 800-38D, 8.3), far above what one column holds.
        let box = try AES.GCM.seal(plaintext, using: key, nonce: AES.GCM.Nonce(), authenticating: data)
        var envelope = prefix(ofVersion: version)
        envelope.reserveCapacity(headerBytes + nonceBytes + plaintext.count + tagBytes)
        envelope += box.nonce
        envelope += box.ciphertext
        envelope += box.tag
        return envelope
    }

    /// The plaintext, or nil when key, place or bytes are not those of the seal.
    static func open(_ envelope: [UInt8], with key: SymmetricKey, authenticating data: [UInt8]) -> [UInt8]? {
        guard version(of: envelope) != nil,
            let box = try? AES.GCM.SealedBox(combined: envelope.dropFirst(headerBytes)),
            let plaintext = try? AES.GCM.open(box, using: key, authenticating: data)
        else { return nil }
        return Array(plaintext)
    }
}

extension SymmetricKey {
    /// The key's bytes, for wrapping it.
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// The 256-bit key for one purpose, which tells nothing about this key or about other purposes'.
    func derived(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: self, info: Array(purpose.utf8), outputByteCount: 32)
    }
}
