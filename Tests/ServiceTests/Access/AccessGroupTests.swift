import Base
import Storage
import Testing

@testable import Access

@Suite struct AccessGroupTests {
    @Test("a group's users hold what is granted to it, from joining to leaving", arguments: TestDatabase.engines)
    func membership(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, local) = (world.access, AccessFixture.local)
            let ada = try await world.person("ada")
            _ = try await access.createGroup(try #require(Name("crew")), tenant: world.acme.id, by: local)
            var draft = GrantDraft(role: "operator")
            (draft.group, draft.domain) = ("crew", "plant")
            let grant = try await access.grant(draft, tenant: world.acme.id, by: local)
            #expect(grant.holder.group != nil && grant.device == nil)
            #expect(try await !world.isAllowed(ada, .deviceManage, at: "plant/hall"))
            try await access.addMember("ada", to: "crew", tenant: world.acme.id, by: local)
            try await access.addMember("ada", to: "crew", tenant: world.acme.id, by: local)
            #expect(try await world.isAllowed(ada, .deviceManage, at: "plant/hall"))
            #expect(try await !world.isAllowed(ada, .deviceManage, at: "office"))
            #expect(try await access.members(of: "crew", tenant: world.acme.id, by: local).map(\.name) == ["ada"])
            // A share for a role's holders counts for who holds it by a group.
            _ = try await world.share("viewer", to: "operator", from: world.rival, for: world.acme)
            #expect(try await world.isAllowed(ada, .deviceRead, of: world.rival))
            try await access.removeMember("ada", from: "crew", tenant: world.acme.id, by: local)
            #expect(try await !world.isAllowed(ada, .deviceManage, at: "plant/hall"))
            #expect(try await !world.isAllowed(ada, .deviceRead, of: world.rival))
            try await access.addMember("ada", to: "crew", tenant: world.acme.id, by: local)
            try await access.deleteGroup("crew", tenant: world.acme.id, by: local)
            #expect(try await !world.isAllowed(ada, .deviceManage, at: "plant/hall"))
            #expect(try await world.log("group.", of: world.acme.id).count == 5)
            for table in ["user_group", "user_group_member", "role_grant"] {
                #expect(try await world.count(table, of: world.acme.id) == 0, "\(table)")
            }
        }
    }

    @Test("a group holds users only, and nobody gives by it what they lack", arguments: TestDatabase.engines)
    func limits(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, local) = (world.access, AccessFixture.local)
            _ = try await access.putRole(
                try #require(Name("clerk")),
                permissions: [.principalManage, .principalRead, .tenantRead, .deviceRead, .domainRead, .telemetryRead],
                tenant: world.acme.id, by: local)
            let clerk = try await world.principal("clerk")
            _ = try await world.person("ada")
            _ = try await access.createGroup(try #require(Name("crew")), tenant: world.acme.id, by: clerk)
            let client = try await world.principal("viewer")
            await #expect(throws: Refusal(.invalid, "group.kind", "")) {
                try await access.addMember(client.id.text, to: "crew", tenant: world.acme.id, by: local)
            }
            try await access.addMember("ada", to: "crew", tenant: world.acme.id, by: clerk)
            try await access.removeMember("ada", from: "crew", tenant: world.acme.id, by: clerk)
            var draft = GrantDraft(role: "admin")
            draft.group = "crew"
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await access.grant(draft, reason: "because", tenant: world.acme.id, by: clerk)
            }
            _ = try await access.grant(draft, tenant: world.acme.id, by: local)
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await access.addMember("ada", to: "crew", reason: "because", tenant: world.acme.id, by: clerk)
            }
            draft.principal = "ada"
            await #expect(throws: Refusal(.invalid, "grant.holder", "")) {
                try await access.grant(draft, tenant: world.acme.id, by: local)
            }
        }
    }

    @Test("a role at one device opens that device and nothing else", arguments: TestDatabase.engines)
    func device(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, local) = (world.access, AccessFixture.local)
            let ada = try await world.person("ada")
            let press = try await world.device("press", at: "plant/hall")
            let saw = try await world.device("saw", at: "plant/hall")
            var draft = GrantDraft(role: "technician")
            (draft.principal, draft.device) = ("ada", "press")
            let grant = try await access.grant(draft, tenant: world.acme.id, by: local)
            #expect(grant.device == press.device && grant.domain == nil)
            func isAllowed(_ permission: Permission, _ place: GrantPlace) async throws -> [Bool] {
                // By the statement and from memory.
                try await [
                    world.database.tenant(world.acme.id).write { tx in
                        (try? access.authorize(
                            ada, permission, tenant: world.acme.id, domain: place.domain, device: place.device, in: tx))
                            != nil
                    },
                    world.database.tenant(world.acme.id).read { tx in
                        (try? access.authorize(
                            ada, permission, tenant: world.acme.id, domain: place.domain, device: place.device, in: tx))
                            != nil
                    },
                ]
            }
            #expect(try await isAllowed(.deviceControl, press) == [true, true])
            #expect(try await isAllowed(.deviceManage, press) == [false, false])
            #expect(try await isAllowed(.deviceRead, saw) == [false, false])
            #expect(try await isAllowed(.deviceRead, GrantPlace(domain: press.domain)) == [false, false])
            #expect(try await world.isAllowed(ada, .tenantRead))
            let scope = try await world.database.tenant(world.acme.id).read {
                try access.visibleDevices(ada, .deviceRead, tenant: world.acme.id, in: $0)
            }
            #expect(scope == .some(domains: [], devices: Set([press.device].compactMap { $0 })))
            // It goes where the device goes, and ends with it.
            let moved = GrantPlace(domain: try await world.domain("office"), device: press.device)
            #expect(try await isAllowed(.deviceControl, moved) == [true, true])
            let gone = try #require(press.device)
            try await world.database.tenant(world.acme.id).write { tx in
                try access.forgetDevice(gone, tenant: world.acme.id, by: local, in: tx)
            }
            #expect(try await isAllowed(.deviceControl, press) == [false, false])
            draft.device = "nothing"
            await #expect(throws: Refusal(.notFound, "device.unknown", "")) {
                try await access.grant(draft, tenant: world.acme.id, by: local)
            }
        }
    }

    @Test("a share of one device opens that device to the other tenant", arguments: TestDatabase.engines)
    func sharedDevice(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, local) = (world.access, AccessFixture.local)
            let press = try await world.device("press", at: "plant/hall")
            let mechanic = try await world.principal("technician", of: world.rival)
            let share = try await access.offerShare(
                role: "technician", device: "press", to: world.rival.slug, holder: "technician",
                ends: world.time.now + .seconds(3600), tenant: world.acme.id, by: local)
            _ = try await access.acceptShare(share.id, tenant: world.rival.id, by: local)
            try await world.database.tenant(world.acme.id).read { tx in
                try access.authorize(
                    mechanic, .deviceControl, tenant: world.acme.id, domain: press.domain, device: press.device, in: tx)
                _ = #expect(throws: Refusal.self) {
                    try access.authorize(
                        mechanic, .deviceRead, tenant: world.acme.id, domain: press.domain, in: tx)
                }
            }
            world.time.advance(by: .seconds(3600))
            try await world.database.tenant(world.acme.id).read { tx in
                _ = #expect(throws: Refusal.self) {
                    try access.authorize(
                        mechanic, .deviceRead, tenant: world.acme.id, domain: press.domain, device: press.device, in: tx
                    )
                }
            }
        }
    }

    @Test("a guest's grant needs an end that is near enough", arguments: TestDatabase.engines)
    func guest(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            _ = try await world.person("ada")
            for expires in [nil, world.time.now + .seconds((AccessLimits.guestDays + 1) * 86_400)] {
                await #expect(throws: Refusal(.invalid, "grant.guestEnd", "")) {
                    try await world.access.grant(
                        role: "guest", to: "ada", expires: expires, tenant: world.acme.id, by: AccessFixture.local)
                }
            }
            _ = try await world.access.grant(
                role: "guest", to: "ada", expires: world.time.now + .seconds(3600), tenant: world.acme.id,
                by: AccessFixture.local)
        }
    }

    @Test("only who manages principals of the whole tenant creates users", arguments: TestDatabase.engines)
    func users(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            for role in Role.builtIn where role != .platformAdmin {
                let end = world.time.now + .seconds(3600)
                let caller = try await world.principal(role.name.text, expires: role == .guest ? end : nil)
                let made = try? await world.access.createPrincipal(
                    try #require(Name("made-by-\(role.name)")), kind: .user, tenant: world.acme.id, by: caller)
                #expect((made != nil) == (role == .admin || role == .owner), "\(role.name)")
            }
            let below = try await world.principal("admin", at: "plant")
            await #expect(throws: Refusal.self) {
                try await world.access.createPrincipal(
                    try #require(Name("mallory")), kind: .user, tenant: world.acme.id, by: below)
            }
        }
    }
}
