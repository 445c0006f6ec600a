import Audit
import Base
import Storage
import Testing
import Trust

@testable import Access

@Suite struct AccessTenantTests {
    @Test(
        "a tenant is made with its root domain, key, issuing CA and directory entry, or not at all",
        arguments: TestDatabase.engines)
    func creation(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            #expect(world.anchors.all == [world.acme.id, world.rival.id])
            #expect(world.access.directory.tenant(world.acme.slug) == world.acme)
            #expect(world.access.directory.plan(of: world.acme.id)?.name.text == "standard")
            for table in ["tenant_key", "issuing_ca"] { #expect(try await world.count(table, of: world.acme.id) == 1) }
            for log in [world.acme.id, .platform] {
                #expect(try await world.log("tenant.created", of: log).contains { $0.object.id == world.acme.id.text })
            }
            let before = try await world.database.platform.read {
                try $0.acrossTenants.row("SELECT count(*) FROM tenant_key")?.int(0)
            }
            await #expect(throws: Refusal(.conflict, "tenant.exists", "")) {
                try await world.access.createTenant(world.acme.slug, by: AccessFixture.local)
            }
            await #expect(throws: Refusal(.conflict, "tenant.exists", "")) {
                try await world.access.createTenant(.platform, by: AccessFixture.local)
            }
            await #expect(throws: Refusal(.invalid, "plan.unknown", "")) {
                try await world.access.createTenant(
                    try #require(TenantSlug("third")), plan: Name("nonsense"), by: AccessFixture.local)
            }
            let after = try await world.database.platform.read {
                try $0.acrossTenants.row("SELECT count(*) FROM tenant_key")?.int(0)
            }
            #expect(before == after)
            #expect(world.anchors.all.count == 2)
        }
    }

    @Test("starting again changes nothing and finds everything", arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            try await world.access.start()
            #expect(Set(world.access.directory.tenants.map(\.slug.text)) == ["platform", "acme", "rival"])
            #expect(world.access.directory.tenant(world.acme.id) == world.acme)
        }
    }

    @Test("a suspended tenant's tokens are refused until it is resumed", arguments: TestDatabase.engines)
    func suspension(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let made = try await world.access.createToken(
                role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            let principal = try await world.access.authenticate(bearer: made.secret, address: nil)
            world.time.advance(by: .seconds(1))
            _ = try await world.access.suspendTenant(world.acme.slug, by: AccessFixture.local)
            world.time.advance(by: .seconds(1))
            #expect(world.ended.all == [world.acme.id])
            #expect(world.access.directory.tenant(world.acme.id)?.status == .suspended)
            await #expect(throws: Refusal(.unauthenticated, "token.invalid", "")) {
                try await world.access.authenticate(bearer: made.secret, address: nil)
            }
            #expect(try await !world.isAllowed(principal, .deviceRead))
            _ = try await world.access.resumeTenant(world.acme.slug, by: AccessFixture.local)
            _ = try await world.access.authenticate(bearer: made.secret, address: nil)
            #expect(try await world.isAllowed(principal, .deviceRead))
            for log in [world.acme.id, .platform] {
                #expect(
                    try await world.log("tenant.", of: log).map(\.code).prefix(2) == [
                        "tenant.resumed", "tenant.suspended",
                    ])
            }
            await #expect(throws: Refusal(.notFound, "tenant.unknown", "")) {
                try await world.access.suspendTenant(.platform, by: AccessFixture.local)
            }
        }
    }

    @Test(
        "a deleted tenant is shredded, its rows go, its slug is free, and its log still verifies",
        arguments: TestDatabase.engines)
    func deletion(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let made = try await world.access.createToken(role: "admin", tenant: world.acme.id, by: AccessFixture.local)
            _ = try await world.share("viewer")
            try await world.access.deleteTenant(world.acme.slug, by: AccessFixture.local)
            #expect(world.ended.all == [world.acme.id])
            #expect(world.access.directory.tenant(world.acme.id) == nil)
            #expect(try await world.count("tenant_key", of: world.acme.id) == 0)
            #expect(try await world.access.deletedTenants() == [world.acme.id])
            await #expect(throws: Refusal(.unauthenticated, "token.invalid", "")) {
                try await world.access.authenticate(bearer: made.secret, address: nil)
            }
            // Again, as after a stop in between; then the rows.
            try await world.access.deleteTenant(world.acme.slug, by: AccessFixture.local)
            try await world.access.forgetTenant(world.acme.id)
            try await world.access.forgetTenant(world.acme.id)
            for table in ["domain", "principal", "role_grant", "share", "custom_role"] {
                #expect(try await world.count(table, of: world.acme.id) == 0)
            }
            #expect(try await world.count("credential", of: world.acme.id, "owner") == 0)
            #expect(try await world.access.deletedTenants().isEmpty)
            #expect(try await world.access.createTenant(world.acme.slug, by: AccessFixture.local).id != world.acme.id)
            try await world.audit.settle()
            let reports = try await AuditVerification.database(world.database, directory: "\(world.directory)/audit")
            #expect(reports.count == 4 && reports.allSatisfy(\.isIntact))
            let old = try #require(reports.first { $0.tenant == world.acme.id })
            #expect(old.unsigned == 0 && old.size > 0)
            #expect(try await world.log("tenant.shredded", of: .platform).map(\.object.id) == [world.acme.id.text])
            // The other tenant was touched nowhere but in the share.
            #expect(try await world.count("domain", of: world.rival.id) == 4)
        }
    }

    @Test("a tenant is not forgotten before it is deleted", arguments: TestDatabase.engines)
    func forgetting(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            try await world.access.forgetTenant(world.acme.id)
            #expect(try await world.count("domain", of: world.acme.id) == 4)
            #expect(try await world.count("tenant_key", of: world.acme.id) == 1)
            await #expect(throws: Refusal(.notFound, "tenant.unknown", "")) {
                try await world.access.deleteTenant(.platform, by: AccessFixture.local)
            }
        }
    }

    @Test("a tenant changes its name itself, its plan only the platform", arguments: TestDatabase.engines)
    func change(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let admin = try await world.principal("admin")
            let renamed = try await world.access.changeTenant(world.acme.slug, name: "Acme Works", by: admin)
            #expect(renamed.name == "Acme Works" && world.access.directory.tenant(world.acme.id) == renamed)
            let refusal = await #expect(throws: Refusal.self) {
                try await world.access.changeTenant(world.acme.slug, plan: Name("standard"), by: admin)
            }
            #expect(refusal?.kind == .notFound)
            await #expect(throws: Refusal(.invalid, "name.invalid", "")) {
                try await world.access.changeTenant(world.acme.slug, name: "a\u{7}b", by: admin)
            }
        }
    }

    @Test("a plan's figures are real numbers, and a change counts at once", arguments: TestDatabase.engines)
    func plans(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let name = try #require(Name("gold"))
            for figure in Plan.figures {
                var plan = Plan(id: Plan.standardID, name: name)
                plan[keyPath: figure.value] = 0
                let refused = plan
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.access.putPlan(refused, by: AccessFixture.local)
                }
                #expect(refusal?.faults.map(\.place) == ["/\(figure.name)"])
            }
            var plan = try await world.access.putPlan(Plan(id: Plan.standardID, name: name), by: AccessFixture.local)
            #expect(plan.id != Plan.standardID)
            _ = try await world.access.changeTenant(world.acme.slug, plan: name, by: AccessFixture.local)
            plan.devices = 7
            _ = try await world.access.putPlan(plan, by: AccessFixture.local)
            #expect(world.access.directory.plan(of: world.acme.id)?.devices == 7)
            #expect(try await world.access.plans(by: AccessFixture.local).map(\.name.text) == ["gold", "standard"])
        }
    }
}
