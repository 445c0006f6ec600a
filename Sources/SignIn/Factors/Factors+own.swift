public import Access
public import Base
import Storage

extension Factors {
    /// What somebody who is signed in has beside their password.
    public func overview(of principal: Principal) async throws -> FactorOverview {
        try await overview(for: .signedIn(principal))
    }

    /// What somebody has beside their password, for the pages on which they prove themselves.
    public func overview(for subject: FactorSubject) async throws -> FactorOverview {
        try await database.platform.read { tx in
            let account = try holder(subject, in: tx).account
            return FactorOverview(
                factors: try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx).map {
                    try shown($0, of: account, in: tx)
                },
                recoveryCodes: try RecoveryRow.left(account, in: tx), level: try rule.level(for: account, in: tx))
        }
    }

    /// Gives one's own factor another name.
    public func rename(_ id: FactorID, to text: String, by principal: Principal) async throws -> Factor {
        try await database.platform.write { tx in
            let holder = try holder(.signedIn(principal), in: tx)
            var row = try own(id, of: holder, in: tx)
            row.name = try Access.displayName(text, at: "/name")
            try FactorRow.rename(id, to: row.name, tenant: holder.account.tenant, in: tx)
            try record(.factorRenamed, by: holder, id, in: tx)
            return try shown(row, of: holder.account, in: tx)
        }
    }

    /// Removes one's own factor, unless it is the last one that is enough for what is demanded.
    public func remove(_ id: FactorID, by principal: Principal) async throws {
        try await database.platform.write { tx in
            let holder = try holder(.signedIn(principal), in: tx)
            let account = holder.account
            let row = try own(id, of: holder, in: tx)
            try signIn.requireRecent(principal, for: .factorRemoval, in: tx)
            let left = try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx).filter {
                $0.id != id
            }
            let level = try rule.level(for: account, in: tx)
            guard level == .none || left.contains(where: { level.admits($0.method) }) else {
                throw Refusal(
                    .conflict, "factor.demanded",
                    "Your organisation asks for such a factor, and this is your last one. Set up another one first.")
            }
            try FactorRow.remove(id, tenant: account.tenant, in: tx)
            // They stand in for a factor; without one they would be passwords that nobody thinks of.
            if left.isEmpty { try RecoveryRow.remove(of: account, in: tx) }
            try record(.factorRemoved, by: holder, id, details: ["method": .string(row.method.rawValue)], in: tx)
            try tell(
                account, "A factor was removed from your account",
                "\(row.method.title) “\(row.name)” of \(account.address) at \(issuer) was removed.", in: tx)
        }
    }

    /// What people are shown of a factor.
    func shown(_ row: FactorRow, of account: Account, in tx: Transaction) throws -> Factor {
        row.factor(numberEnd: row.method == .sms ? try number(of: row, account, in: tx).end : nil)
    }

    /// A confirmed factor of the holder's.
    private func own(_ id: FactorID, of holder: FactorHolder, in tx: Transaction) throws -> FactorRow {
        guard let row = try FactorRow.find(id, tenant: holder.account.tenant, in: tx),
            row.principal == holder.account.principal, row.confirmed != nil
        else { throw Self.unknown }
        return row
    }
}
