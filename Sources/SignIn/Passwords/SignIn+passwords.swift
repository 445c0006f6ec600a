public import Access
import Audit
import Base
import Storage

extension SignIn {
    /// Changes the password of somebody who is signed in and knows the present one; their other sessions end.
    public func changePassword(
        from current: String, to new: String, by principal: Principal, origin: Origin
    ) async throws {
        let account = try await self.account(principal.id.text, tenant: principal.tenant, by: principal)
        let attempt = try throttle.begin(account.address.text, realm: account.realm, from: origin)
        let (required, hash) = try await database.tenant(account.tenant).read { tx in
            (
                try rules(for: account, in: tx),
                try AccountRow.find(account.principal, tenant: account.tenant, in: tx)?.hash
            )
        }
        let password: Password
        do {
            password = try required.require(new)
        } catch {
            throttle.withdraw(attempt)
            throw error
        }
        let isRight: Bool
        do {
            isRight = try await hashing.verify(Password(current), against: attempt.isOpen ? hash : nil)
        } catch {
            throttle.withdraw(attempt)
            throw error
        }
        guard isRight else {
            audit.deny(
                AuditEntry(
                    .denied, tenant: account.tenant, actor: principal.actor,
                    object: AuditObject(kind: "account", id: account.principal.text), outcome: .denied,
                    details: ["reason": "password.wrong"]))
            throw Refusal(
                .forbidden, "password.wrong",
                "The present password is wrong, or there were too many attempts: then wait a little.")
        }
        throttle.succeed(attempt)
        let text = try await hashing.hash(password)
        try await database.tenant(account.tenant).write { tx -> Void in
            guard try AccountRow.find(account.principal, tenant: account.tenant, in: tx)?.hash == hash else {
                throw Refusal(.conflict, "password.changed", "The password was changed at the same time.")
            }
            try setPassword(text, of: account, except: principal.credential?.id, from: origin, in: tx)
        }
    }

    /// Sets the new password that a sign-in asks for, and goes on with it.
    public func choosePassword(_ typed: String, pending secret: PendingSecret, from origin: Origin) async throws -> Step
    {
        let rules = try await passwordRules(pending: secret, from: origin)
        let text = try await hashing.hash(try rules.require(typed))
        return try await database.platform.write { tx in
            let waiting = try pending(secret, from: origin, in: tx)
            // Nobody changes a password before they have proved what else is asked of them.
            guard waiting.account.mustChangePassword,
                case .newPassword = try next(
                    waiting.account, satisfied: waiting.satisfied, pending: secret, from: origin, in: tx)
            else { throw Self.pendingEnded }
            try setPassword(text, of: waiting.account, except: nil, from: origin, in: tx)
            var account = waiting.account
            account.mustChangePassword = false
            return try next(account, satisfied: waiting.satisfied, pending: secret, from: origin, in: tx)
        }
    }

    /// Writes a new password: every other session ends, and links to a new password count no longer.
    func setPassword(
        _ hash: String, of account: Account, except session: CredentialID?, from origin: Origin, in tx: Transaction
    ) throws {
        try AccountRow.setPassword(hash, at: clock.now, of: account, in: tx)
        try endSessions(of: account, except: session, in: tx)
        try endLinks(.reset, owner: account.tenant, principal: account.principal, in: tx)
        try record(.passwordChanged, by: account, from: origin, credential: session, in: tx)
        guard account.hasPassword else { return }
        _ = try send(
            OutboundNote(
                to: account.address, subject: "Your password was changed",
                text: """
                    Hello \(account.name),

                    the password of your account was changed\(origin.address.map { " from \($0)" } ?? ""). If that was \
                    not you, tell your administrator at once.
                    """), account.tenant, tx)
    }
}
