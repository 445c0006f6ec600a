import Base
import Crypto
import Storage
import Trust

/// The key that signs one log's checkpoints: made at the first checkpoint, its private half sealed by the key ring.
struct LogSigner {
    let verifier: NoteVerifier
    private let key: Curve25519.Signing.PrivateKey

    /// The signer of a tenant's log, made when there is none; `isNew` says which.
    static func load(
        _ tenant: TenantID, deployment: DeploymentName, keyRing: KeyRing, now: Timestamp, in transaction: Transaction
    ) throws -> (signer: LogSigner, isNew: Bool) {
        let scoped = transaction.scoped(to: tenant)
        let row = try scoped.row(
            "SELECT verifier, private_key FROM audit_signer WHERE tenant = $1 ORDER BY created_at DESC, verifier LIMIT 1"
        )
        if let row {
            let text = try row.text(0)
            let bytes = try keyRing.open(
                row.blob(1), at: AuditSchema.signerColumn.place(tenant, row: text), in: transaction)
            guard let verifier = NoteVerifier(text),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes),
                Array(key.publicKey.rawRepresentation) == verifier.publicKey
            else { throw StorageError(.corrupt, "the key of an audit log does not fit its public half") }
            return (LogSigner(verifier: verifier, key: key), false)
        }
        let key = Curve25519.Signing.PrivateKey()
        let name = AuditOrigin.name(deployment: deployment.text, tenant: tenant)
        guard let verifier = NoteVerifier(name: name, publicKey: Array(key.publicKey.rawRepresentation)) else {
            throw StorageError(.other, "a log's name can not sign notes")
        }
        let text = verifier.description
        let sealed = try keyRing.seal(
            Array(key.rawRepresentation), at: AuditSchema.signerColumn.place(tenant, row: text), in: transaction)
        try scoped.execute(
            "INSERT INTO audit_signer (tenant, verifier, private_key, created_at) VALUES ($1, $2, $3, $4)",
            text, sealed, now)
        return (LogSigner(verifier: verifier, key: key), true)
    }

    /// The verifiers of every key that has signed a tenant's log.
    static func verifiers(of tenant: TenantID, in transaction: Transaction) throws -> [NoteVerifier] {
        try transaction.scoped(to: tenant).rows(
            "SELECT verifier FROM audit_signer WHERE tenant = $1 ORDER BY created_at"
        ).compactMap { NoteVerifier(try $0.text(0)) }
    }

    /// The signed note that states this size and root.
    func sign(size: Int64, root: TreeHash) throws -> String {
        let text = Checkpoint(origin: verifier.name, size: size, root: root).text
        let signature = try key.signature(for: Array(text.utf8))
        return SignedNote(
            text: text,
            signatures: [.init(name: verifier.name, keyID: verifier.keyID, bytes: Array(signature))]
        ).encoded
    }
}
