import Audit
import Base
import Storage
import Testing
import Trust

@testable import Access
@testable import SignIn

@Suite("what factors are demanded, and lost ones")
struct FactorPolicyTests {
    static let stepUp = Refusal(.forbidden, "signin.stepUp", "")

    @Test(
        "a level is demanded of everybody or of a role's holders, and the strongest counts",
        arguments: TestDatabase.engines)
    func levels(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let tenant = world.world.acme.id
            let local = AccessFixture.local
            _ = try await world.world.access.grant(role: "operator", to: "ada", tenant: tenant, by: local)
            _ = try await world.factors.demand(.any, reason: "insurance", tenant: tenant, by: local)
            world.world.time.advance(by: .milliseconds(2))
            let policy = try await world.factors.demand(
                .passkey, of: "operator", reason: "they reach machines", tenant: tenant, by: local)
            #expect(policy.everybody == .any && policy.roles == [Role.operator.id: .passkey])
            #expect(try await world.factors.policy(tenant: tenant, by: local) == policy)
            world.world.time.advance(by: .milliseconds(2))
            let ada = try await world.factors.overview(of: try await world.session(world.ada))
            let bob = try await world.factors.overview(of: try await world.session(world.bob))
            #expect(ada.level == .passkey && bob.level == .any)
            _ = try await world.authenticator(world.bob)
            #expect(try await world.demand(world.bob) == .factor([.totp, .recovery]))
            // What she has is asked for first, and is not enough.
            _ = try await world.authenticator(world.ada)
            #expect(try await world.demand(world.ada) == .factor([.totp, .recovery]))
            _ = try await world.factors.demand(.none, of: "operator", reason: "over", tenant: tenant, by: local)
            #expect(try await world.factors.policy(tenant: tenant, by: local).roles.isEmpty)
            // Other tenants are none of its business.
            #expect(try await world.factors.policy(tenant: world.world.rival.id, by: local).everybody == .none)
            let entries = try await world.world.log("factor.policy.changed", of: tenant)
            #expect(entries.map { $0.details["reason"]?.string } == ["over", "they reach machines", "insurance"])
        }
    }

    @Test(
        "a demand that is raised reaches who is in, and what programs hold of them until they satisfy it",
        arguments: TestDatabase.engines)
    func raised(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (access, tenant, origin) = (world.world.access, world.world.acme.id, FactorFixture.origin)
            let step = try await world.signIn.begin(
                address: "ada@x.example", password: FactorFixture.password, from: origin)
            guard case .done(let session) = step else { return #expect(Bool(false), "\(step)") }
            let opened = try await world.world.database.platform.write { tx in
                try access.open(
                    CredentialDraft(.access, of: world.ada.principal, tenant: tenant, name: "program"), in: tx)
            }
            func isIn() async throws -> [Bool] {
                [
                    (try? await world.signIn.session(session.text, from: origin)) != nil,
                    (try? await access.authenticate(bearer: opened.secret.text, address: nil)) != nil,
                ]
            }
            #expect(try await isIn() == [true, true])
            // Of others than her it is demanded without her noticing.
            _ = try await world.factors.demand(
                .any, of: "operator", reason: "x", tenant: tenant, by: AccessFixture.local)
            #expect(try await isIn() == [true, true])
            _ = try await access.grant(role: "operator", to: "ada", tenant: tenant, by: AccessFixture.local)
            #expect(try await isIn() == [false, false])
            let again = try await world.signIn.begin(
                address: "ada@x.example", password: FactorFixture.password, from: origin)
            guard case .enrolFactor(let pending) = again else { return #expect(Bool(false), "\(again)") }
            let enrolment = try await world.factors.enrolAuthenticator(for: .signingIn(pending, origin))
            _ = try await world.factors.confirmAuthenticator(
                enrolment.id, code: try world.code(enrolment.secret), for: .signingIn(pending, origin))
            guard case .done(let fresh) = try await world.signIn.finish(pending, from: origin) else {
                return #expect(Bool(false))
            }
            _ = try await world.signIn.session(fresh.text, from: origin)
            #expect(try await isIn() == [false, true])
            // A code is not what is demanded now.
            _ = try await world.factors.demand(.passkey, reason: "x", tenant: tenant, by: AccessFixture.local)
            await #expect(throws: SignIn.sessionOutgrown) {
                try await world.signIn.session(fresh.text, from: origin)
            }
            // Once it has ended for good, nothing is told about it.
            _ = try await world.signIn.setActive(
                false, user: "ada@x.example", tenant: tenant, by: AccessFixture.local)
            await #expect(throws: Refusal(.unauthenticated, "session.invalid", "")) {
                try await world.signIn.session(fresh.text, from: origin)
            }
            #expect(try await isIn() == [false, false])
        }
    }

    @Test("the rules are the administrators', with a reason", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let tenant = world.world.acme.id
            let viewer = try await world.world.principal("viewer")
            let stranger = try await world.world.principal("admin", of: world.world.rival)
            for principal in [viewer, stranger] {
                let demanded = try await world.refusal {
                    try await world.factors.demand(.any, reason: "x", tenant: tenant, by: principal)
                }
                #expect(demanded?.kind == .notFound)
                let reset = try await world.refusal {
                    try await world.factors.reset("ada@x.example", reason: "x", tenant: tenant, by: principal)
                }
                #expect(reset?.kind == .notFound)
            }
            for reason in ["", "a\nb", String(repeating: "x", count: 501)] {
                let refusal = try await world.refusal {
                    try await world.factors.demand(.any, reason: reason, tenant: tenant, by: AccessFixture.local)
                }
                #expect(refusal == Refusal(.invalid, "reason.invalid", ""))
            }
        }
    }

    @Test(
        "an administrator resets lost factors: all end, sessions too, and the holder is told",
        arguments: TestDatabase.engines)
    func reset(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let tenant = world.world.acme.id
            _ = try await world.authenticator(world.ada)
            _ = try await world.passkey(world.ada)
            let session = try await world.session(world.ada)
            let admin = try await world.world.principal("admin")
            try await world.factors.reset("ada@x.example", reason: "phone lost", tenant: tenant, by: admin)
            #expect(try await world.demand(world.ada) == .none)
            let gone = try await world.world.isAllowed(session, .deviceRead)
            #expect(!gone)
            #expect(world.mails.all.last?.text.contains("phone lost") == true)
            let entry = try #require(try await world.world.log("factor.reset", of: tenant).first)
            #expect(entry.details["reason"] == "phone lost" && entry.object.id == world.ada.principal.text)
            for table in ["factor", "recovery_code", "factor_guess"] {
                #expect(try await world.world.count(table, of: tenant) == 0, "\(table)")
            }
        }
    }

    @Test(
        "nobody resets their own, nor those of who holds more, nor without a recent proof",
        arguments: TestDatabase.engines)
    func resetLimits(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let tenant = world.world.acme.id
            let local = AccessFixture.local
            let custom = try await world.world.access.putRole(
                try #require(Name("helpdesk")), permissions: [.principalRead, .principalManage, .tenantRead],
                tenant: tenant, by: local)
            _ = try await world.world.access.grant(role: custom.name.text, to: "bob", tenant: tenant, by: local)
            _ = try await world.world.access.grant(role: "admin", to: "ada", tenant: tenant, by: local)
            let (bob, ada) = (try await world.session(world.bob), try await world.session(world.ada))
            let above = try await world.refusal {
                try await world.factors.reset("ada", reason: "x", tenant: tenant, by: bob)
            }
            #expect(above != nil && above != Self.stepUp)
            let own = try await world.refusal {
                try await world.factors.reset("ada", reason: "x", tenant: tenant, by: ada)
            }
            #expect(own?.code == "account.own")
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            let late = try await world.refusal {
                try await world.factors.reset("bob", reason: "x", tenant: tenant, by: ada)
            }
            #expect(late == Self.stepUp)
            let policy = try await world.refusal {
                try await world.factors.demand(.any, reason: "x", tenant: tenant, by: ada)
            }
            #expect(policy == Self.stepUp)
            try await world.factors.prove(password: FactorFixture.password, by: ada, from: FactorFixture.origin)
            try await world.factors.reset("bob", reason: "x", tenant: tenant, by: ada)
        }
    }

    @Test("who has no factor proves themselves by password, and a wrong one counts", arguments: TestDatabase.engines)
    func password(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let ada = try await world.session(world.ada)
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            let wrong = try await world.refusal {
                try await world.factors.prove(password: "no", by: ada, from: FactorFixture.origin)
            }
            #expect(wrong == Refusal(.forbidden, "password.wrong", ""))
            let early = try await world.refusal { try await world.factors.enrolAuthenticator(for: .signedIn(ada)) }
            #expect(early == Self.stepUp)
            try await world.factors.prove(password: FactorFixture.password, by: ada, from: FactorFixture.origin)
            _ = try await world.factors.enrolAuthenticator(for: .signedIn(ada))
            _ = try await world.authenticator(world.ada)
            let needed = try await world.refusal {
                try await world.factors.prove(password: FactorFixture.password, by: ada, from: FactorFixture.origin)
            }
            #expect(needed?.code == "factor.needed")
        }
    }

    @Test("sign-in asks for what is set up and opens the session with it", arguments: TestDatabase.engines)
    func wholeWay(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (secret, _, _) = try await world.authenticator(world.ada)
            let step = try await world.signIn.begin(
                address: "ada@x.example", password: FactorFixture.password, from: FactorFixture.origin)
            guard case .factor(let pending, let methods) = step else {
                Issue.record("\(step)")
                return
            }
            #expect(methods == [.totp, .recovery])
            let unfinished = try await world.signIn.finish(pending, from: FactorFixture.origin)
            guard case .factor = unfinished else {
                Issue.record("\(unfinished)")
                return
            }
            let code = try world.code(secret)
            try await world.factors.prove(.totp(code), for: .signingIn(pending, FactorFixture.origin))
            guard case .done(let session) = try await world.signIn.finish(pending, from: FactorFixture.origin) else {
                Issue.record("the sign-in does not end")
                return
            }
            let signedIn = try await world.signIn.session(session.text, from: FactorFixture.origin)
            #expect(signedIn.factors == [.totp] && signedIn.proved == world.world.time.now)
            // What waited is used up.
            let again = try await world.refusal { try await world.signIn.finish(pending, from: FactorFixture.origin) }
            #expect(again == Refusal(.unauthenticated, "signin.ended", ""))
        }
    }

    @Test("what has ended is forgotten, and a deleted tenant leaves nothing", arguments: TestDatabase.engines)
    func upkeep(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let tenant = world.world.acme.id
            _ = try await world.authenticator(world.ada)
            _ = try await world.passkey(world.ada)
            try await world.setLevel(.any)
            world.world.time.advance(by: .seconds(SignInLimits.trustedNetworkDays * 86_400 + 1))
            try await world.signIn.removeEnded()
            #expect(try await world.world.count("factor_guess", of: tenant) == 0)
            let challenges = try await world.world.database.platform.read {
                try $0.row("SELECT count(*) FROM used_challenge")?.int(0)
            }
            #expect(challenges == 0)
            try await world.signIn.purge(tenant)
            for table in ["factor", "recovery_code", "factor_policy"] {
                #expect(try await world.world.count(table, of: tenant) == 0, "\(table)")
            }
        }
    }
}
