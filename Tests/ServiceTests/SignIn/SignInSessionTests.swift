import Access
import Audit
import Base
import Storage
import Testing

@testable import SignIn

@Suite("Sessions and the rules of sign-in")
struct SignInSessionTests {
    private static let office = SignInFixture.office
    private static let gone = Refusal(.unauthenticated, "session.invalid", "")

    @Test("a session ends after an hour without use and after twelve in any case", arguments: TestDatabase.engines)
    func limits(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            let (idle, _) = try await world.enter()
            let (used, _) = try await world.enter()
            for _ in 0..<23 {
                world.world.time.advance(by: .seconds(1800))
                _ = try await world.signIn.session(used, from: Self.office)
                try await world.world.access.flushCredentialUse()
            }
            await #expect(throws: Self.gone) { try await world.signIn.session(idle, from: Self.office) }
            world.world.time.advance(by: .seconds(1800))
            await #expect(throws: Self.gone) { try await world.signIn.session(used, from: Self.office) }
        }
    }

    @Test("the log tells when a session ended by itself, once, and who had it", arguments: TestDatabase.engines)
    func expiry(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (acme, signIn) = (world.world.acme.id, world.signIn)
            let account = try await world.account()
            let (used, _) = try await world.enter()
            let (_, idle) = try await world.enter()
            let (left, _) = try await world.enter()
            try await signIn.signOut(left, from: Self.office)
            world.world.time.advance(by: .seconds(1800))
            _ = try await signIn.session(used, from: Self.office)
            try await world.world.access.flushCredentialUse()
            try await signIn.noteExpired()
            #expect(try await world.world.log("session.expired", of: acme).isEmpty)
            world.world.time.advance(by: .seconds(1800 + SignInLimits.expiryDelay))
            try await signIn.noteExpired()
            try await signIn.noteExpired()
            let first = try await world.world.log("session.expired", of: acme)
            // The one of taking the account up is as old.
            #expect(first.count == 2 && first.map(\.object.id).contains(idle.session.text))
            #expect(first.allSatisfy { $0.details["why"] == "idle" })
            #expect(first.first?.details["principal"]?.string == account.principal.text)
            world.world.time.advance(by: .seconds(43_200))
            try await signIn.noteExpired()
            #expect(try await world.world.log("session.expired", of: acme).count == first.count + 1)
            #expect(try await world.world.log("session.expired", of: acme).first?.details["why"] == "age")
        }
    }

    @Test("a tenant has its own limits and its own rules for passwords", arguments: TestDatabase.engines)
    func policy(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            var policy = SignInPolicy.standard
            policy.idleMinutes = 5
            policy.profile = .classic
            try await signIn.putPolicy(policy, tenant: acme.id, by: AccessFixture.local)
            #expect(try await signIn.policy(tenant: acme.id, by: AccessFixture.local) == policy)
            await #expect(throws: Refusal(.invalid, "password.weak", "")) { try await world.account() }
            _ = try await world.account("cy@example.com", password: "Tr0ub4d&r")
            let (secret, _) = try await world.enter("cy@example.com", "Tr0ub4d&r")
            world.world.time.advance(by: .seconds(301))
            await #expect(throws: Self.gone) { try await signIn.session(secret, from: Self.office) }
            _ = try await world.account(of: world.world.rival)
            for wrong in [(4, 12), (60, 0), (60, 100_000)] {
                let bad = SignInPolicy(
                    profile: .nist, idleMinutes: wrong.0, sessionHours: wrong.1, addressRanges: [])
                await #expect(throws: Refusal(.invalid, "policy.invalid", "")) {
                    try await signIn.putPolicy(bad, tenant: acme.id, by: AccessFixture.local)
                }
            }
            let viewer = try await world.world.principal("viewer")
            await #expect(throws: Refusal.self) { try await signIn.putPolicy(policy, tenant: acme.id, by: viewer) }
            #expect(try await world.world.log("signin.policy", of: acme.id).count == 1)
        }
    }

    @Test(
        "an allow-list counts at once, for sessions as well, and never locks its editor out",
        arguments: TestDatabase.engines)
    func allowLists(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            let account = try await world.account()
            let (inside, signedIn) = try await world.enter()
            let (outside, _) = try await world.enter(from: SignInFixture.elsewhere)
            var policy = SignInPolicy.standard
            policy.addressRanges = [try #require(AddressRange("198.51.100.0/24"))]
            let excluding = policy
            await #expect(throws: Refusal(.conflict, "addresses.excludesYou", "")) {
                try await signIn.putPolicy(excluding, tenant: acme.id, by: signedIn.principal)
            }
            await #expect(throws: Refusal(.conflict, "addresses.excludesYou", "")) {
                try await signIn.changeAccount(
                    account.address.text, addressRanges: excluding.addressRanges, tenant: acme.id,
                    by: signedIn.principal)
            }
            policy.addressRanges = [try #require(AddressRange("192.0.2.0/24"))]
            try await signIn.putPolicy(policy, reason: "office only", tenant: acme.id, by: signedIn.principal)
            _ = try await signIn.session(inside, from: Self.office)
            await #expect(throws: SignIn.sessionElsewhere) {
                try await signIn.session(outside, from: SignInFixture.elsewhere)
            }
            await #expect(throws: SignIn.sessionElsewhere) {
                try await signIn.session(inside, from: SignInFixture.elsewhere)
            }
            await #expect(throws: SignIn.sessionElsewhere) {
                try await signIn.session(inside, from: Origin(address: nil))
            }
            #expect(
                await world.refusal("ann@example.com", SignInFixture.good, from: SignInFixture.elsewhere)?.code
                    == "signin.refused")
            _ = try await world.enter()
        }
    }

    @Test("sessions are listed, ended by their holder, and by who manages principals", arguments: TestDatabase.engines)
    func listed(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            let bob = try await world.account("bob@example.com", role: "viewer")
            let (first, ann) = try await world.enter(from: SignInFixture.elsewhere)
            let (second, now) = try await world.enter()
            let listed = try await signIn.sessions(of: "ann@example.com", tenant: acme.id, by: now.principal)
            #expect(listed.count == 3 && listed.filter(\.isCurrent).map(\.id) == [now.session])
            let far = try #require(listed.first { $0.id == ann.session })
            #expect(far.address == "198.51.100.7" && far.userAgent == "Test/2" && far.isLive && far.ended == nil)
            try await signIn.endSessions(of: "ann@example.com", ann.session, tenant: acme.id, by: now.principal)
            await #expect(throws: Self.gone) {
                try await signIn.session(first, from: SignInFixture.elsewhere)
            }
            #expect(world.world.endedCredentials.all.contains(now.principal.id))
            // Bob may see and end his own and nobody else's.
            let (bobs, bobIn) = try await world.enter("bob@example.com")
            #expect(try await signIn.sessions(of: bob.address.text, tenant: acme.id, by: bobIn.principal).count == 2)
            await #expect(throws: Refusal.self) {
                try await signIn.sessions(of: "ann@example.com", tenant: acme.id, by: bobIn.principal)
            }
            await #expect(throws: Refusal.self) {
                try await signIn.endSessions(of: "ann@example.com", tenant: acme.id, by: bobIn.principal)
            }
            await #expect(throws: Refusal(.notFound, "session.unknown", "")) {
                try await signIn.endSessions(of: bob.address.text, now.session, tenant: acme.id, by: bobIn.principal)
            }
            try await signIn.endSessions(of: bob.address.text, tenant: acme.id, by: now.principal)
            await #expect(throws: Self.gone) { try await signIn.session(bobs, from: Self.office) }
            try await signIn.signOut(second, from: Self.office)
            try await signIn.signOut(second, from: Self.office)
            await #expect(throws: Self.gone) { try await signIn.session(second, from: Self.office) }
            // What was done in a session is found by it.
            try await world.world.audit.settle()
            let done = try await world.world.audit.page(
                tenant: acme.id, filter: AuditFilter(credential: now.session.text), limit: 100, reader: .system("test")
            ).entries
            #expect(Set(done.map(\.code)) == ["session.opened", "session.ended"])
            #expect(done.allSatisfy { $0.actor.credential == now.session.text })
        }
    }

    @Test("a disabled user is out everywhere at once, and nobody disables themselves", arguments: TestDatabase.engines)
    func disabled(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            _ = try await world.account("bob@example.com", role: "viewer")
            let (_, ann) = try await world.enter()
            let (bobs, bob) = try await world.enter("bob@example.com")
            await #expect(throws: Refusal(.conflict, "principal.own", "")) {
                try await signIn.setActive(false, user: "ann@example.com", tenant: acme.id, by: ann.principal)
            }
            #expect(try await world.world.isAllowed(bob.principal, .deviceRead))
            let off = try await signIn.setActive(false, user: "bob@example.com", tenant: acme.id, by: ann.principal)
            #expect(off.status == .disabled && world.world.endedCredentials.all.contains(bob.principal.id))
            #expect(try await !world.world.isAllowed(bob.principal, .deviceRead))
            await #expect(throws: Self.gone) { try await signIn.session(bobs, from: Self.office) }
            #expect(await world.refusal("bob@example.com", SignInFixture.good)?.code == "signin.refused")
            await #expect(throws: Refusal(.conflict, "account.disabled", "")) {
                try await signIn.renewLink(of: "bob@example.com", tenant: acme.id, by: ann.principal)
            }
            #expect(
                try await signIn.setActive(true, user: "bob@example.com", tenant: acme.id, by: ann.principal).status
                    == .active)
            await #expect(throws: Self.gone) { try await signIn.session(bobs, from: Self.office) }
            _ = try await world.enter("bob@example.com")
        }
    }

    @Test("one account has so many sessions; one more ends the one used longest ago", arguments: TestDatabase.engines)
    func bounded(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            var secrets: [String] = []
            for _ in 0..<SignInLimits.sessionsPerAccount {
                world.world.time.advance(by: .seconds(1))
                secrets.append(try await world.enter().secret)
            }
            world.world.time.advance(by: .seconds(1))
            _ = try await world.enter()
            let first = try #require(secrets.first)
            await #expect(throws: Self.gone) { try await world.signIn.session(first, from: Self.office) }
            _ = try await world.signIn.session(try #require(secrets.last), from: Self.office)
        }
    }
}
