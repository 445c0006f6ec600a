import Access
import Audit
public import Base
package import Storage

extension SignIn {
    /// Begins a sign-in with address and password.
    ///
    /// Whatever is wrong is answered by one refusal after the same work: one reading of the database and one computed
    /// hash. Only a network that has tried too much, and everybody when the server is too busy, are told so before.
    public func begin(
        address: String, password typed: String, organisation: TenantSlug? = nil, from origin: Origin
    ) async throws -> Step {
        let attempt = try throttle.begin(address, realm: origin.realm, from: origin)
        let found: AccountRow.Stored?
        let isRight: Bool
        // What is too long for a password is a wrong one.
        let password = try (try? Password(typed)) ?? Password("")
        do {
            found = try await database.platform.read { tx in
                try candidate(address, organisation, from: origin, in: tx)
            }
            isRight = try await hashing.verify(password, against: attempt.isOpen ? found?.hash : nil)
        } catch {
            throttle.withdraw(attempt)
            throw error
        }
        guard isRight, let account = found?.account, let hash = found?.hash else {
            noteRefusal(origin, found?.account)
            throw Self.refused
        }
        let renewed = hashing.isOutdated(hash) ? try await hashing.hash(password) : nil
        let step = try await database.platform.write { tx -> Step? in
            // Somebody may have disabled the account or changed the password meanwhile.
            guard let present = try AccountRow.find(account.principal, tenant: account.tenant, in: tx),
                present.hash == hash, present.account.status == .active
            else { return nil }
            if let renewed { try AccountRow.replaceHash(renewed, of: account, in: tx) }
            return try next(present.account, satisfied: [], pending: nil, from: origin, in: tx)
        }
        guard let step else { throw Self.refused }
        throttle.succeed(attempt)
        return step
    }

    /// Goes on with a sign-in after a factor was proved or set up.
    public func finish(_ secret: PendingSecret, from origin: Origin) async throws -> Step {
        try await database.platform.write { tx in
            let waiting = try pending(secret, from: origin, in: tx)
            return try next(waiting.account, satisfied: waiting.satisfied, pending: secret, from: origin, in: tx)
        }
    }

    /// What an account whose password was right needs next; opens the session when it needs nothing.
    package func next(
        _ account: Account, satisfied: Set<FactorMethod>, pending: PendingSecret?, from origin: Origin,
        in tx: Transaction
    ) throws -> Step {
        switch try demand(account, satisfied, tx) {
        case .factor(let methods):
            return .factor(try pending ?? wait(account, from: origin, in: tx), methods)
        case .enrolment:
            return .enrolFactor(try pending ?? wait(account, from: origin, in: tx))
        case .none: break
        }
        if account.mustChangePassword {
            return .newPassword(try pending ?? wait(account, from: origin, in: tx))
        }
        if let pending { try abandon(pending, in: tx) }
        return .done(try open(account, factors: satisfied, from: origin, in: tx))
    }

    /// The account that an address names and that may sign in from here, if there is exactly one.
    func candidate(
        _ address: String, _ organisation: TenantSlug?, from origin: Origin, in tx: Transaction
    ) throws -> AccountRow.Stored? {
        // No account has an empty address, so this looks as long as any other and finds nothing.
        let text = MailAddress(address)?.text ?? ""
        var found: [AccountRow.Stored]
        if let organisation, origin.realm == .people {
            let tenant = access.directory.tenant(organisation)?.id ?? TenantID(high: 0, low: 0)
            found = try AccountRow.find(text, tenant: tenant, in: tx).map { [$0] } ?? []
        } else {
            found = try AccountRow.find(text, realm: origin.realm, in: tx)
        }
        let policy = try self.policy(of: found.first?.account.tenant ?? .platform, in: tx)
        guard found.count == 1, let stored = found.first, stored.account.status == .active,
            stored.account.realm == origin.realm, liveTenant(stored.account.tenant) != nil,
            AddressRanges.admit(origin.address, policy.addressRanges),
            AddressRanges.admit(origin.address, stored.account.addressRanges)
        else { return nil }
        return stored
    }

    /// Counts a refused sign-in for the log, where one entry stands for many: in the tenant's when it was to an account.
    func noteRefusal(_ origin: Origin, _ account: Account?) {
        guard let account else {
            return audit.refuse(source: origin.address ?? "local", code: Self.refused.code)
        }
        audit.deny(
            AuditEntry(
                .signInRefused, tenant: account.tenant, actor: .unknown(address: origin.address),
                object: AuditObject(kind: "account", id: account.principal.text), outcome: .denied))
    }
}
