import Base
import Crypto
import FoundationEssentials

/// The key that opens key bundles: what an operator keeps away from the server, for the day when the server is gone.
///
/// It is the seed of an X-Wing key (X25519 and ML-KEM-768), because a backup may lie somewhere for decades. A backup
/// needs only the public half, so the server can do without this one.
public struct RecoveryKey: Sendable {
    private static let prefix = "tgr1-"
    private static let seedBytes = 32
    private static let checkBytes = 4

    let privateKey: XWingMLKEM768X25519.PrivateKey

    /// A new key.
    init() throws {
        privateKey = try XWingMLKEM768X25519.PrivateKey()
    }

    /// The key that `text` spells: a file with comment lines behind `#`, or the key alone, its groups apart or not.
    public init(_ text: some StringProtocol) throws {
        let lines = text.split(whereSeparator: \.isNewline).map { String($0.filter { !$0.isWhitespace }) }
        let compact = lines.filter { !$0.hasPrefix("#") }.joined()
        guard compact.hasPrefix(Self.prefix),
            let bytes = [UInt8](hex: compact.dropFirst(Self.prefix.count).filter { $0 != "-" }),
            bytes.count == Self.seedBytes + Self.checkBytes,
            Array(bytes[Self.seedBytes...]) == Self.check(Array(bytes[..<Self.seedBytes])),
            let key = try? XWingMLKEM768X25519.PrivateKey(seedRepresentation: bytes[..<Self.seedBytes], publicKey: nil)
        else {
            throw Refusal(
                .invalid, "backup.recoveryKeyMalformed",
                "This is no recovery key, or a digit of it is wrong: it begins with \(Self.prefix) and has "
                    + "\((Self.seedBytes + Self.checkBytes) * 2) hexadecimal digits.")
        }
        privateKey = key
    }

    /// The key in groups of eight digits, ending in a check of the others.
    public var text: String {
        let seed = Array(privateKey.seedRepresentation)
        let digits = Array((seed + Self.check(seed)).hex)
        let groups = stride(from: 0, to: digits.count, by: 8).map { String(digits[$0..<min($0 + 8, digits.count)]) }
        return Self.prefix + groups.joined(separator: "-")
    }

    var publicKey: RecoveryPublicKey { RecoveryPublicKey(privateKey.publicKey) }

    private static func check(_ seed: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: Array("tidegate recovery key".utf8) + seed).prefix(checkBytes))
    }
}

/// The half of a recovery key that seals key bundles and opens none.
struct RecoveryPublicKey {
    static let identifierBytes = 8

    let key: XWingMLKEM768X25519.PublicKey

    init(_ key: XWingMLKEM768X25519.PublicKey) {
        self.key = key
    }

    /// The key that `text` spells in hexadecimal digits, comment lines aside; nil when it is none.
    init?(_ text: String) {
        let compact = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }.joined()
        guard let bytes = [UInt8](hex: compact.filter { !$0.isWhitespace }),
            let key = try? XWingMLKEM768X25519.PublicKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    var text: String { key.rawRepresentation.hex }

    /// The first bytes of the key's hash, so that a bundle can say which key opens it.
    var identifier: [UInt8] { Array(SHA256.hash(data: key.rawRepresentation).prefix(Self.identifierBytes)) }
}
