import Base
import Storage

extension Factors {
    /// Makes new recovery codes, which are shown this once; the earlier ones end.
    public func makeRecoveryCodes(for subject: FactorSubject) async throws -> [String] {
        try await database.platform.write { tx in
            let holder = try enroller(subject, in: tx)
            let account = holder.account
            guard try !FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx).isEmpty else {
                throw Refusal(
                    .conflict, "factor.none", "Recovery codes stand in for a lost factor; set one up first.")
            }
            try tell(
                account, "New recovery codes for your account",
                "New recovery codes were made for \(account.address) at \(issuer); the earlier ones have ended.", in: tx
            )
            return try makeRecoveryCodes(for: holder, in: tx)
        }
    }

    func makeRecoveryCodes(for holder: FactorHolder, in tx: Transaction) throws -> [String] {
        var generator = SystemRandomNumberGenerator()
        let codes = (0..<SignInLimits.recoveryCodes).map { _ in RecoveryCode.make(using: &generator) }
        try RecoveryRow.replace(codes, of: holder.account, at: clock.now, in: tx)
        try record(.recoveryCodesMade, by: holder, in: tx)
        return codes
    }

    /// Whether a code is one of the account's that are left; it is used up by that, and the holder is told.
    func provesByRecovery(_ code: String, of holder: FactorHolder, in tx: Transaction) throws -> Bool {
        let account = holder.account
        guard let hash = RecoveryCode.hash(of: code),
            try RecoveryRow.use(hash, of: account, at: clock.now, in: tx)
        else { return false }
        let left = try RecoveryRow.left(account, in: tx)
        try record(.recoveryCodeUsed, by: holder, details: ["left": .integer(Int64(left))], in: tx)
        try tell(
            account, "A recovery code of your account was used",
            "A recovery code was used to sign in as \(account.address) at \(issuer)"
                + (holder.address.map { ", from \($0)" } ?? "")
                + ". \(left) are left. Set your factor up anew and make new codes.",
            in: tx)
        return true
    }
}
