public import Base
import Storage
import Trust

/// A code that is on its way.
public struct SentCode: Sendable, Hashable {
    /// The telephone's factor.
    public let id: FactorID
    /// The last digits of its number.
    public let numberEnd: String
    /// For how many seconds the code is good.
    public let seconds: Int
}

extension Factors {
    /// What to tell whoever chooses a telephone: it is the weakest factor.
    public static let telephoneCaution =
        "A code by text message is the weakest factor: whoever takes over the number, or talks you into reading the code "
        + "out, gets in. Prefer a passkey or an authenticator program, and keep this for when nothing else works."

    /// Sends a first code to a telephone, which counts once ``confirmTelephone(_:code:for:)`` had it.
    public func enrolTelephone(
        _ number: TelephoneNumber, named text: String? = nil, for subject: FactorSubject
    ) async throws -> SentCode {
        try await database.platform.write { tx in
            let holder = try enroller(subject, in: tx)
            let account = holder.account
            try makeRoom(for: .sms, of: holder, in: tx)
            let id = FactorID(now: clock.now)
            let place = FactorSchema.secretColumn.place(account.tenant, row: id)
            let row = FactorRow(
                id: id, principal: account.principal, method: .sms, name: try name(text, .sms), created: clock.now,
                counter: 0, secret: try keyRing.seal(Array(number.text.utf8), at: place, in: tx))
            try row.insert(tenant: account.tenant, in: tx)
            return try send(to: row, of: account, in: tx)
        }
    }

    /// Confirms a telephone by the code that was sent to it.
    public func confirmTelephone(
        _ id: FactorID, code: String, for subject: FactorSubject
    ) async throws -> FactorConfirmation {
        try await database.platform.write { tx -> Result<FactorConfirmation, Refusal> in
            let holder = try enroller(subject, in: tx)
            let row = try unconfirmed(id, .sms, of: holder, in: tx)
            let guess = try guess(.sms, by: holder, in: tx)
            guard try useText(code, of: holder.account, confirming: id, in: tx) else {
                return .failure(try failed(guess, by: holder, .sms, in: tx))
            }
            try guess.proved(at: clock.now, in: tx)
            return .success(try confirmed(row, of: holder, in: tx))
        }.get()
    }

    /// Sends a code to one of the subject's telephones, the first one unless it is named.
    public func sendCode(to id: FactorID? = nil, for subject: FactorSubject) async throws -> SentCode {
        try await database.platform.write { tx in
            let account = try holder(subject, in: tx).account
            let rows = try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx)
            guard let row = rows.first(where: { $0.method == .sms && (id == nil || $0.id == id) }) else {
                throw Self.unknown
            }
            return try send(to: row, of: account, in: tx)
        }
    }

    /// Whether this is the code that was sent last to a confirmed telephone; it is used up by that.
    func provesByText(_ typed: String, of account: Account, in tx: Transaction) throws -> Bool {
        try useText(typed, of: account, confirming: nil, in: tx)
    }

    private func send(to row: FactorRow, of account: Account, in tx: Transaction) throws -> SentCode {
        let number = try number(of: row, account, in: tx)
        var generator = SystemRandomNumberGenerator()
        let code = Letters.random(SignInLimits.textCharacters, using: &generator)
        let place = FactorSchema.textCodeColumn.place(account.tenant, row: account.principal)
        let sealed = try keyRing.seal(Array(code.utf8), at: place, in: tx)
        try TextCode.next(after: TextCode.find(account, in: tx), to: row.id, sealed: sealed, at: clock.now).write(
            account, in: tx)
        // The last line lets a browser offer the code at this address and nowhere else.
        let message = """
            \(code) is your code for \(issuer). It is good for \(SignInLimits.textSeconds) seconds. Nobody will ever ask \
            you for it.

            @\(issuer) #\(code)
            """
        guard try text(number, message, account.tenant, tx) else {
            throw Refusal(
                .unavailable, "factor.noText",
                "This server can not send text messages just now. Use another factor.")
        }
        return SentCode(id: row.id, numberEnd: number.end, seconds: Int(SignInLimits.textSeconds))
    }

    private func useText(
        _ typed: String, of account: Account, confirming id: FactorID?, in tx: Transaction
    ) throws -> Bool {
        guard typed.utf8.count <= SignInLimits.typedBytes, var sent = try TextCode.find(account, in: tx),
            let sealed = sent.code, sent.expires > clock.now, sent.tries > 0,
            let row = try FactorRow.find(sent.factor, tenant: account.tenant, in: tx),
            id.map({ $0 == row.id }) ?? (row.confirmed != nil)
        else { return false }
        let place = FactorSchema.textCodeColumn.place(account.tenant, row: account.principal)
        let code = try keyRing.open(sealed, at: place, in: tx)
        let isRight = ConstantTime.equal(code, Array(Letters.normal(typed).utf8))
        sent.tries -= 1
        if isRight || sent.tries == 0 { sent.code = nil }
        try sent.write(account, in: tx)
        guard isRight else { return false }
        return try FactorRow.use(row.id, counter: 0, at: clock.now, tenant: account.tenant, in: tx)
    }

    /// The number of a telephone.
    func number(of row: FactorRow, _ account: Account, in tx: Transaction) throws -> TelephoneNumber {
        let place = FactorSchema.secretColumn.place(account.tenant, row: row.id)
        let bytes = try keyRing.open(row.secret ?? [], at: place, in: tx)
        guard let number = TelephoneNumber(String(decoding: bytes, as: UTF8.self)) else {
            throw StorageError(.corrupt, "a telephone's number is not readable")
        }
        return number
    }
}
