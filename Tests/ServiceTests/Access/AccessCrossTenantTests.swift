import Audit
import Base
import Storage
import Synchronization
import Testing

@testable import Access

/// A principal of one tenant on every kind of object of another: it learns nothing and changes nothing.
@Suite struct AccessCrossTenantTests {
    /// Every act that takes a tenant, on objects of acme.
    private static func acts(_ world: AccessFixture, _ objects: Objects) -> [(String, (Principal) async throws -> Void)]
    {
        let (access, tenant, slug) = (world.access, world.acme.id, world.acme.slug)
        return [
            ("show tenant", { _ = try await access.tenant(slug, by: $0) }),
            ("rename tenant", { _ = try await access.changeTenant(slug, name: "x", by: $0) }),
            ("change plan", { _ = try await access.changeTenant(slug, plan: Name("standard"), by: $0) }),
            ("suspend tenant", { _ = try await access.suspendTenant(slug, by: $0) }),
            ("resume tenant", { _ = try await access.resumeTenant(slug, by: $0) }),
            ("delete tenant", { try await access.deleteTenant(slug, by: $0) }),
            ("list tenants", { _ = try await access.tenants(by: $0) }),
            ("create tenant", { _ = try await access.createTenant(objects.slug, by: $0) }),
            ("list plans", { _ = try await access.plans(by: $0) }),
            ("put plan", { _ = try await access.putPlan(Plan(id: Plan.standardID, name: objects.name), by: $0) }),
            ("admit", { _ = try await access.admit($0, .tenantRead, to: slug) }),
            ("list domains", { _ = try await access.domains(tenant: tenant, by: $0) }),
            ("show domain", { _ = try await access.domain("plant", tenant: tenant, by: $0) }),
            ("create domain", { _ = try await access.createDomain(objects.name, tenant: tenant, by: $0) }),
            (
                "rename domain",
                { _ = try await access.changeDomain("plant", name: objects.name, tenant: tenant, by: $0) }
            ),
            ("move domain", { _ = try await access.changeDomain("office", below: "plant", tenant: tenant, by: $0) }),
            (
                "delete domain",
                { try await access.deleteDomain("office", tenant: tenant, by: $0, isUsed: { _, _ in false }) }
            ),
            ("list principals", { _ = try await access.principals(tenant: tenant, by: $0) }),
            (
                "create principal",
                { _ = try await access.createPrincipal(objects.name, kind: .user, tenant: tenant, by: $0) }
            ),
            (
                "disable principal",
                { _ = try await access.setActive(false, principal: objects.principal.text, tenant: tenant, by: $0) }
            ),
            ("list roles", { _ = try await access.roles(tenant: tenant, by: $0) }),
            ("put role", { _ = try await access.putRole(objects.name, permissions: [], tenant: tenant, by: $0) }),
            ("delete role", { try await access.deleteRole("custom", tenant: tenant, by: $0) }),
            ("list grants", { _ = try await access.grants(tenant: tenant, by: $0) }),
            (
                "grant",
                { _ = try await access.grant(role: "viewer", to: objects.principal.text, tenant: tenant, by: $0) }
            ),
            ("end grant", { try await access.endGrant(objects.grant, tenant: tenant, by: $0) }),
            ("list tokens", { _ = try await access.tokens(tenant: tenant, by: $0) }),
            ("create token", { _ = try await access.createToken(role: "viewer", tenant: tenant, by: $0) }),
            ("revoke token", { try await access.revokeToken(objects.token, tenant: tenant, by: $0) }),
            ("list shares", { _ = try await access.shares(tenant: tenant, by: $0) }),
            (
                "offer share",
                {
                    _ = try await access.offerShare(
                        role: "viewer", to: world.rival.slug, holder: "viewer", ends: world.time.now + .seconds(60),
                        tenant: tenant, by: $0)
                }
            ),
            ("list groups", { _ = try await access.groups(tenant: tenant, by: $0) }),
            ("create group", { _ = try await access.createGroup(objects.name, tenant: tenant, by: $0) }),
            ("delete group", { try await access.deleteGroup("crew", tenant: tenant, by: $0) }),
            ("list members", { _ = try await access.members(of: "crew", tenant: tenant, by: $0) }),
            ("add member", { try await access.addMember("ada", to: "crew", tenant: tenant, by: $0) }),
            ("remove member", { try await access.removeMember("ada", from: "crew", tenant: tenant, by: $0) }),
            ("reach of domain", { _ = try await access.reach(domain: "plant", tenant: tenant, by: $0) }),
            ("reach of principal", { _ = try await access.reach(of: "ada", tenant: tenant, by: $0) }),
            (
                "preview move",
                { _ = try await access.previewMove(domain: "office", below: "plant", tenant: tenant, by: $0) }
            ),
            (
                "preview grant",
                { principal in
                    var draft = GrantDraft(role: "viewer")
                    draft.principal = "ada"
                    _ = try await access.previewGrant(draft, tenant: tenant, by: principal)
                }
            ),
            ("preview end", { _ = try await access.previewEnd(of: objects.grant, tenant: tenant, by: $0) }),
            (
                "preview member",
                { _ = try await access.previewMember("ada", of: "crew", joins: true, tenant: tenant, by: $0) }
            ),
            ("list moves", { _ = try await access.moves(tenant: tenant, by: $0) }),
            ("undo move", { _ = try await access.undoMove(ofDomain: objects.move, tenant: tenant, by: $0) }),
            ("list changes", { _ = try await access.pendingChanges(tenant: tenant, by: $0) }),
            (
                "propose change",
                {
                    _ = try await access.propose(
                        "role.put", ["name": "x", "permissions": []], reason: "x", tenant: tenant, by: $0)
                }
            ),
            ("show change", { _ = try await access.review(objects.change, tenant: tenant, by: $0) }),
            ("approve change", { _ = try await access.approve(objects.change, tenant: tenant, by: $0) }),
            ("reject change", { _ = try await access.reject(objects.change, tenant: tenant, by: $0) }),
            ("show policy", { _ = try await access.needsSecondApprover(tenant: tenant, by: $0) }),
            (
                "change policy",
                { try await access.setNeedsSecondApprover(true, reason: "x", tenant: tenant, by: $0) }
            ),
            ("accept share", { _ = try await access.acceptShare(objects.share, tenant: tenant, by: $0) }),
            ("decline share", { _ = try await access.declineShare(objects.share, tenant: tenant, by: $0) }),
            ("end share", { _ = try await access.endShare(objects.share, tenant: tenant, by: $0) }),
        ]
    }

