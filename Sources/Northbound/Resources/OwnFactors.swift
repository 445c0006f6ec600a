import Access
import Base
import HTTPTypes
import SignIn

/// The caller's own factors: what proves them beside the password.
extension RouteTable {
    static func ownFactors(_ services: NorthboundServices) -> [Route] {
        let factors = services.factors
        let all = "/api/v1/me/factors"
        let routes: [Route] = [
            .authenticated(
                .get, all, "showOwnFactors", "Shows what the caller has beside their password, and what is demanded.",
                success: .json(.ownFactors)
            ) { call in .ok(try await factors.overview(of: call.principal).json) },
            .authenticated(
                .post, all + "/authenticators", "enrolAuthenticator",
                "Makes the secret for an authenticator program, shown this once; it counts once its first code came.",
                body: .json(.factorName), success: .created(.authenticatorEnrolment)
            ) { call in
                let made = try await factors.enrolAuthenticator(
                    named: call.body.textIfAny("name"), for: .signedIn(call.principal))
                return .created(
                    [
                        "id": .string(made.id.text), "secret": .string(made.secret), "address": .string(made.address),
                    ], at: "\(all)/\(made.id)")
            },
            .authenticated(
                .post, all + "/telephones", "enrolTelephone",
                "Sends a first code to a telephone, which counts once the code came back. A code by text message is the "
                    + "weakest factor.",
                body: .json(
                    .named(
                        "TelephoneDraft",
                        .object([
                            .required("number", .text(.free(atMost: 64)), "The number, such as +49 151 23456789."),
                            .optional("name", .text(.free(atMost: AccessLimits.displayNameBytes)), "What to call it."),
                        ]))), success: .created(.sentCode)
            ) { call in
                guard let number = TelephoneNumber(try call.body.text("number")) else {
                    throw call.body.fault("number", "must be a number as the world dials it, such as +49 151 23456789")
                }
                let sent = try await factors.enrolTelephone(
                    number, named: call.body.textIfAny("name"), for: .signedIn(call.principal))
                return .created(sent.json, at: "\(all)/\(sent.id)")
            },
            .authenticated(
                .post, all + "/{factor}/confirmation", "confirmFactor",
                "Confirms an authenticator program or a telephone by its first code.",
                body: .json(
                    .named("FactorCode", .object([.required("code", .text(.free(atMost: 64)), "The code.")]))),
                success: .json(.factorConfirmation)
            ) { call in
                .ok(
                    try await factors.confirm(
                        call.path.identifier("factor"), code: call.body.text("code"), for: .signedIn(call.principal)
                    ).json)
            },
            .authenticated(
                .post, all + "/passkeys/options", "beginPasskey",
                "Begins to set a passkey up: what `PublicKeyCredential.parseCreationOptionsFromJSON` takes.",
                success: .json(.any)
            ) { call in .ok(try await factors.beginPasskey(for: .signedIn(call.principal))) },
            .authenticated(
                .post, all + "/passkeys", "finishPasskey", "Sets a passkey up with what the browser answered.",
                body: .json(
                    .named(
                        "PasskeyDraft",
                        .object([
                            .required("credential", .any, "What the new credential's `toJSON()` gives."),
                            .optional("name", .text(.free(atMost: AccessLimits.displayNameBytes)), "What to call it."),
                        ]))), success: .created(.factorConfirmation)
            ) { call in
                let made = try await factors.finishPasskey(
                    PasskeyAnswer(call.body.value("credential") ?? .null), named: call.body.textIfAny("name"),
                    for: .signedIn(call.principal))
                return .created(made.json, at: "\(all)/\(made.factor.id)")
            },
            .authenticated(
                .patch, all + "/{factor}", "renameFactor", "Gives a factor another name.",
                body: .json(
                    .named(
                        "FactorChange",
                        .object([
                            .required("name", .text(.free(atMost: AccessLimits.displayNameBytes)), "What to call it.")
                        ]))), success: .json(.factor)
            ) { call in
                .ok(
                    try await factors.rename(
                        call.path.identifier("factor"), to: call.body.text("name"), by: call.principal
                    ).json)
            },
            .authenticated(
                .delete, all + "/{factor}", "removeFactor",
                "Removes a factor, unless it is the last one that is enough for what is demanded.", success: .nothing
            ) { call in
                try await factors.remove(call.path.identifier("factor"), by: call.principal)
                return .done
            },
            .authenticated(
                .post, "/api/v1/me/recovery-codes", "makeRecoveryCodes",
                "Makes new recovery codes, shown this once; the earlier ones end.", success: .created(.recoveryCodes)
            ) { call in
                let codes = try await factors.makeRecoveryCodes(for: .signedIn(call.principal))
                return .created(["recoveryCodes": .array(codes.map { .string($0) })], at: all)
            },
        ]
        return routes + proofs(services)
    }

