public import Base
package import Storage

/// A token as a list shows it: with the names of the roles that its client holds.
public struct TokenOverview: Sendable, Hashable {
    /// The token.
    public let token: CredentialInfo
    /// The names of the roles that its client holds now.
    public let roles: [String]
}

extension Access {
    /// The tokens of a tenant, the newest first, made before `id`; only those that count now unless `isLive` is false.
    public func tokenOverview(
        tenant: TenantID, before id: CredentialID? = nil, isLive: Bool = true, limit: Int = 100,
        by principal: Principal
    ) async throws -> [TokenOverview] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            let tokens = try credentials(.token, tenant: tenant, before: id, isLive: isLive, limit: limit, in: tx)
            let roles = try roleNames(of: tokens.map(\.principal), tenant: tenant, in: tx)
            return tokens.map { TokenOverview(token: $0, roles: roles[$0.principal] ?? []) }
        }
    }

    /// One token of a tenant.
    public func token(_ id: CredentialID, tenant: TenantID, by principal: Principal) async throws -> TokenOverview {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            guard let token = try credential(id, of: tenant, in: tx), token.kind == .token else {
                throw Self.unknown("token")
            }
            let roles = try roleNames(of: [token.principal], tenant: tenant, in: tx)
            return TokenOverview(token: token, roles: roles[token.principal] ?? [])
        }
    }

    /// The credentials of one kind of a tenant, the newest first, made before `id`; the caller has decided that they
    /// may be seen.
    package func credentials(
        _ kind: Credential.Kind, tenant: TenantID, before id: CredentialID?, isLive: Bool, limit: Int,
        in tx: Transaction
    ) throws -> [CredentialInfo] {
        let now = clock.now
        var arguments: [any SQLBindable] = [kind.rawValue]
        var conditions = "owner = $1 AND kind = $2"
        if let id {
            arguments.append(id)
            conditions += " AND id < $\(arguments.count + 1)"
        }
        if isLive {
            arguments.append(now)
            let place = "$\(arguments.count + 1)"
            conditions +=
                " AND revoked IS NULL AND (expires IS NULL OR expires > \(place))"
                + " AND (idle IS NULL OR COALESCE(last_used, created) + idle > \(place))"
        }
        return try tx.scoped(to: tenant).rows(
            """
            SELECT \(CredentialRow.columns) FROM credential
            WHERE \(conditions) ORDER BY id DESC LIMIT \(min(max(limit, 1), AccessLimits.page))
            """, arguments: arguments
        ).map(CredentialRow.read)
    }
}
