import Base
import Crypto
import FoundationEssentials

/// The second file of a backup: the archive's own key, and the key and certificate files of the server.
///
///     "TIDEGATE-KEYS-1\n", archive's identifier (16), recovery key's identifier (8), encapsulated key (1120),
///     then sealed by HPKE (RFC 9180, X-Wing, HKDF-SHA-256, AES-256-GCM) with all that stands before as associated
///     data: JSON {"archiveKey": hex, "files": {"keys/seal.key": hex, …}}
struct KeyBundle {
    private static let magic = Array("TIDEGATE-KEYS-1\n".utf8)
    private static let encapsulatedBytes = 1120
    private static let suite = HPKE.Ciphersuite.XWingMLKEM768X25519_SHA256_AES_GCM_256
    private static let info = Data("tidegate backup keys".utf8)
    private static let headerBytes =
        magic.count + ArchiveHeader.identifierBytes + RecoveryPublicKey.identifierBytes + encapsulatedBytes

    /// The identifier of the archive that it opens.
    let archive: [UInt8]
    let archiveKey: SymmetricKey
    let files: KeyFileSet

    /// The bundle's bytes, which only the key behind `recovery` opens.
    func sealed(to recovery: RecoveryPublicKey) throws -> [UInt8] {
        var sender = try HPKE.Sender(recipientKey: recovery.key, ciphersuite: Self.suite, info: Self.info)
        let header = Self.magic + archive + recovery.identifier + sender.encapsulatedKey
        var members: [String: JSONValue] = [:]
        for (name, bytes) in files.contents { members[name] = .string(bytes.hex) }
        let key = archiveKey.withUnsafeBytes { Array($0).hex }
        let content = JSONValue.object(["archiveKey": .string(key), "files": .object(members)])
        let sealed = try sender.seal(Array(content.canonical.utf8), authenticating: header)
        guard header.count + sealed.count <= Limits.bundleBytes else {
            throw Refusal(
                .tooLarge, "backup.keysTooLarge", "The key files are larger than \(Limits.bundleBytes) bytes.")
        }
        return header + sealed
    }

    init(archive: [UInt8], archiveKey: SymmetricKey, files: KeyFileSet) {
        self.archive = archive
        self.archiveKey = archiveKey
        self.files = files
    }

    /// Opens the bundle at `path`.
    init(_ path: String, with recovery: RecoveryKey) throws {
        let bytes = try InputFile.contents(of: path, limit: Limits.bundleBytes)
        guard bytes.starts(with: Self.magic) else {
            throw Refusal.damagedBundle(path, "is no key bundle, is damaged at its beginning, or is of a later form")
        }
        guard bytes.count > Self.headerBytes else { throw Refusal.damagedBundle(path, "is cut off") }
        let header = Array(bytes[..<Self.headerBytes])
        archive = Array(header[Self.magic.count...].prefix(ArchiveHeader.identifierBytes))
        let rest = header[(Self.magic.count + ArchiveHeader.identifierBytes)...]
        guard Array(rest.prefix(RecoveryPublicKey.identifierBytes)) == recovery.publicKey.identifier else {
            throw Refusal(
                .invalid, "backup.otherRecoveryKey",
                "The key bundle \(path) was sealed for another recovery key (or is damaged there). Give the one that "
                    + "the server had when it made this backup.")
        }
        let encapsulated = Data(rest.dropFirst(RecoveryPublicKey.identifierBytes))
        let content: Data
        do {
            var recipient = try HPKE.Recipient(
                privateKey: recovery.privateKey, ciphersuite: Self.suite, info: Self.info, encapsulatedKey: encapsulated
            )
            content = try recipient.open(bytes[Self.headerBytes...], authenticating: header)
        } catch {
            throw Refusal.damagedBundle(path, "is damaged or cut off: it does not open")
        }
        guard
            let value = try? JSONValue(
                parsing: Array(content), limits: JSONLimits(bytes: Limits.bundleBytes, depth: 4)),
            let key = value["archiveKey"]?.string.flatMap({ [UInt8](hex: $0) }), key.count == 32,
            case .object(let members) = value["files"], let files = KeyFileSet(members)
        else { throw Refusal.damagedBundle(path, "holds something that this program does not understand") }
        archiveKey = SymmetricKey(data: key)
        self.files = files
    }
}
