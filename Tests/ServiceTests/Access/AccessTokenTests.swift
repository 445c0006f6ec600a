import Audit
import Base
import Storage
import Testing
import Trust

@testable import Access

@Suite struct AccessTokenTests {
    @Test("a token stands for its client, and its secret is stored nowhere", arguments: TestDatabase.engines)
    func creation(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let made = try await world.access.createToken(
                role: "viewer", name: "Grafana", tenant: world.acme.id, by: AccessFixture.local)
            let principal = try await world.access.authenticate(bearer: made.secret, address: "192.0.2.7")
            #expect(principal.tenant == world.acme.id && principal.kind == .client)
            #expect(principal.id == made.token.principal && principal.credential?.id == made.token.id)
            #expect(principal.address == "192.0.2.7")
            #expect(Token(made.secret)?.kind == "api")
            let stored = try await world.database.platform.read {
                try $0.acrossTenants.rows("SELECT * FROM credential").flatMap(\.values)
            }
            #expect(!stored.contains(.text(made.secret)) && !stored.contains(.blob(Array(made.secret.utf8))))
            let entry = try #require(try await world.log("token.created", of: world.acme.id).first)
            #expect(!entry.details.canonical.contains(made.secret))
        }
    }

    @Test(
        "a mistyped token is told from a wrong one, and all wrong ones are refused alike",
        arguments: TestDatabase.engines)
    func wrong(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let made = try await world.access.createToken(
                role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            let last = made.secret.last == "a" ? "b" : "a"
            let mistyped = [
                "", "x", String(made.secret.dropLast()) + last, made.secret + " ",
                String(repeating: "a", count: 100_000),
            ]
            let unknown = [
                Token.make(kind: "api").text, Token.make(kind: "enrol").text, Token.make(kind: "access").text,
            ]
            // Which of the two it is, the text alone says; nothing about the tokens that there are.
            for (texts, code) in [(mistyped, "token.malformed"), (unknown, "token.invalid")] {
                for text in texts {
                    await #expect(throws: Refusal(.unauthenticated, code, "")) {
                        try await world.access.authenticate(bearer: text, address: "192.0.2.9")
                    }
                }
            }
        }
    }

    @Test(
        "a revoked token counts nowhere from then on, though somebody still holds its principal",
        arguments: TestDatabase.engines)
    func revocation(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let made = try await world.access.createToken(
                role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            let held = try await world.access.authenticate(bearer: made.secret, address: nil)
            _ = try await world.share("viewer", to: held.id.text, from: world.rival, for: world.acme)
            #expect(try await world.isAllowed(held, .deviceRead))
            #expect(try await world.isAllowed(held, .deviceRead, of: world.rival))
            try await world.access.revokeToken(made.token.id, tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.unauthenticated, "token.invalid", "")) {
                try await world.access.authenticate(bearer: made.secret, address: nil)
            }
            #expect(try await !world.isAllowed(held, .deviceRead))
            #expect(try await !world.isAllowed(held, .deviceRead, of: world.rival))
            try await world.access.revokeToken(made.token.id, tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await world.log("token.revoked", of: world.acme.id).count == 1)
            // Enabling the client again does not bring the token back.
            _ = try await world.access.setActive(
                true, principal: held.id.text, tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await !world.isAllowed(held, .deviceRead))
            // Another tenant's token can not be revoked from here.
            let foreign = try await world.access.createToken(
                role: "viewer", tenant: world.rival.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.notFound, "token.unknown", "")) {
                try await world.access.revokeToken(foreign.token.id, tenant: world.acme.id, by: AccessFixture.local)
            }
        }
    }

    @Test("a token ends at its end, and with its disabled principal", arguments: TestDatabase.engines)
    func ends(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let end = world.time.now + .seconds(60)
            let made = try await world.access.createToken(
                role: "viewer", expires: end, tenant: world.acme.id, by: AccessFixture.local)
            let held = try await world.access.authenticate(bearer: made.secret, address: nil)
            _ = try await world.access.setActive(
                false, principal: held.id.text, tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.unauthenticated, "token.invalid", "")) {
                try await world.access.authenticate(bearer: made.secret, address: nil)
            }
            #expect(try await !world.isAllowed(held, .deviceRead))
            _ = try await world.access.setActive(
                true, principal: held.id.text, tenant: world.acme.id, by: AccessFixture.local)
            _ = try await world.access.authenticate(bearer: made.secret, address: nil)
            world.time.advance(by: .seconds(60))
            await #expect(throws: Refusal(.unauthenticated, "token.invalid", "")) {
                try await world.access.authenticate(bearer: made.secret, address: nil)
            }
            #expect(try await !world.isAllowed(held, .deviceRead))
            await #expect(throws: Refusal(.invalid, "token.expired", "")) {
                try await world.access.createToken(
                    role: "viewer", expires: world.time.now, tenant: world.acme.id, by: AccessFixture.local)
            }
        }
    }

    @Test("last use is written in batches, not per request", arguments: TestDatabase.engines)
    func lastUse(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let made = try await world.access.createToken(
                role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            _ = try await world.access.authenticate(bearer: made.secret, address: nil)
            world.time.advance(by: .seconds(30))
            _ = try await world.access.authenticate(bearer: made.secret, address: nil)
            func lastUsed() async throws -> Timestamp? {
                try await world.access.tokens(tenant: world.acme.id, by: AccessFixture.local).last?.lastUsed
            }
            #expect(try await lastUsed() == nil)
            try await world.access.flushCredentialUse()
            #expect(try await lastUsed() == world.time.now)
        }
    }

    @Test("tokens and principals are listed in pages", arguments: TestDatabase.engines)
    func pages(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            for _ in 0..<5 {
                world.time.advance(by: .milliseconds(1))
                _ = try await world.access.createToken(role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            }
            var tokens: [CredentialID] = []
            repeat {
                let page = try await world.access.tokens(
                    tenant: world.acme.id, after: tokens.last, limit: 2, by: AccessFixture.local)
                if page.isEmpty { break }
                tokens += page.map(\.id)
            } while true
            #expect(tokens.count == 5 && Set(tokens).count == 5)
            var names: [String] = []
            repeat {
                let page = try await world.access.principals(
                    tenant: world.acme.id, after: names.last ?? "", limit: 2, by: AccessFixture.local)
                if page.isEmpty { break }
                names += page.map(\.name)
            } while true
            #expect(names.count == 5 && names == names.sorted())
        }
    }
}
