public import Access
import Audit
import Base
import Storage

extension Factors {
    /// Proves somebody who has no factor by their password, for acts that ask for a recent proof. Wrong ones count as at
    /// sign-in.
    public func prove(password typed: String, by principal: Principal, from origin: Origin) async throws {
        let subject = FactorSubject.signedIn(principal)
        let (account, hash) = try await database.platform.read { tx in
            let account = try holder(subject, in: tx).account
            guard try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx).isEmpty else {
                throw Refusal(.conflict, "factor.needed", "You have a factor: prove yourself with that.")
            }
            return (account, try AccountRow.find(account.principal, tenant: account.tenant, in: tx)?.hash)
        }
        let attempt = try signIn.throttle.begin(account.address.text, realm: account.realm, from: origin)
        let isRight: Bool
        do {
            isRight = try await signIn.hashing.verify(
                (try? Password(typed)) ?? Password(""), against: attempt.isOpen ? hash : nil)
        } catch {
            signIn.throttle.withdraw(attempt)
            throw error
        }
        guard isRight else {
            try await database.platform.write { tx in
                try record(
                    .factorFailed, by: try holder(subject, in: tx), outcome: .denied, details: ["method": "password"],
                    in: tx)
            }
            throw Refusal(
                .forbidden, "password.wrong",
                "The password is wrong, or there were too many attempts: then wait a little.")
        }
        signIn.throttle.succeed(attempt)
        try await database.platform.write { tx in
            let holder = try holder(subject, in: tx)
            try signIn.renewProof(of: principal, by: nil, in: tx)
            try record(.factorProved, by: holder, details: ["method": "password"], in: tx)
        }
    }
}
