import Access
import Audit
import Base
import Storage
import Trust

/// Marks identifiers of families of tokens.
enum FamilyKind {}
/// Names a family: all tokens that follow from one consent, or from one proof of a client.
typealias FamilyID = Identifier<FamilyKind>

/// All tokens that follow from one consent: each refresh token gives the next pair, and all end together.
struct Family {
    let id: FamilyID
    let client: Client
    let owner: TenantID
    let principal: PrincipalID
    let scope: Scope
    let expires: Timestamp
}

extension OAuth {
    /// A new family, before its first token.
    func begin(
        _ client: Client, owner: TenantID, principal: PrincipalID, scope: Scope, life: Duration, in tx: Transaction
    ) throws -> Family {
        let now = clock.now
        let family = Family(
            id: FamilyID(now: now), client: client, owner: owner, principal: principal, scope: scope,
            expires: now + life)
        try tx.scoped(to: owner).execute(
            """
            INSERT INTO oauth_family (owner, id, client, principal, scope, made, expires)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, family.id, client.id, principal, scope.text, now, family.expires)
        return family
    }

    /// Gives out the next tokens of a family, with a refresh token when it may go on; `scope` may be less than the
    /// family's.
    func issue(
        _ family: Family, scope: Scope, canGoOn: Bool, _ request: OAuthRequest, as code: AuditCode, in tx: Transaction
    ) throws -> [String: JSONValue] {
        let now = clock.now
        var draft = CredentialDraft(
            .access, of: family.principal, tenant: family.owner, name: family.client.name)
        draft.permissions = scope.permissions
        draft.expires = min(now + OAuthLimits.accessLife, family.expires)
        draft.address = request.address
        draft.agent = request.agent
        let (info, secret) = try access.open(draft, in: tx)
        let refresh = canGoOn ? Token.make(kind: "refresh") : nil
        try tx.execute(
            "INSERT INTO oauth_issue (credential, family, refresh, refresh_expires) VALUES ($1, $2, $3, $4)",
            info.id, family.id, refresh?.hash, refresh.map { _ in min(now + OAuthLimits.refreshLife, family.expires) })
        try record(
            code, family.owner, family.client, address: request.address,
            object: AuditObject(kind: "credential", id: info.id.text),
            details: [
                "principal": .string(family.principal.text), "scope": .string(scope.text),
                "flow": request.form["grant_type"].map { .string($0) } ?? .null,
            ], in: tx)
        var answer: [String: JSONValue] = [
            "access_token": .string(secret.text), "token_type": "Bearer", "scope": .string(scope.text),
            "expires_in": .integer(((draft.expires ?? now) - now).components.seconds),
        ]
        if let refresh { answer["refresh_token"] = .string(refresh.text) }
        return answer
    }

    /// Ends a family and every token of it.
    func end(family: FamilyID, of owner: TenantID, in tx: Transaction) throws {
        let scoped = tx.scoped(to: owner)
        try scoped.execute(
            "UPDATE oauth_family SET ended = $3 WHERE owner = $1 AND id = $2 AND ended IS NULL", family, clock.now)
        for row in try scoped.rows("SELECT credential FROM oauth_issue WHERE family = $2", family) {
            try access.end(row.identifier(0), of: owner, in: tx)
        }
    }

    /// Ends every family, and every code that could begin one, of somebody whose access ends as a whole, or of everybody
    /// of the tenant when nobody is named; the family of the token that stays goes on with it.
    func endAll(
        of principal: PrincipalID?, tenant: TenantID, except kept: CredentialID?, in tx: Transaction
    ) throws {
        let scoped = tx.scoped(to: tenant)
        let (whose, named): (String, [any SQLBindable]) =
            principal.map { (" AND principal = $2", [$0]) } ?? (" AND $2 = 0", [0])
        try scoped.execute(
            """
            UPDATE oauth_family SET ended = $3 WHERE owner = $1 AND ended IS NULL
                AND id NOT IN (SELECT family FROM oauth_issue WHERE credential = $4)\(whose)
            """, arguments: named + [clock.now, kept?.bytes ?? []])
        for table in ["oauth_code", "oauth_connection"] {
            try scoped.execute("DELETE FROM \(table) WHERE owner = $1\(whose)", arguments: named)
        }
    }

    /// The family of this identifier while it counts: not ended, its principal and tenant still let in, and from there.
    func findFamily(_ id: FamilyID, of client: Client, from address: String?, in tx: Transaction) throws -> Family? {
        let row = try tx.row(
            "SELECT owner, principal, scope, expires FROM oauth_family WHERE id = $1 AND client = $2 AND ended IS NULL",
            id, client.id)
        guard let row, try row.timestamp(3) > clock.now else { return nil }
        let owner: TenantID = try row.identifier(0)
        let principal: PrincipalID = try row.identifier(1)
        guard try isActive(principal, of: owner, in: tx),
            try client.principal == principal || access.rules.admit(principal, of: owner, from: address, in: tx)
        else { return nil }
        return Family(
            id: id, client: client, owner: owner, principal: principal, scope: Scope(stored: try row.text(2)),
            expires: try row.timestamp(3))
    }

    /// Whether somebody may act now at all.
    func isActive(_ principal: PrincipalID, of tenant: TenantID, in tx: Transaction) throws -> Bool {
        guard access.directory.tenant(tenant)?.status == .active else { return false }
        let row = try tx.scoped(to: tenant).row(
            "SELECT active FROM principal WHERE tenant = $1 AND id = $2", principal)
        return try row?.bool(0) ?? false
    }
}
