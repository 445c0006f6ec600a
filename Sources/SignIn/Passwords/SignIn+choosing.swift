public import Access
import Base
import Storage

/// The rules that a password of one person must satisfy.
public struct PasswordRules: Sendable, Hashable {
    /// The tenant's profile.
    public let profile: PasswordProfile
    /// What is known of the person.
    public let context: PasswordContext

    /// Each rule with its sentence, and whether what is typed so far satisfies it.
    public func checks(_ typed: String) -> [PasswordCheck] { profile.checks(typed, context) }

    /// The password, when it satisfies every rule.
    func require(_ typed: String) throws -> Password {
        let faults = checks(typed).filter { !$0.isSatisfied }.map {
            Refusal.Fault(place: "/password", message: $0.sentence)
        }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "password.weak", "The password does not satisfy every rule.", faults: faults)
        }
        return try Password(typed)
    }
}

extension SignIn {
    /// The rules for the password of whoever follows this link.
    public func passwordRules(link secret: String) async throws -> PasswordRules {
        try await database.platform.read { tx in
            let link = try self.link(secret, in: tx)
            guard let account = link.account else { return Self.firstRules }
            return try rules(for: account, in: tx)
        }
    }

    /// The rules for the new password of a sign-in that asks for one.
    public func passwordRules(pending secret: PendingSecret, from origin: Origin) async throws -> PasswordRules {
        try await database.platform.read { tx in
            try rules(for: try pending(secret, from: origin, in: tx).account, in: tx)
        }
    }

    /// The rules for a new password of somebody who is signed in.
    public func passwordRules(of principal: Principal) async throws -> PasswordRules {
        try await database.tenant(principal.tenant).read { tx in
            guard let stored = try AccountRow.find(principal.id, tenant: principal.tenant, in: tx) else {
                throw Access.unknown("account")
            }
            return try rules(for: stored.account, in: tx)
        }
    }

    /// Whether a password that was right is too short for its holder by now: it was chosen beside a factor that has gone
    /// since, or under other rules.
    func isOutgrown(_ password: Password, of account: Account, in tx: Transaction) throws -> Bool {
        let rules = try rules(for: account, in: tx)
        return rules.profile == .nist
            && rules.checks(password.text).contains { $0.code == "password.length" && !$0.isSatisfied }
    }

    /// The rules for the first administrator, of whom nothing is known yet.
    static let firstRules = PasswordRules(profile: .nist, context: PasswordContext())

    func rules(for account: Account, in tx: Transaction) throws -> PasswordRules {
        let tenant = access.directory.tenant(account.tenant)
        return PasswordRules(
            profile: try policy(of: account.tenant, in: tx).profile,
            context: PasswordContext(
                words: [account.address.text, account.name, tenant?.slug.text ?? "", tenant?.name ?? ""],
                hasSecondFactor: try demand(account, [], tx) != .none))
    }
}
