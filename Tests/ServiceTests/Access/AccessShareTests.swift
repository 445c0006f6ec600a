import Audit
import Base
import Storage
import Testing

@testable import Access

@Suite struct AccessShareTests {
    @Test("a share counts from acceptance to its end, for its role and place only", arguments: TestDatabase.engines)
    func life(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let mechanic = try await world.principal("viewer", of: world.rival)
            let admin = try await world.principal("admin", of: world.rival)
            let offered = try await world.access.offerShare(
                role: "operator", at: "plant", to: world.rival.slug, holder: mechanic.id.text,
                ends: world.time.now + .seconds(3600), tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await !world.isAllowed(mechanic, .deviceManage, at: "plant"))
            world.time.advance(by: .milliseconds(1))
            _ = try await world.access.acceptShare(offered.id, tenant: world.rival.id, by: admin)
            #expect(try await world.isAllowed(mechanic, .deviceManage, at: "plant"))
            #expect(try await world.isAllowed(mechanic, .deviceManage, at: "plant/hall"))
            #expect(try await world.isAllowed(mechanic, .tenantRead))
            #expect(try await !world.isAllowed(mechanic, .deviceManage, at: "office"))
            #expect(try await !world.isAllowed(mechanic, .deviceRead))
            #expect(try await !world.isAllowed(mechanic, .principalRead, at: "plant"))
            #expect(try await !world.isAllowed(admin, .deviceRead, at: "plant"))
            let plant = try await world.domain("plant")
            let scope = try await world.database.tenant(world.acme.id).read {
                try world.access.visibleDomains(mechanic, .deviceRead, tenant: world.acme.id, in: $0)
            }
            #expect(scope == .roots([plant]))
            world.time.advance(by: .milliseconds(3_599_998))
            #expect(try await world.isAllowed(mechanic, .deviceManage, at: "plant"))
            world.time.advance(by: .milliseconds(1))
            #expect(try await !world.isAllowed(mechanic, .deviceManage, at: "plant"))
            try await world.access.endExpiredShares()
            for log in [world.acme.id, world.rival.id] {
                #expect(
                    try await world.log("share.", of: log).map(\.code) == [
                        "share.expired", "share.accepted", "share.offered",
                    ])
            }
            #expect(
                try await world.access.shares(tenant: world.acme.id, by: AccessFixture.local).map(\.status) == [.ended])
            await #expect(throws: Refusal(.conflict, "share.status", "")) {
                try await world.access.acceptShare(offered.id, tenant: world.rival.id, by: admin)
            }
        }
    }

    @Test(
        "a share for a role counts for whoever holds the role there, as long as they hold it",
        arguments: TestDatabase.engines)
    func byRole(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            _ = try await world.share("viewer", to: "operator")
            let info = try await world.access.createPrincipal(
                try #require(Name("ada")), kind: .user, tenant: world.rival.id, by: AccessFixture.local)
            let ada = Principal(
                id: info.id, kind: .user, tenant: world.rival.id, name: "ada", credential: nil, address: nil)
            #expect(try await !world.isAllowed(ada, .deviceRead))
            let grant = try await world.access.grant(
                role: "operator", to: "ada", at: "office", tenant: world.rival.id, by: AccessFixture.local)
            #expect(try await world.isAllowed(ada, .deviceRead))
            _ = try await world.access.setActive(
                false, principal: "ada", tenant: world.rival.id, by: AccessFixture.local)
            #expect(try await !world.isAllowed(ada, .deviceRead))
            _ = try await world.access.setActive(
                true, principal: "ada", tenant: world.rival.id, by: AccessFixture.local)
            try await world.access.endGrant(grant.id, tenant: world.rival.id, by: AccessFixture.local)
            #expect(try await !world.isAllowed(ada, .deviceRead))
        }
    }

    @Test("either side ends a share at once, and both logs say who", arguments: TestDatabase.engines, [true, false])
    func ended(engine: TestDatabase.Engine, byOwner: Bool) async throws {
        try await AccessFixture.with(engine) { world in
            let share = try await world.share("viewer")
            let viewer = try await world.principal("viewer", of: world.rival)
            let (owner, other) = (
                try await world.principal("admin"), try await world.principal("admin", of: world.rival)
            )
            #expect(try await world.isAllowed(viewer, .deviceRead))
            let side = byOwner ? world.acme.id : world.rival.id
            _ = try await world.access.endShare(share.id, tenant: side, by: byOwner ? owner : other)
            #expect(try await !world.isAllowed(viewer, .deviceRead))
            for log in [world.acme.id, world.rival.id] {
                let entry = try #require(try await world.log("share.ended", of: log).first)
                #expect(entry.actor.id == (byOwner ? owner : other).id.text)
                #expect(entry.actor.home == (log == side ? nil : side))
            }
            await #expect(throws: Refusal(.conflict, "share.status", "")) {
                try await world.access.endShare(share.id, tenant: side, by: AccessFixture.local)
            }
        }
    }

    @Test("a declined offer never counts", arguments: TestDatabase.engines)
    func declined(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let viewer = try await world.principal("viewer", of: world.rival)
            let offered = try await world.access.offerShare(
                role: "viewer", to: world.rival.slug, holder: "viewer", ends: world.time.now + .seconds(60),
                tenant: world.acme.id, by: AccessFixture.local)
            // The one who offers can not accept.
            await #expect(throws: Refusal(.conflict, "share.side", "")) {
                try await world.access.acceptShare(offered.id, tenant: world.acme.id, by: AccessFixture.local)
            }
            _ = try await world.access.declineShare(offered.id, tenant: world.rival.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.conflict, "share.status", "")) {
                try await world.access.acceptShare(offered.id, tenant: world.rival.id, by: AccessFixture.local)
            }
            #expect(try await !world.isAllowed(viewer, .deviceRead))
        }
    }

    @Test("who has rights by a share neither passes them on nor manages shares", arguments: TestDatabase.engines)
    func onward(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let share = try await world.share("admin", to: "admin")
            let guest = try await world.principal("admin", of: world.rival)
            #expect(try await world.isAllowed(guest, .shareManage))
            await #expect(throws: Refusal(.forbidden, "share.outlived", "")) {
                try await world.access.offerShare(
                    role: "viewer", to: .platform, holder: "viewer", ends: world.time.now + .seconds(60),
                    tenant: world.acme.id, by: guest)
            }
            await #expect(throws: Refusal(.forbidden, "share.lent", "")) {
                try await world.access.endShare(share.id, tenant: world.acme.id, by: guest)
            }
            // What it does itself stands in the log with where it is from.
            _ = try await world.access.createDomain(
                try #require(Name("annex")), below: nil, tenant: world.acme.id, by: guest)
            let made = try await world.log("domain.created", of: world.acme.id)
            #expect(made.count { $0.actor.home == world.rival.id } == 1)
        }
    }

    @Test(
        "an offer is bounded: to another tenant, ending in the future, of a role that counts there",
        arguments: TestDatabase.engines)
    func bounded(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            func offer(
                _ role: String = "viewer", to slug: TenantSlug? = nil, holder: String = "viewer",
                lasting: Duration = .seconds(60)
            ) async -> Refusal? {
                await #expect(throws: Refusal.self) {
                    try await world.access.offerShare(
                        role: role, to: slug ?? world.rival.slug, holder: holder, ends: world.time.now + lasting,
                        tenant: world.acme.id, by: AccessFixture.local)
                }
            }
            #expect(await offer(lasting: .zero)?.code == "share.ends")
            #expect(await offer(lasting: .seconds(400_000_000))?.code == "share.ends")
            #expect(await offer(to: world.acme.slug)?.code == "tenant.unknown")
            #expect(await offer(to: TenantSlug("nobody"))?.code == "tenant.unknown")
            #expect(await offer("platform-admin")?.code == "role.unknown")
            #expect(await offer("nonsense")?.code == "role.unknown")
            #expect(await offer(holder: "nonsense")?.code == "share.holder")
        }
    }

    @Test("a suspended or deleted tenant neither uses shares nor serves them", arguments: TestDatabase.engines)
    func suspended(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            _ = try await world.share("viewer")
            let viewer = try await world.principal("viewer", of: world.rival)
            for slug in [world.acme.slug, world.rival.slug] {
                #expect(try await world.isAllowed(viewer, .deviceRead))
                _ = try await world.access.suspendTenant(slug, by: AccessFixture.local)
                #expect(try await !world.isAllowed(viewer, .deviceRead))
                _ = try await world.access.resumeTenant(slug, by: AccessFixture.local)
            }
            try await world.access.deleteTenant(world.rival.slug, by: AccessFixture.local)
            #expect(try await !world.isAllowed(viewer, .deviceRead))
            try await world.access.forgetTenant(world.rival.id)
            #expect(
                try await world.access.shares(tenant: world.acme.id, by: AccessFixture.local).map(\.status) == [.ended])
        }
    }
}
