import Base
import Crypto
import FoundationEssentials

/// A text with signatures below it, in the C2SP signed-note form (c2sp.org/signed-note).
struct SignedNote: Hashable, Sendable {
    /// One signature line: who signed, with which key.
    struct Signature: Hashable, Sendable {
        var name: String
        var keyID: [UInt8]
        var bytes: [UInt8]
    }

    /// The signed text, which ends with a line break.
    var text: String
    var signatures: [Signature]

    init(text: String, signatures: [Signature]) {
        self.text = text
        self.signatures = signatures
    }

    /// The whole note: the text, an empty line, a line for each signature.
    var encoded: String {
        text + "\n"
            + signatures.map { "\u{2014} \($0.name) \(Data($0.keyID + $0.bytes).base64EncodedString())\n" }.joined()
    }

    /// The note that `encoded` spells, or nil when it is not one.
    init?(_ encoded: String) {
        guard encoded.utf8.count <= Limits.noteBytes,
            !encoded.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" })
        else { return nil }
        // Split by bytes: a Character may swallow a line break together with what follows it.
        let bytes = Array(encoded.utf8)
        guard let end = (1..<max(bytes.count, 1)).last(where: { bytes[$0] == 0x0A && bytes[$0 - 1] == 0x0A }),
            bytes.last == 0x0A, end + 1 < bytes.count
        else { return nil }
        text = String(decoding: bytes[..<end], as: UTF8.self)
        signatures = []
        for line in bytes[(end + 1)...].split(separator: 0x0A) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, words[0] == "\u{2014}", !words[1].isEmpty, !words[1].contains("+"),
                let data = Data(base64Encoded: String(words[2])), data.count > 4,
                signatures.count < Limits.noteSignatures
            else { return nil }
            let signature = Array(data)
            signatures.append(
                Signature(name: String(words[1]), keyID: Array(signature[..<4]), bytes: Array(signature[4...])))
        }
        guard !signatures.isEmpty else { return nil }
    }
}

/// The public half of a key that signs notes, with the name it signs under.
public struct NoteVerifier: Hashable, Sendable, CustomStringConvertible {
    /// The name, such as `fleet.example.com/audit/platform`.
    public let name: String
    /// The 32 bytes of the Ed25519 public key.
    public let publicKey: [UInt8]

    /// The verifier for this name and key, or nil when either can not be one.
    public init?(name: String, publicKey: [UInt8]) {
        guard !name.isEmpty, !name.contains(where: { $0.isWhitespace || $0 == "+" }), publicKey.count == 32 else {
            return nil
        }
        self.name = name
        self.publicKey = publicKey
    }

    /// The verifier written as `<name>+<key id>+<key>`, the form that other tools for signed notes read.
    public init?(_ text: String) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let key = Data(base64Encoded: String(parts[2])), key.first == Self.ed25519 else {
            return nil
        }
        self.init(name: String(parts[0]), publicKey: Array(key.dropFirst()))
        guard String(parts[1]) == keyID.hex else { return nil }
    }

    /// The verifier as text: `<name>+<key id>+<key>`.
    public var description: String {
        "\(name)+\(keyID.hex)+\(Data([Self.ed25519] + publicKey).base64EncodedString())"
    }

    /// The first four bytes of a hash over name and key: tells keys of one name apart.
    var keyID: [UInt8] { Self.keyID(name: name, publicKey: publicKey) }

    static func keyID(name: String, publicKey: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: Array(name.utf8) + [0x0A, ed25519] + publicKey).prefix(4))
    }

    private static let ed25519: UInt8 = 0x01

    /// True when the note carries this key's valid signature.
    func verifies(_ note: SignedNote) -> Bool {
        guard let signature = note.signatures.first(where: { $0.name == name && $0.keyID == keyID }),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature.bytes, for: Array(note.text.utf8))
    }
}
