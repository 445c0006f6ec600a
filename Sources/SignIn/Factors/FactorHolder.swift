public import Access
import Audit
import Base
import Storage

/// On whose behalf a factor is set up or proved.
public enum FactorSubject: Sendable {
    /// Somebody who is signed in.
    case signedIn(Principal)
    /// Somebody whose password was right and who has not finished signing in.
    case signingIn(PendingSecret, Origin)
}

/// The account behind a subject, with what an act needs to know of it.
struct FactorHolder {
    var account: Account
    var actor: Actor
    /// From where it acts.
    var address: String?
    /// What a ceremony is bound to: the session or the sign-in that began it.
    var context: [UInt8]
    /// The sign-in that waits.
    var pending: PendingSecret?
    /// The credential of who is signed in.
    var principal: Principal?
}

extension Factors {
    /// The account behind a subject; one refusal for whoever has none.
    func holder(_ subject: FactorSubject, in tx: Transaction) throws -> FactorHolder {
        switch subject {
        case .signedIn(let principal):
            guard principal.kind == .user, let credential = principal.credential,
                let stored = try AccountRow.find(principal.id, tenant: principal.tenant, in: tx),
                stored.account.status == .active
            else {
                throw Refusal(
                    .conflict, "factor.noAccount", "Factors belong to people's accounts; programs have credentials.")
            }
            // What a program was let do for somebody does not reach to how they prove themselves.
            guard credential.permissions == nil else {
                throw Refusal(
                    .forbidden, "factor.narrow", "This token is for less than everything: sign in to deal with factors."
                )
            }
            return FactorHolder(
                account: stored.account, actor: principal.actor, address: principal.address,
                context: credential.id.bytes, principal: principal)
        case .signingIn(let secret, let origin):
            let pending = try signIn.pending(secret, from: origin, in: tx)
            let account = pending.account
            return FactorHolder(
                account: account,
                actor: Actor(
                    kind: .user, id: account.principal.text, name: account.name, address: origin.address),
                address: origin.address, context: secret.hash, pending: secret)
        }
    }

    /// The same for whoever may set a factor up: recently proved, or told at sign-in to set one up.
    func enroller(_ subject: FactorSubject, in tx: Transaction) throws -> FactorHolder {
        let holder = try holder(subject, in: tx)
        if let principal = holder.principal {
            try signIn.requireRecent(principal, for: .factorEnrolment, in: tx)
        } else if case .signingIn(let secret, let origin) = subject {
            // Who knows the password alone must not be able to add a factor of their own to the holder's.
            let satisfied = try signIn.pending(secret, from: origin, in: tx).satisfied
            guard try rule.demand(of: holder.account, satisfied: satisfied, in: tx) == .enrolment else {
                throw Refusal(
                    .forbidden, "factor.signInFirst", "Finish signing in with a factor that you have.")
            }
        }
        return holder
    }
}
