import Access
import Audit
import Base
import Storage
import Testing

@testable import SignIn

@Suite("Signing in")
struct SignInBeginTests {
    @Test("the right password opens a session, and the log tells of it", arguments: TestDatabase.engines)
    func opens(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let account = try await world.account()
            let (secret, signedIn) = try await world.enter("Ann@Example.com")
            #expect(signedIn.account.principal == account.principal && signedIn.tenant.id == world.world.acme.id)
            #expect(signedIn.principal.credential?.kind == .session && signedIn.csrfKey.count == 64)
            #expect(!secret.contains(signedIn.csrfKey))
            #expect(try await world.world.isAllowed(signedIn.principal, .principalManage))
            let entries = try await world.world.log("session.opened", of: world.world.acme.id)
            #expect(entries.count == 2 && entries.allSatisfy { $0.actor.id == account.principal.text })
            let entry = try #require(entries.first { $0.actor.credential == signedIn.session.text })
            #expect(entry.actor.address == "192.0.2.10" && entry.object.id == signedIn.session.text)
            let again = try await world.enter()
            #expect(again.secret != secret && again.signedIn.session != signedIn.session)
            #expect(again.signedIn.csrfKey != signedIn.csrfKey)
        }
    }

    @Test(
        "whatever is wrong has one answer after the same work, and changes nothing", arguments: TestDatabase.engines)
    func oneAnswer(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let acme = world.world.acme
            _ = try await world.account()
            _ = try await world.signIn.invite(
                "invited@example.com", role: "viewer", tenant: acme.id, by: AccessFixture.local)
            let off = try await world.account("off@example.com")
            _ = try await world.signIn.setActive(
                false, user: off.address.text, tenant: acme.id, by: AccessFixture.local)
            let far = try await world.account("far@example.com")
            _ = try await world.signIn.changeAccount(
                far.address.text, addressRanges: [try #require(AddressRange("10.0.0.0/8"))], tenant: acme.id,
                by: AccessFixture.local)
            for _ in 0..<6 { _ = await world.refusal("locked@example.com", "x", from: SignInFixture.elsewhere) }
            _ = try await world.account("two@example.com")
            _ = try await world.account("two@example.com", of: world.world.rival)
            let good = SignInFixture.good
            let cases: [(String, String, TenantSlug?, Origin)] = [
                ("ann@example.com", "wrong", nil, SignInFixture.office),
                ("ann@example.com", "", nil, SignInFixture.office),
                ("ann@example.com", String(repeating: "long ", count: 10_000), nil, SignInFixture.office),
                ("ann@example.com", good, TenantSlug("rival"), SignInFixture.office),
                ("ann@example.com", good, TenantSlug("nowhere"), SignInFixture.office),
                ("ann@example.com", good, nil, Origin(address: "192.0.2.10", realm: .platform)),
                ("nobody@example.com", good, nil, SignInFixture.office),
                ("no address at all", good, nil, SignInFixture.office),
                ("", good, nil, SignInFixture.office),
                ("invited@example.com", "", nil, SignInFixture.office),
                ("off@example.com", good, nil, SignInFixture.office),
                ("far@example.com", good, nil, SignInFixture.office),
                ("two@example.com", good, nil, SignInFixture.office),
                ("locked@example.com", good, nil, SignInFixture.elsewhere),
            ]
            var answers: Set<String> = []
            let before = try await world.world.count("credential", of: acme.id, "owner")
            for (address, password, organisation, origin) in cases {
                let computed = world.signIn.hashing.computations
                let refusal = await world.refusal(address, password, organisation: organisation, from: origin)
                answers.insert(
                    "\(refusal?.kind.rawValue ?? "none") \(refusal?.description ?? "") \(refusal?.retryAfter as Any)")
                #expect(world.signIn.hashing.computations == computed + 1, "\(address)")
            }
            #expect(answers.count == 1, "\(answers)")
            #expect(answers.first?.hasPrefix("unauthenticated signin.refused") == true)
            #expect(try await world.world.count("credential", of: acme.id, "owner") == before)
            _ = try await world.enter("two@example.com", organisation: acme.slug)
            // One entry stands for many, by source and account.
            let refused = try await world.world.log("signin.refused", of: acme.id)
            #expect(refused.contains { $0.object.kind == "account" && $0.actor.kind == .unknown })
        }
    }

    @Test("a network that has tried too much is told so before any work is done")
    func limited() async throws {
        try await SignInFixture.with(.sqlite) { world in
            var codes: [String] = []
            for number in 0..<70 {
                codes.append(await world.refusal("user\(number)@example.com", "x")?.code ?? "none")
            }
            let computed = world.signIn.hashing.computations
            #expect(codes.prefix(60).allSatisfy { $0 == "signin.refused" })
            #expect(codes.suffix(10).allSatisfy { $0 == "signin.limited" } && computed == 60)
            #expect(throws: Refusal(.limited, "signin.limited", "")) {
                try world.signIn.forgot(address: "ann@example.com", from: SignInFixture.office)
            }
        }
    }

    @Test(
        "guessing from one network does not keep the holder in another from signing in", arguments: TestDatabase.engines
    )
    func victim(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            for _ in 0..<30 { _ = await world.refusal("ann@example.com", "guess", from: SignInFixture.elsewhere) }
            #expect(
                await world.refusal("ann@example.com", SignInFixture.good, from: SignInFixture.elsewhere)?.code
                    == "signin.refused")
            _ = try await world.enter()
            world.world.time.advance(by: .seconds(1000))
            _ = try await world.enter(from: SignInFixture.elsewhere)
        }
    }

    @Test("a hash of another cost is computed anew at the next sign-in", arguments: TestDatabase.engines)
    func rehash(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let account = try await world.account()
            let old = PasswordHashing(cost: PasswordCost(memory: 32, passes: 1))
            let text = try await old.hash(Password(SignInFixture.good))
            try await world.world.database.tenant(account.tenant).write { tx -> Void in
                try AccountRow.replaceHash(text, of: account, in: tx)
            }
            _ = try await world.enter()
            let hash = try await world.world.database.tenant(account.tenant).read { tx in
                try AccountRow.find(account.principal, tenant: account.tenant, in: tx)?.hash
            }
            #expect(hash?.hasPrefix("$argon2id$v=19$m=64,") == true)
            _ = try await world.enter()
        }
    }

    @Test("a second factor stands between the password and the session", arguments: TestDatabase.engines)
    func factor(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            world.setDemand(.factor([.totp, .recovery]))
            let office = SignInFixture.office
            guard
                case .factor(let pending, let methods) = try await world.signIn.begin(
                    address: "ann@example.com", password: SignInFixture.good, from: office)
            else { return #expect(Bool(false)) }
            #expect(methods == [.totp, .recovery])
            guard case .factor = try await world.signIn.finish(pending, from: office) else {
                return #expect(Bool(false), "nothing was proved yet")
            }
            let database = world.world.database
            let signIn = world.signIn
            // What was proved counts only when it is asked for, and only on the same side of the house.
            try await database.platform.write { try signIn.satisfy(pending, with: .sms, in: $0) }
            guard case .factor = try await signIn.finish(pending, from: office) else { return #expect(Bool(false)) }
            await #expect(throws: SignIn.pendingEnded) {
                try await signIn.finish(pending, from: Origin(address: "192.0.2.10", realm: .platform))
            }
            try await database.platform.write { try signIn.satisfy(pending, with: .totp, in: $0) }
            guard case .done(let secret) = try await signIn.finish(pending, from: office) else {
                return #expect(Bool(false))
            }
            #expect(try await signIn.session(secret.text, from: office).factors == [.totp, .sms])
            // It is used up.
            await #expect(throws: SignIn.pendingEnded) { try await signIn.finish(pending, from: office) }
        }
    }

    @Test("a sign-in that waits ends after ten minutes, and few may wait at once", arguments: TestDatabase.engines)
    func pendingEnds(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            world.setDemand(.factor([.totp]))
            var waiting: [PendingSecret] = []
            for _ in 0..<12 {
                let step = try await world.signIn.begin(
                    address: "ann@example.com", password: SignInFixture.good, from: SignInFixture.office)
                if case .factor(let pending, _) = step { waiting.append(pending) }
                world.world.time.advance(by: .seconds(1))
            }
            #expect(waiting.count == 12)
            #expect(try await world.world.count("pending_sign_in", of: world.world.acme.id, "owner") == 10)
            let (first, last) = (try #require(waiting.first), try #require(waiting.last))
            await #expect(throws: SignIn.pendingEnded) {
                try await world.signIn.finish(first, from: SignInFixture.office)
            }
            world.world.time.advance(by: .seconds(600))
            await #expect(throws: SignIn.pendingEnded) {
                try await world.signIn.finish(last, from: SignInFixture.office)
            }
            try await world.signIn.removeEnded()
            #expect(try await world.world.count("pending_sign_in", of: world.world.acme.id, "owner") == 0)
            #expect(PendingSecret("tg_session_x") == nil && PendingSecret("") == nil)
        }
    }

    @Test("a new password is asked for after the factor, and only then taken", arguments: TestDatabase.engines)
    func newPassword(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let account = try await world.account()
            let office = SignInFixture.office
            _ = try await world.signIn.changeAccount(
                account.address.text, mustChangePassword: true, tenant: account.tenant, by: AccessFixture.local)
            world.setDemand(.factor([.totp]))
            guard
                case .factor(let pending, _) = try await world.signIn.begin(
                    address: account.address.text, password: SignInFixture.good, from: office)
            else { return #expect(Bool(false)) }
            await #expect(throws: SignIn.pendingEnded) {
                try await world.signIn.choosePassword(SignInFixture.better, pending: pending, from: office)
            }
            let signIn = world.signIn
            try await world.world.database.platform.write { try signIn.satisfy(pending, with: .totp, in: $0) }
            guard case .newPassword(let same) = try await signIn.finish(pending, from: office),
                same.text == pending.text
            else { return #expect(Bool(false)) }
            await #expect(throws: Refusal(.invalid, "password.weak", "")) {
                try await signIn.choosePassword("short", pending: pending, from: office)
            }
            guard
                case .done = try await signIn.choosePassword(SignInFixture.better, pending: pending, from: office)
            else { return #expect(Bool(false)) }
            world.setDemand(.none)
            _ = try await world.enter("ann@example.com", SignInFixture.better)
            #expect(await world.refusal("ann@example.com", SignInFixture.good)?.code == "signin.refused")
        }
    }
}
