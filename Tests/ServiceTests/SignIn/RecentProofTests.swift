import Audit
import Base
import Storage
import Testing

@testable import Access
@testable import SignIn

/// Dangerous acts of people, which ask for a proof of a short while ago.
@Suite struct RecentProofTests {
    private typealias Act = @Sendable (FactorFixture, Principal) async throws -> Void

    private static func name(_ text: String) throws -> Name { try #require(Name(text)) }

    /// What gives rights or makes credentials, and who may sign in how.
    private static let acts: [(String, Act)] = [
        (
            "role",
            { world, by in
                _ = try await world.world.access.putRole(
                    name("own"), permissions: [.deviceRead], reason: "x", tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "grant",
            { world, by in
                _ = try await world.world.access.grant(
                    role: "viewer", to: "bob", tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "member",
            { world, by in
                try await world.world.access.addMember("bob", to: "crew", tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "share",
            { world, by in
                _ = try await world.world.access.offerShare(
                    role: "viewer", to: world.world.rival.slug, holder: "operator",
                    ends: world.world.time.now + .seconds(86_400), tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "token",
            { world, by in
                _ = try await world.world.access.createToken(role: "viewer", tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "invitation",
            { world, by in
                _ = try await world.signIn.invite(
                    "cy@x.example", role: "viewer", tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "proposal",
            { world, by in
                _ = try await world.world.access.propose(
                    "grant.put", ["role": "viewer", "principal": "bob"], reason: "x", tenant: world.world.acme.id,
                    by: by)
            }
        ),
        (
            "second approver",
            { world, by in
                try await world.world.access.setNeedsSecondApprover(
                    false, reason: "x", tenant: world.world.acme.id, by: by)
            }
        ),
        (
            "rules of sign-in",
            { world, by in
                try await world.signIn.putPolicy(.standard, reason: "x", tenant: world.world.acme.id, by: by)
            }
        ),
    ]

    @Test("whoever gives rights has proved themselves a short while ago; a program has with each request")
    func acts() async throws {
        try await FactorFixture.with(.sqlite) { world in
            let (access, acme) = (world.world.access, world.world.acme.id)
            _ = try await access.grant(role: "owner", to: "ada", tenant: acme, by: AccessFixture.local)
            _ = try await access.createGroup(Self.name("crew"), tenant: acme, by: AccessFixture.local)
            let ada = try await world.session(world.ada)
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            for (what, act) in Self.acts {
                #expect(try await world.refusal { try await act(world, ada) } == FactorPolicyTests.stepUp, "\(what)")
            }
            try await world.factors.prove(password: FactorFixture.password, by: ada, from: FactorFixture.origin)
            for (what, act) in Self.acts {
                #expect(try await world.refusal { try await act(world, ada) } == nil, "\(what)")
            }
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            let program = try await world.world.principal("owner")
            for (what, act) in Self.acts where what != "invitation" {
                #expect(try await world.refusal { try await act(world, program) } == nil, "\(what)")
            }
        }
    }

    @Test("what takes rights away does not wait for a proof, and who looks at what would be is not asked")
    func without() async throws {
        try await FactorFixture.with(.sqlite) { world in
            let (access, acme) = (world.world.access, world.world.acme.id)
            _ = try await access.grant(role: "owner", to: "ada", tenant: acme, by: AccessFixture.local)
            let grant = try await access.grant(role: "viewer", to: "bob", tenant: acme, by: AccessFixture.local)
            let token = try await access.createToken(role: "viewer", tenant: acme, by: AccessFixture.local)
            let ada = try await world.session(world.ada)
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            try await access.endGrant(grant.id, tenant: acme, by: ada)
            try await access.revokeToken(token.token.id, tenant: acme, by: ada)
            try await world.signIn.endSessions(of: "bob", tenant: acme, by: ada)
        }
    }

    @Test("the rules of sign-in and the factors demanded wait for a second approver where the tenant wants one")
    func second() async throws {
        try await FactorFixture.with(.sqlite) { world in
            let (access, acme) = (world.world.access, world.world.acme.id)
            let needed = Refusal(.conflict, "approval.needed", "")
            for name in ["ada", "bob"] {
                _ = try await access.grant(role: "owner", to: name, tenant: acme, by: AccessFixture.local)
            }
            let (ada, bob) = (try await world.session(world.ada), try await world.session(world.bob))
            #expect(
                try await world.refusal { try await world.signIn.putPolicy(.standard, tenant: acme, by: ada) }
                    == Refusal(.invalid, "reason.required", ""))
            try await access.setNeedsSecondApprover(true, reason: "audit", tenant: acme, by: ada)
            #expect(
                try await world.refusal {
                    try await world.signIn.putPolicy(.standard, reason: "x", tenant: acme, by: ada)
                } == needed)
            #expect(
                try await world.refusal {
                    try await world.factors.demand(.any, reason: "x", tenant: acme, by: ada)
                } == needed)
            for (kind, bad) in [
                ("signin.policy", ["profile": "weak"]), ("signin.policy", ["idleMinutes": "5"]),
                ("signin.policy", ["addresses": "x"]), ("factor.policy", [:]), ("factor.policy", ["level": "much"]),
            ] as [(String, JSONValue)] {
                #expect(
                    try await world.refusal {
                        try await access.propose(kind, bad, reason: "x", tenant: acme, by: ada)
                    }?.kind == .invalid, "\(kind) \(bad)")
            }
            let rules = try await access.propose(
                "signin.policy", ["sessionHours": 4, "profile": "classic"], reason: "shifts", tenant: acme, by: ada)
            let level = try await access.propose(
                "factor.policy", ["level": "any"], reason: "insurance", tenant: acme, by: ada)
            #expect(
                try await world.refusal { try await access.approve(rules.id, tenant: acme, by: ada) }?.code
                    == "change.approver")
            world.world.time.advance(by: .seconds(SignInLimits.recentMinutes * 60))
            #expect(
                try await world.refusal { try await access.approve(rules.id, tenant: acme, by: bob) }
                    == FactorPolicyTests.stepUp)
            try await world.factors.prove(password: FactorFixture.password, by: bob, from: FactorFixture.origin)
            _ = try await access.approve(rules.id, tenant: acme, by: bob)
            _ = try await access.approve(level.id, tenant: acme, by: bob)
            let policy = try await world.signIn.policy(tenant: acme, by: bob)
            #expect(policy.sessionHours == 4 && policy.profile == .classic && policy.idleMinutes == 60)
            #expect(try await world.factors.policy(tenant: acme, by: bob).everybody == .any)
            let told = try await world.world.log("signin.policy", of: acme).compactMap(\.details["reason"]?.string)
            #expect(told == ["shifts"])
        }
    }
}
