import Audit
import Base
import Storage
import Testing

@testable import Access

/// Changes of security settings: a reason always, a second approver where the tenant wants one.
@Suite struct AccessApprovalTests {
    private static func person(
        _ world: AccessFixture, _ name: String, _ role: String, of tenant: Tenant? = nil
    ) async throws -> Principal {
        let person = try await world.person(name, of: tenant)
        _ = try await world.access.grant(
            role: role, to: name, tenant: (tenant ?? world.acme).id, by: AccessFixture.local)
        return person
    }

    private static let noReason = Refusal(.invalid, "reason.required", "")
    private static let needsSecond = Refusal(.conflict, "approval.needed", "")

    @Test("what concerns administrators' rights needs a reason, which is in the log", arguments: TestDatabase.engines)
    func reasons(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let access = world.access
            let acme = world.acme.id
            let boss = try await Self.person(world, "boss", "owner")
            _ = try await world.person("ada")
            let own = try #require(Name("own"))
            for reason in [nil, "", " \n ", String(repeating: "x", count: 1001)] {
                await #expect(throws: Self.noReason) {
                    try await access.putRole(
                        own, permissions: [.deviceRead], reason: reason, tenant: acme, by: boss)
                }
                await #expect(throws: Self.noReason) {
                    try await access.grant(role: "admin", to: "ada", reason: reason, tenant: acme, by: boss)
                }
                await #expect(throws: Self.noReason) {
                    try await access.setNeedsSecondApprover(true, reason: reason, tenant: acme, by: boss)
                }
                await #expect(throws: Self.noReason) {
                    try await access.createToken(role: "admin", reason: reason, tenant: acme, by: boss)
                }
            }
            // Everyday rights need none.
            _ = try await access.grant(role: "viewer", to: "ada", tenant: acme, by: boss)
            _ = try await access.putRole(
                own, permissions: [.deviceRead], reason: "for the audit", tenant: acme, by: boss)
            let grant = try await access.grant(role: "admin", to: "ada", reason: "holiday", tenant: acme, by: boss)
            try await access.endGrant(grant.id, reason: "back again", tenant: acme, by: boss)
            let told = try await world.log("", of: acme).compactMap { $0.details["reason"]?.string }
            #expect(Set(told) == ["for the audit", "holiday", "back again"])
        }
    }

    @Test("where two are wanted one proposes and another person approves", arguments: TestDatabase.engines)
    func second(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let access = world.access
            let acme = world.acme.id
            let boss = try await Self.person(world, "boss", "owner")
            let other = try await Self.person(world, "other", "admin")
            let program = try await world.principal("admin")
            let ada = try await world.person("ada")
            try await access.setNeedsSecondApprover(true, reason: "policy", tenant: acme, by: boss)
            for by in [boss, other] {
                await #expect(throws: Self.needsSecond) {
                    try await access.grant(role: "admin", to: "ada", reason: "x", tenant: acme, by: by)
                }
                await #expect(throws: Self.needsSecond) {
                    try await access.createToken(role: "admin", reason: "x", tenant: acme, by: by)
                }
            }
            await #expect(throws: Self.needsSecond) {
                try await access.setNeedsSecondApprover(false, reason: "x", tenant: acme, by: boss)
            }
            // Everyday rights go on as before.
            let everyday = try await access.grant(role: "viewer", to: "ada", tenant: acme, by: boss)
            try await access.endGrant(everyday.id, tenant: acme, by: boss)
            let change = try await access.propose(
                "grant.put", ["principal": "ada", "role": "admin"], reason: "new colleague", tenant: acme, by: boss)
            #expect(try await !world.isAllowed(ada, .principalManage))
            for by in [boss, program] {
                await #expect(throws: Refusal(.forbidden, "change.approver", "")) {
                    try await access.approve(change.id, tenant: acme, by: by)
                }
            }
            let approved = try await access.approve(change.id, tenant: acme, by: other)
            #expect(approved.status == .approved && approved.decider == other.id)
            #expect(try await world.isAllowed(ada, .principalManage))
            await #expect(throws: Refusal(.conflict, "change.status", "")) {
                try await access.approve(change.id, tenant: acme, by: other)
            }
            let granted = try #require(
                try await world.log("grant.created", of: acme).first { $0.details["change"] != nil })
            #expect(granted.details["reason"]?.string == "new colleague")
            #expect(granted.details["change"]?.string == change.id.text)
            // To end the need takes two as well.
            let end = try await access.propose(
                "approval.policy", ["needsSecond": false], reason: "small team", tenant: acme, by: boss)
            await #expect(throws: Refusal.self) { try await access.approve(end.id, tenant: acme, by: other) }
            let coOwner = try await Self.person(world, "co-owner", "owner")
            _ = try await access.approve(end.id, tenant: acme, by: coOwner)
            #expect(try await !access.needsSecondApprover(tenant: acme, by: boss))
        }
    }

    @Test("nobody proposes what they could not do, and proposals end", arguments: TestDatabase.engines)
    func ends(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let access = world.access
            let acme = world.acme.id
            let boss = try await Self.person(world, "boss", "owner")
            let other = try await Self.person(world, "other", "admin")
            let stranger = try await Self.person(world, "stranger", "owner", of: world.rival)
            let viewer = try await Self.person(world, "viewer-1", "viewer")
            for (kind, change) in [
                ("grant.put", ["principal": "other", "role": "owner"]), ("grant.put", ["role": "admin"]),
                ("grant.put", [:]), ("role.put", ["name": "x"]),
                ("role.put", ["name": "x", "permissions": ["platform.manage"]]), ("approval.policy", [:]),
                ("member.put", ["group": "none", "principal": "other"]), ("nothing", [:]),
            ] as [(String, JSONValue)] {
                await #expect(throws: Refusal.self, "\(kind) \(change)") {
                    try await access.propose(kind, change, reason: "x", tenant: acme, by: other)
                }
            }
            #expect(try await access.pendingChanges(tenant: acme, by: boss).isEmpty)
            let roles: JSONValue = ["name": "x", "permissions": ["device.read"]]
            for by in [stranger, viewer] {
                await #expect(throws: Refusal.self) {
                    try await access.propose("role.put", roles, reason: "x", tenant: acme, by: by)
                }
            }
            let first = try await access.propose("role.put", roles, reason: "x", tenant: acme, by: other)
            await #expect(throws: Refusal.self) { try await access.approve(first.id, tenant: acme, by: stranger) }
            await #expect(throws: Refusal(.notFound, "change.unknown", "")) {
                try await access.approve(first.id, tenant: world.rival.id, by: stranger)
            }
            #expect(try await access.reject(first.id, tenant: acme, by: other).status == .withdrawn)
            let second = try await access.propose("role.put", roles, reason: "x", tenant: acme, by: other)
            #expect(try await access.reject(second.id, tenant: acme, by: boss).status == .rejected)
            let third = try await access.propose("role.put", roles, reason: "x", tenant: acme, by: other)
            world.time.advance(by: .seconds(AccessLimits.approvalDays * 86_400))
            #expect(
                try await access.pendingChanges(tenant: acme, by: boss).first { $0.id == third.id }?.status == .expired)
            await #expect(throws: Refusal(.conflict, "change.status", "")) {
                try await access.approve(third.id, tenant: acme, by: boss)
            }
            try await access.endExpiredChanges()
            try await access.endExpiredChanges()
            #expect(try await world.log("change.expired", of: acme).count == 1)
            #expect(try await access.roles(tenant: acme, by: boss).allSatisfy(\.isBuiltIn))
        }
    }

    @Test("what is approved is what was proposed, whatever gets its names meanwhile", arguments: TestDatabase.engines)
    func identifiers(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, local) = (world.access, world.acme.id, AccessFixture.local)
            let boss = try await Self.person(world, "boss", "owner")
            let other = try await Self.person(world, "other", "owner")
            let (ada, eve) = (try await world.person("ada"), try await world.person("eve"))
            func name(_ text: String) throws -> Name { try #require(Name(text)) }
            for (group, user) in [("leads-x", "ada"), ("others", "eve")] {
                _ = try await access.createGroup(try name(group), tenant: acme, by: local)
                try await access.addMember(user, to: group, tenant: acme, by: local)
            }
            for (role, permission) in [("keeper", Permission.principalManage), ("watcher", .deviceRead)] {
                _ = try await access.putRole(
                    try name(role), permissions: [permission, .principalRead], reason: "x", tenant: acme, by: local)
            }
            let group = try await access.propose(
                "grant.put", ["group": "leads-x", "role": "admin", "domain": "plant/hall"], reason: "x", tenant: acme,
                by: boss)
            let member = try await access.propose(
                "member.put", ["group": "others", "principal": "ada"], reason: "x", tenant: acme, by: boss)
            let gone = try await access.propose(
                "grant.put", ["principal": "ada", "role": "watcher"], reason: "x", tenant: acme, by: boss)
            let role = try await access.propose(
                "role.put", ["name": "keeper", "permissions": ["principal.manage", "device.read"]], reason: "x",
                tenant: acme, by: boss)
            let delete = try await access.propose(
                "role.delete", ["role": "keeper"], reason: "x", tenant: acme, by: boss)
            // Everything gets the name of something else.
            _ = try await access.renameGroup("leads-x", to: try name("old"), tenant: acme, by: boss)
            _ = try await access.renameGroup("others", to: try name("leads-x"), tenant: acme, by: boss)
            _ = try await access.changeDomain("plant/hall", name: try name("barn"), tenant: acme, by: local)
            _ = try await access.createDomain(try name("hall"), below: "plant", tenant: acme, by: local)
            let known = try #require(try await access.roles(tenant: acme, by: boss).first { $0.name.text == "watcher" })
            for role in ["watcher", "keeper"] {
                try await access.deleteRole(role, reason: "x", tenant: acme, by: local)
                _ = try await access.putRole(
                    try name(role), permissions: Role.admin.permissions, reason: "x", tenant: acme, by: local)
            }
            // A name that is written like the identifier of what is gone is not meant either.
            _ = try await access.putRole(
                try name(known.id.text), permissions: Role.admin.permissions, reason: "x", tenant: acme, by: local)
            let open = try await access.pendingChanges(status: .proposed, tenant: acme, by: other)
            let shown = try #require(open.first { $0.id == group.id })
            #expect(Set(shown.names.values) == ["old", "admin", "plant/barn"])
            let review = try await access.review(group.id, tenant: acme, by: other)
            #expect(Set(try #require(review.then).names.values) == ["leads-x", "admin", "plant/hall"])
            #expect(review.members == [.init(name: "ada", isNew: false)])
            _ = try await access.approve(group.id, seen: review.seen, tenant: acme, by: other)
            #expect(try await world.isAllowed(ada, .principalManage, at: "plant/barn"))
            #expect(try await !world.isAllowed(ada, .principalManage, at: "plant/hall"))
            #expect(try await !world.isAllowed(eve, .principalManage, at: "plant/barn"))
            _ = try await access.approve(member.id, tenant: acme, by: other)
            #expect(
                try await access.members(of: "leads-x", tenant: acme, by: boss).map(\.name) == ["ada", "eve"])
            for change in [gone, role, delete] {
                await #expect(throws: Refusal(.conflict, "change.stale", ""), "\(change.kind)") {
                    try await access.approve(change.id, tenant: acme, by: other)
                }
            }
            #expect(try await !world.isAllowed(ada, .principalManage, at: "office"))
        }
    }

    @Test("nothing is approved that the approver has not seen", arguments: TestDatabase.engines)
    func seen(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, local) = (world.access, world.acme.id, AccessFixture.local)
            let boss = try await Self.person(world, "boss", "owner")
            let other = try await Self.person(world, "other", "owner")
            for name in ["ada", "eve"] { _ = try await world.person(name) }
            _ = try await access.createGroup(try #require(Name("leads")), tenant: acme, by: local)
            try await access.addMember("ada", to: "leads", tenant: acme, by: local)
            let own = try #require(Name("own"))
            _ = try await access.putRole(own, permissions: [.deviceRead], reason: "x", tenant: acme, by: local)
            let group = try await access.propose(
                "grant.put", ["group": "leads", "role": "admin"], reason: "x", tenant: acme, by: boss)
            let role = try await access.propose(
                "role.put", ["name": "own", "permissions": ["device.read", "audit.read"]], reason: "x", tenant: acme,
                by: boss)
            let looked = try await access.review(group.id, tenant: acme, by: other)
            let lookedAtRole = try await access.review(role.id, tenant: acme, by: other)
            #expect(lookedAtRole.now.present == ["permissions": ["device.read"]])
            world.time.advance(by: .seconds(1))
            // The group administers nothing yet, so nobody is asked about its members.
            try await access.addMember("eve", to: "leads", tenant: acme, by: boss)
            _ = try await access.putRole(own, permissions: [.modelRead], reason: "x", tenant: acme, by: local)
            for (change, seen) in [(group, looked.seen), (role, lookedAtRole.seen), (group, "")] {
                await #expect(throws: Refusal(.conflict, "change.unseen", "")) {
                    try await access.approve(change.id, seen: seen, tenant: acme, by: other)
                }
            }
            let again = try await access.review(group.id, tenant: acme, by: other)
            #expect(again.members == [.init(name: "eve", isNew: true), .init(name: "ada", isNew: false)])
            let roleAgain = try await access.review(role.id, tenant: acme, by: other)
            #expect(roleAgain.then?.present == ["permissions": ["device.read"]])
            #expect(roleAgain.now.present == ["permissions": ["model.read"]])
            _ = try await access.approve(group.id, seen: again.seen, tenant: acme, by: other)
            _ = try await access.approve(role.id, seen: roleAgain.seen, tenant: acme, by: other)
            // One from before names were kept by identifier could mean anything.
            let old = try await access.propose(
                "grant.put", ["principal": "ada", "role": "viewer"], reason: "x", tenant: acme, by: boss)
            try await world.database.tenant(acme).write { tx -> Void in
                try tx.execute("UPDATE pending_change SET told = NULL WHERE tenant = $1 AND id = $2", old.id)
            }
            await #expect(throws: Refusal(.conflict, "change.stale", "")) {
                try await access.approve(old.id, tenant: acme, by: other)
            }
        }
    }

    @Test(
        "a share of an administrator's role takes a reason on both sides, and a second approver where it lets people in",
        arguments: TestDatabase.engines)
    func shares(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let (access, acme, rival) = (world.access, world.acme.id, world.rival.id)
            let boss = try await Self.person(world, "boss", "owner")
            let other = try await Self.person(world, "other", "owner")
            let theirs = try await Self.person(world, "theirs", "owner", of: world.rival)
            let staff = try await world.principal(
                "platform-admin", of: world.access.directory.tenant(TenantID.platform))
            let ends = world.time.now + .seconds(86_400)
            func offer(
                _ role: String, to slug: TenantSlug, reason: String? = nil, tenant: TenantID? = nil,
                by principal: Principal? = nil
            ) async throws -> Share {
                try await access.offerShare(
                    role: role, to: slug, holder: slug == .platform ? "platform-admin" : "owner", ends: ends,
                    reason: reason, tenant: tenant ?? acme, by: principal ?? boss)
            }
            for slug in [world.rival.slug, .platform] {
                await #expect(throws: Self.noReason) { try await offer("owner", to: slug) }
            }
            // Everyday roles need none, and support comes in as before.
            let support = try await offer("operator", to: .platform)
            _ = try await access.acceptShare(support.id, tenant: .platform, by: staff)
            #expect(try await world.isAllowed(staff, .deviceControl))
            // Each side says why in its own log.
            let first = try await offer("admin", to: .platform, reason: "an outage")
            await #expect(throws: Self.noReason) {
                try await access.acceptShare(first.id, tenant: .platform, by: staff)
            }
            _ = try await access.acceptShare(first.id, reason: "ticket 7", tenant: .platform, by: staff)
            #expect(try await world.isAllowed(staff, .principalManage))
            for (log, reason) in [(acme, "an outage"), (TenantID.platform, "ticket 7")] {
                let told = try await world.log("share.", of: log).compactMap { $0.details["reason"]?.string }
                #expect(told == [reason])
            }
            try await access.setNeedsSecondApprover(true, reason: "policy", tenant: acme, by: boss)
            try await access.setNeedsSecondApprover(true, reason: "policy", tenant: rival, by: theirs)
            for slug in [world.rival.slug, .platform] {
                await #expect(throws: Self.needsSecond) { try await offer("owner", to: slug, reason: "x") }
            }
            _ = try await offer("viewer", to: world.rival.slug)
            let draft: JSONValue = [
                "role": "owner", "to": .string(world.rival.slug.text), "holder": "owner", "domain": "plant",
                "ends": .string(ends.rfc3339),
            ]
            for (member, bad) in [("to", "nobody"), ("role", "x"), ("holder", "x"), ("ends", "x"), ("domain", "x")] {
                guard case .object(var members) = draft else { return }
                members[member] = .string(bad)
                let wrong = JSONValue.object(members)
                await #expect(throws: Refusal.self, "\(member)") {
                    try await access.propose("share.put", wrong, reason: "x", tenant: acme, by: boss)
                }
            }
            let pending = try await access.propose("share.put", draft, reason: "merger", tenant: acme, by: boss)
            await #expect(throws: Refusal(.forbidden, "change.approver", "")) {
                try await access.approve(pending.id, tenant: acme, by: boss)
            }
            let before = try await access.shares(tenant: rival, by: theirs).count
            _ = try await access.approve(pending.id, tenant: acme, by: other)
            let shares = try await access.shares(tenant: rival, by: theirs)
            #expect(shares.count == before + 1)
            let share = try #require(shares.first { $0.role == Role.owner.id })
            #expect(share.status == .offered && share.owner == acme)
            #expect(try await world.log("share.offered", of: rival).allSatisfy { $0.details["reason"] == nil })
            // Accepting lets nobody in there, so it is one person's word, with a reason.
            await #expect(throws: Self.noReason) { try await access.acceptShare(share.id, tenant: rival, by: theirs) }
            _ = try await access.acceptShare(share.id, reason: "merger", tenant: rival, by: theirs)
            #expect(try await world.isAllowed(theirs, .principalManage, at: "plant"))
            #expect(try await !world.isAllowed(theirs, .principalManage, at: "office"))
            // The end waits for nobody.
            _ = try await access.endShare(share.id, tenant: acme, by: boss)
            #expect(try await !world.isAllowed(theirs, .principalManage, at: "plant"))
        }
    }
}
