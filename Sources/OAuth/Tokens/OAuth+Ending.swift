import Access
import Audit
public import Base
package import Storage
import Trust

extension OAuth {
    /// A token that a program presents to have it ended or looked at.
    private struct Presented {
        let family: FamilyID
        let owner: TenantID
        let client: String
        let principal: PrincipalID
        let scope: Scope
        let made: Timestamp
        let expires: Timestamp
        let credential: CredentialID
        let isRefresh: Bool
        let isLive: Bool
    }

    /// Ends a token (RFC 7009): an access token alone, a refresh token with its whole family.
    ///
    /// A token that is unknown or another program's is answered like one that was ended, and is left as it is.
    public func revoke(_ request: OAuthRequest) async throws {
        let client = try await authenticate(request)
        guard let token = request.form["token"] else { throw OAuthError(.invalidRequest, "token is missing.") }
        try await database.platform.write { tx in
            guard let found = try find(token, in: tx), found.client == client.id else { return }
            if found.isRefresh {
                let isLive =
                    try tx.row("SELECT 1 FROM oauth_family WHERE id = $1 AND ended IS NULL", found.family) != nil
                guard isLive else { return }
                try end(family: found.family, of: found.owner, in: tx)
            } else {
                guard try access.end(found.credential, of: found.owner, in: tx) != nil else { return }
            }
            try record(
                .accessEnded, found.owner, client, address: request.address,
                object: AuditObject(kind: "credential", id: found.credential.text),
                details: ["family": .bool(found.isRefresh), "principal": .string(found.principal.text)], in: tx)
        }
    }

    /// What a token is (RFC 7662), for a client of its tenant that has proved which one it is; of any other it is told
    /// only that it does not count.
    public func introspect(_ request: OAuthRequest) async throws -> JSONValue {
        let client = try await authenticate(request)
        guard client.method != .none, let tenant = client.tenant else {
            throw OAuthError(.unauthorizedClient, "Only a client that proves which one it is may look at tokens.")
        }
        guard let token = request.form["token"] else { throw OAuthError(.invalidRequest, "token is missing.") }
        return try await database.platform.read { tx in
            guard let found = try find(token, in: tx), found.isLive, found.owner == tenant,
                try isActive(found.principal, of: tenant, in: tx)
            else { return ["active": false] }
            let holder = try access.findPrincipal(found.principal.text, in: tx.scoped(to: tenant))
            return [
                "active": true, "scope": .string(found.scope.text), "client_id": .string(found.client),
                "username": .string(holder.name), "token_type": found.isRefresh ? "refresh_token" : "Bearer",
                "exp": .integer(found.expires.microseconds / 1_000_000),
                "iat": .integer(found.made.microseconds / 1_000_000), "sub": .string(holder.id.text),
                "iss": .string(issuer.name),
            ]
        }
    }

    /// Ends every family, code and connection of a database that no server uses.
    package static func endFamilies(at now: Timestamp, in tx: Transaction) throws {
        try tx.acrossTenants.execute("UPDATE oauth_family SET ended = $1 WHERE ended IS NULL", now)
        try tx.acrossTenants.execute("DELETE FROM oauth_code")
        try tx.acrossTenants.execute("DELETE FROM oauth_connection")
    }

    private func find(_ text: String, in tx: Transaction) throws -> Presented? {
        guard let token = Token(text) else { return nil }
        let columns = """
            SELECT f.id, f.owner, f.client, f.principal, f.scope, f.made, f.expires, f.ended, i.credential,
                i.refresh_expires, i.used
            FROM oauth_issue i JOIN oauth_family f ON f.id = i.family
            """
        let row: Row?
        switch token.kind {
        case "refresh": row = try tx.row("\(columns) WHERE i.refresh = $1", token.hash)
        case "access":
            row = try tx.row(
                "\(columns) JOIN credential k ON k.id = i.credential WHERE k.hash = $1 AND k.kind = 'access'",
                token.hash)
        default: return nil
        }
        guard let row else { return nil }
        let isRefresh = token.kind == "refresh"
        let owner: TenantID = try row.identifier(1)
        var (scope, made, expires) = (Scope(stored: try row.text(4)), try row.timestamp(5), try row.timestamp(6))
        var isLive = row.isNull(7) && expires > clock.now
        if isRefresh {
            expires = try row.timestampIfAny(9) ?? expires
            isLive = isLive && row.isNull(10) && expires > clock.now
        } else {
            guard let info = try access.credential(row.identifier(8), of: owner, in: tx) else { return nil }
            scope = Scope(info.permissions, isOpenID: scope.isOpenID)
            (made, expires) = (info.created, info.expires ?? expires)
            isLive = isLive && info.isLive(at: clock.now)
        }
        return Presented(
            family: try row.identifier(0), owner: owner, client: try row.text(2), principal: try row.identifier(3),
            scope: scope, made: made, expires: expires, credential: try row.identifier(8), isRefresh: isRefresh,
            isLive: isLive)
    }
}
