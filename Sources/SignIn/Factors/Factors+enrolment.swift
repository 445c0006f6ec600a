import Access
import Audit
public import Base
import Storage

extension Factors {
    /// Confirms an authenticator program or a telephone by its first code, whichever it is.
    public func confirm(_ id: FactorID, code: String, for subject: FactorSubject) async throws -> FactorConfirmation {
        let method = try await database.platform.read { tx in
            try FactorRow.find(id, tenant: holder(subject, in: tx).account.tenant, in: tx)?.method
        }
        // An identifier that is nobody's is refused where it is used.
        return method == .sms
            ? try await confirmTelephone(id, code: code, for: subject)
            : try await confirmAuthenticator(id, code: code, for: subject)
    }

    /// Confirms a factor by the first code that came with it; it counts from now on, and at sign-in it has proved its
    /// holder as well.
    func confirmed(_ row: FactorRow, of holder: FactorHolder, in tx: Transaction) throws -> FactorConfirmation {
        let account = holder.account
        try record(.factorEnrolled, by: holder, row.id, details: ["method": .string(row.method.rawValue)], in: tx)
        try tell(
            account, "A factor was added to your account",
            "\(row.method.title) “\(row.name)” was set up for \(account.address) at \(issuer).", in: tx)
        if let pending = holder.pending { try signIn.satisfy(pending, with: row.method, in: tx) }
        var codes: [String] = []
        if try RecoveryRow.left(account, in: tx) == 0 { codes = try makeRecoveryCodes(for: holder, in: tx) }
        let present = try FactorRow.find(row.id, tenant: account.tenant, in: tx) ?? row
        return FactorConfirmation(factor: try shown(present, of: account, in: tx), recoveryCodes: codes)
    }

    /// Makes room for a new factor: drops those that were never confirmed, and refuses one too many.
    func makeRoom(for method: FactorMethod, of holder: FactorHolder, in tx: Transaction) throws {
        let account = holder.account
        let rows = try FactorRow.all(of: account.principal, tenant: account.tenant, in: tx).filter {
            $0.method == method
        }
        for row in rows where row.confirmed == nil {
            try FactorRow.remove(row.id, tenant: account.tenant, in: tx)
        }
        guard rows.count(where: { $0.confirmed != nil }) < method.most else {
            throw Refusal(
                .limited, "factor.tooMany",
                "An account has at most \(method.most) factors of this sort; remove one first.")
        }
    }

    /// A factor of the holder's that waits for its first code.
    func unconfirmed(
        _ id: FactorID, _ method: FactorMethod, of holder: FactorHolder, in tx: Transaction
    ) throws -> FactorRow {
        guard let row = try FactorRow.find(id, tenant: holder.account.tenant, in: tx), row.method == method,
            row.principal == holder.account.principal, row.confirmed == nil,
            row.created > clock.now - .seconds(SignInLimits.confirmMinutes * 60)
        else {
            throw Refusal(
                .notFound, "factor.unknown", "There is no such factor waiting for its first code. Begin again.")
        }
        return row
    }

    /// Notes a wrong guess, and answers what is said about it.
    func failed(
        _ guess: GuessRow, by holder: FactorHolder, _ method: FactorMethod, in tx: Transaction
    ) throws -> Refusal {
        try guess.failed(at: clock.now, in: tx)
        try record(
            .factorFailed, by: holder, outcome: .failed, details: ["method": .string(method.rawValue)], in: tx)
        return Self.wrong
    }

    /// The count of a method's wrong guesses; refuses while the next one has to wait.
    func guess(_ method: FactorMethod, by holder: FactorHolder, in tx: Transaction) throws -> GuessRow {
        let guess = GuessRow(holder.account, method, from: holder.address)
        if let wait = try guess.wait(at: clock.now, in: tx) {
            throw Refusal(
                .limited, "factor.wait",
                "Too many wrong tries. Wait \(max(wait.components.seconds, 1)) seconds, or use another factor.",
                retryAfter: wait)
        }
        return guess
    }

    /// A name for people, or the method's own word.
    func name(_ text: String?, _ method: FactorMethod) throws -> String {
        guard let text, !text.isEmpty else { return method.title }
        return try Access.displayName(text, at: "/name")
    }
}

extension FactorMethod {
    /// The method's word for people.
    public var title: String {
        switch self {
        case .passkey: "Passkey"
        case .totp: "Authenticator"
        case .sms: "Telephone"
        case .recovery: "Recovery code"
        }
    }

    /// How many of it an account may have.
    var most: Int {
        switch self {
        case .passkey: SignInLimits.passkeys
        case .totp: SignInLimits.authenticators
        case .sms: SignInLimits.telephones
        case .recovery: 0
        }
    }
}