    private struct Objects {
        var slug: TenantSlug
        var name: Name
        var principal: PrincipalID
        var grant: GrantID
        var token: CredentialID
        var share: ShareID
        var move: MoveID
        var change: PendingChangeID
    }

    /// One object of each kind in acme; the share is with the platform, so neither side of it is rival.
    private static func objects(_ world: AccessFixture) async throws -> Objects {
        let (access, local) = (world.access, AccessFixture.local)
        let ada = try await access.createPrincipal(
            try #require(Name("ada")), kind: .user, tenant: world.acme.id, by: local)
        let grant = try await access.grant(role: "viewer", to: "ada", tenant: world.acme.id, by: local)
        let token = try await access.createToken(role: "viewer", tenant: world.acme.id, by: local)
        _ = try await access.putRole(try #require(Name("custom")), permissions: [], tenant: world.acme.id, by: local)
        let share = try await access.offerShare(
            role: "viewer", to: .platform, holder: "platform-admin", ends: world.time.now + .seconds(3600),
            tenant: world.acme.id, by: local)
        _ = try await access.createGroup(try #require(Name("crew")), tenant: world.acme.id, by: local)
        _ = try await access.changeDomain("plant/hall", below: "/", tenant: world.acme.id, by: local)
        let move = try #require(try await access.moves(tenant: world.acme.id, by: local).first)
        let change = try await access.propose(
            "role.put", ["name": "x", "permissions": []], reason: "x", tenant: world.acme.id, by: local)
        return Objects(
            slug: try #require(TenantSlug("third")), name: try #require(Name("new")), principal: ada.id,
            grant: grant.id,
            token: token.token.id, share: share.id, move: move.id, change: change.id)
    }

    private static func state(_ world: AccessFixture) async throws -> [[SQLValue]] {
        try await world.database.platform.read { tx in
            try [
                "tenant", "plan", "domain", "principal", "custom_role", "role_grant", "share", "credential",
                "user_group", "user_group_member", "move", "pending_change", "approval_policy",
            ].flatMap {
                table in
                try tx.acrossTenants.rows("SELECT * FROM \(table) ORDER BY 1, 2").map(\.values)
            }
        }
    }

    @Test("another tenant's admin finds nothing and changes nothing", arguments: TestDatabase.engines)
    func stranger(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let objects = try await Self.objects(world)
            let stranger = try await world.principal("admin", of: world.rival)
            let before = try await Self.state(world)
            for (act, run) in Self.acts(world, objects) {
                let refusal = await #expect(throws: Refusal.self, "\(act)") { try await run(stranger) }
                #expect(refusal?.kind == .notFound, "\(act): \(String(describing: refusal))")
            }
            #expect(try await Self.state(world) == before)
        }
    }

    @Test("who runs the platform gets into no tenant without a share", arguments: TestDatabase.engines)
    func platformStaff(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let objects = try await Self.objects(world)
            let staff = try await world.principal(
                "platform-admin", of: world.access.directory.tenant(TenantID.platform))
            let before = try await Self.state(world)
            let platformActs: Set<String> = [
                "show tenant", "change plan", "suspend tenant", "resume tenant", "delete tenant", "list tenants",
                "create tenant", "list plans", "put plan",
            ]
            for (act, run) in Self.acts(world, objects) where !platformActs.contains(act) {
                let refusal = await #expect(throws: Refusal.self, "\(act)") { try await run(staff) }
                #expect(refusal?.kind == .notFound, "\(act): \(String(describing: refusal))")
            }
            #expect(try await Self.state(world) == before)
            // Its own business it can do.
            #expect(try await world.access.tenant(world.acme.slug, by: staff).id == world.acme.id)
            #expect(try await world.access.tenants(by: staff).map(\.slug.text) == ["acme", "platform", "rival"])
            // And with an accepted share what the share's role allows.
            _ = try await world.access.acceptShare(objects.share, tenant: .platform, by: AccessFixture.local)
            #expect(try await world.isAllowed(staff, .deviceRead))
            #expect(try await !world.isAllowed(staff, .deviceManage))
            #expect(try await !world.isAllowed(staff, .principalManage))
        }
    }

    @Test("a tenant that exists and one that does not give a stranger the same answer", arguments: TestDatabase.engines)
    func sameAnswer(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let stranger = try await world.principal("admin", of: world.rival)
            let absent = try #require(TenantSlug("nobody"))
            var answers: [String] = []
            for slug in [world.acme.slug, absent] {
                let shown = await #expect(throws: Refusal.self) { try await world.access.tenant(slug, by: stranger) }
                let admitted = await #expect(throws: Refusal.self) {
                    try await world.access.admit(stranger, .deviceRead, to: slug)
                }
                answers.append("\(String(describing: shown)) \(String(describing: admitted))")
            }
            #expect(answers[0] == answers[1])
            var decided: [String] = []
            for tenant in [world.acme.id, TenantID(now: world.time.now)] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.database.tenant(tenant).read {
                        try world.access.authorize(stranger, .deviceRead, tenant: tenant, in: $0)
                    }
                }
                decided.append(String(describing: refusal))
            }
            #expect(decided[0] == decided[1])
        }
    }
}
