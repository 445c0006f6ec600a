import Access
public import Base
import Storage
import Trust

extension OAuth {
    /// The keys with which this server signs who somebody is, the coming one and the last one included.
    public func publicKeys() async throws -> JSONValue {
        _ = try await signer()
        let keys = try await database.tenant(.platform).read { tx in try loadKeys(in: tx) }
        return ["keys": .array(keys.map(\.signer.publicKey))]
    }

    /// Makes the next key when the newest is old, and removes those that have signed nothing for long enough.
    public func rotateKeys() async throws {
        let now = clock.now
        try await database.tenant(.platform).write { tx in
            let keys = try loadKeys(in: tx)
            if keys.first.map({ now - $0.made > OAuthLimits.keyLife }) ?? true { try makeKey(in: tx) }
            // A key has signed until its follower was shown long enough.
            for (follower, key) in zip(keys, keys.dropFirst()) where now - follower.made > OAuthLimits.keyOverlap * 2 {
                try tx.execute("DELETE FROM oauth_key WHERE tenant = $1 AND id = $2", key.signer.id)
            }
        }
    }

    /// The key that signs now: the newest that everybody has had the time to read.
    func signer() async throws -> TokenSigner {
        let now = clock.now
        @Sendable func choose(_ keys: [(signer: TokenSigner, made: Timestamp)]) -> TokenSigner? {
            (keys.first { now - $0.made > OAuthLimits.keyOverlap } ?? keys.last)?.signer
        }
        if let found = choose(try await database.tenant(.platform).read({ try loadKeys(in: $0) })) { return found }
        return try await database.tenant(.platform).write { tx in
            // Another node may have been quicker.
            if let found = choose(try loadKeys(in: tx)) { return found }
            return try makeKey(in: tx)
        }
    }

    /// All keys, the newest first.
    private func loadKeys(in tx: Transaction) throws -> [(signer: TokenSigner, made: Timestamp)] {
        try tx.rows("SELECT id, private_key, made FROM oauth_key WHERE tenant = $1 ORDER BY made DESC, id").map { row in
            let id = try row.text(0)
            let bytes = try keyRing.open(
                row.blob(1), at: OAuthSchema.keyColumn.place(.platform, row: id), in: tx)
            guard let signer = TokenSigner(privateBytes: bytes), signer.id == id else {
                throw StorageError(.corrupt, "a signing key does not fit its name")
            }
            return (signer, try row.timestamp(2))
        }
    }

    @discardableResult
    private func makeKey(in tx: Transaction) throws -> TokenSigner {
        let signer = TokenSigner()
        let sealed = try keyRing.seal(
            signer.privateBytes, at: OAuthSchema.keyColumn.place(.platform, row: signer.id), in: tx)
        try tx.execute(
            "INSERT INTO oauth_key (tenant, id, private_key, made) VALUES ($1, $2, $3, $4)", signer.id, sealed,
            clock.now)
        return signer
    }

    /// A signed word to the program about who the person is (OpenID Connect Core, section 2).
    func identity(
        _ family: Family, signedIn: Timestamp, nonce: String?, signer: TokenSigner, in tx: Transaction
    ) throws -> String {
        let now = clock.now
        let holder = try access.findPrincipal(family.principal.text, in: tx.scoped(to: family.owner))
        var claims: [String: JSONValue] = [
            "iss": .string(issuer.name), "sub": .string(holder.id.text), "aud": .string(family.client.id),
            "iat": .integer(now.microseconds / 1_000_000),
            "exp": .integer((now + OAuthLimits.identityLife).microseconds / 1_000_000),
            "auth_time": .integer(signedIn.microseconds / 1_000_000), "name": .string(holder.name),
        ]
        if let nonce { claims["nonce"] = .string(nonce) }
        if let slug = access.directory.tenant(family.owner)?.slug { claims["tenant"] = .string(slug.text) }
        return try signer.sign(.object(claims))
    }
}
