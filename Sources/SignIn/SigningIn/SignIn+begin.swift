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
        let isHeard: Bool
        let isRight: Bool
        // What is too long for a password is a wrong one.
        let password = try (try? Password(typed)) ?? Password("")
        do {
            (found, isHeard) = try await database.platform.read { tx in
                let found = try named(address, organisation, from: origin, in: tx)
                let isLetIn = try found.map { try mayEnter($0.account, from: origin, in: tx) } ?? false
                let isNear = try !attempt.isCrowded || isKnown(origin, to: found?.account, in: tx)
                return (found, isLetIn && isNear)
            }
            isRight = try await hashing.verify(password, against: attempt.isOpen && isHeard ? found?.hash : nil)
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
            var entering = present.account
            if !entering.mustChangePassword, try isOutgrown(password, of: entering, in: tx) {
                entering.mustChangePassword = true
                try AccountRow.setTraits(entering, in: tx)
            }
            return try next(entering, satisfied: [], pending: nil, from: origin, in: tx)
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

    /// The account that an address names at a listener, if there is exactly one.
    func named(
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
        guard found.count == 1, let stored = found.first, stored.account.realm == origin.realm else { return nil }
        return stored
    }

    /// Whether an account may sign in, and from here.
    func mayEnter(_ account: Account, from origin: Origin, in tx: Transaction) throws -> Bool {
        guard account.status == .active, liveTenant(account.tenant) != nil else { return false }
        return try admits(account, from: origin.address, in: tx)
    }

    /// Whether somebody signed in from around here lately. What others guess elsewhere does not count there.
    func isKnown(_ origin: Origin, to account: Account?, in tx: Transaction) throws -> Bool {
        // Nobody's sessions are looked for as long as anybody's.
        let rows = try tx.scoped(to: account?.tenant ?? .platform).rows(
            """
            SELECT DISTINCT k.address FROM sign_in_session s JOIN credential k ON k.id = s.credential AND k.owner = $1
            WHERE s.tenant = $1 AND s.principal = $2 AND s.opened > $3 AND k.address IS NOT NULL
            LIMIT \(SignInLimits.knownAddresses)
            """, account?.principal ?? PrincipalID(high: 0, low: 0),
            clock.now - .seconds(SignInLimits.trustedNetworkDays * 86_400))
        guard let here = origin.address.flatMap({ NetworkAddress($0) })?.surroundings else { return false }
        return try rows.contains { try NetworkAddress($0.text(0))?.surroundings == here }
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
