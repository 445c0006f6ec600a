import Audit
public import Base
import Storage
import Trust

/// A bearer token as administrators see it; the secret itself is shown once, when it is made.
public struct TokenInfo: Sendable, Hashable {
    /// The stable identifier.
    public let id: CredentialID
    /// Who acts with it.
    public let principal: PrincipalID
    /// The name for people.
    public let name: String
    /// When it was made.
    public let created: Timestamp
    /// When it ends, if it does.
    public let expires: Timestamp?
    /// When it was last used, to the minute.
    public let lastUsed: Timestamp?
    /// When it was revoked, if it was.
    public let revoked: Timestamp?
}

extension Access {
    /// Creates a client with this role at a domain (nil: the root) and a token for it; the secret is not kept.
    public func createToken(
        role: String, at domain: String? = nil, name: String? = nil, expires: Timestamp? = nil, tenant: TenantID,
        by principal: Principal
    ) async throws -> (token: TokenInfo, secret: String) {
        let now = clock.now
        if let expires, expires <= now { throw Refusal(.invalid, "token.expired", "A token must end in the future.") }
        let id = CredentialID(now: now)
        let label = try Self.displayName(name ?? "token-\(id.text.suffix(8))", at: "/name")
        let secret = Token.make(kind: "api")
        return try await database.tenant(tenant).write { tx in
            let place = try self.domain(domain, tenant: tenant, in: tx)
            try authorize(principal, .principalManage, tenant: tenant, domain: place, in: tx)
            let role = try self.role(role, tenant: tenant, in: tx)
            let live =
                try tx.row(
                    "SELECT count(*) FROM bearer_token WHERE owner = $1 AND revoked IS NULL")?.int(0) ?? 0
            guard live < AccessLimits.tokens else {
                throw Refusal(.limited, "token.tooMany", "A tenant has at most \(AccessLimits.tokens) tokens.")
            }
            guard let clientName = Name("client-\(id.text)") else { throw Self.unknown("principal") }
            let client = try makePrincipal(clientName, kind: .client, tenant: tenant, by: principal, in: tx)
            _ = try makeGrant(role, to: client.id, at: place, expires: expires, tenant: tenant, by: principal, in: tx)
            try tx.execute(
                """
                INSERT INTO bearer_token (hash, id, owner, principal, name, created, expires)
                VALUES ($2, $3, $1, $4, $5, $6, $7)
                """, secret.hash, id, client.id, label, now, expires)
            try record(
                .tokenCreated, tenant, by: principal, "token", id.text, domain: place,
                details: ["name": .string(label), "role": .string(role.name.text)], in: tx)
            return (
                TokenInfo(
                    id: id, principal: client.id, name: label, created: now, expires: expires, lastUsed: nil,
                    revoked: nil),
                secret.text
            )
        }
    }

    /// The tokens of a tenant in the order of their making, after `id`.
    public func tokens(
        tenant: TenantID, after id: CredentialID? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> [TokenInfo] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows(
                """
                SELECT id, principal, name, created, expires, last_used, revoked FROM bearer_token
                WHERE owner = $1 AND id > $2 ORDER BY id LIMIT $3
                """, id?.bytes ?? [], min(max(limit, 1), AccessLimits.page)
            ).map {
                TokenInfo(
                    id: try $0.identifier(0), principal: try $0.identifier(1), name: try $0.text(2),
                    created: try $0.timestamp(3), expires: try $0.timestampIfAny(4), lastUsed: try $0.timestampIfAny(5),
                    revoked: try $0.timestampIfAny(6))
            }
        }
    }

    /// Revokes a token: its next use is refused.
    public func revokeToken(_ id: CredentialID, tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let row = try tx.row("SELECT principal, revoked FROM bearer_token WHERE owner = $1 AND id = $2", id)
            guard let row else { throw Self.unknown("token") }
            guard row.isNull(1) else { return }
            try tx.execute("UPDATE bearer_token SET revoked = $3 WHERE owner = $1 AND id = $2", id, clock.now)
            // The client was made for the token and can do nothing without it; the plan counts it no longer.
            try tx.execute("UPDATE principal SET active = 0 WHERE tenant = $1 AND id = $2", row.blob(0))
            try record(.tokenRevoked, tenant, by: principal, "token", id.text, in: tx)
        }
    }

    /// The principal who holds this bearer token; one refusal and one amount of work for every wrong one.
    public func authenticate(bearer: String, address: String?) async throws -> Principal {
        let refusal = Refusal(.unauthenticated, "token.invalid", "The token is unknown, expired or revoked.")
        guard Token(bearer) != nil else { throw refusal }
        let hash = Token.hash(of: bearer)
        let now = clock.now
        let found = try await database.platform.read { tx -> (Principal, CredentialID)? in
            guard
                let row = try tx.row(
                    "SELECT id, owner, principal, expires, revoked FROM bearer_token WHERE hash = $1", hash),
                row.isNull(4), try row.timestampIfAny(3).map({ $0 > now }) ?? true
            else { return nil }
            let owner: TenantID = try row.identifier(1)
            guard try TenantRow.find(owner, in: tx)?.status == .active else { return nil }
            let info = try findPrincipal(try (row.identifier(2) as PrincipalID).text, in: tx.scoped(to: owner))
            guard info.isActive else { return nil }
            let credential: CredentialID = try row.identifier(0)
            return (
                Principal(
                    id: info.id, kind: info.kind, tenant: owner, name: info.name, credential: credential,
                    address: address),
                credential
            )
        }
        guard let found else { throw refusal }
        tokenUse.note(found.1, at: now)
        return found.0
    }

    /// Writes when tokens were last used; call it about once a minute.
    public func flushTokenUse() async throws {
        let uses = tokenUse.take()
        guard !uses.isEmpty else { return }
        try await database.platform.write { tx in
            for (id, time) in uses {
                try tx.execute("UPDATE bearer_token SET last_used = $2 WHERE id = $1", id, time)
            }
        }
    }
}
