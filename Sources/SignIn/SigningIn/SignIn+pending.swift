import Base
package import Storage
import Trust

/// A sign-in that waits for its second step: the password was right.
package struct PendingSignIn: Sendable {
    /// Whose sign-in it is.
    package let account: Account
    /// What was proved since.
    package let satisfied: Set<FactorMethod>
    /// From where it came.
    package let origin: Origin
}

extension SignIn {
    /// The sign-in that waits under this secret; one refusal for unknown, expired and somebody else's.
    package func pending(_ secret: PendingSecret, from origin: Origin, in tx: Transaction) throws -> PendingSignIn {
        guard
            let row = try tx.acrossTenants.row(
                """
                SELECT owner, principal, satisfied, address, user_agent FROM pending_sign_in
                WHERE hash = $1 AND expires > $2
                """, secret.hash, clock.now)
        else { throw Self.pendingEnded }
        let tenant: TenantID = try row.identifier(0)
        // The listener decides the realm, as at the beginning.
        guard Realm(of: tenant) == origin.realm,
            let stored = try AccountRow.find(try row.identifier(1), tenant: tenant, in: tx),
            stored.account.status == .active
        else { throw Self.pendingEnded }
        let methods = try row.text(2).split(separator: " ").compactMap { FactorMethod(rawValue: String($0)) }
        return PendingSignIn(
            account: stored.account, satisfied: Set(methods),
            origin: Origin(address: try row.textIfAny(3), userAgent: try row.textIfAny(4), realm: origin.realm))
    }

    /// Notes that a method was proved; the sign-in can then be finished.
    package func satisfy(_ secret: PendingSecret, with method: FactorMethod, in tx: Transaction) throws {
        guard
            let row = try tx.acrossTenants.row(
                "SELECT satisfied FROM pending_sign_in WHERE hash = $1 AND expires > $2", secret.hash, clock.now)
        else { throw Self.pendingEnded }
        let words = Set(try row.text(0).split(separator: " ").map(String.init) + [method.rawValue])
        try tx.acrossTenants.execute(
            "UPDATE pending_sign_in SET satisfied = $2 WHERE hash = $1", secret.hash,
            words.sorted().joined(separator: " "))
    }

    /// Ends a sign-in that waits, as after too many wrong codes.
    package func abandon(_ secret: PendingSecret, in tx: Transaction) throws {
        try tx.acrossTenants.execute("DELETE FROM pending_sign_in WHERE hash = $1", secret.hash)
    }

    /// Lets a sign-in wait for its second step.
    func wait(_ account: Account, from origin: Origin, in tx: Transaction) throws -> PendingSecret {
        let now = clock.now
        let across = tx.acrossTenants
        try across.execute(
            "DELETE FROM pending_sign_in WHERE owner = $1 AND principal = $2 AND expires <= $3", account.tenant,
            account.principal, now)
        let oldest = try across.rows(
            "SELECT hash FROM pending_sign_in WHERE owner = $1 AND principal = $2 ORDER BY made", account.tenant,
            account.principal)
        for row in oldest.dropLast(SignInLimits.pendingPerAccount - 1) {
            try across.execute("DELETE FROM pending_sign_in WHERE hash = $1", row.blob(0))
        }
        let secret = PendingSecret(Token.make(kind: PendingSecret.kind))
        try across.execute(
            """
            INSERT INTO pending_sign_in (hash, owner, principal, satisfied, address, user_agent, made, expires)
            VALUES ($1, $2, $3, '', $4, $5, $6, $7)
            """, secret.hash, account.tenant, account.principal, origin.address, origin.userAgent, now,
            now + .seconds(SignInLimits.pendingMinutes * 60))
        return secret
    }

    static let pendingEnded = Refusal(
        .unauthenticated, "signin.ended", "This sign-in has ended or taken too long. Begin again.")
}
