import Base
import Storage

/// What somebody shows to prove themselves beside the password.
public enum FactorProof: Sendable {
    /// The code of an authenticator program.
    case totp(String)
    /// A recovery code.
    case recovery(String)
    /// The code that was sent to a telephone.
    case sms(String)
    /// What a browser's passkey ceremony gave.
    case passkey(PasskeyAnswer)

    /// The method.
    public var method: FactorMethod {
        switch self {
        case .totp: .totp
        case .recovery: .recovery
        case .sms: .sms
        case .passkey: .passkey
        }
    }
}

extension Factors {
    /// Proves somebody: a sign-in that waits can then be finished, and a session is recent enough for dangerous acts.
    public func prove(_ proof: FactorProof, for subject: FactorSubject) async throws {
        try await database.platform.write { tx -> Result<Void, Refusal> in
            let holder = try holder(subject, in: tx)
            if let refusal = try refusal(of: proof, by: holder, in: tx) { return .failure(refusal) }
            if let pending = holder.pending { try signIn.satisfy(pending, with: proof.method, in: tx) }
            if let principal = holder.principal {
                try signIn.renewProof(of: principal, by: proof.method, in: tx)
                try record(
                    .factorProved, by: holder, details: ["method": .string(proof.method.rawValue)], in: tx)
            }
            return .success(())
        }.get()
    }

    /// What is wrong with a proof, nil when it is right; what was used or guessed stays noted either way.
    private func refusal(of proof: FactorProof, by holder: FactorHolder, in tx: Transaction) throws -> Refusal? {
        if case .passkey(let answer) = proof {
            // Nobody guesses a signature, so there is nothing to count.
            do {
                try provesByPasskey(answer, of: holder, in: tx)
                return nil
            } catch let fault as PasskeyFault {
                return try refused(fault, by: holder, in: tx)
            }
        }
        let guess = try guess(proof.method, by: holder, in: tx)
        let isRight =
            switch proof {
            case .totp(let code): try provesByTime(code, of: holder.account, in: tx)
            case .recovery(let code): try provesByRecovery(code, of: holder, in: tx)
            case .sms(let code): try provesByText(code, of: holder.account, in: tx)
            case .passkey: false
            }
        guard isRight else {
            // A double click is no guess: its code was right a moment ago, here.
            if try guess.wasProved(since: clock.now - .seconds(SignInLimits.repetitionSeconds), in: tx),
                try wasUsed(proof, by: holder.account, in: tx)
            {
                return Self.wrong
            }
            return try failed(guess, by: holder, proof.method, in: tx)
        }
        try guess.proved(at: clock.now, in: tx)
        return nil
    }

    /// Whether the code was right and is used up.
    private func wasUsed(_ proof: FactorProof, by account: Account, in tx: Transaction) throws -> Bool {
        switch proof {
        case .totp(let code): try wasUsed(time: code, of: account, in: tx)
        case .recovery(let code):
            try RecoveryCode.hash(of: code).map { try RecoveryRow.wasUsed($0, of: account, in: tx) } ?? false
        case .sms, .passkey: false
        }
    }
}
