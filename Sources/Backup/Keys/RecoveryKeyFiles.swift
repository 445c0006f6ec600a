import Base
import Trust

/// The recovery key's two files: the public half that stays, and the key itself until the operator takes it away.
struct RecoveryKeyFiles {
    private static let limit = 16 * 1024

    let layout: DataLayout

    /// The public half, made with its key when neither is there.
    func publicKey() throws -> RecoveryPublicKey {
        try SecretFile.createDirectory(layout.backup, for: .owner)
        if SecretFile.exists(layout.recoveryPublicKey) {
            let text = String(decoding: try SecretFile.read(layout.recoveryPublicKey), as: UTF8.self)
            guard let key = RecoveryPublicKey(text) else {
                throw Refusal(
                    .unavailable, "backup.recoveryKeyDamaged",
                    "\(layout.recoveryPublicKey) is damaged. Remove it: when \(layout.recoveryKey) is there, it is made "
                        + "again from it; otherwise a new recovery key is made for the backups from now on.")
            }
            return key
        }
        let key: RecoveryKey
        if SecretFile.exists(layout.recoveryKey) {
            key = try RecoveryKey(String(decoding: try SecretFile.read(layout.recoveryKey), as: UTF8.self))
        } else {
            key = try RecoveryKey()
            let text = """
                # The recovery key of a Tidegate server.
                # Backups of this server can not be restored without it. Keep it where the backups are not, then remove
                # this file: the server needs only the other half, recovery.pub, to go on making backups.
                \(key.text)

                """
            try SecretFile.replace(layout.recoveryKey, with: Array(text.utf8))
        }
        let text = "# Seals the key bundles of backups; recovery.key opens them.\n\(key.publicKey.text)\n"
        try SecretFile.replace(layout.recoveryPublicKey, with: Array(text.utf8))
        return key.publicKey
    }

    /// Whether the key itself still lies on the machine that it is to outlive.
    var isKeyHere: Bool { SecretFile.exists(layout.recoveryKey) }
}
