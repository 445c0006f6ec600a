import Access
import Audit
import Base
import Storage
import Testing
import Trust

@testable import SignIn

/// What guessing at a directory meets with.
@Suite(
    "Sign-in by a directory: guessing",
    .enabled(if: SystemProgram.isInstalled("slapd"), "install slapd to run these tests"))
struct DirectoryGuessingTests {
    private struct World: Sendable {
        let fixture: SignInFixture
        let directories: Directories
        let pauses: AccessFixture.Recorded<Duration>

        /// Whether somebody is let in; everything else must be the one refusal.
        func lets(_ user: String = "ann", _ password: String = "ann secret", from origin: Origin) async throws -> Bool {
            do {
                _ = try await directories.signIn(
                    "corp", of: fixture.world.acme.slug, user: user, password: password, from: origin)
                return true
            } catch let refusal as Refusal where refusal == SignIn.refused {
                return false
            }
        }

        func wait(_ seconds: Int64) { fixture.world.time.advance(by: .seconds(seconds)) }
    }

    private static func with(
        _ engine: TestDatabase.Engine, locks: Bool = false, _ body: (World) async throws -> Void
    ) async throws {
        try await SignInFixture.with(engine) { fixture in
            try await fixture.world.database.migrate([
                TrustSchema.part, AuditSchema.part, AccessSchema.part, SignInSchema.part, FactorSchema.part,
                DirectorySchema.part,
            ])
            let slapd = try await TestSlapd(fixture.world.directory, locks: locks)
            defer { slapd.stop() }
            let pauses = AccessFixture.Recorded<Duration>()
            let directories = Directories(
                signIn: fixture.signIn, keyRing: fixture.world.keyRing,
                fetch: { _ in FetchAnswer(status: 404, body: []) }, permits: { _ in true }, pause: { pauses.add($0) })
            var draft = DirectoryDraft(
                .ldap(
                    LDAPSettings(
                        server: "ldaps://127.0.0.1:\(slapd.tlsPort)", base: "dc=example",
                        searcher: "cn=reader,dc=example", groupFilter: "(member={dn})",
                        authorities: slapd.authorities)), secret: "reader secret")
            draft.createsAccounts = true
            draft.groups = [GroupRule(group: "cn=staff,dc=example", role: "viewer")]
            _ = try await directories.put(
                #require(Name("corp")), draft, tenant: fixture.world.acme.id, by: AccessFixture.local)
            try await body(World(fixture: fixture, directories: directories, pauses: pauses))
        }
    }

    /// The ways to spell a name that a directory takes for one, and people who there are not.
    private static func spelling(_ number: Int) -> String {
        ["ann", "ANN", " ann", "ann  ", "Ann", "aNN ", "\u{FF41}nn", "nobody"][number % 8]
    }

    @Test(
        "strangers lock nobody out of a directory that locks after five wrong passwords, nor out of here",
        arguments: TestDatabase.engines)
    func victims(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine, locks: true) { (world: World) async throws in
            #expect(try await world.lets(from: SignInFixture.office))
            for number in 0..<60 {
                let origin = Origin(address: "198.18.\(number).1")
                #expect(try await !world.lets(Self.spelling(number), "wrong", from: origin))
            }
            // A right password is none in a strange network now; where they were lately nothing is different.
            #expect(try await !world.lets(from: SignInFixture.elsewhere))
            #expect(try await world.lets(from: SignInFixture.office))
            #expect(try await world.lets(from: Origin(address: "192.0.2.99")))
            #expect(try await !world.lets(from: SignInFixture.elsewhere))
            // Strange networks get their turn.
            world.wait(1801)
            #expect(try await world.lets(from: SignInFixture.elsewhere))
        }
    }

    @Test("who was never here waits while strangers guess, and is not locked there afterwards")
    func newcomers() async throws {
        try await Self.with(.sqlite, locks: true) { (world: World) async throws in
            for number in 0..<20 {
                #expect(try await !world.lets("ann", "wrong", from: Origin(address: "198.18.\(number).1")))
            }
            #expect(try await !world.lets(from: SignInFixture.office))
            world.wait(1801)
            #expect(try await world.lets(from: SignInFixture.office))
            // It would lock: five wrong ones in the person's own network do.
            for _ in 0..<5 { #expect(try await !world.lets("ann", "wrong", from: SignInFixture.office)) }
            world.wait(100_000)
            #expect(try await !world.lets(from: SignInFixture.office))
        }
    }

    @Test(
        "from one network guesses at a person are delayed, however the name is spelt", arguments: TestDatabase.engines)
    func delayed(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { (world: World) async throws in
            #expect(try await world.lets(from: SignInFixture.office))
            for number in 0..<12 {
                #expect(try await !world.lets(Self.spelling(number), "wrong", from: SignInFixture.office))
            }
            #expect(try await !world.lets(from: SignInFixture.office), "even with the right password")
            world.wait(900)
            #expect(try await world.lets(from: SignInFixture.office))
            // What was right forgets what was wrong.
            for _ in 0..<3 { #expect(try await !world.lets("ann", "wrong", from: SignInFixture.office)) }
            #expect(try await world.lets(from: SignInFixture.office))
        }
    }

    @Test("a network has a budget over all people of a directory, and who is let in takes nothing from it")
    func budget() async throws {
        try await Self.with(.sqlite) { (world: World) async throws in
            for _ in 0..<70 { #expect(try await world.lets(from: SignInFixture.office)) }
            for number in 0..<60 {
                #expect(try await !world.lets("person\(number)", "spring", from: SignInFixture.office))
            }
            await #expect(throws: Refusal(.limited, "signin.limited", "")) {
                try await world.lets("person60", "spring", from: SignInFixture.office)
            }
        }
    }

    @Test("a right password that has no account here is no guess")
    func strangers() async throws {
        try await Self.with(.sqlite) { (world: World) async throws in
            for _ in 0..<8 {
                await #expect(throws: Directories.refused) {
                    try await world.lets("bob", "bob secret", from: SignInFixture.office)
                }
            }
        }
    }

    @Test("unknown, delayed and wrong are answered at a full step of time")
    func timing() async throws {
        try await Self.with(.sqlite) { (world: World) async throws in
            for (number, user) in ["ann", "nobody", "ann", "ann", "ann", "ann", "ann\0", "ann"].enumerated() {
                #expect(try await !world.lets(user, "wrong", from: SignInFixture.office))
                #expect(world.pauses.all.count == number + 1)
            }
            #expect(world.pauses.all.allSatisfy { $0 > .zero && $0 <= .microseconds(DirectoryLimits.refusalStep) })
            world.wait(1801)
            #expect(try await world.lets(from: SignInFixture.office))
            #expect(world.pauses.all.count == 8, "who is right does not wait")
        }
    }
}
