import Base
import Storage
import Testing

@testable import Access

/// Rights are taken only by who could give them, an administrator always stays, and nothing outlives a share.
@Suite struct AccessSafeguardTests {
    private static let beyond = Refusal(.forbidden, "access.beyondOwn", "")
    private static let own = Refusal(.conflict, "grant.own", "")
    private static let lastOne = Refusal(.conflict, "grant.last", "")
    private static let outlived = Refusal(.forbidden, "share.outlived", "")

    private static func name(_ text: String) throws -> Name { try #require(Name(text)) }

    /// A person of acme's who holds a role, by a grant of their own.
    private static func person(
        _ world: AccessFixture, _ text: String, _ role: String
    ) async throws -> (principal: Principal, grant: GrantID) {
        let person = try await world.person(text)
        let grant = try await world.access.grant(
            role: role, to: text, reason: "test", tenant: world.acme.id, by: AccessFixture.local)
        return (person, grant.id)
    }

    @Test(
        "an administrator's rights are ended by who holds as much, whichever way they are held",
        arguments: TestDatabase.engines)
    func covering(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, local) = (world.access, world.acme.id, AccessFixture.local)
            _ = try await access.putRole(
                Self.name("clerk"), permissions: [.principalManage, .principalRead], tenant: acme, by: local)
            _ = try await access.putRole(
                Self.name("chief"), permissions: [.principalManage, .principalRead, .approvalManage, .auditRead],
                tenant: acme, by: local)
            let (owner, ownersGrant) = try await Self.person(world, "owner-1", "owner")
            _ = try await world.person("bea")
            _ = try await access.createGroup(Self.name("chiefs"), tenant: acme, by: local)
            var draft = GrantDraft(role: "chief")
            draft.group = "chiefs"
            _ = try await access.grant(draft, tenant: acme, by: local)
            try await access.addMember("bea", to: "chiefs", tenant: acme, by: local)
            for role in ["clerk", "admin"] {
                let other = try await world.principal(role)
                await #expect(throws: Self.beyond, "\(role)") {
                    try await access.endGrant(ownersGrant, reason: "coup", tenant: acme, by: other)
                }
                await #expect(throws: Self.beyond, "\(role)") {
                    try await access.removeMember("bea", from: "chiefs", reason: "coup", tenant: acme, by: other)
                }
                await #expect(throws: Self.beyond, "\(role)") {
                    try await access.deleteGroup("chiefs", reason: "coup", tenant: acme, by: other)
                }
                await #expect(throws: Self.beyond, "\(role)") {
                    try await access.deleteRole("chief", reason: "coup", tenant: acme, by: other)
                }
                await #expect(throws: Self.beyond, "\(role)") {
                    _ = try await access.setActive(false, principal: "owner-1", tenant: acme, by: other)
                }
                await #expect(throws: Self.beyond, "\(role)") {
                    _ = try await access.setActive(true, principal: "owner-1", tenant: acme, by: other)
                }
            }
            #expect(try await world.isAllowed(owner, .approvalManage))
            // Who is disabled holds nothing for the moment, and all of it once enabled again.
            _ = try await access.setActive(false, principal: "owner-1", tenant: acme, by: local)
            for role in ["clerk", "admin"] {
                let other = try await world.principal(role)
                await #expect(throws: Self.beyond, "\(role)") {
                    _ = try await access.setActive(true, principal: "owner-1", tenant: acme, by: other)
                }
            }
            _ = try await access.setActive(true, principal: "owner-1", tenant: acme, by: local)
            // What gives nobody administrators' rights is still taken by whoever manages principals.
            let clerk = try await world.principal("clerk")
            let viewing = try await access.grant(role: "viewer", to: "bea", tenant: acme, by: local)
            try await access.endGrant(viewing.id, tenant: acme, by: clerk)
            try await access.removeMember("bea", from: "chiefs", reason: "left", tenant: acme, by: owner)
            try await access.deleteGroup("chiefs", reason: "over", tenant: acme, by: owner)
            try await access.deleteRole("chief", reason: "over", tenant: acme, by: owner)
        }
    }

    @Test("nobody ends their own rights as administrator, by no way there is", arguments: TestDatabase.engines)
    func last(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, local) = (world.access, world.acme.id, AccessFixture.local)
            let (owner, grant) = try await Self.person(world, "boss", "owner")
            await #expect(throws: Self.own) {
                try await access.endGrant(grant, reason: "done", tenant: acme, by: owner)
            }
            await #expect(throws: Refusal(.conflict, "principal.own", "")) {
                _ = try await access.setActive(false, principal: "boss", tenant: acme, by: owner)
            }
            // A grant that takes its place may be smaller only in what makes nobody an administrator.
            var less = GrantDraft(role: "admin")
            (less.principal, less.replaces) = ("boss", grant)
            await #expect(throws: Self.own) { try await access.grant(less, reason: "x", tenant: acme, by: owner) }
            // By a role of the tenant's own, through a group.
            _ = try await access.putRole(
                Self.name("chief"), permissions: Role.owner.permissions, tenant: acme, by: local)
            _ = try await access.createGroup(Self.name("chiefs"), tenant: acme, by: local)
            var draft = GrantDraft(role: "chief")
            draft.group = "chiefs"
            let groupGrant = try await access.grant(draft, tenant: acme, by: local)
            try await access.addMember("boss", to: "chiefs", tenant: acme, by: local)
            // While both count, one of them may go.
            try await access.endGrant(grant, reason: "by the group now", tenant: acme, by: owner)
            await #expect(throws: Self.own) {
                try await access.endGrant(groupGrant.id, reason: "x", tenant: acme, by: owner)
            }
            await #expect(throws: Self.own) {
                try await access.removeMember("boss", from: "chiefs", reason: "x", tenant: acme, by: owner)
            }
            await #expect(throws: Self.own) {
                try await access.deleteGroup("chiefs", reason: "x", tenant: acme, by: owner)
            }
            await #expect(throws: Self.own) {
                try await access.deleteRole("chief", reason: "x", tenant: acme, by: owner)
            }
            await #expect(throws: Self.own) {
                _ = try await access.putRole(
                    Self.name("chief"), permissions: [.deviceRead], reason: "x", tenant: acme, by: owner)
            }
            #expect(try await world.isAllowed(owner, .approvalManage))
            // The server's operator may: they are the way back.
            try await access.removeMember("boss", from: "chiefs", tenant: acme, by: local)
            #expect(try await !world.isAllowed(owner, .principalManage))
        }
    }

    @Test(
        "who administers for a time leaves somebody who does without an end, whichever way they would take it",
        arguments: TestDatabase.engines)
    func lasting(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, local) = (world.access, world.acme.id, AccessFixture.local)
            let (boss, bossGrant) = try await Self.person(world, "boss", "owner")
            let deputy = try await world.person("deputy")
            let end = world.time.now + .seconds(86_400)
            let forADay = try await access.grant(
                role: "owner", to: "deputy", expires: end, reason: "test", tenant: acme, by: local)
            await #expect(throws: Self.lastOne) {
                try await access.endGrant(bossGrant, reason: "coup", tenant: acme, by: deputy)
            }
            // Nor is it given an end, by the one or the other.
            var shorter = GrantDraft(role: "owner")
            (shorter.principal, shorter.replaces, shorter.expires) = ("boss", bossGrant, end)
            for by in [boss, deputy] {
                await #expect(throws: Self.lastOne, "\(by.name)") {
                    _ = try await access.grant(shorter, reason: "x", tenant: acme, by: by)
                }
            }
            // By a group, whose members are what counts, and a role of the tenant's own.
            _ = try await access.putRole(
                Self.name("chief"), permissions: Role.owner.permissions, tenant: acme, by: local)
            _ = try await access.createGroup(Self.name("chiefs"), tenant: acme, by: local)
            var draft = GrantDraft(role: "chief")
            draft.group = "chiefs"
            _ = try await access.grant(draft, tenant: acme, by: local)
            await #expect(throws: Self.lastOne, "a group without anybody is nobody") {
                try await access.endGrant(bossGrant, reason: "coup", tenant: acme, by: deputy)
            }
            try await access.addMember("boss", to: "chiefs", tenant: acme, by: local)
            try await access.endGrant(bossGrant, reason: "by the group now", tenant: acme, by: deputy)
            for (what, act) in [
                (
                    "member",
                    { try await access.removeMember("boss", from: "chiefs", reason: "x", tenant: acme, by: deputy) }
                ),
                ("group", { try await access.deleteGroup("chiefs", reason: "x", tenant: acme, by: deputy) }),
                ("role", { try await access.deleteRole("chief", reason: "x", tenant: acme, by: deputy) }),
            ] as [(String, () async throws -> Void)] {
                await #expect(throws: Self.lastOne, "\(what)") { try await act() }
            }
            // Once another has it without an end, one may go; and the operator may always.
            _ = try await Self.person(world, "co-owner", "owner")
            try await access.removeMember("boss", from: "chiefs", reason: "left", tenant: acme, by: deputy)
            try await access.endGrant(forADay.id, tenant: acme, by: local)
        }
    }

    @Test(
        "who is here by a share gives nobody anything: it would stay when the share ends early",
        arguments: TestDatabase.engines)
    func guest(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, local) = (world.access, world.acme.id, AccessFixture.local)
            _ = try await world.share("owner", to: "owner")
            let guest = try await world.principal("owner", of: world.rival)
            let home = try await Self.person(world, "ada", "viewer")
            _ = try await access.createGroup(Self.name("crew"), tenant: acme, by: local)
            #expect(try await world.isAllowed(guest, .principalManage))
            let end = world.time.now + .seconds(60)
            await #expect(throws: Self.outlived) {
                try await access.grant(role: "viewer", to: "ada", expires: end, tenant: acme, by: guest)
            }
            await #expect(throws: Self.outlived) {
                _ = try await access.putRole(
                    Self.name("own"), permissions: [.deviceRead], reason: "x", tenant: acme, by: guest)
            }
            await #expect(throws: Self.outlived) {
                _ = try await access.createPrincipal(Self.name("eve"), kind: .user, tenant: acme, by: guest)
            }
            await #expect(throws: Self.outlived) {
                _ = try await access.createToken(role: "viewer", expires: end, tenant: acme, by: guest)
            }
            await #expect(throws: Self.outlived) {
                _ = try await access.setActive(false, principal: "ada", tenant: acme, by: guest)
            }
            await #expect(throws: Self.outlived) {
                _ = try await access.propose(
                    "grant.put", ["principal": "ada", "role": "viewer"], reason: "x", tenant: acme, by: guest)
            }
            await #expect(throws: Self.outlived) {
                try await access.setNeedsSecondApprover(true, reason: "x", tenant: acme, by: guest)
            }
            // Nor takes it administrators' rights; what they take of others' daily rights nobody misses for good.
            let boss = try await Self.person(world, "boss", "owner")
            await #expect(throws: Self.outlived) {
                try await access.endGrant(boss.grant, reason: "x", tenant: acme, by: guest)
            }
            try await access.endGrant(home.grant, tenant: acme, by: guest)
        }
    }

    @Test(
        "what a program proposed is approved by the server's operator alone: nobody knows whose program it is",
        arguments: TestDatabase.engines)
    func programs(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme) = (world.access, world.acme.id)
            let (boss, _) = try await Self.person(world, "boss", "owner")
            let (mate, _) = try await Self.person(world, "mate", "owner")
            _ = try await world.person("ada")
            try await access.setNeedsSecondApprover(true, reason: "policy", tenant: acme, by: boss)
            let program = try await world.principal("owner")
            let change: JSONValue = ["principal": "ada", "role": "admin"]
            let byProgram = try await access.propose("grant.put", change, reason: "x", tenant: acme, by: program)
            for by in [boss, mate] {
                await #expect(throws: Refusal(.forbidden, "change.program", "")) {
                    _ = try await access.approve(byProgram.id, tenant: acme, by: by)
                }
            }
            let byPerson = try await access.propose("grant.put", change, reason: "x", tenant: acme, by: boss)
            await #expect(throws: Refusal(.forbidden, "change.approver", "")) {
                _ = try await access.approve(byPerson.id, tenant: acme, by: program)
            }
            _ = try await access.approve(byPerson.id, tenant: acme, by: mate)
            _ = try await access.approve(byProgram.id, tenant: acme, by: AccessFixture.local)
        }
    }
}
