import Access
import Audit
import Base
import Storage
import Testing
import Trust

@testable import SignIn

@Suite("Accounts and links")
struct SignInAccountTests {
    private static let office = SignInFixture.office

    @Test("an invitation goes by mail, or is shown once when there is no mail server", arguments: TestDatabase.engines)
    func invitation(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            let mailed = try await signIn.invite(
                "Bob@Example.com", role: "viewer", at: "plant", tenant: acme.id, by: AccessFixture.local)
            #expect(mailed.link == nil && mailed.account.status == .invited && mailed.account.name == "bob")
            #expect(world.mails.all.last?.to.text == "bob@example.com")
            let first = try world.mailedSecret()
            world.setMail(false)
            let shown = try await signIn.renewLink(of: "bob@example.com", tenant: acme.id, by: AccessFixture.local)
            let url = try #require(shown.link?.url)
            #expect(url.hasPrefix("https://people.example:8443/invitation?link=tg_invitation_"))
            // The one before counts no longer, and neither is stored.
            await #expect(throws: SignIn.linkInvalid) { try await signIn.link(first) }
            let secret = SignInFixture.secret(url)
            let stored = try await world.world.database.platform.read {
                try $0.acrossTenants.rows("SELECT * FROM account_link").flatMap(\.values)
            }
            #expect(!stored.contains(.text(secret)) && !stored.contains(.blob(Array(secret.utf8))))
            #expect(try await signIn.link(secret).account?.address.text == "bob@example.com")
            #expect(try await signIn.passwordRules(link: secret).profile == .nist)
            await #expect(throws: Refusal(.invalid, "password.weak", "")) {
                try await signIn.accept(secret, password: "bob@example.com!", from: Self.office)
            }
            guard
                case .done(let session) = try await signIn.accept(
                    secret, name: "Bob Builder", password: SignInFixture.good, from: Self.office)
            else { return #expect(Bool(false)) }
            let signedIn = try await signIn.session(session.text, from: Self.office)
            #expect(signedIn.account.name == "Bob Builder" && signedIn.account.status == .active)
            #expect(try await world.world.isAllowed(signedIn.principal, .deviceRead, at: "plant"))
            #expect(try await !world.world.isAllowed(signedIn.principal, .deviceRead, at: "office"))
            await #expect(throws: SignIn.linkInvalid) {
                try await signIn.accept(secret, password: SignInFixture.better, from: Self.office)
            }
            for (code, count) in [
                ("account.invited", 1), ("account.activated", 1), ("link.made", 2), ("link.used", 1),
                ("password.changed", 1),
            ] {
                #expect(try await world.world.log(code, of: acme.id).count == count, "\(code)")
            }
        }
    }

    @Test("only who manages principals invites, and nobody gives what they lack", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme, rival) = (world.signIn, world.world.acme, world.world.rival)
            let viewer = try await world.world.principal("viewer")
            let foreign = try await world.world.principal("admin", of: rival)
            for principal in [viewer, foreign] {
                await #expect(throws: Refusal(.notFound, "not.found", "")) {
                    try await signIn.invite("x@example.com", role: "viewer", tenant: acme.id, by: principal)
                }
                await #expect(throws: Refusal.self) { try await signIn.accounts(tenant: acme.id, by: principal) }
            }
            _ = try await world.world.access.putRole(
                try #require(Name("inviter")), permissions: [.principalRead, .principalManage, .deviceRead],
                tenant: acme.id, by: AccessFixture.local)
            let inviter = try await world.world.principal("inviter")
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await signIn.invite("x@example.com", role: "admin", tenant: acme.id, by: inviter)
            }
            // Who could read an administrator's link could become one.
            let ann = try await world.account()
            world.setMail(false)
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await signIn.renewLink(of: ann.address.text, tenant: acme.id, by: inviter)
            }
            #expect(try await signIn.accounts(tenant: acme.id, by: inviter).map(\.address.text) == ["ann@example.com"])
            await #expect(throws: Refusal(.conflict, "account.exists", "")) {
                try await signIn.invite("ANN@example.com", role: "viewer", tenant: acme.id, by: AccessFixture.local)
            }
            await #expect(throws: Refusal(.invalid, "account.address", "")) {
                try await signIn.invite("ann", role: "viewer", tenant: acme.id, by: AccessFixture.local)
            }
            // The same person may have an account elsewhere.
            _ = try await signIn.invite("ann@example.com", role: "viewer", tenant: rival.id, by: AccessFixture.local)
        }
    }

    @Test("a link is used once, also when two follow it at the same time", arguments: TestDatabase.engines)
    func once(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            world.setMail(false)
            let made = try await world.signIn.invite(
                "bob@example.com", role: "viewer", tenant: world.world.acme.id, by: AccessFixture.local)
            let secret = SignInFixture.secret(try #require(made.link?.url))
            let signIn = world.signIn
            let done = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        (try? await signIn.accept(
                            secret, password: "correct horse battery \(number)", from: Self.office)) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(done == 1)
        }
    }

    @Test("links end: an hour for a new password, a week for an invitation", arguments: TestDatabase.engines)
    func expiry(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            world.setMail(false)
            let reset = try #require(
                try await signIn.renewLink(of: "ann@example.com", tenant: acme.id, by: AccessFixture.local).link)
            #expect(reset.url.contains("/new-password?link="))
            world.world.time.advance(by: .seconds(3600))
            await #expect(throws: SignIn.linkInvalid) {
                try await signIn.reset(
                    SignInFixture.secret(reset.url), password: SignInFixture.better, from: Self.office)
            }
            // An invitation's link is none to a new password.
            let invited = try #require(
                try await signIn.invite("bob@example.com", role: "viewer", tenant: acme.id, by: AccessFixture.local)
                    .link)
            let secret = SignInFixture.secret(invited.url)
            await #expect(throws: SignIn.linkInvalid) {
                try await signIn.reset(secret, password: SignInFixture.better, from: Self.office)
            }
            await #expect(throws: SignIn.linkInvalid) { try await signIn.link(secret, realm: .platform) }
            world.world.time.advance(by: .seconds(7 * 86_400 - 1))
            _ = try await signIn.link(secret)
            world.world.time.advance(by: .seconds(1))
            await #expect(throws: SignIn.linkInvalid) { try await signIn.link(secret) }
            for text in ["", "x", Token.make(kind: "invitation").text, String(repeating: "a", count: 100_000)] {
                await #expect(throws: SignIn.linkInvalid) { try await signIn.link(text) }
            }
        }
    }

    @Test(
        "a forgotten password: the same answer always, one mail in a while, and all sessions end",
        arguments: TestDatabase.engines)
    func forgotten(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            let (old, _) = try await world.enter()
            let count = world.mails.all.count
            for address in ["nobody@example.com", "x", "", "ann@example.com", "ANN@example.com"] {
                try signIn.forgot(address: address, from: Self.office)
            }
            #expect(world.mails.all.count == count)
            await signIn.sendResetLinks()
            try signIn.forgot(address: "ann@example.com", from: Self.office)
            await signIn.sendResetLinks()
            #expect(world.mails.all.count == count + 1)
            guard
                case .done(let fresh) = try await signIn.reset(
                    world.mailedSecret(), password: SignInFixture.better, from: Self.office)
            else { return #expect(Bool(false)) }
            await #expect(throws: Refusal(.unauthenticated, "session.invalid", "")) {
                try await signIn.session(old, from: Self.office)
            }
            _ = try await signIn.session(fresh.text, from: Self.office)
            #expect(await world.refusal("ann@example.com", SignInFixture.good)?.code == "signin.refused")
            _ = try await world.enter("ann@example.com", SignInFixture.better)
            let made = try await world.world.log("link.made", of: acme.id)
            #expect(made.contains { $0.actor.kind == .unknown && $0.actor.address == "192.0.2.10" })
            // Without a mail server there is no link.
            world.world.time.advance(by: .seconds(3600))
            world.setMail(false)
            let links = try await world.world.count("account_link", of: acme.id, "owner")
            try signIn.forgot(address: "ann@example.com", from: Self.office)
            await signIn.sendResetLinks()
            #expect(try await world.world.count("account_link", of: acme.id, "owner") == links)
        }
    }

    @Test("one tenant's full queue or failing database costs nobody else a link", arguments: TestDatabase.engines)
    func forgottenBesideFaults(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            _ = try await world.account("bo@example.com", of: world.world.rival)
            func ask() async throws -> [String] {
                let count = world.mails.all.count
                for address in ["ann@example.com", "bo@example.com"] {
                    try signIn.forgot(address: address, from: Self.office)
                }
                await signIn.sendResetLinks()
                return world.mails.all.dropFirst(count).map(\.to.text)
            }
            world.setFault(Refusal(.limited, "delivery.full", "10000 wait."), of: acme.id)
            #expect(try await ask() == ["bo@example.com"])
            world.setFault(nil, of: acme.id)
            let count = world.mails.all.count
            await signIn.sendResetLinks()
            #expect(world.mails.all.count == count, "a refusal is an answer")
            world.world.time.advance(by: .seconds(3600))
            world.setFault(CancellationError(), of: acme.id)
            #expect(try await ask() == ["bo@example.com"])
            world.setFault(nil, of: acme.id)
            await signIn.sendResetLinks()
            #expect(world.mails.all.last?.to.text == "ann@example.com", "what the database failed is tried again")
        }
    }

    @Test("one's own password is changed by who knows it, and ends the other sessions", arguments: TestDatabase.engines)
    func change(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            _ = try await world.account()
            let (other, _) = try await world.enter()
            let (own, signedIn) = try await world.enter()
            let signIn = world.signIn
            await #expect(throws: Refusal(.forbidden, "password.wrong", "")) {
                try await signIn.changePassword(
                    from: "wrong", to: SignInFixture.better, by: signedIn.principal, origin: Self.office)
            }
            await #expect(throws: Refusal(.invalid, "password.weak", "")) {
                try await signIn.changePassword(
                    from: SignInFixture.good, to: "short", by: signedIn.principal, origin: Self.office)
            }
            try await signIn.changePassword(
                from: SignInFixture.good, to: SignInFixture.better, by: signedIn.principal, origin: Self.office)
            _ = try await signIn.session(own, from: Self.office)
            await #expect(throws: Refusal(.unauthenticated, "session.invalid", "")) {
                try await signIn.session(other, from: Self.office)
            }
            #expect(world.mails.all.last?.subject == "Your password was changed")
            #expect(try await world.world.log("password.changed", of: world.world.acme.id).count == 2)
            let denied = try await world.world.log("access.denied", of: world.world.acme.id)
            #expect(denied.map(\.actor.credential) == [signedIn.session.text])
        }
    }

    @Test("the set-up link makes the first administrator of a new server, once", arguments: TestDatabase.engines)
    func setUp(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let signIn = world.signIn
            #expect(try await signIn.isNew())
            let stranger = try await world.world.principal("admin")
            await #expect(throws: Refusal.self) { try await signIn.setUpLink(by: stranger) }
            let old = try await signIn.setUpLink(by: AccessFixture.local)
            let link = try await signIn.setUpLink(by: AccessFixture.local)
            #expect(link.url.hasPrefix("https://people.example:8443/set-up?link=tg_setup_"))
            let secret = SignInFixture.secret(link.url)
            let first = FirstAdministrator(
                address: "root@example.com", name: "Rita Root", password: SignInFixture.good,
                organisation: "Wind & Wave GmbH")
            await #expect(throws: SignIn.linkInvalid) {
                try await signIn.setUp(SignInFixture.secret(old.url), first, from: Self.office)
            }
            let taken = FirstAdministrator(
                address: "root@example.com", password: SignInFixture.good, organisation: "Platform")
            await #expect(throws: Refusal(.invalid, "tenant.slug", "")) {
                try await signIn.setUp(secret, taken, from: Self.office)
            }
            guard case .done(let session) = try await signIn.setUp(secret, first, from: Self.office) else {
                return #expect(Bool(false))
            }
            let signedIn = try await signIn.session(session.text, from: Self.office)
            #expect(signedIn.tenant.slug.text == "wind-wave-gmbh" && signedIn.tenant.name == "Wind & Wave GmbH")
            #expect(try await world.world.isAllowed(signedIn.principal, .principalManage, of: signedIn.tenant))
            #expect(try await !world.world.isAllowed(signedIn.principal, .platformManage))
            #expect(try await !signIn.isNew())
            await #expect(throws: SignIn.linkInvalid) { try await signIn.setUp(secret, first, from: Self.office) }
            await #expect(throws: Refusal(.conflict, "setup.done", "")) {
                try await signIn.setUpLink(by: AccessFixture.local)
            }
            #expect(try await !signIn.setUp(first))
        }
    }

    @Test("without a person the configuration names the first administrator", arguments: TestDatabase.engines)
    func headless(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let signIn = world.signIn
            let link = try await signIn.setUpLink(by: AccessFixture.local)
            let weak = FirstAdministrator(address: "root@example.com", password: "changeme", organisation: "Acme")
            await #expect(throws: Refusal(.invalid, "password.weak", "")) { try await signIn.setUp(weak) }
            // The organisation is there already and is taken up.
            let first = FirstAdministrator(
                address: "root@example.com", password: SignInFixture.good, organisation: "Acme")
            #expect(try await signIn.setUp(first))
            let (_, signedIn) = try await world.enter("root@example.com")
            #expect(signedIn.tenant.id == world.world.acme.id)
            await #expect(throws: SignIn.linkInvalid) { try await signIn.link(SignInFixture.secret(link.url)) }
        }
    }

    @Test("the platform's staff come in by their own door only", arguments: TestDatabase.engines)
    func realms(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let signIn = world.signIn
            world.setMail(false)
            let made = try await signIn.invite(
                "staff@example.com", role: "platform-admin", tenant: .platform, by: AccessFixture.local)
            let url = try #require(made.link?.url)
            #expect(url.hasPrefix("https://staff.example:8446/invitation?link="))
            let door = Origin(address: "192.0.2.10", realm: .platform)
            let secret = SignInFixture.secret(url)
            await #expect(throws: SignIn.linkInvalid) {
                try await signIn.accept(secret, password: SignInFixture.good, from: Self.office)
            }
            guard case .done(let session) = try await signIn.accept(secret, password: SignInFixture.good, from: door)
            else { return #expect(Bool(false)) }
            let signedIn = try await signIn.session(session.text, from: door)
            #expect(try await world.world.isAllowed(signedIn.principal, .tenantManage, of: world.world.acme) == false)
            await #expect(throws: Refusal(.unauthenticated, "session.invalid", "")) {
                try await signIn.session(session.text, from: Self.office)
            }
            #expect(await world.refusal("staff@example.com", SignInFixture.good)?.code == "signin.refused")
            _ = try await world.enter("staff@example.com", from: door)
            // A server whose only account is the platform's is still new to the people.
            #expect(try await signIn.isNew())
        }
    }

    @Test("a deleted tenant leaves nothing behind", arguments: TestDatabase.engines)
    func purge(engine: TestDatabase.Engine) async throws {
        try await SignInFixture.with(engine) { world in
            let (signIn, acme) = (world.signIn, world.world.acme)
            _ = try await world.account()
            _ = try await world.account("ann@example.com", of: world.world.rival)
            _ = try await signIn.renewLink(of: "ann@example.com", tenant: acme.id, by: AccessFixture.local)
            try await signIn.putPolicy(.standard, tenant: acme.id, by: AccessFixture.local)
            try await signIn.purge(acme.id)
            for (table, column) in [
                ("account", "tenant"), ("sign_in_session", "tenant"), ("sign_in_policy", "tenant"),
                ("account_link", "owner"), ("pending_sign_in", "owner"),
            ] {
                #expect(try await world.world.count(table, of: acme.id, column) == 0, "\(table)")
            }
            _ = try await world.enter()
        }
    }
}
