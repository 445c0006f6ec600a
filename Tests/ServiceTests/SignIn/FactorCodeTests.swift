import Audit
import Base
import Testing

@testable import Access
@testable import SignIn

@Suite("authenticator programs and recovery codes")
struct FactorCodeTests {
    static let wrong = Refusal(.forbidden, "factor.wrong", "")
    static let wait = Refusal(.limited, "factor.wait", "")

    @Test("a factor counts once its first code came, and sign-in asks for it", arguments: TestDatabase.engines)
    func enrolment(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let session = try await world.session(world.ada)
            let enrolment = try await world.factors.enrolAuthenticator(named: "My phone", for: .signedIn(session))
            #expect(enrolment.secret.utf8.count == 32 && enrolment.picture != nil)
            #expect(try await world.demand(world.ada) == .none)
            let code = try world.code(enrolment.secret)
            #expect(
                try await world.refusal {
                    try await world.factors.confirmAuthenticator(enrolment.id, code: "000000", for: .signedIn(session))
                } == Self.wrong)
            // Nobody confirms somebody else's.
            let bob = try await world.session(world.bob)
            #expect(
                try await world.refusal {
                    try await world.factors.confirmAuthenticator(enrolment.id, code: code, for: .signedIn(bob))
                }?.code == "factor.unknown")
            let confirmation = try await world.factors.confirmAuthenticator(
                enrolment.id, code: code, for: .signedIn(session))
            #expect(confirmation.recoveryCodes.count == 10 && confirmation.factor.name == "My phone")
            #expect(try await world.demand(world.ada) == .factor([.totp, .recovery]))
            #expect(try await world.demand(world.bob) == .none)
            let overview = try await world.factors.overview(of: session)
            #expect(overview.factors == [confirmation.factor] && overview.recoveryCodes == 10)
            #expect(world.mails.all.map(\.subject) == ["A factor was added to your account"])
            // The code that confirmed it is used up.
            let pending = try await world.pending(world.ada)
            #expect(
                try await world.refusal(of: .totp(code), for: .signingIn(pending, FactorFixture.origin)) == Self.wrong)
            world.world.time.advance(by: .seconds(30))
            try await world.factors.prove(
                .totp(world.code(enrolment.secret)), for: .signingIn(pending, FactorFixture.origin))
            #expect(try await world.demand(world.ada, pending) == .none)
        }
    }

    @Test("a code of one step is good once, from wherever it comes", arguments: TestDatabase.engines)
    func replay(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (secret, _, _) = try await world.authenticator(world.ada)
            let code = try world.code(secret)
            let first = try await world.pending(world.ada)
            try await world.factors.prove(.totp(code), for: .signingIn(first, FactorFixture.origin))
            let second = try await world.pending(world.ada)
            for typed in [code, try world.code(secret, step: -1)] {
                #expect(
                    try await world.refusal(of: .totp(typed), for: .signingIn(second, FactorFixture.origin))
                        == Self.wrong)
            }
            // A clock that is ahead by a step.
            try await world.factors.prove(
                .totp(world.code(secret, step: 1)), for: .signingIn(second, FactorFixture.origin))
        }
    }

    @Test("a right code sent twice, as by a double click, counts as no wrong guess", arguments: TestDatabase.engines)
    func doubled(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (secret, _, codes) = try await world.authenticator(world.ada)
            let acme = world.world.acme.id
            for proof in [FactorProof.totp(try world.code(secret)), .recovery(try #require(codes.first))] {
                let failed = try await world.world.log("factor.failed", of: acme).count
                let here = try await world.signingIn(world.ada)
                try await world.factors.prove(proof, for: here)
                for _ in 0..<5 { #expect(try await world.refusal(of: proof, for: here) == Self.wrong) }
                #expect(try await world.world.log("factor.failed", of: acme).count == failed)
                // Elsewhere the same code is a guess like any other, and so it is a while later.
                let strange = try await world.signingIn(world.ada, from: "198.51.100.9")
                world.world.time.advance(by: .seconds(SignInLimits.repetitionSeconds + 1))
                for subject in [strange, here] {
                    for _ in 0..<3 { #expect(try await world.refusal(of: proof, for: subject) == Self.wrong) }
                    #expect(try await world.refusal(of: proof, for: subject)?.code == Self.wait.code)
                }
            }
        }
    }

    @Test("of many who show one code at once, one gets in", arguments: TestDatabase.engines)
    func race(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (secret, _, codes) = try await world.authenticator(world.ada)
            let typed = try world.code(secret)
            for proof in [FactorProof.totp(typed), .recovery(codes[0])] {
                let entries = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<6 {
                        let origin = Origin(address: "198.51.100.\(number)")
                        let pending = try await world.pending(world.ada, from: origin)
                        group.addTask {
                            try await world.refusal(of: proof, for: .signingIn(pending, origin)) == nil
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(entries == 1)
            }
        }
    }

    @Test("a recovery code is good once, is told by mail, and new ones end the old", arguments: TestDatabase.engines)
    func recovery(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (_, _, codes) = try await world.authenticator(world.ada)
            let pending = try await world.pending(world.ada)
            let subject = FactorSubject.signingIn(pending, FactorFixture.origin)
            try await world.factors.prove(.recovery(codes[3].lowercased()), for: subject)
            #expect(try await world.demand(world.ada, pending) == .none)
            #expect(world.mails.all.last?.subject == "A recovery code of your account was used")
            #expect(world.mails.all.last?.text.contains("192.0.2.7") == true)
            #expect(world.mails.all.last?.text.contains("9 are left") == true)
            #expect(
                try await world.refusal(of: .recovery(codes[3]), for: subject)
                    == Self.wrong)
            // Another account's code is nobody's.
            _ = try await world.authenticator(world.bob)
            let bob = FactorSubject.signingIn(try await world.pending(world.bob), FactorFixture.origin)
            #expect(
                try await world.refusal(of: .recovery(codes[4]), for: bob) == Self.wrong)
            let session = try await world.session(world.ada)
            let fresh = try await world.factors.makeRecoveryCodes(for: .signedIn(session))
            #expect(Set(fresh).isDisjoint(with: codes))
            #expect(
                try await world.refusal(of: .recovery(codes[4]), for: subject)
                    == Self.wrong)
            try await world.factors.prove(.recovery(fresh[0]), for: subject)
            #expect(try await world.factors.overview(of: session).recoveryCodes == 9)
        }
    }

    @Test("wrong guesses make their own network and method wait, and nobody else", arguments: TestDatabase.engines)
    func guessing(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (secret, _, codes) = try await world.authenticator(world.ada)
            let origin = Origin(address: "198.51.100.66")
            let attacker = FactorSubject.signingIn(try await world.pending(world.ada, from: origin), origin)
            for _ in 0..<3 {
                #expect(
                    try await world.refusal(of: .totp("000000"), for: attacker)
                        == Self.wrong)
            }
            // Even the right code has to wait there.
            let refusal = try await world.refusal(of: .totp(try world.code(secret)), for: attacker)
            #expect(refusal == Self.wait && refusal?.retryAfter == .seconds(5))
            // A new sign-in is no way around it.
            let again = FactorSubject.signingIn(try await world.pending(world.ada, from: origin), origin)
            #expect(try await world.refusal(of: .totp("000000"), for: again) == Self.wait)
            // The other methods are free there, and everything is from elsewhere.
            try await world.factors.prove(.recovery(codes[0]), for: attacker)
            let holder = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            try await world.factors.prove(.totp(try world.code(secret)), for: holder)
            let failures = try await world.world.log("factor.failed", of: world.world.acme.id)
            #expect(failures.count == 3)
        }
    }

    @Test("guesses from many networks make strange ones wait, and not the holder's", arguments: TestDatabase.engines)
    func botnet(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (secret, _, _) = try await world.authenticator(world.ada)
            let holder = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            try await world.factors.prove(.totp(try world.code(secret)), for: holder)
            var refusals: [Refusal?] = []
            for number in 0..<60 {
                let origin = Origin(address: "198.51.\(number).1")
                let pending = try await world.pending(world.ada, from: origin)
                refusals.append(
                    try await world.refusal(of: .totp("000000"), for: .signingIn(pending, origin)))
            }
            #expect(refusals.prefix(20).allSatisfy { $0 == Self.wrong })
            #expect(refusals.dropFirst(20).allSatisfy { $0 == Self.wait })
            world.world.time.advance(by: .seconds(30))
            let again = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            try await world.factors.prove(.totp(try world.code(secret)), for: again)
            // What is kept of them is bounded.
            #expect(try await world.world.count("factor_guess", of: world.world.acme.id) <= 40)
        }
    }

    @Test("who knows the password alone can add no factor beside the holder's", arguments: TestDatabase.engines)
    func enrolmentAtSignIn(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let refused = Refusal(.forbidden, "factor.signInFirst", "")
            let early = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            // Nothing is demanded: sign in first.
            #expect(try await world.refusal { try await world.factors.enrolAuthenticator(for: early) } == refused)
            try await world.setLevel(.any)
            #expect(try await world.demand(world.ada) == .enrolment)
            let enrolment = try await world.factors.enrolAuthenticator(for: early)
            let pending = try await world.pending(world.ada)
            let subject = FactorSubject.signingIn(pending, FactorFixture.origin)
            let made = try await world.factors.confirmAuthenticator(
                enrolment.id, code: try world.code(enrolment.secret), for: subject)
            #expect(made.recoveryCodes.count == 10)
            #expect(try await world.demand(world.ada, pending) == .none)
            for subject in [early, FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)] {
                #expect(try await world.refusal { try await world.factors.enrolAuthenticator(for: subject) } == refused)
                #expect(try await world.refusal { try await world.factors.makeRecoveryCodes(for: subject) } == refused)
            }
        }
    }

    @Test("setting up and removing need a recent proof, which a factor renews", arguments: TestDatabase.engines)
    func recent(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let stepUp = Refusal(.forbidden, "signin.stepUp", "")
            let (secret, factor, _) = try await world.authenticator(world.ada)
            let session = try await world.session(world.ada)
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            #expect(try await world.refusal { try await world.factors.remove(factor.id, by: session) } == stepUp)
            #expect(
                try await world.refusal { try await world.factors.enrolAuthenticator(for: .signedIn(session)) }
                    == stepUp)
            #expect(
                try await world.refusal { try await world.factors.makeRecoveryCodes(for: .signedIn(session)) } == stepUp
            )
            // Names are no matter.
            #expect(try await world.factors.rename(factor.id, to: "Old phone", by: session).name == "Old phone")
            try await world.factors.prove(.totp(try world.code(secret)), for: .signedIn(session))
            // Not for the holder's other sessions, nor for others.
            let other = try await world.session(world.bob)
            #expect(
                try await world.refusal { try await world.factors.remove(factor.id, by: other) }?.code
                    == "factor.unknown")
            try await world.factors.remove(factor.id, by: session)
            #expect(try await world.demand(world.ada) == .none)
            #expect(try await world.factors.overview(of: session).recoveryCodes == 0)
            // Entries of one moment have no order.
            let codes = try await world.world.log("factor.", of: world.world.acme.id).map(\.code).sorted()
            #expect(
                codes == [
                    "factor.enrolled", "factor.proved", "factor.recovery.made", "factor.removed", "factor.renamed",
                ])
        }
    }

    @Test("the last factor that is enough for what is demanded stays", arguments: TestDatabase.engines)
    func lastOne(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let first = try await world.authenticator(world.ada)
            let second = try await world.authenticator(world.ada)
            #expect(second.codes.isEmpty)
            try await world.setLevel(.code)
            let session = try await world.session(world.ada)
            try await world.factors.remove(first.factor.id, by: session)
            #expect(
                try await world.refusal { try await world.factors.remove(second.factor.id, by: session) }?.code
                    == "factor.demanded")
            try await world.setLevel(.none)
            try await world.factors.remove(second.factor.id, by: session)
        }
    }

    @Test("programs and the operator's socket have no factors", arguments: TestDatabase.engines)
    func programs(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let client = try await world.world.principal("admin")
            for principal in [client, .localAdministrator] {
                #expect(
                    try await world.refusal { try await world.factors.overview(of: principal) }?.code
                        == "factor.noAccount")
            }
        }
    }
}