    /// Proving oneself anew, for acts that ask for a recent proof.
    private static func proofs(_ services: NorthboundServices) -> [Route] {
        let factors = services.factors
        let all = "/api/v1/me/proofs"
        return [
            .authenticated(
                .post, all, "proveOneself",
                "Proves that it is the caller still, by one factor, or by the password when they have none; that counts "
                    + "for \(SignInLimits.recentMinutes) minutes with the credential at hand.",
                body: .json(
                    .named(
                        "Proof",
                        .object([
                            .optional("totp", .text(.free(atMost: 64)), "The code of an authenticator program."),
                            .optional("sms", .text(.free(atMost: 64)), "The code that was sent to a telephone."),
                            .optional("recovery", .text(.free(atMost: 64)), "A recovery code."),
                            .optional("passkey", .any, "What the assertion's `toJSON()` gives."),
                            .optional(
                                "password", .text(.free(atMost: SignInLimits.passwordCharacters)), "The password."),
                        ]))), success: .nothing
            ) { call in
                let body = call.body
                if let password = body.textIfAny("password") {
                    try await factors.prove(
                        password: password, by: call.principal, from: Origin(address: call.address))
                    return .done
                }
                let proof: FactorProof
                if let code = body.textIfAny("totp") {
                    proof = .totp(code)
                } else if let code = body.textIfAny("sms") {
                    proof = .sms(code)
                } else if let code = body.textIfAny("recovery") {
                    proof = .recovery(code)
                } else if let answer = body.value("passkey") {
                    proof = .passkey(try PasskeyAnswer(answer))
                } else {
                    throw body.fault("totp", "or another proof must be there")
                }
                try await factors.prove(proof, for: .signedIn(call.principal))
                return .done
            },
            .authenticated(
                .post, all + "/passkey-options", "beginPasskeyProof",
                "Begins a proof by passkey: what `PublicKeyCredential.parseRequestOptionsFromJSON` takes.",
                success: .json(.any)
            ) { call in .ok(try await factors.passkeyRequest(for: .signedIn(call.principal))) },
            .authenticated(
                .post, all + "/text-message", "sendProofCode", "Sends a code to the caller's telephone.",
                success: .json(.sentCode)
            ) { call in .ok(try await factors.sendCode(for: .signedIn(call.principal)).json) },
        ]
    }
}

extension Shape {
    fileprivate static let factor = Shape.named(
        "Factor",
        .object([
            .required("id", .identifier, "The identifier."),
            .required(
                "method", .choice(FactorMethod.allCases.filter { $0 != .recovery }.map(\.rawValue)), "What it is."),
            .required("name", .text, "What its holder calls it."),
            .required("created", .time, "When it was set up."),
            .required("lastUsed", .nullable(.time), "When it last proved its holder."),
            .required("numberEnd", .nullable(.text), "The last digits of a telephone's number."),
        ]))

    fileprivate static let ownFactors = Shape.named(
        "OwnFactors",
        .object([
            .required("factors", .array(of: .factor, atMost: 100), "The factors, the oldest first."),
            .required("recoveryCodes", .count, "How many recovery codes are left."),
            .required("demanded", .factorLevel, "What the tenant and the caller's roles demand at least."),
        ]))

    static let factorLevel = Shape.choice(FactorLevel.allCases.map(\.rawValue))

    fileprivate static let factorName = Shape.named(
        "FactorDraft",
        .object([.optional("name", .text(.free(atMost: AccessLimits.displayNameBytes)), "What to call it.")]))

    fileprivate static let authenticatorEnrolment = Shape.named(
        "AuthenticatorEnrolment",
        .object([
            .required("id", .identifier, "The factor."),
            .required("secret", .text, "The secret in base32, shown this once.").shownOnce,
            .required("address", .text, "The same as an otpauth address, for a QR code."),
        ]))

    fileprivate static let sentCode = Shape.named(
        "SentCode",
        .object([
            .required("id", .identifier, "The telephone's factor."),
            .required("numberEnd", .text, "The last digits of its number."),
            .required("seconds", .count, "For how many seconds the code is good."),
        ]))

    private static let codes = Shape.array(of: .text, atMost: SignInLimits.recoveryCodes)

    fileprivate static let factorConfirmation = Shape.named(
        "FactorConfirmation",
        .object([
            .required("factor", .factor, "The factor, which counts from now on."),
            .required("recoveryCodes", codes, "The first recovery codes, shown this once; none when there are some.")
                .shownOnce,
        ]))

    fileprivate static let recoveryCodes = Shape.named(
        "RecoveryCodes", .object([.required("recoveryCodes", codes, "The codes, each good for one use.").shownOnce]))
}

extension Factor {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "method": .string(method.rawValue), "name": .string(name),
            "created": .string(created.rfc3339), "lastUsed": lastUsed.map { .string($0.rfc3339) } ?? .null,
            "numberEnd": numberEnd.map { .string($0) } ?? .null,
        ]
    }
}

extension FactorOverview {
    fileprivate var json: JSONValue {
        [
            "factors": .array(factors.map(\.json)), "recoveryCodes": .integer(Int64(recoveryCodes)),
            "demanded": .string(level.rawValue),
        ]
    }
}

extension FactorConfirmation {
    fileprivate var json: JSONValue {
        ["factor": factor.json, "recoveryCodes": .array(recoveryCodes.map { .string($0) })]
    }
}

extension SentCode {
    fileprivate var json: JSONValue {
        ["id": .string(id.text), "numberEnd": .string(numberEnd), "seconds": .integer(Int64(seconds))]
    }
}
