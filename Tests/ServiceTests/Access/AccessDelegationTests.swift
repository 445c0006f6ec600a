import Base
import Storage
import Testing

@testable import Access

/// Nobody gives what they lack: not more, not elsewhere, not for longer, and not by a detour.
@Suite struct AccessDelegationTests {
    private static let beyond = Refusal(.forbidden, "access.beyondOwn", "")

    /// Somebody who manages principals and sees devices, and no more.
    private static func clerk(_ world: AccessFixture, at domain: String? = nil) async throws -> Principal {
        _ = try await world.access.putRole(
            try #require(Name("clerk")),
            permissions: [
                .principalManage, .principalRead, .deviceRead, .shareManage, .shareRead, .domainManage, .domainRead,
            ],
            tenant: world.acme.id, by: AccessFixture.local)
        return try await world.principal("clerk", at: domain)
    }

    @Test(
        "a role with more than one's own can not be granted, lent, or put into a token", arguments: TestDatabase.engines
    )
    func more(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let clerk = try await Self.clerk(world)
            let access = world.access
            _ = try await access.createPrincipal(
                try #require(Name("ada")), kind: .user, tenant: world.acme.id, by: clerk)
            for role in ["viewer", "operator", "admin"] {
                await #expect(throws: Self.beyond) {
                    try await access.grant(role: role, to: "ada", tenant: world.acme.id, by: clerk)
                }
                await #expect(throws: Self.beyond) {
                    try await access.grant(role: role, to: clerk.id.text, tenant: world.acme.id, by: clerk)
                }
                await #expect(throws: Self.beyond) {
                    try await access.createToken(role: role, tenant: world.acme.id, by: clerk)
                }
                await #expect(throws: Self.beyond) {
                    try await access.offerShare(
                        role: role, to: world.rival.slug, holder: "viewer", ends: world.time.now + .seconds(60),
                        tenant: world.acme.id, by: clerk)
                }
            }
            _ = try await access.grant(
                role: "clerk", to: "ada", reason: "help", tenant: world.acme.id, by: clerk)
            _ = try await access.createToken(role: "clerk", reason: "help", tenant: world.acme.id, by: clerk)
        }
    }

    @Test("a role can not be given at a wider place than one's own", arguments: TestDatabase.engines)
    func wider(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let clerk = try await Self.clerk(world, at: "plant")
            for domain in [nil, "office"] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.access.createToken(role: "clerk", at: domain, tenant: world.acme.id, by: clerk)
                }
                #expect(refusal?.kind == .notFound)
            }
            _ = try await world.access.createToken(
                role: "clerk", at: "plant/hall", reason: "help", tenant: world.acme.id, by: clerk)
        }
    }

    @Test("what one has for a time can be given for no longer", arguments: TestDatabase.engines)
    func longer(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let end = world.time.now + .seconds(3600)
            let passing = try await world.principal("admin", expires: end)
            for expires in [nil, end + .seconds(1)] {
                await #expect(throws: Self.beyond) {
                    try await world.access.createToken(
                        role: "viewer", expires: expires, tenant: world.acme.id, by: passing)
                }
            }
            _ = try await world.access.createToken(role: "viewer", expires: end, tenant: world.acme.id, by: passing)
            await #expect(throws: Self.beyond) {
                try await world.access.putRole(
                    try #require(Name("own")), permissions: [.deviceRead], tenant: world.acme.id, by: passing)
            }
        }
    }

    @Test(
        "a role that others hold can not be widened beyond one's own, nor changed by who has less than it",
        arguments: TestDatabase.engines)
    func roles(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let clerk = try await Self.clerk(world)
            let clerkRole = try #require(Name("clerk"))
            await #expect(throws: Self.beyond) {
                try await world.access.putRole(
                    clerkRole, permissions: [.principalManage, .auditRead], tenant: world.acme.id, by: clerk)
            }
            let strong = try #require(Name("strong"))
            _ = try await world.access.putRole(
                strong, permissions: [.auditRead], tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Self.beyond) {
                try await world.access.putRole(strong, permissions: [], tenant: world.acme.id, by: clerk)
            }
        }
    }

    @Test("a domain can not be moved to where one has more rights", arguments: TestDatabase.engines)
    func moving(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let clerk = try await Self.clerk(world)
            _ = try await world.access.grant(
                role: "admin", to: clerk.id.text, at: "plant", tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await world.isAllowed(clerk, .deviceManage, at: "plant"))
            #expect(try await !world.isAllowed(clerk, .deviceManage, at: "office"))
            await #expect(throws: Refusal(.forbidden, "domain.moveExceeds", "")) {
                try await world.access.changeDomain("office", below: "plant", tenant: world.acme.id, by: clerk)
            }
            _ = try await world.access.changeDomain("plant/hall", below: "office", tenant: world.acme.id, by: clerk)
            #expect(try await !world.isAllowed(clerk, .deviceManage, at: "office/hall"))
        }
    }
}
