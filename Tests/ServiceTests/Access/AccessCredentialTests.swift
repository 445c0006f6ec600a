import Audit
import Base
import Storage
import Testing
import Trust

@testable import Access

@Suite struct AccessCredentialTests {
    /// A person of acme's with a role, who has no credential yet.
    private static func person(_ world: AccessFixture, _ role: String = "operator") async throws -> PrincipalInfo {
        let name = try #require(Name("ada-\(CredentialID(now: world.time.now).text.suffix(6))"))
        let made = try await world.access.createPrincipal(
            name, kind: .user, tenant: world.acme.id, by: AccessFixture.local)
        _ = try await world.access.grant(role: role, to: made.id.text, tenant: world.acme.id, by: AccessFixture.local)
        return made
    }

    private static func open(
        _ world: AccessFixture, _ kind: Credential.Kind, of principal: PrincipalID,
        _ change: @Sendable (inout CredentialDraft) -> Void = { _ in }
    ) async throws -> (info: CredentialInfo, secret: String) {
        var draft = CredentialDraft(kind, of: principal, tenant: world.acme.id, name: "test")
        change(&draft)
        let wanted = draft
        return try await world.database.tenant(world.acme.id).write { tx in
            let made = try world.access.open(wanted, in: tx)
            return (made.info, made.secret.text)
        }
    }

    private static func proof(
        _ world: AccessFixture, _ kind: Credential.Kind, _ secret: String, from address: String? = "192.0.2.7"
    ) async throws -> Principal {
        kind == .session
            ? try await world.access.authenticate(session: secret, address: address)
            : try await world.access.authenticate(bearer: secret, address: address)
    }

