public import Access
import Audit
public import Base
import Storage
import Trust

/// A tenant's gateway token without its secret: with it a gateway speaks for devices whose models allow access tokens.
public struct GatewayToken: Hashable, Sendable {
    /// Who made it.
    public let creatorName: String
    /// When.
    public let created: Timestamp
}

extension Fleet {
    /// The tenant's gateway token; nil when it has none, which is the usual.
    public func gatewayToken(in tenant: TenantID, by principal: Principal) async throws -> GatewayToken? {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .tenantManage, tenant: tenant, in: transaction)
            return try transaction.row("SELECT creator_name, created FROM gateway_token WHERE tenant = $1").map {
                GatewayToken(creatorName: try $0.text(0), created: try $0.timestamp(1))
            }
        }
    }

    /// Gives the tenant a gateway token in the place of any that it has; answers its secret, shown this once.
    public func createGatewayToken(in tenant: TenantID, by principal: Principal) async throws -> String {
        let secret = AccessTokens.make()
        let hash = Token.hash(of: secret)
        try await database.tenant(tenant).write { transaction -> Void in
            try access.authorize(principal, .tenantManage, tenant: tenant, in: transaction)
            try transaction.execute(
                """
                INSERT INTO gateway_token (tenant, hash, creator_name, created) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant) DO UPDATE SET hash = excluded.hash, creator_name = excluded.creator_name,
                    created = excluded.created
                """, hash, principal.name, clock.now)
            try recordGateway(.gatewayTokenCreated, tenant, principal, transaction)
            transaction.afterCommit { [directory] in directory.setGateway(Fingerprint(bytes: hash), of: tenant) }
        }
        return secret
    }

    /// Ends the tenant's gateway token, if it has one; whoever speaks with it is cut off.
    public func endGatewayToken(in tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { transaction -> Void in
            try access.authorize(principal, .tenantManage, tenant: tenant, in: transaction)
            guard try transaction.execute("DELETE FROM gateway_token WHERE tenant = $1") > 0 else { return }
            try recordGateway(.gatewayTokenEnded, tenant, principal, transaction)
            transaction.afterCommit { [directory] in directory.setGateway(nil, of: tenant) }
        }
    }

    private func recordGateway(
        _ code: AuditCode, _ tenant: TenantID, _ principal: Principal, _ transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: principal.actor(in: tenant),
                object: AuditObject(kind: "tenant", id: tenant.text)),
            in: transaction)
    }
}
