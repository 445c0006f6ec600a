public import Access
public import Base
import Storage

/// Somebody's session as the list of all sessions of a tenant shows it.
public struct PersonsSession: Sendable, Hashable {
    /// The session.
    public let session: SessionInfo
    /// Whose it is.
    public let name: String
    /// The address of their account.
    public let address: String
}

extension SignIn {
    /// The sessions of everybody in a tenant, the newest first, opened before `id`; only those that count now unless
    /// `isLive` is false.
    public func sessions(
        tenant: TenantID, before id: CredentialID? = nil, isLive: Bool = true, limit: Int = 100,
        by principal: Principal
    ) async throws -> [PersonsSession] {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            let found = try access.credentials(
                .session, tenant: tenant, before: id, isLive: isLive, limit: limit, in: tx)
            guard !found.isEmpty else { return [] }
            let places = found.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
            let rows = try tx.rows(
                """
                SELECT s.credential, s.factors, a.display_name, a.address FROM sign_in_session s
                JOIN account a ON a.tenant = $1 AND a.principal = s.principal
                WHERE s.tenant = $1 AND s.credential IN (\(places))
                """, arguments: found.map(\.id))
            var details: [CredentialID: (factors: Set<FactorMethod>, name: String, address: String)] = [:]
            for row in rows {
                details[try row.identifier(0)] = (Self.methods(try row.text(1)), try row.text(2), try row.text(3))
            }
            let now = clock.now
            return found.map { info in
                let detail = details[info.id]
                return PersonsSession(
                    session: SessionInfo(info, detail?.factors ?? [], now: now, asking: principal),
                    name: detail?.name ?? info.name, address: detail?.address ?? info.name)
            }
        }
    }
}

extension SessionInfo {
    init(_ info: CredentialInfo, _ factors: Set<FactorMethod>, now: Timestamp, asking: Principal) {
        self.init(
            id: info.id, principal: info.principal, address: info.address, userAgent: info.agent, factors: factors,
            opened: info.created, lastUsed: info.lastUsed, expires: info.ends, ended: info.revoked,
            isLive: info.isLive(at: now), isCurrent: info.id == asking.credential?.id)
    }
}
