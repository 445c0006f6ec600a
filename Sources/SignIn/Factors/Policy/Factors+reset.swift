public import Access
import Audit
public import Base
import Storage

extension Factors {
    /// Takes all factors of somebody away who has lost theirs: the next sign-in takes the password alone, or has them set
    /// up a new factor where one is demanded. Their sessions end, and they are told. Only for who holds all that they
    /// hold; nobody does it for themselves.
    public func reset(_ user: String, reason: String, tenant: TenantID, by principal: Principal) async throws {
        let reason = try Self.checked(reason)
        try await database.platform.write { tx -> Void in
            let scoped = tx.scoped(to: tenant)
            try signIn.access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            let account = try signIn.account(user, tenant: tenant, needs: .principalManage, by: principal, in: scoped)
            guard account.principal != principal.id else {
                throw Refusal(
                    .conflict, "account.own",
                    "Nobody resets their own factors: remove them, or ask another administrator.")
            }
            try signIn.requireRecent(principal, for: .accounts, in: tx)
            try signIn.access.requireCovering(account.principal, tenant: tenant, by: principal, in: tx)
            for row in try FactorRow.all(of: account.principal, tenant: tenant, in: tx) {
                try FactorRow.remove(row.id, tenant: tenant, in: tx)
            }
            try RecoveryRow.remove(of: account, in: tx)
            try GuessRow.forget(account, in: tx)
            try signIn.endSessions(of: account, except: nil, in: tx)
            try signIn.access.record(
                .factorsReset, tenant, by: principal, "account", account.principal.text,
                details: ["reason": .string(reason)], in: tx)
            try tell(
                account, "Your factors were reset",
                "An administrator took all factors of \(account.address) at \(issuer) away and ended all sessions. The "
                    + "reason given: \(reason)", in: tx)
        }
    }
}
