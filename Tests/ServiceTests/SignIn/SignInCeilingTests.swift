import Access
import Audit
import Base
import Storage
import Testing

@testable import SignIn

/// What guessing from many places meets with, and what becomes of passwords and links meanwhile.
@Suite("Sign-in: guessing from everywhere, outgrown passwords, links beside each other")
struct SignInCeilingTests {
    private static let office = SignInFixture.office
    private static let elsewhere = SignInFixture.elsewhere

    @Test(
        "beyond a hundred failures from everywhere strange networks wait, and the holder's own do not",
        arguments: TestDatabase.engines)
    func ceiling(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            _ = try await world.account("bob@example.com", role: "viewer")
            _ = try await world.enter()
            for number in 0...100 {
                let guess = await world.refusal("ann@example.com", "wrong", from: Origin(address: "198.18.\(number).1"))
                #expect(guess?.code == "signin.refused")
            }
            let computed = world.signIn.hashing.computations
            #expect(await world.refusal("ann@example.com", SignInFixture.good, from: Self.elsewhere) != nil)
            #expect(world.signIn.hashing.computations == computed + 1, "after the same work as any other")
            // Where somebody signed in within the last 30 days nothing is different, and nobody else is concerned.
            _ = try await world.enter()
            _ = try await world.enter(from: Origin(address: "192.0.2.99"))
            _ = try await world.enter("bob@example.com", from: Self.elsewhere)
            // Strange networks get their turn, one at a time.
            world.world.time.advance(by: .seconds(61))
            _ = try await world.enter(from: Self.elsewhere)
            _ = try await world.enter(from: Self.elsewhere)
            #expect(
                await world.refusal("ann@example.com", SignInFixture.good, from: Origin(address: "203.0.113.9")) == nil)
            for number in 0...100 {
                _ = await world.refusal("ann@example.com", "wrong", from: Origin(address: "198.19.\(number).1"))
            }
            // What was known is not known for ever.
            world.world.time.advance(by: .seconds((SignInLimits.trustedNetworkDays - 1) * 86_400))
            for number in 0...100 {
                _ = await world.refusal("ann@example.com", "wrong", from: Origin(address: "198.20.\(number).1"))
            }
            _ = try await world.enter()
            world.world.time.advance(by: .seconds(2 * 86_400))
            for number in 0...100 {
                _ = await world.refusal("ann@example.com", "wrong", from: Origin(address: "198.21.\(number).1"))
            }
            #expect(await world.refusal("ann@example.com", SignInFixture.good, from: Self.elsewhere) != nil)
            _ = try await world.enter()
        }
    }

    @Test("a refused sign-in names the account, from wherever it was tried", arguments: TestDatabase.engines)
    func named(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme.id)
            let ann = try await world.account()
            let bob = try await world.account("bob@example.com", role: "viewer")
            let far = try await world.account("far@example.com", role: "viewer")
            _ = try await signIn.setActive(false, user: "bob@example.com", tenant: acme, by: AccessFixture.local)
            let distant = try #require(AddressRange("203.0.113.0/24"))
            _ = try await signIn.changeAccount(
                "far@example.com", addressRanges: [distant], tenant: acme, by: AccessFixture.local)
            for address in ["ann@example.com", "bob@example.com", "far@example.com", "nobody@example.com"] {
                #expect(await world.refusal(address, "wrong")?.code == "signin.refused")
            }
            let told = try await world.world.log("signin.refused", of: acme)
            #expect(Set(told.map(\.object.id)) == Set([ann, bob, far].map(\.principal.text)))
            #expect(told.allSatisfy { $0.actor.address == "192.0.2.10" && $0.object.kind == "account" })
            #expect(try await world.world.log("signin.refused", of: world.world.rival.id).isEmpty)
        }
    }

    @Test(
        "a short password that stood beside a factor is replaced at the next sign-in without one",
        arguments: TestDatabase.engines)
    func outgrown(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let short = "xK9mQ2vz"
            await #expect(throws: Refusal(.invalid, "password.weak", "")) { try await world.account(password: short) }
            world.setDemand(.enrolment)
            _ = try await world.account("bob@example.com", password: short)
            guard
                case .enrolFactor = try await world.signIn.begin(
                    address: "bob@example.com", password: short, from: Self.office)
            else { return #expect(Bool(false)) }
            world.setDemand(.none)
            guard
                case .newPassword(let pending) = try await world.signIn.begin(
                    address: "bob@example.com", password: short, from: Self.office)
            else { return #expect(Bool(false)) }
            await #expect(throws: Refusal(.invalid, "password.weak", "")) {
                try await world.signIn.choosePassword(short, pending: pending, from: Self.office)
            }
            guard
                case .done = try await world.signIn.choosePassword(
                    SignInFixture.better, pending: pending, from: Self.office)
            else { return #expect(Bool(false)) }
            _ = try await world.enter("bob@example.com", SignInFixture.better)
        }
    }

    @Test(
        "whoever asks for a new password for somebody ends no link, and one that is used ends all",
        arguments: TestDatabase.engines)
    func links(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            world.setMail(false)
            let byAdministrator = try await signIn.renewLink(
                of: "ann@example.com", tenant: acme.id, by: AccessFixture.local)
            let first = SignInFixture.secret(try #require(byAdministrator.link?.url))
            world.setMail(true)
            var secrets = [first]
            for _ in 0..<2 {
                world.world.time.advance(by: .seconds(SignInLimits.linkMinutes * 60))
                try signIn.forgot(address: "ann@example.com", from: Self.elsewhere)
                await signIn.sendResetLinks()
                secrets.append(try world.mailedSecret())
            }
            #expect(Set(secrets).count == 3)
            for secret in secrets { _ = try await signIn.link(secret) }
            _ = try await signIn.reset(secrets[1], password: SignInFixture.better, from: Self.office)
            for secret in secrets {
                await #expect(throws: Refusal(.notFound, "link.invalid", "")) { try await signIn.link(secret) }
            }
        }
    }

    @Test("who manages the principals of a part of the tenant invites nobody", arguments: TestDatabase.engines)
    func parts(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let local = try await world.world.principal("admin", at: "plant")
            await #expect(throws: Refusal(.notFound, "not.found", "")) {
                try await world.signIn.invite(
                    "eve@example.com", role: "viewer", at: "plant", tenant: world.world.acme.id, by: local)
            }
            let admin = try await world.world.principal("admin")
            _ = try await world.signIn.invite(
                "eve@example.com", role: "viewer", at: "plant", tenant: world.world.acme.id, by: admin)
        }
    }
}
