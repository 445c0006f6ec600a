import Base
import Storage
import Testing
import Trust

@testable import Access

/// What decisions keep in memory is never older than the last change of any right.
@Suite struct AccessMemoryTests {
    /// Each way in which a right of Ada's in acme ends, with what makes it.
    private static let all: [String] = [
        "grant ended", "grant expired", "role narrowed", "role deleted", "left the group", "group deleted",
        "disabled", "session ended", "session expired", "tenant suspended", "domain moved",
    ]

    @Test("a right that ended does not count a moment longer", arguments: TestDatabase.engines, all)
    func endings(engine: TestDatabase.Engine, ending: String) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, local, acme) = (world.access, AccessFixture.local, world.acme.id)
            let ada = try await world.person("ada")
            _ = try await access.putRole(
                try #require(Name("own")), permissions: [.deviceRead, .deviceManage], tenant: acme, by: local)
            _ = try await access.createGroup(try #require(Name("crew")), tenant: acme, by: local)
            try await access.addMember("ada", to: "crew", tenant: acme, by: local)
            var draft = GrantDraft(role: "own")
            draft.domain = "plant"
            draft.expires = ending == "grant expired" ? world.time.now + .seconds(10) : nil
            if ending.contains("group") { draft.group = "crew" } else { draft.principal = "ada" }
            let grant = try await access.grant(draft, tenant: acme, by: local)
            let opened = try await world.database.tenant(acme).write { tx in
                var session = CredentialDraft(.session, of: ada.id, tenant: acme, name: "test")
                session.expires = world.time.now + .seconds(ending == "session expired" ? 10 : 3600)
                return try access.open(session, in: tx).secret.text
            }
            let held = try await access.authenticate(session: opened, address: nil)
            let hall = try await world.domain("plant/hall")
            func isAllowed() async throws -> Bool {
                try await world.database.tenant(acme).read { tx in
                    (try? access.authorize(held, .deviceManage, tenant: acme, domain: hall, in: tx)) != nil
                }
            }
            #expect(try await isAllowed())
            #expect(try await isAllowed())
            #expect(access.rememberedHoldings(of: held, in: acme)?.count == 1)
            switch ending {
            case "grant ended": try await access.endGrant(grant.id, tenant: acme, by: local)
            case "grant expired", "session expired": world.time.advance(by: .seconds(10))
            case "role narrowed":
                _ = try await access.putRole(
                    try #require(Name("own")), permissions: [.deviceRead], tenant: acme, by: local)
            case "role deleted": try await access.deleteRole("own", tenant: acme, by: local)
            case "left the group": try await access.removeMember("ada", from: "crew", tenant: acme, by: local)
            case "group deleted": try await access.deleteGroup("crew", tenant: acme, by: local)
            case "disabled": _ = try await access.setActive(false, principal: "ada", tenant: acme, by: local)
            case "session ended":
                let id = try #require(held.credential?.id)
                try await world.database.tenant(acme).write { _ = try access.end(id, of: acme, in: $0) }
            case "tenant suspended": _ = try await access.suspendTenant(world.acme.slug, by: local)
            default: _ = try await access.changeDomain("plant/hall", below: "office", tenant: acme, by: local)
            }
            #expect(try await !isAllowed())
        }
    }

    @Test("what a transaction read that began before a change is not kept beyond it")
    func race() throws {
        let rights = Rights()
        let key = Rights.Key(
            principal: PrincipalID(high: 1, low: 1), credential: nil, tenant: TenantID(high: 1, low: 1))
        let now = Timestamp(microseconds: 1000)
        let later = Timestamp(microseconds: 2000)
        rights.keep([], of: key, readAt: 5, until: later)
        #expect(rights.holdings(key, at: now) != nil)
        #expect(rights.holdings(key, at: later) == nil)
        rights.change(at: 7)
        #expect(rights.holdings(key, at: now) == nil)
        // It began before the change was committed and ends after it.
        rights.keep([], of: key, readAt: 6, until: later)
        #expect(rights.holdings(key, at: now) == nil)
        rights.keep([], of: key, readAt: 8, until: later)
        #expect(rights.holdings(key, at: now) != nil)
        rights.change(at: 3)
        #expect(rights.holdings(key, at: now) != nil)
    }

    @Test("memory decides what the statement decides, for every role at every place", arguments: TestDatabase.engines)
    func agrees(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let acme = world.acme.id
            var principals: [Principal] = []
            for role in Role.builtIn where role != .platformAdmin {
                let end = world.time.now + .seconds(3600)
                principals.append(try await world.principal(role.name.text, at: "plant", expires: end))
                principals.append(try await world.principal(role.name.text, of: world.rival, expires: end))
            }
            _ = try await world.share("operator", at: "office", to: "viewer")
            let places = try await ["plant", "plant/hall", "office", "/"].awaiting { try await world.domain($0) }
            for principal in principals {
                for place in places {
                    let stated = try await world.database.tenant(acme).write {
                        try world.access.permissions(of: principal, tenant: acme, at: GrantPlace(domain: place), in: $0)
                    }
                    for _ in 0..<2 {
                        let remembered = try await world.database.tenant(acme).read {
                            try world.access.permissions(
                                of: principal, tenant: acme, at: GrantPlace(domain: place), in: $0)
                        }
                        #expect(remembered == stated)
                    }
                }
            }
        }
    }
}

extension Array {
    fileprivate func awaiting<Value>(_ body: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
