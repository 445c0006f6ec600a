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
        if let (signer, _) = try newest(tenant, keyRing: keyRing, in: transaction) { return (signer, false) }
        return (try make(tenant, deployment: deployment, keyRing: keyRing, now: now, in: transaction), true)
    }

    /// The signer of a tenant's log until now, if it had one, and a new one in its place.
    static func replace(
        _ tenant: TenantID, deployment: DeploymentName, keyRing: KeyRing, now: Timestamp, in transaction: Transaction
    ) throws -> (former: LogSigner?, signer: LogSigner) {
        let former = try newest(tenant, keyRing: keyRing, in: transaction)
        // The newest counts, even when a clock was put back.
        let made = former.map { max(now, $0.made + .microseconds(1)) } ?? now
        let signer = try make(tenant, deployment: deployment, keyRing: keyRing, now: made, in: transaction)
        return (former?.signer, signer)
    }

    private static func newest(
        _ tenant: TenantID, keyRing: KeyRing, in transaction: Transaction
    ) throws -> (signer: LogSigner, made: Timestamp)? {
        let row = try transaction.scoped(to: tenant).row(
            """
            SELECT verifier, private_key, created_at FROM audit_signer
            WHERE tenant = $1 ORDER BY created_at DESC, verifier LIMIT 1
            """)
        guard let row else { return nil }
        let text = try row.text(0)
        let bytes = try keyRing.open(
            row.blob(1), at: AuditSchema.signerColumn.place(tenant, row: text), in: transaction)
        guard let verifier = NoteVerifier(text),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes),
            Array(key.publicKey.rawRepresentation) == verifier.publicKey
        else { throw StorageError(.corrupt, "the key of an audit log does not fit its public half") }
        return (LogSigner(verifier: verifier, key: key), try row.timestamp(2))
    }

    private static func make(
        _ tenant: TenantID, deployment: DeploymentName, keyRing: KeyRing, now: Timestamp, in transaction: Transaction
    ) throws -> LogSigner {
        let key = Curve25519.Signing.PrivateKey()
        let name = AuditOrigin.name(deployment: deployment.text, tenant: tenant)
        guard let verifier = NoteVerifier(name: name, publicKey: Array(key.publicKey.rawRepresentation)) else {
            throw StorageError(.other, "a log's name can not sign notes")
        }
        let text = verifier.description
        let sealed = try keyRing.seal(
            Array(key.rawRepresentation), at: AuditSchema.signerColumn.place(tenant, row: text), in: transaction)
        try transaction.scoped(to: tenant).execute(
            "INSERT INTO audit_signer (tenant, verifier, private_key, created_at) VALUES ($1, $2, $3, $4)",
            text, sealed, now)
        return LogSigner(verifier: verifier, key: key)
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
        return SignedNote(text: text, signatures: [try signature(for: text)]).encoded
    }

    /// The note that declares a restoration: signed by this key, and by the `former` one that gives way to it.
    func sign(
        size: Int64, root: TreeHash, backup: String, at time: Timestamp, kept: Int64, after former: LogSigner?
    ) throws -> String {
        let restoration = AuditRestoration(backup: backup, time: time, kept: kept, key: verifier)
        let text = Checkpoint(origin: verifier.name, size: size, root: root, restoration: restoration).text
        let signers = [former].compactMap(\.self) + [self]
        return SignedNote(text: text, signatures: try signers.map { try $0.signature(for: text) }).encoded
    }

    private func signature(for text: String) throws -> SignedNote.Signature {
        .init(
            name: verifier.name, keyID: verifier.keyID, bytes: Array(try key.signature(for: Array(text.utf8))))
    }
}