    @Test("each kind of credential opens its own door only", arguments: TestDatabase.engines)
    func doors(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let ada = try await Self.person(world)
            for kind in Credential.Kind.allCases {
                let made = try await Self.open(world, kind, of: ada.id)
                let principal = try await Self.proof(world, kind, made.secret)
                #expect(principal.id == ada.id && principal.credential?.kind == kind)
                #expect(try await world.isAllowed(principal, .deviceManage))
                await #expect(throws: Refusal.self) {
                    try await Self.proof(world, kind == .session ? .token : .session, made.secret)
                }
            }
        }
    }

    @Test("a limit takes from what its principal holds and adds nothing", arguments: TestDatabase.engines)
    func limit(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let ada = try await Self.person(world, "viewer")
            let made = try await Self.open(world, .token, of: ada.id) { $0.permissions = [.deviceRead, .deviceManage] }
            let principal = try await Self.proof(world, .token, made.secret)
            #expect(principal.credential?.permissions == [.deviceRead, .deviceManage])
            #expect(try await world.isAllowed(principal, .deviceRead))
            #expect(try await !world.isAllowed(principal, .deviceManage))
            #expect(try await !world.isAllowed(principal, .telemetryRead))
            // Through a share, too.
            _ = try await world.share("operator", to: ada.id.text, from: world.rival, for: world.acme)
            #expect(try await world.isAllowed(principal, .deviceManage, of: world.rival))
            #expect(try await !world.isAllowed(principal, .telemetryRead, of: world.rival))
            let nothing = try await Self.open(world, .token, of: ada.id) { $0.permissions = [] }
            let idle = try await Self.proof(world, .token, nothing.secret)
            #expect(try await !world.isAllowed(idle, .deviceRead))
        }
    }

    @Test("a credential counts from its address ranges only, and from nowhere without an address")
    func addresses() async throws {
        try await AccessFixture.with(.sqlite) { world in
            let ada = try await Self.person(world)
            let ranges = try ["192.0.2.0/24", "2001:db8::/32"].map { try #require(AddressRange($0)) }
            let made = try await Self.open(world, .token, of: ada.id) { $0.addresses = ranges }
            for address in ["192.0.2.200", "2001:db8::7", "::ffff:192.0.2.1"] {
                _ = try await Self.proof(world, .token, made.secret, from: address)
            }
            for address in ["192.0.3.1", "2001:db9::1", "", nil, "host"] {
                await #expect(throws: Refusal(.unauthenticated, "token.invalid", "")) {
                    try await Self.proof(world, .token, made.secret, from: address)
                }
            }
        }
    }

    @Test("a session that is not used ends, and use keeps it until its absolute end", arguments: TestDatabase.engines)
    func idle(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let ada = try await Self.person(world)
            let end = world.time.now + .seconds(3600)
            let made = try await Self.open(world, .session, of: ada.id) { draft in
                draft.idle = .seconds(600)
                draft.expires = end
            }
            let held = try await Self.proof(world, .session, made.secret)
            for _ in 0..<5 {
                world.time.advance(by: .seconds(599))
                _ = try await Self.proof(world, .session, made.secret)
                // Whether its use has been written makes no difference.
                try await world.access.flushCredentialUse()
            }
            #expect(try await world.isAllowed(held, .deviceRead))
            // A page that merely stays open is no use.
            world.time.advance(by: .seconds(599))
            _ = try await world.access.authenticate(session: made.secret, address: nil, isUse: false)
            world.time.advance(by: .seconds(6))
            await #expect(throws: Refusal(.unauthenticated, "session.invalid", "")) {
                try await Self.proof(world, .session, made.secret)
            }
            let other = try await Self.open(world, .session, of: ada.id) { $0.idle = .seconds(60) }
            let forgotten = try await Self.proof(world, .session, other.secret)
            world.time.advance(by: .seconds(60 + AccessLimits.useSeconds + 1))
            #expect(try await !world.isAllowed(forgotten, .deviceRead))
        }
    }

    @Test("ended credentials count nowhere, the others stay, and the end is told", arguments: TestDatabase.engines)
    func ends(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let ada = try await Self.person(world)
            let bob = try await Self.person(world)
            let first = try await Self.open(world, .session, of: ada.id)
            let second = try await Self.open(world, .session, of: ada.id)
            let token = try await Self.open(world, .token, of: ada.id)
            let other = try await Self.open(world, .session, of: bob.id)
            let held = try await Self.proof(world, .session, second.secret)
            let told = world.endedCredentials.all.count
            let ended = try await world.database.tenant(world.acme.id).write { tx in
                try world.access.endAll(
                    of: ada.id, tenant: world.acme.id, kinds: [.session], except: first.info.id, in: tx)
            }
            #expect(ended.map(\.id) == [second.info.id])
            #expect(world.endedCredentials.all.dropFirst(told) == [ada.id])
            #expect(try await !world.isAllowed(held, .deviceRead))
            for (kind, secret) in [(.session, first.secret), (.token, token.secret), (.session, other.secret)]
                as [(Credential.Kind, String)]
            {
                _ = try await Self.proof(world, kind, secret)
            }
            // Another tenant ends nothing here.
            let foreign = try await world.database.tenant(world.rival.id).write { tx in
                try world.access.end(first.info.id, of: world.rival.id, in: tx)
            }
            #expect(foreign == nil)
            // Disabling somebody ends their sessions for good.
            _ = try await world.access.setActive(
                false, principal: ada.id.text, tenant: world.acme.id, by: AccessFixture.local)
            _ = try await world.access.setActive(
                true, principal: ada.id.text, tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal.self) { try await Self.proof(world, .session, first.secret) }
            _ = try await Self.proof(world, .token, token.secret)
        }
    }

    @Test("ended credentials are kept for a while and then removed", arguments: TestDatabase.engines)
    func removal(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let ada = try await Self.person(world)
            _ = try await Self.open(world, .access, of: ada.id) { $0.expires = world.time.now + .seconds(60) }
            _ = try await Self.open(world, .session, of: ada.id) { $0.idle = .seconds(60) }
            _ = try await Self.open(world, .token, of: ada.id)
            func left() async throws -> Int { try await world.count("credential", of: world.acme.id, "owner") }
            try await world.access.removeEndedCredentials()
            #expect(try await left() == 3)
            world.time.advance(by: .seconds(8 * 86_400))
            try await world.access.removeEndedCredentials()
            #expect(try await left() == 2)
            world.time.advance(by: .seconds(400 * 86_400))
            try await world.access.removeEndedCredentials()
            #expect(try await left() == 1)
        }
    }
}
