import Audit
public import Base
package import Storage

/// A principal as a tenant's administrators see it.
public struct PrincipalInfo: Sendable, Hashable {
    /// The stable identifier.
    public let id: PrincipalID
    /// What sort of principal it is.
    public let kind: Principal.Kind
    /// The name, unique in the tenant.
    public let name: String
    /// False when it was disabled.
    public let isActive: Bool
    /// When it was made.
    public let created: Timestamp
}

extension Access {
    /// Creates a user or client without any right.
    public func createPrincipal(
        _ name: Name, kind: Principal.Kind, tenant: TenantID, by principal: Principal
    ) async throws -> PrincipalInfo {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            return try makePrincipal(name, kind: kind, tenant: tenant, by: principal, in: tx)
        }
    }

    /// The principals of a tenant by name, after `name`.
    public func principals(
        tenant: TenantID, after name: String = "", limit: Int = 100, by principal: Principal
    ) async throws -> [PrincipalInfo] {
        try await database.tenant(tenant).read { tx in
            try authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows(
                """
                SELECT id, kind, name, active, created FROM principal
                WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3
                """, name, min(max(limit, 1), AccessLimits.page)
            ).map(Self.readPrincipal)
        }
    }

    /// The names of these principals of the tenant, for a caller who may see principals; nobody's otherwise.
    public func names(
        of principals: some Collection<PrincipalID> & Sendable, tenant: TenantID, by principal: Principal
    ) async throws -> [PrincipalID: String] {
        if principals.isEmpty { return [:] }
        return try await database.tenant(tenant).read { tx in
            guard try visibleDomains(principal, .principalRead, tenant: tenant, in: tx) == .all else { return [:] }
            let some = principals.prefix(AccessLimits.principalsAtOnce)
            let places = (0..<some.count).map { "$\($0 + 2)" }.joined(separator: ", ")
            var names: [PrincipalID: String] = [:]
            for row in try tx.rows(
                "SELECT id, name FROM principal WHERE tenant = $1 AND id IN (\(places))",
                arguments: some.map { $0 as any SQLBindable })
            {
                names[try row.identifier(0)] = try row.text(1)
            }
            return names
        }
    }

    /// Disables a principal, whose tokens are refused from now on, or enables it again. Only for who holds all that it
    /// holds; nobody disables themselves, so that somebody is left who can enable them.
    public func setActive(
        _ isActive: Bool, principal text: String, tenant: TenantID, by principal: Principal
    ) async throws -> PrincipalInfo {
        try await database.tenant(tenant).write { tx in
            try authorize(principal, .principalManage, tenant: tenant, in: tx)
            let found = try findPrincipal(text, in: tx)
            guard isActive || found.id != principal.id else {
                throw Refusal(.conflict, "principal.own", "Nobody disables themselves; ask another administrator.")
            }
            try proof.require(principal, for: .accounts, in: tx)
            try requireCovering(found.id, tenant: tenant, by: principal, in: tx)
            try tx.execute("UPDATE principal SET active = $3 WHERE tenant = $1 AND id = $2", found.id, isActive)
            rightsChanged(of: found.id, tenant, in: tx)
            if !isActive {
                // A sign-in does not come back; a token counts again when its client is enabled again.
                try endAll(of: found.id, tenant: tenant, kinds: [.session, .access], in: tx)
            }
            try record(
                isActive ? .principalEnabled : .principalDisabled, tenant, by: principal, "principal", found.id.text,
                in: tx)
            return PrincipalInfo(
                id: found.id, kind: found.kind, name: found.name, isActive: isActive, created: found.created)
        }
    }

    /// Makes a user or client without any right; the caller has decided that it may be.
    package func makePrincipal(
        _ name: Name, kind: Principal.Kind, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> PrincipalInfo {
        try requireOwn(principal, of: tenant)
        let scoped = tx.scoped(to: tenant)
        guard kind == .user || kind == .client else {
            throw Refusal(.invalid, "principal.kind", "A principal is a user or a client.")
        }
        let count = try scoped.row("SELECT count(*) FROM principal WHERE tenant = $1 AND active = 1")?.int(0) ?? 0
        guard count < directory.plan(of: tenant)?.principals ?? 0 else {
            throw Refusal(.limited, "plan.principals", "The plan's principals are used up; ask for a larger plan.")
        }
        guard try scoped.row("SELECT 1 FROM principal WHERE tenant = $1 AND name = $2", name) == nil else {
            throw Refusal(.conflict, "principal.exists", "There is a principal \(name) already.")
        }
        let made = PrincipalInfo(
            id: PrincipalID(now: clock.now), kind: kind, name: name.text, isActive: true, created: clock.now)
        try scoped.execute(
            "INSERT INTO principal (tenant, id, kind, name, active, created) VALUES ($1, $2, $3, $4, 1, $5)", made.id,
            kind.rawValue, name, made.created)
        try record(
            .principalCreated, tenant, by: principal, "principal", made.id.text,
            details: ["name": .string(name.text), "kind": .string(kind.rawValue)], in: tx)
        return made
    }

    /// The principal that a name or identifier names.
    package func findPrincipal(_ text: String, in tx: Transaction) throws -> PrincipalInfo {
        let columns = "SELECT id, kind, name, active, created FROM principal WHERE tenant = $1"
        let row =
            if let id = PrincipalID(text: text) {
                try tx.row("\(columns) AND id = $2", id)
            } else {
                try tx.row("\(columns) AND name = $2", text)
            }
        guard let row else { throw Self.unknown("principal") }
        return try Self.readPrincipal(row)
    }

    static func readPrincipal(_ row: Row) throws -> PrincipalInfo {
        guard let kind = Principal.Kind(rawValue: try row.text(1)) else {
            throw StorageError(.corrupt, "a principal's row is not readable")
        }
        return PrincipalInfo(
            id: try row.identifier(0), kind: kind, name: try row.text(2), isActive: try row.bool(3),
            created: try row.timestamp(4))
    }
}
