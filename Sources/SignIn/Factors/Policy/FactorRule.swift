import Access
import Base
import Storage

/// What sign-in asks for beside the password.
struct FactorRule {
    let access: Access
    let clock: WallClock

    /// What this account's sign-in still needs, after what was proved beside the password.
    ///
    /// A factor that somebody has is always asked for, whether or not it is demanded: they set it up for that.
    func demand(of account: Account, satisfied: Set<FactorMethod>, in tx: Transaction) throws -> FactorDemand {
        let owned = Set(try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx).map(\.method))
        return Self.demand(
            level: try level(for: account, in: tx), owned: owned,
            hasRecoveryCodes: try RecoveryRow.left(account, in: tx) > 0, satisfied: satisfied)
    }

    /// Whether what was proved beside the password is enough for what is demanded of the account by now.
    func isEnough(_ proved: Set<FactorMethod>, for account: Account, in tx: Transaction) throws -> Bool {
        let level = try level(for: account, in: tx)
        return level == .none || proved.contains(where: level.admits)
    }

    /// The rule itself.
    static func demand(
        level: FactorLevel, owned: Set<FactorMethod>, hasRecoveryCodes: Bool, satisfied: Set<FactorMethod>
    ) -> FactorDemand {
        guard !owned.isEmpty else { return level == .none ? .none : .enrolment }
        let enough = owned.filter(level.admits)
        // What was proved must be owned still; a recovery code is used up by its proof.
        let proved = satisfied.filter { $0 == .recovery || owned.contains($0) }
        if !enough.isEmpty, proved.contains(where: level.admits) { return .none }
        if enough.isEmpty, !proved.isEmpty { return .enrolment }
        let offered = FactorMethod.allCases.filter { method in
            method == .recovery ? hasRecoveryCodes : (enough.isEmpty ? owned : enough).contains(method)
        }
        return .factor(offered)
    }

    /// What is demanded of an account at least: the strongest of what is demanded of everybody and of its roles.
    func level(for account: Account, in tx: Transaction) throws -> FactorLevel {
        let demands = try FactorPolicyRow.all(tenant: account.tenant, in: tx)
        guard demands.contains(where: { $0.level > .none }) else { return .none }
        let roles = try access.heldRoles(of: account.principal, tenant: account.tenant, in: tx)
        return demands.filter { $0.role == FactorPolicyRow.everybody || roles.contains($0.role) }.map(\.level).max()
            ?? .none
    }
}
