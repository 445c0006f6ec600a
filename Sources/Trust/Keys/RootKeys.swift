import Base
import Crypto

/// The platform's root keys, which wrap the tenants' keys: one current version, and an older one while a rotation
/// is under way.
struct RootKeys: Sendable {
    private(set) var versions: [UInt32: SymmetricKey]
    private(set) var current: UInt32

    /// The first root key of a new installation.
    static func first() -> RootKeys { RootKeys(versions: [1: SymmetricKey(size: .bits256)], current: 1) }

    /// These keys with a new current one.
    func addingVersion() throws -> RootKeys {
        guard current < .max else {
            throw Refusal(.unavailable, "trust.keyVersions", "There are no key versions left.")
        }
        var keys = self
        keys.current += 1
        keys.versions[keys.current] = SymmetricKey(size: .bits256)
        return keys
    }

    /// These keys with nothing but the current one.
    func droppingOldVersions() -> RootKeys {
        RootKeys(versions: versions.filter { $0.key == current }, current: current)
    }

    /// The keys as a file's bytes, wrapped by `seal`.
    func wrapped(by seal: SealKey) throws -> [UInt8] {
        var plaintext: [UInt8] = []
        for (version, key) in versions.sorted(by: { $0.key < $1.key }) {
            plaintext.append(bigEndian: version)
            plaintext += key.bytes
        }
        let header = Self.magic + seal.identifier
        return header + (try Envelope.seal(plaintext, with: seal.key, version: current, authenticating: header))
    }

    /// The identifier of the seal key that wrapped the file, or nil when the bytes are no such file.
    static func sealIdentifier(of file: [UInt8]) -> [UInt8]? {
        guard file.count > headerBytes, file.starts(with: magic) else { return nil }
        return Array(file[magic.count..<headerBytes])
    }

    /// The keys in a file, or nil when `seal` did not wrap it as it is.
    init?(_ file: [UInt8], unwrappedBy seal: SealKey) {
        guard Self.sealIdentifier(of: file) == seal.identifier else { return nil }
        let envelope = Array(file[Self.headerBytes...])
        guard let version = Envelope.version(of: envelope),
            let plaintext = Envelope.open(envelope, with: seal.key, authenticating: Array(file[..<Self.headerBytes])),
            plaintext.count.isMultiple(of: Self.entryBytes)
        else { return nil }
        versions = [:]
        for start in stride(from: 0, to: plaintext.count, by: Self.entryBytes) {
            let version = plaintext[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            versions[version] = SymmetricKey(data: plaintext[start + 4..<start + Self.entryBytes])
        }
        guard versions[version] != nil else { return nil }
        current = version
    }

    private init(versions: [UInt32: SymmetricKey], current: UInt32) {
        self.versions = versions
        self.current = current
    }

    private static let magic = Array("TGROOT1\n".utf8)
    private static let headerBytes = magic.count + SealKey.identifierBytes
    private static let entryBytes = 4 + 32
}

/// The key at the top: it opens everything, and lies in a file of its own or comes from outside.
struct SealKey: Sendable {
    let key: SymmetricKey
    /// The first bytes of a hash of the key, so that a file can say which key wrapped it.
    let identifier: [UInt8]

    static let identifierBytes = 8
    static let keyBytes = 32

    static func random() -> SealKey { SealKey(SymmetricKey(size: .bits256)) }

    /// The key in `bytes`, or nil unless there are exactly 32.
    init?(bytes: [UInt8]) {
        guard bytes.count == Self.keyBytes else { return nil }
        self.init(SymmetricKey(data: bytes))
    }

    private init(_ key: SymmetricKey) {
        self.key = key
        identifier = Array(key.derived(for: "tidegate seal key identifier").bytes.prefix(Self.identifierBytes))
    }
}
