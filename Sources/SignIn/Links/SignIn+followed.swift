import Access
import Audit
import Base
import Storage

extension SignIn {
    /// Takes up an account by an invitation's link, with a password of one's own, and signs in.
    public func accept(
        _ secret: String, name: String? = nil, password typed: String, from origin: Origin
    ) async throws -> Step {
        let name = try name.map { try Access.displayName($0, at: "/name") }
        return try await follow(secret, for: .invitation, password: typed, from: origin) { account, tx in
            var account = account
            if let name { account.name = name }
            account.status = .active
            try AccountRow.activate(account, in: tx)
            try record(.accountActivated, by: account, from: origin, in: tx)
            return account
        }
    }

    /// Sets a new password by a link, and signs in; all sessions end.
    public func reset(_ secret: String, password typed: String, from origin: Origin) async throws -> Step {
        try await follow(secret, for: .reset, password: typed, from: origin) { account, _ in account }
    }

    private func follow(
        _ secret: String, for purpose: LinkPurpose, password typed: String, from origin: Origin,
        _ act: @escaping @Sendable (Account, Transaction) throws -> Account
    ) async throws -> Step {
        let target = try await link(secret, realm: origin.realm)
        guard target.purpose == purpose else { throw Self.linkInvalid }
        let text = try await hashing.hash(try await passwordRules(link: secret).require(typed))
        let (account, step) = try await database.platform.write { tx -> (Account, Step) in
            guard let found = try use(secret, for: purpose, in: tx).account else { throw Self.linkInvalid }
            try record(.linkUsed, by: found, from: origin, details: ["purpose": .string(purpose.rawValue)], in: tx)
            var account = try act(found, tx)
            try setPassword(text, of: account, except: nil, from: origin, in: tx)
            account.mustChangePassword = false
            return (account, try next(account, satisfied: [], pending: nil, from: origin, in: tx))
        }
        throttle.forgive(account.address.text, realm: account.realm, from: origin)
        return step
    }
}
