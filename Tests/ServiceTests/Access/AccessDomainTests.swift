import Base
import Storage
import Testing

@testable import Access

@Suite struct AccessDomainTests {
    @Test("a domain is found by path and by identifier", arguments: TestDatabase.engines)
    func lookUp(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let hall = try await world.domain("plant/hall")
            #expect(try await world.domain(hall.text) == hall)
            #expect(try await world.domain(nil) == world.acme.rootDomain)
            #expect(try await world.domain("/") == world.acme.rootDomain)
            for text in ["plant/hall/none", "none", "hall", String(repeating: "a/", count: 200)] {
                await #expect(throws: Refusal(.notFound, "domain.unknown", "")) { try await world.domain(text) }
            }
            // Another tenant's identifier is unknown here.
            let foreign = try await world.domain("plant", of: world.rival)
            await #expect(throws: Refusal(.notFound, "domain.unknown", "")) { try await world.domain(foreign.text) }
        }
    }

    @Test(
        "names are unique beside each other, and the tree is not deeper than its bound", arguments: TestDatabase.engines
    )
    func bounds(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let access = world.access
            let (hall, office) = (try #require(Name("hall")), try #require(Name("office")))
            await #expect(throws: Refusal(.conflict, "domain.exists", "")) {
                try await access.createDomain(office, tenant: world.acme.id, by: AccessFixture.local)
            }
            _ = try await access.createDomain(hall, below: "office", tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.conflict, "domain.exists", "")) {
                try await access.changeDomain(
                    "plant/hall", below: "office", tenant: world.acme.id, by: AccessFixture.local)
            }
            var path = "office"
            for _ in 2..<AccessLimits.domainDepth - 1 {
                _ = try await access.createDomain(
                    try #require(Name("d")), below: path, tenant: world.acme.id, by: AccessFixture.local)
                path += "/d"
            }
            _ = try await access.createDomain(
                try #require(Name("last")), below: path, tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.tooLarge, "domain.depth", "")) {
                try await access.createDomain(
                    try #require(Name("deeper")), below: path + "/last", tenant: world.acme.id, by: AccessFixture.local)
            }
            await #expect(throws: Refusal(.tooLarge, "domain.depth", "")) {
                try await access.changeDomain("plant", below: path, tenant: world.acme.id, by: AccessFixture.local)
            }
            // Rights hold down to the deepest one.
            let viewer = try await world.principal("viewer")
            #expect(try await world.isAllowed(viewer, .deviceRead, at: path + "/last"))
        }
    }

    @Test("a domain is never moved below itself, and the root not at all", arguments: TestDatabase.engines)
    func cycle(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            for target in ["plant", "plant/hall"] {
                await #expect(throws: Refusal(.conflict, "domain.cycle", "")) {
                    try await world.access.changeDomain(
                        "plant", below: target, tenant: world.acme.id, by: AccessFixture.local)
                }
            }
            await #expect(throws: Refusal(.conflict, "domain.root", "")) {
                try await world.access.changeDomain("/", below: "plant", tenant: world.acme.id, by: AccessFixture.local)
            }
        }
    }

    @Test("moves at the same time never make a ring", arguments: TestDatabase.engines)
    func concurrentMoves(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let access = world.access
            var ids: [DomainID] = []
            for number in 0..<4 {
                ids.append(
                    try await access.createDomain(
                        try #require(Name("d\(number)")), tenant: world.acme.id, by: AccessFixture.local
                    ).id)
            }
            for round in 0..<8 {
                await withTaskGroup(of: Void.self) { group in
                    for index in ids.indices {
                        // Each below the next: all four together would be a ring.
                        let (from, to) = (ids[index], ids[(index + 1 + round % 2) % ids.count])
                        group.addTask {
                            _ = try? await access.changeDomain(
                                from.text, below: to.text, tenant: world.acme.id, by: AccessFixture.local)
                        }
                    }
                }
                let parents = try await access.domains(tenant: world.acme.id, by: AccessFixture.local)
                    .reduce(into: [:]) { $0[$1.id] = $1.parent }
                for id in ids {
                    var steps = 0
                    var current: DomainID? = id
                    while let here = current, steps < 50 {
                        current = parents[here] ?? nil
                        steps += 1
                    }
                    #expect(steps < 10, "round \(round)")
                }
                for id in ids {
                    _ = try await access.changeDomain(
                        id.text, below: "/", tenant: world.acme.id, by: AccessFixture.local)
                }
            }
        }
    }

    @Test("only an empty domain is deleted, and its grants and shares end with it", arguments: TestDatabase.engines)
    func deletion(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let access = world.access
            func delete(_ text: String, isUsed: Bool = false) async throws {
                try await access.deleteDomain(
                    text, tenant: world.acme.id, by: AccessFixture.local, isUsed: { _, _ in isUsed })
            }
            for (text, isUsed) in [("plant", false), ("office", true), ("/", false)] {
                await #expect(throws: Refusal(.conflict, "domain.used", "")) { try await delete(text, isUsed: isUsed) }
            }
            _ = try await world.principal("viewer", at: "office")
            _ = try await world.share("viewer", at: "office")
            let before = try await world.count("role_grant", of: world.acme.id)
            try await delete("office")
            #expect(try await world.count("role_grant", of: world.acme.id) == before - 1)
            for log in [world.acme.id, world.rival.id] {
                #expect(try await world.log("share.ended", of: log).count == 1)
            }
        }
    }

    @Test("the plan bounds domains and principals", arguments: TestDatabase.engines)
    func plan(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            var plan = Plan(id: Plan.standardID, name: try #require(Name("tiny")))
            plan.domains = 5
            plan.principals = 1
            _ = try await world.access.putPlan(plan, by: AccessFixture.local)
            _ = try await world.access.changeTenant(world.acme.slug, plan: plan.name, by: AccessFixture.local)
            _ = try await world.access.createDomain(
                try #require(Name("fifth")), tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.limited, "plan.domains", "")) {
                try await world.access.createDomain(
                    try #require(Name("sixth")), tenant: world.acme.id, by: AccessFixture.local)
            }
            let first = try await world.access.createToken(
                role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.limited, "plan.principals", "")) {
                try await world.access.createToken(role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
            }
            try await world.access.revokeToken(first.token.id, tenant: world.acme.id, by: AccessFixture.local)
            _ = try await world.access.createToken(role: "viewer", tenant: world.acme.id, by: AccessFixture.local)
        }
    }
}
