import Audit
import Base
import Storage
import Testing

@testable import Access

/// Who can reach what, asked from either end, and what a change would do to it.
@Suite struct AccessReachTests {
    /// Ada operates the plant by her own grant, Bob the whole tenant by a group, Cy one device, and rival's viewers see
    /// the hall by a share.
    private static func people(_ world: AccessFixture) async throws -> GrantPlace {
        let (access, local, acme) = (world.access, AccessFixture.local, world.acme.id)
        for name in ["ada", "bob", "cy", "dora"] { _ = try await world.person(name) }
        let press = try await world.device("press", at: "plant/hall")
        _ = try await access.grant(
            role: "operator", to: "ada", at: "plant", expires: world.time.now + .seconds(3600), tenant: acme, by: local)
        _ = try await access.createGroup(try #require(Name("crew")), tenant: acme, by: local)
        try await access.addMember("bob", to: "crew", tenant: acme, by: local)
        var draft = GrantDraft(role: "viewer")
        draft.group = "crew"
        _ = try await access.grant(draft, tenant: acme, by: local)
        draft = GrantDraft(role: "technician")
        (draft.principal, draft.device) = ("cy", "press")
        _ = try await access.grant(draft, tenant: acme, by: local)
        _ = try await world.share("viewer", at: "plant/hall")
        return press
    }

    private static func words(_ found: [Reach]) -> [String] {
        found.map { reach in
            let via =
                switch reach.ground {
                case .grant: "grant"
                case .group: "group \(reach.group ?? "?")"
                case .share: "share"
                }
            return "\(reach.name ?? "-") \(reach.roleName) \(via)\(reach.until == nil ? "" : " for a time")"
        }.sorted()
    }

    @Test("a device, a domain and a person each tell their side of one relation", arguments: TestDatabase.engines)
    func projections(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let press = try await Self.people(world)
            let (access, local, acme) = (world.access, AccessFixture.local, world.acme.id)
            let ofDevice = try await access.reach(device: "press", tenant: acme, by: local)
            #expect(
                Self.words(ofDevice) == [
                    "- viewer share for a time", "ada operator grant for a time", "bob viewer group crew",
                    "cy technician grant",
                ])
            #expect(ofDevice.first { $0.name == "cy" }?.device == press.device)
            #expect(
                ofDevice.contains { $0.holder == .foreignRole(Role.viewer.id, of: world.rival.id) && $0.name == nil })
            let ofOffice = try await access.reach(domain: "office", tenant: acme, by: local)
            #expect(Self.words(ofOffice) == ["bob viewer group crew"])
            let ofAda = try await access.reach(of: "ada", tenant: acme, by: local)
            #expect(ofAda.map(\.domain) == [try await world.domain("plant")])
            #expect(try await access.reach(of: "dora", tenant: acme, by: local).isEmpty)
            // What does not count any more is not in it.
            _ = try await access.setActive(false, principal: "bob", tenant: acme, by: local)
            world.time.advance(by: .seconds(3600))
            #expect(
                Self.words(try await access.reach(device: "press", tenant: acme, by: local))
                    == ["- viewer share for a time", "cy technician grant"])
        }
    }

    @Test("the relation says of everybody what the decision says", arguments: TestDatabase.engines)
    func agrees(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let press = try await Self.people(world)
            let acme = world.acme.id
            for name in ["ada", "bob", "cy", "dora"] {
                let person = try await world.known(name)
                for place in [
                    press, GrantPlace(domain: press.domain), GrantPlace(domain: try await world.domain("office")),
                    GrantPlace(domain: try await world.domain(nil)),
                ] {
                    let told = try await world.database.tenant(acme).read { tx in
                        try world.access.reach(at: place, tenant: acme, in: tx)
                    }.filter { $0.holder == .own(person.id) }.reduce(into: Set<Permission>()) {
                        $0.formUnion($1.permissions)
                    }
                    let decided = try await world.database.tenant(acme).write { tx in
                        try world.access.permissions(of: person, tenant: acme, at: place, in: tx)
                    }
                    #expect(told == decided, "\(name)")
                }
            }
        }
    }

    @Test("everybody sees their own reach, and others' only with the right to", arguments: TestDatabase.engines)
    func mayKnow(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            _ = try await Self.people(world)
            let acme = world.acme.id
            let (ada, cy) = (try await world.known("ada"), try await world.known("cy"))
            #expect(try await world.access.reach(of: cy.id.text, tenant: acme, by: cy).count == 1)
            await #expect(throws: Refusal(.notFound, "not.found", "")) {
                try await world.access.reach(of: ada.id.text, tenant: acme, by: cy)
            }
            // Cy may know who else reaches the device that is hers, and nothing of its domain.
            #expect(try await world.access.reach(device: "press", tenant: acme, by: cy).count == 4)
            await #expect(throws: Refusal(.notFound, "domain.unknown", "")) {
                try await world.access.reach(domain: "plant/hall", tenant: acme, by: cy)
            }
            #expect(try await world.access.reach(domain: "plant/hall", tenant: acme, by: ada).count == 3)
            let stranger = try await world.principal("admin", of: world.rival)
            for device in ["press", "nothing"] {
                await #expect(throws: Refusal(.notFound, "device.unknown", "")) {
                    try await world.access.reach(device: device, tenant: acme, by: stranger)
                }
            }
        }
    }

    @Test("a preview says who would lose and gain, and changes nothing", arguments: TestDatabase.engines)
    func previews(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            _ = try await Self.people(world)
            let (access, local, acme) = (world.access, AccessFixture.local, world.acme.id)
            func state() async throws -> [[SQLValue]] {
                try await world.database.platform.read { tx in
                    try ["domain", "role_grant", "user_group_member", "custom_role", "move", "audit_entry"].flatMap {
                        try tx.acrossTenants.rows("SELECT * FROM \($0) ORDER BY 1, 2").map(\.values)
                    }
                }
            }
            _ = try await access.grant(role: "viewer", to: "dora", at: "office", tenant: acme, by: local)
            _ = try await access.putRole(
                try #require(Name("special")), permissions: [.deviceRead], tenant: acme, by: local)
            let special = try await access.grant(role: "special", to: "dora", at: "plant", tenant: acme, by: local)
            try await world.audit.settle()
            let before = try await state()
            let move = try await access.previewMove(domain: "plant/hall", below: "office", tenant: acme, by: local)
            // Ada loses the plant's, Dora exchanges one for the other; the share on the hall moves with it.
            #expect(move.losing == 1 && move.gaining == 1)
            #expect(move.differences.map(\.name) == ["ada", "dora"])
            #expect(move.differences.first?.lost == Role.operator.permissions)
            var draft = GrantDraft(role: "operator")
            draft.group = "crew"
            let grant = try await access.previewGrant(draft, tenant: acme, by: local)
            #expect(grant.losing == 0 && grant.differences.map(\.name) == ["bob"])
            #expect(
                grant.differences.first?.gained == Role.operator.permissions.subtracting(Role.viewer.permissions))
            let end = try await access.previewEnd(of: special.id, tenant: acme, by: local)
            #expect(end.differences.map(\.name) == ["dora"] && end.losing == 1)
            let role = try await access.previewRole(
                try #require(Name("special")), permissions: [.telemetryRead], tenant: acme, by: local)
            #expect(role.differences.first?.lost == [.deviceRead] && role.differences.first?.gained == [.telemetryRead])
            let join = try await access.previewMember("dora", of: "crew", joins: true, tenant: acme, by: local)
            #expect(join.gaining == 1 && join.losing == 0)
            try await world.audit.settle()
            #expect(try await state() == before)
            // Nobody tries what they may not do.
            let ada = try await world.known("ada")
            await #expect(throws: Refusal.self) { try await access.previewGrant(draft, tenant: acme, by: ada) }
        }
    }

    @Test(
        "a domain's move can be undone once, while it is still there, and both are in the log",
        arguments: TestDatabase.engines)
    func undo(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, local, acme) = (world.access, AccessFixture.local, world.acme.id)
            let hall = try await world.domain("plant/hall")
            world.time.advance(by: .seconds(1))
            _ = try await access.changeDomain("plant/hall", below: "office", tenant: acme, by: local)
            let move = try #require(try await access.moves(tenant: acme, by: local).first)
            #expect(move.object == .domain(hall) && move.undone == nil)
            _ = try await access.undoMove(ofDomain: move.id, tenant: acme, by: local)
            #expect(try await world.domain("plant/hall") == hall)
            await #expect(throws: Refusal(.conflict, "move.undone", "")) {
                try await access.undoMove(ofDomain: move.id, tenant: acme, by: local)
            }
            #expect(try await access.moves(tenant: acme, by: local).count == 1)
            world.time.advance(by: .seconds(1))
            _ = try await access.changeDomain("plant/hall", below: "office", tenant: acme, by: local)
            let second = try #require(try await access.moves(tenant: acme, by: local).first)
            world.time.advance(by: .seconds(1))
            _ = try await access.changeDomain("office/hall", below: "/", tenant: acme, by: local)
            await #expect(throws: Refusal(.conflict, "move.superseded", "")) {
                try await access.undoMove(ofDomain: second.id, tenant: acme, by: local)
            }
            let third = try #require(try await access.moves(tenant: acme, by: local).first)
            let stranger = try await world.principal("admin", of: world.rival)
            await #expect(throws: Refusal(.notFound, "not.found", "")) {
                try await access.undoMove(ofDomain: third.id, tenant: acme, by: stranger)
            }
            let viewer = try await world.principal("viewer")
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await access.undoMove(ofDomain: third.id, tenant: acme, by: viewer)
            }
            world.time.advance(by: .seconds(AccessLimits.undoDays * 86_400))
            await #expect(throws: Refusal(.conflict, "move.old", "")) {
                try await access.undoMove(ofDomain: third.id, tenant: acme, by: local)
            }
            #expect(try await world.log("move.made", of: acme).count == 3)
            #expect(try await world.log("move.undone", of: acme).count == 1)
        }
    }
}
