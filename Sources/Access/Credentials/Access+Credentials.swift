package import Base
package import Storage
package import Trust

extension Access {
    // MARK: - For the parts that give credentials out

    /// Makes a credential in the caller's transaction; the caller has decided that it may be, and records it. The secret
    /// is not kept.
    package func open(
        _ draft: CredentialDraft, in tx: Transaction
    ) throws -> (info: CredentialInfo, secret: Token) {
        let now = clock.now
        if let expires = draft.expires, expires <= now {
            throw Refusal(.invalid, "token.expired", "A token must end in the future.")
        }
        guard draft.addresses.count <= AccessLimits.addressRanges else {
            throw Refusal(
                .invalid, "token.addresses", "A credential has at most \(AccessLimits.addressRanges) address ranges.")
        }
        let word = draft.kind == .token ? "api" : draft.kind.rawValue
        let secret = Token.make(kind: word)
        let info = CredentialInfo(
            id: CredentialID(now: now), kind: draft.kind, principal: draft.principal, name: draft.name,
            permissions: draft.permissions, addresses: draft.addresses, created: now, expires: draft.expires,
            idle: draft.idle, lastUsed: nil, revoked: nil, address: draft.address,
            agent: draft.agent.map { String($0.prefix(AccessLimits.agentCharacters)) })
        try CredentialRow.insert(info, hash: secret.hash, tenant: draft.tenant, in: tx)
        return (info, secret)
    }

    /// Ends a credential at once, wherever it is in use, and answers what it was; nil when there is none of this tenant
    /// that still counts. The caller has decided that it may, and records it.
    @discardableResult
    package func end(_ id: CredentialID, of tenant: TenantID, in tx: Transaction) throws -> CredentialInfo? {
        let row = try tx.scoped(to: tenant).row(
            """
            UPDATE credential SET revoked = $3 WHERE owner = $1 AND id = $2 AND revoked IS NULL
            RETURNING \(CredentialRow.columns)
            """, id, clock.now)
        guard let info = try row.map(CredentialRow.read) else { return nil }
        announceEnd(of: info.principal, tenant, in: tx)
        return info
    }

    /// Ends all credentials of these kinds of a principal, except one when it is named, and answers what they were; with
    /// its access tokens ends what they could be renewed by.
    @discardableResult
    package func endAll(
        of principal: PrincipalID, tenant: TenantID, kinds: Set<Credential.Kind>, except kept: CredentialID? = nil,
        in tx: Transaction
    ) throws -> [CredentialInfo] {
        let words = kinds.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        guard !words.isEmpty else { return [] }
        let ended = try tx.scoped(to: tenant).rows(
            """
            UPDATE credential SET revoked = $3
            WHERE owner = $1 AND principal = $2 AND revoked IS NULL AND id <> $4 AND kind IN (\(words))
            RETURNING \(CredentialRow.columns)
            """, principal, clock.now, kept?.bytes ?? []
        ).map(CredentialRow.read)
        if kinds.contains(.access) { try rules.end(principal, of: tenant, except: kept, in: tx) }
        announceEnd(of: principal, tenant, in: tx)
        return ended
    }

    /// One credential of a tenant, ended or not.
    package func credential(_ id: CredentialID, of tenant: TenantID, in tx: Transaction) throws -> CredentialInfo? {
        try tx.scoped(to: tenant).row(
            "SELECT \(CredentialRow.columns) FROM credential WHERE owner = $1 AND id = $2", id
        ).map(CredentialRow.read)
    }

    /// The credentials of these kinds of a principal, the newest first, ended ones included until they are removed.
    package func credentials(
        of principal: PrincipalID, tenant: TenantID, kinds: Set<Credential.Kind>, in tx: Transaction
    ) throws -> [CredentialInfo] {
        let words = kinds.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        guard !words.isEmpty else { return [] }
        return try tx.scoped(to: tenant).rows(
            """
            SELECT \(CredentialRow.columns) FROM credential
            WHERE owner = $1 AND principal = $2 AND kind IN (\(words)) ORDER BY id DESC LIMIT \(AccessLimits.page)
            """, principal
        ).map(CredentialRow.read)
    }

    // MARK: - Proof

    /// The principal who holds this token; one refusal and one amount of work for every wrong one.
    public func authenticate(bearer: String, address: String?) async throws -> Principal {
        let refusal = Refusal(.unauthenticated, "token.invalid", "The token is unknown, expired or revoked.")
        // The checksum says so without a look-up, and so tells nobody anything about tokens that there are.
        guard Token(bearer) != nil else {
            throw Refusal(
                .unauthenticated, "token.malformed", "This is no token: it was mistyped or cut short. Copy it again.")
        }
        return try await proof(bearer, [.token, .access], address, isUse: true, or: refusal)
    }

