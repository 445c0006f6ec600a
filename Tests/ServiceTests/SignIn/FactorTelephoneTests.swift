import Base
import Testing

@testable import Access
@testable import SignIn

@Suite("codes by text message")
struct FactorTelephoneTests {
    static let wrong = Refusal(.forbidden, "factor.wrong", "")
    static let sent = Refusal(.limited, "factor.sent", "")

    /// The code in the last message.
    static func code(_ world: FactorFixture) throws -> String {
        let text = try #require(world.texts.all.last?.text)
        let code = try #require(text.firstMatch(of: /^[2-9A-HJ-NP-Z]{6}/))
        #expect(text.hasSuffix("\n@fleet.example.com #\(code.output)"))
        return String(code.output)
    }

    /// A telephone that is set up; a minute has passed, so that the next code can be sent.
    static func telephone(_ world: FactorFixture) async throws -> Factor {
        let subject = FactorSubject.signedIn(try await world.session(world.ada))
        let number = try #require(TelephoneNumber("+49 (151) 234-567.89"))
        let sent = try await world.factors.enrolTelephone(number, for: subject)
        #expect(sent.numberEnd == "789" && sent.seconds == 100)
        #expect(world.texts.all.last?.to == "+4915123456789")
        let made = try await world.factors.confirmTelephone(sent.id, code: try code(world), for: subject)
        world.world.time.advance(by: .seconds(60))
        return made.factor
    }

    @Test("the number is verified first, then a code signs in once", arguments: TestDatabase.engines)
    func signIn(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            _ = try await Self.telephone(world)
            #expect(try await world.demand(world.ada) == .factor([.sms, .recovery]))
            let pending = try await world.pending(world.ada)
            let subject = FactorSubject.signingIn(pending, FactorFixture.origin)
            #expect(try await world.refusal(of: .sms("AAAAAA"), for: subject) == Self.wrong)
            _ = try await world.factors.sendCode(for: subject)
            let code = try Self.code(world)
            try await world.factors.prove(.sms(" \(code.lowercased()) "), for: subject)
            #expect(try await world.demand(world.ada, pending) == .none)
            let again = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            #expect(try await world.refusal(of: .sms(code), for: again) == Self.wrong)
            let overview = try await world.factors.overview(of: try await world.session(world.ada))
            #expect(overview.factors.map(\.numberEnd) == ["789"])
        }
    }

    @Test("a code ends after 100 seconds, after three tries and when the next is sent", arguments: TestDatabase.engines)
    func ends(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            _ = try await Self.telephone(world)
            func subject(_ number: Int) async throws -> FactorSubject {
                // Each from a network of its own, so that waiting is not what ends it.
                let origin = Origin(address: "198.51.100.\(number)")
                return .signingIn(try await world.pending(world.ada, from: origin), origin)
            }
            let late = try await subject(1)
            _ = try await world.factors.sendCode(for: late)
            let first = try Self.code(world)
            world.world.time.advance(by: .seconds(100))
            #expect(try await world.refusal(of: .sms(first), for: late) == Self.wrong)
            _ = try await world.factors.sendCode(for: late)
            let second = try Self.code(world)
            world.world.time.advance(by: .seconds(SignInLimits.textPauseSeconds))
            _ = try await world.factors.sendCode(for: late)
            let third = try Self.code(world)
            let tries = try await subject(2)
            for typed in [second, "AAAAAA", "BBBBBB", third] {
                #expect(try await world.refusal(of: .sms(typed), for: typed == third ? late : tries) == Self.wrong)
            }
        }
    }

    @Test("codes are sent with pauses and not too many, whoever asks", arguments: TestDatabase.engines)
    func resend(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let factor = try await Self.telephone(world)
            let before = world.texts.all.count
            func send() async throws -> Refusal? {
                let subject = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
                return try await world.refusal { try await world.factors.sendCode(to: factor.id, for: subject) }
            }
            #expect(try await send() == nil)
            let refusal = try await send()
            #expect(refusal == Self.sent && refusal?.retryAfter == .seconds(SignInLimits.textPauseSeconds))
            // One was sent at the enrolment.
            for _ in 2..<SignInLimits.textsPerWindow {
                world.world.time.advance(by: .seconds(SignInLimits.textPauseSeconds))
                #expect(try await send() == nil)
            }
            world.world.time.advance(by: .seconds(SignInLimits.textPauseSeconds))
            #expect(try await send() == Self.sent)
            // Another number is no way around it.
            let session = FactorSubject.signedIn(try await world.session(world.ada))
            let number = try #require(TelephoneNumber("+15550100999"))
            #expect(
                try await world.refusal { try await world.factors.enrolTelephone(number, for: session) } == Self.sent)
            #expect(world.texts.all.count - before == Int(SignInLimits.textsPerWindow) - 1)
            world.world.time.advance(by: .seconds(SignInLimits.textWindowMinutes * 60))
            #expect(try await send() == nil)
        }
    }

    @Test("without a way to send, nothing is set up", arguments: TestDatabase.engines)
    func noWay(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let dumb = Factors(
                signIn: world.signIn, keyRing: world.world.keyRing, party: world.factors.party)
            let principal = try await world.session(world.ada)
            let number = try #require(TelephoneNumber("+15550100999"))
            #expect(
                try await world.refusal { try await dumb.enrolTelephone(number, for: .signedIn(principal)) }?.code
                    == "factor.noText")
            #expect(try await world.world.count("factor", of: world.world.acme.id) == 0)
        }
    }
}
