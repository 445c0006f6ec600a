import Audit
public import Base
package import Storage
import Trust

extension Access {
    /// Creates a client with this role at a domain (nil: the root) and a token for it; the secret is not kept.
    ///
    /// `permissions` is what may be used through the token of what the role allows, nil being all; `addresses` is from
    /// where it may be used, none being anywhere.
    public func createToken(
        role: String, at domain: String? = nil, name: String? = nil, expires: Timestamp? = nil,
        permissions: Set<Permission>? = nil, addresses: [AddressRange] = [], reason: String? = nil, tenant: TenantID,
        by principal: Principal
    ) async throws -> (token: CredentialInfo, secret: String) {
        let mark = CredentialID(now: clock.now)
        let label = try Self.displayName(name ?? "token-\(mark.text.suffix(8))", at: "/name")
        return try await database.tenant(tenant).write { tx in
            let place = try self.domain(domain, tenant: tenant, in: tx)
            try authorize(principal, .principalManage, tenant: tenant, domain: place, in: tx)
            try proof.require(principal, for: .credentials, in: tx)
            let role = try self.role(role, tenant: tenant, in: tx)
            try checkTokenCount(tenant, in: tx)
            guard let clientName = Name("client-\(mark.text)") else { throw Self.unknown("principal") }
            let client = try makePrincipal(clientName, kind: .client, tenant: tenant, by: principal, in: tx)
            var draft = CredentialDraft(.token, of: client.id, tenant: tenant, name: label)
            draft.expires = expires
            draft.permissions = permissions
            draft.addresses = addresses
            let opened = try open(draft, in: tx)
            _ = try makeGrant(
                role, to: client.id, at: place, expires: expires, reason: reason, tenant: tenant, by: principal,
                in: tx)
            try record(
                .tokenCreated, tenant, by: principal, "token", opened.info.id.text, domain: place,
                details: [
                    "name": .string(label), "role": .string(role.name.text),
                    "scopes": permissions.map { .array($0.map(\.rawValue).sorted().map { .string($0) }) } ?? .null,
                    "addresses": .array(addresses.map { .string($0.description) }),
                    "expires": expires.map { .string($0.rfc3339) } ?? .null,
                ], in: tx)
            return (opened.info, opened.secret.text)
        }
    }

    /// The tokens of a tenant in the order of their making, after `id`.
    public func tokens(
        tenant: TenantID, after id: CredentialID? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> [CredentialInfo] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows(
                """
                SELECT \(CredentialRow.columns) FROM credential
                WHERE owner = $1 AND kind = 'token' AND id > $2 ORDER BY id LIMIT $3
                """, id?.bytes ?? [], min(max(limit, 1), AccessLimits.page)
            ).map(CredentialRow.read)
        }
    }

    /// Revokes a token: its next use is refused.
    public func revokeToken(_ id: CredentialID, tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            guard let token = try credential(id, of: tenant, in: tx), token.kind == .token else {
                throw Self.unknown("token")
            }
            guard try end(id, of: tenant, in: tx) != nil else { return }
            // A client that was made for the token can do nothing without it; the plan counts it no longer.
            let holder = try findPrincipal(token.principal.text, in: tx)
            if holder.kind == .client, holder.name.hasPrefix("client-"),
                CredentialID(text: holder.name.dropFirst(7)) != nil
            {
                try tx.execute(
                    """
                    UPDATE principal SET active = 0 WHERE tenant = $1 AND id = $2 AND NOT EXISTS (
                        SELECT 1 FROM credential k WHERE k.owner = $1 AND k.principal = $2 AND k.revoked IS NULL)
                    """, holder.id)
            }
            try record(.tokenRevoked, tenant, by: principal, "token", id.text, in: tx)
        }
    }

    /// Refuses when the tenant has as many tokens as it may.
    package func checkTokenCount(_ tenant: TenantID, in tx: Transaction) throws {
        let live =
            try tx.scoped(to: tenant).row(
                "SELECT count(*) FROM credential WHERE owner = $1 AND kind = 'token' AND revoked IS NULL")?.int(0) ?? 0
        guard live < AccessLimits.tokens else {
            throw Refusal(.limited, "token.tooMany", "A tenant has at most \(AccessLimits.tokens) tokens.")
        }
    }
}