    /// The principal whose session this is; one refusal for every wrong one. `isUse` says whether this keeps the session
    /// from its idle end: a page that stays open does not.
    public func authenticate(session: String, address: String?, isUse: Bool = true) async throws -> Principal {
        let refusal = Refusal(.unauthenticated, "session.invalid", "The session has ended. Sign in again.")
        return try await proof(session, [.session], address, isUse: isUse, or: refusal)
    }

    private func proof(
        _ secret: String, _ kinds: Set<Credential.Kind>, _ address: String?, isUse: Bool, or refusal: Refusal
    ) async throws -> Principal {
        guard Token(secret) != nil else { throw refusal }
        let hash = Token.hash(of: secret)
        let now = clock.now
        let found = try await database.platform.read { tx -> Principal? in
            guard
                let row = try tx.row(
                    "SELECT \(CredentialRow.columns), owner FROM credential WHERE hash = $1", hash)
            else { return nil }
            let info = try CredentialRow.read(row)
            guard kinds.contains(info.kind), isLive(info, at: now), Self.isLet(address, by: info.addresses) else {
                return nil
            }
            let owner: TenantID = try row.identifier(13)
            guard try TenantRow.find(owner, in: tx)?.status == .active else { return nil }
            let holder = try findPrincipal(info.principal.text, in: tx.scoped(to: owner))
            guard holder.isActive else { return nil }
            // A session's address is asked with the session itself.
            if holder.kind == .user, info.kind != .session {
                guard try rules.admit(holder.id, of: owner, from: address, in: tx) else { return nil }
            }
            return Principal(
                id: holder.id, kind: holder.kind, tenant: owner, name: holder.name,
                credential: Credential(id: info.id, kind: info.kind, permissions: info.permissions), address: address)
        }
        guard let found else { throw refusal }
        if isUse, let credential = found.credential { credentialUse.note(credential.id, at: now) }
        return found
    }

    /// Its last use may be in memory still.
    private func isLive(_ info: CredentialInfo, at now: Timestamp) -> Bool {
        if info.isLive(at: now) { return true }
        guard info.revoked == nil, info.expires.map({ $0 > now }) ?? true, let idle = info.idle,
            let used = credentialUse.unwritten(info.id)
        else { return false }
        return used + idle > now
    }

    private static func isLet(_ address: String?, by ranges: [AddressRange]) -> Bool {
        if ranges.isEmpty { return true }
        guard let address = address.flatMap({ NetworkAddress($0) }) else { return false }
        return ranges.contains { $0.contains(address) }
    }

    // MARK: - Upkeep

    /// Ends every session and access token of a database that no server uses, and says how many there were.
    package static func endSignedIn(at now: Timestamp, in tx: Transaction) throws -> Int {
        try tx.acrossTenants.execute(
            "UPDATE credential SET revoked = $1 WHERE revoked IS NULL AND kind IN ('session', 'access')", now)
    }

    /// Writes when credentials were last used; call it about once a minute.
    public func flushCredentialUse() async throws {
        let uses = credentialUse.take()
        guard !uses.isEmpty else { return }
        try await database.platform.write { tx in
            for (id, time) in uses {
                // Another node may have seen a later use.
                try tx.execute(
                    "UPDATE credential SET last_used = $2 WHERE id = $1 AND (last_used IS NULL OR last_used < $2)", id,
                    time)
            }
        }
    }

    /// Removes credentials that ended long ago, in parts; the audit log still tells of them.
    public func removeEndedCredentials() async throws {
        for kind in Credential.Kind.allCases {
            let before = clock.now - .seconds(AccessLimits.keptDays(kind) * 86_400)
            let sql = """
                DELETE FROM credential WHERE id IN (
                    SELECT id FROM credential
                    WHERE kind = $1 AND (revoked < $2 OR expires < $2 OR COALESCE(last_used, created) + idle < $2)
                    LIMIT \(AccessLimits.removedRows))
                """
            while try await database.platform.write({ try $0.execute(sql, kind.rawValue, before) }) > 0 {}
        }
    }

    func announceEnd(of principal: PrincipalID, _ tenant: TenantID, in tx: Transaction) {
        rightsChanged(of: principal, tenant, in: tx)
    }
}
