public import Base
import Storage
import Trust

/// An authenticator program that waits for its first code; the secret is shown this once.
public struct AuthenticatorEnrolment: Sendable {
    /// The factor.
    public let id: FactorID
    /// The secret, for typing.
    public let secret: String
    /// The address with the secret in it, for the program.
    public let address: String

    /// The address as a picture to be photographed.
    public var picture: QRPicture? { QRPicture(address) }
}

extension Factors {
    /// Makes the secret for an authenticator program, which counts once ``confirmAuthenticator(_:code:for:)`` had its first
    /// code.
    public func enrolAuthenticator(
        named text: String? = nil, for subject: FactorSubject
    ) async throws -> AuthenticatorEnrolment {
        try await database.platform.write { tx in
            let holder = try enroller(subject, in: tx)
            let account = holder.account
            try makeRoom(for: .totp, of: holder, in: tx)
            var generator = SystemRandomNumberGenerator()
            let secret = (0..<TimeCode.secretBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let id = FactorID(now: clock.now)
            let place = FactorSchema.secretColumn.place(account.tenant, row: id)
            let row = FactorRow(
                id: id, principal: account.principal, method: .totp, name: try name(text, .totp), created: clock.now,
                counter: 0, secret: try keyRing.seal(secret, at: place, in: tx))
            try row.insert(tenant: account.tenant, in: tx)
            return AuthenticatorEnrolment(
                id: id, secret: Base32.text(secret),
                address: TimeCode.address(secret: secret, account: account.address.text, issuer: issuer))
        }
    }

    /// Confirms an authenticator program by its first code, which is used up by that.
    public func confirmAuthenticator(
        _ id: FactorID, code: String, for subject: FactorSubject
    ) async throws -> FactorConfirmation {
        try await database.platform.write { tx -> Result<FactorConfirmation, Refusal> in
            let holder = try enroller(subject, in: tx)
            let row = try unconfirmed(id, .totp, of: holder, in: tx)
            let guess = try guess(.totp, by: holder, in: tx)
            guard try uses(code, row, of: holder.account, in: tx) else {
                return .failure(try failed(guess, by: holder, .totp, in: tx))
            }
            try guess.proved(at: clock.now, in: tx)
            return .success(try confirmed(row, of: holder, in: tx))
        }.get()
    }

    /// Whether a code is of one of the account's authenticator programs; it is used up by that.
    func provesByTime(_ code: String, of account: Account, in tx: Transaction) throws -> Bool {
        for row in try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx)
        where row.method == .totp {
            if try uses(code, row, of: account, in: tx) { return true }
        }
        return false
    }

    /// Whether the code is the one that counted last.
    func wasUsed(time code: String, of account: Account, in tx: Transaction) throws -> Bool {
        for row in try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx)
        where row.method == .totp {
            guard code.utf8.count <= SignInLimits.typedBytes, let secret = try secret(of: row, account, in: tx) else {
                continue
            }
            if TimeCode.match(code, secret, at: clock.now, after: row.counter - 1) == row.counter { return true }
        }
        return false
    }

    private func secret(of row: FactorRow, _ account: Account, in tx: Transaction) throws -> [UInt8]? {
        try row.secret.map {
            try keyRing.open($0, at: FactorSchema.secretColumn.place(account.tenant, row: row.id), in: tx)
        }
    }

    private func uses(_ code: String, _ row: FactorRow, of account: Account, in tx: Transaction) throws -> Bool {
        guard code.utf8.count <= SignInLimits.typedBytes, let secret = try secret(of: row, account, in: tx) else {
            return false
        }
        guard let step = TimeCode.match(code, secret, at: clock.now, after: row.counter) else { return false }
        return try FactorRow.use(row.id, counter: step, at: clock.now, tenant: account.tenant, in: tx)
    }
}
