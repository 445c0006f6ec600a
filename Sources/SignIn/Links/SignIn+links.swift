import Base
import Storage
import Trust

extension SignIn {
    /// What a link leads to; it is not used up by looking. One refusal for unknown, used and expired.
    public func link(_ secret: String, realm: Realm = .people) async throws -> LinkTarget {
        try await database.platform.read { tx in
            let target = try link(secret, in: tx)
            guard target.account.map({ $0.realm == realm }) ?? (realm == .people) else { throw Self.linkInvalid }
            return target
        }
    }

    /// Makes a link; an older one for the same purpose ends, unless anybody could have asked for the new one.
    func makeLink(
        _ purpose: LinkPurpose, owner: TenantID, principal: PrincipalID?, isOnlyOne: Bool = true, in tx: Transaction
    ) throws -> NewLink {
        let now = clock.now
        if isOnlyOne { try endLinks(purpose, owner: owner, principal: principal, in: tx) }
        let secret = Token.make(kind: purpose.kind)
        let expires = now + purpose.life
        try tx.acrossTenants.execute(
            """
            INSERT INTO account_link (hash, id, owner, principal, purpose, made, expires)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, secret.hash, CredentialID(now: now), owner, principal, purpose.rawValue, now, expires)
        // The set-up link belongs to no tenant yet, and leads to the people's side.
        let realm = purpose == .setUp ? Realm.people : Realm(of: owner)
        return NewLink(url: "\(place(realm))\(purpose.path)?link=\(secret.text)", expires: expires)
    }

    /// Ends the links of one purpose that still count.
    func endLinks(_ purpose: LinkPurpose, owner: TenantID, principal: PrincipalID?, in tx: Transaction) throws {
        let across = tx.acrossTenants
        let sql = "UPDATE account_link SET ended = $3 WHERE owner = $1 AND purpose = $2 AND ended IS NULL"
        if let principal {
            try across.execute("\(sql) AND principal = $4", owner, purpose.rawValue, clock.now, principal)
        } else {
            try across.execute("\(sql) AND principal IS NULL", owner, purpose.rawValue, clock.now)
        }
    }

    /// When a link of this purpose was last made for an account.
    func lastLink(_ purpose: LinkPurpose, of account: Account, in tx: Transaction) throws -> Timestamp? {
        try tx.acrossTenants.row(
            "SELECT max(made) FROM account_link WHERE owner = $1 AND principal = $2 AND purpose = $3", account.tenant,
            account.principal, purpose.rawValue)?.timestampIfAny(0)
    }

    func link(_ secret: String, in tx: Transaction) throws -> LinkTarget {
        guard let token = Token(secret),
            let row = try tx.acrossTenants.row(
                """
                SELECT owner, principal, purpose, expires FROM account_link
                WHERE hash = $1 AND ended IS NULL AND expires > $2
                """, token.hash, clock.now),
            let purpose = LinkPurpose(rawValue: try row.text(2)), purpose.kind == token.kind
        else { throw Self.linkInvalid }
        let expires = try row.timestamp(3)
        guard let principal: PrincipalID = try row.identifierIfAny(1) else {
            return LinkTarget(purpose: purpose, account: nil, expires: expires)
        }
        let owner: TenantID = try row.identifier(0)
        guard liveTenant(owner) != nil, let account = try AccountRow.find(principal, tenant: owner, in: tx)?.account,
            account.status == (purpose == .invitation ? .invited : .active)
        else { throw Self.linkInvalid }
        return LinkTarget(purpose: purpose, account: account, expires: expires)
    }

    /// Uses a link up; of two at the same time one is refused.
    func use(_ secret: String, for purpose: LinkPurpose, in tx: Transaction) throws -> LinkTarget {
        let target = try link(secret, in: tx)
        guard target.purpose == purpose else { throw Self.linkInvalid }
        let used = try tx.acrossTenants.execute(
            "UPDATE account_link SET ended = $2 WHERE hash = $1 AND ended IS NULL", Token.hash(of: secret), clock.now)
        guard used == 1 else { throw Self.linkInvalid }
        return target
    }

    static let linkInvalid = Refusal(
        .notFound, "link.invalid", "This link is wrong, used or too old. Ask for a new one.")
}
