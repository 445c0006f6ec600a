import Base

/// The two files that hold the upper keys: `seal.key`, and `root.wrapped` which it opens.
///
/// Both rotations go through states that each open, whenever the machine stops:
///
///     seal.key = A                    root.wrapped by A     at rest
///     seal.key = A  seal.key.next = B root.wrapped by A     B is written: A opens, B is dropped
///     seal.key = A  seal.key.next = B root.wrapped by B     B wraps: B opens and takes A's place
///     seal.key = B                    root.wrapped by B     at rest again
///
/// The first start is the same way without A.
struct KeyFiles: Sendable {
    private let sealPath: String
    private let nextSealPath: String
    private let rootPath: String

    init(directory: String) {
        sealPath = "\(directory)/seal.key"
        nextSealPath = "\(directory)/seal.key.next"
        rootPath = "\(directory)/root.wrapped"
    }

    /// The root keys, made at the first start; a seal rotation that was cut short is brought to an end.
    func load() throws -> RootKeys {
        guard SecretFile.exists(rootPath) else {
            guard !SecretFile.exists(sealPath) else {
                throw Refusal(
                    .unavailable, "trust.rootKeyMissing",
                    "\(sealPath) is there but \(rootPath), which it opens, is not. Restore it from the key backup; "
                        + "if this installation never held anything, remove \(sealPath) and start again.")
            }
            let keys = RootKeys.first()
            try wrap(keys, byNew: .random())
            return keys
        }
        let file = try SecretFile.read(rootPath)
        guard let wanted = RootKeys.sealIdentifier(of: file) else {
            throw Refusal(
                .unavailable, "trust.rootKeyDamaged", "\(rootPath) is damaged. Restore it from the key backup.")
        }
        let seal = try sealKey(wanted)
        guard let keys = RootKeys(file, unwrappedBy: seal) else {
            throw Refusal(
                .unavailable, "trust.rootKeyDamaged",
                "\(rootPath) does not open with the seal key. Restore both from the same key backup.")
        }
        return keys
    }

    /// Replaces the root keys, wrapped by the present seal key.
    func store(_ keys: RootKeys) throws {
        let file = try SecretFile.read(rootPath)
        guard let wanted = RootKeys.sealIdentifier(of: file) else {
            throw Refusal(
                .unavailable, "trust.rootKeyDamaged", "\(rootPath) is damaged. Restore it from the key backup.")
        }
        try SecretFile.replace(rootPath, with: keys.wrapped(by: sealKey(wanted)))
    }

    /// Wraps the root keys by a new seal key and forgets the present one.
    func replaceSeal(of keys: RootKeys) throws { try wrap(keys, byNew: .random()) }

    private func wrap(_ keys: RootKeys, byNew seal: SealKey) throws {
        try SecretFile.replace(nextSealPath, with: seal.key.bytes)
        try SecretFile.replace(rootPath, with: keys.wrapped(by: seal))
        try SecretFile.rename(from: nextSealPath, to: sealPath)
    }

    private func sealKey(_ wanted: [UInt8]) throws -> SealKey {
        if SecretFile.exists(sealPath) {
            let seal = try readSealKey(sealPath)
            if seal.identifier == wanted {
                try SecretFile.remove(nextSealPath)
                return seal
            }
        }
        if SecretFile.exists(nextSealPath) {
            let seal = try readSealKey(nextSealPath)
            if seal.identifier == wanted {
                try SecretFile.rename(from: nextSealPath, to: sealPath)
                return seal
            }
        }
        throw Refusal(
            .unavailable, "trust.sealKeyMissing",
            "\(sealPath) is missing or is not the key that sealed this installation. Restore it from the key backup: "
                + "without it nothing that is sealed can be opened.")
    }

    private func readSealKey(_ path: String) throws -> SealKey {
        guard let seal = SealKey(bytes: try SecretFile.read(path)) else {
            throw Refusal(
                .unavailable, "trust.sealKeyDamaged",
                "\(path) must hold exactly \(SealKey.keyBytes) bytes. Restore it from the key backup.")
        }
        return seal
    }
}
