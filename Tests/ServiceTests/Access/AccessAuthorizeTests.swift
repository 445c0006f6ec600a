import Audit
import Base
import Storage
import Testing

@testable import Access

@Suite struct AccessAuthorizeTests {
    @Test("each built-in role allows exactly what it says, everywhere in its tenant", arguments: TestDatabase.engines)
    func roles(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            for role in [Role.admin, .operator, .viewer] {
                let principal = try await world.principal(role.name.text)
                for permission in Permission.allCases {
                    for domain in [nil, "plant", "plant/hall", "office"] {
                        let isAllowed = try await world.isAllowed(principal, permission, at: domain)
                        #expect(
                            isAllowed == role.permissions.contains(permission),
                            "\(role.name) \(permission) \(domain ?? "/")")
                    }
                }
            }
        }
    }

    @Test("who was granted nothing may do nothing", arguments: TestDatabase.engines)
    func nothing(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let info = try await world.access.createPrincipal(
                try #require(Name("ada")), kind: .user, tenant: world.acme.id, by: AccessFixture.local)
            let ada = Principal(
                id: info.id, kind: .user, tenant: world.acme.id, name: "ada", credential: nil, address: nil)
            for permission in Permission.allCases {
                #expect(try await world.refusal(ada, permission)?.kind == .notFound)
            }
        }
    }

    @Test("a grant holds at its domain and below, not above nor beside", arguments: TestDatabase.engines)
    func inheritance(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let principal = try await world.principal("operator", at: "plant")
            #expect(try await world.isAllowed(principal, .deviceManage, at: "plant"))
            #expect(try await world.isAllowed(principal, .deviceManage, at: "plant/hall"))
            for domain in [nil, "office"] {
                #expect(try await world.refusal(principal, .deviceManage, at: domain)?.kind == .notFound)
            }
            // The tenant itself and its models belong to no domain.
            #expect(try await world.isAllowed(principal, .tenantRead))
            #expect(try await world.isAllowed(principal, .modelRead))
            #expect(try await !world.isAllowed(principal, .modelManage))
            let hall = try await world.domain("plant/hall")
            let plant = try await world.domain("plant")
            let scope = try await world.database.tenant(world.acme.id).read {
                try world.access.visibleDomains(principal, .deviceRead, tenant: world.acme.id, in: $0)
            }
            #expect(scope == .roots([plant]))
            let seen = try await world.access.domains(tenant: world.acme.id, by: principal)
            #expect(Set(seen.map(\.id)) == [plant, hall])
            let all = try await world.database.tenant(world.acme.id).read {
                try world.access.visibleDomains(AccessFixture.local, .deviceRead, tenant: world.acme.id, in: $0)
            }
            #expect(all == .all)
        }
    }

    @Test(
        "who sees a thing is told that an act is forbidden, who does not is told that there is nothing",
        arguments: TestDatabase.engines)
    func forbiddenOrAbsent(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let viewer = try await world.principal("viewer", at: "plant")
            #expect(
                try await world.refusal(viewer, .deviceManage, at: "plant")
                    == Refusal(.forbidden, "access.forbidden", ""))
            #expect(try await world.refusal(viewer, .auditRead, at: "plant")?.kind == .notFound)
            // A hidden domain and an absent one give the same answer, word for word.
            let hidden = try await world.domain("office")
            let absent = DomainID(now: world.time.now)
            var answers: [Refusal] = []
            for domain in [hidden, absent] {
                answers.append(try await #require(world.refusal(viewer, .deviceRead, at: domain.text)))
            }
            #expect(
                answers[0].kind == .notFound && answers[0] == answers[1] && answers[0].message == answers[1].message)
            var shown: [Refusal] = []
            for domain in [hidden, absent] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.access.domain(domain.text, tenant: world.acme.id, by: viewer)
                }
                shown.append(try #require(refusal))
            }
            #expect(shown[0] == shown[1] && shown[0].message == shown[1].message)
        }
    }

    @Test("a grant counts until its end and not a moment longer", arguments: TestDatabase.engines)
    func expiry(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let info = try await world.access.createPrincipal(
                try #require(Name("ada")), kind: .user, tenant: world.acme.id, by: AccessFixture.local)
            let ada = Principal(
                id: info.id, kind: .user, tenant: world.acme.id, name: "ada", credential: nil, address: nil)
            _ = try await world.access.grant(
                role: "viewer", to: "ada", expires: world.time.now + .seconds(60), tenant: world.acme.id,
                by: AccessFixture.local)
            #expect(try await world.isAllowed(ada, .deviceRead))
            world.time.advance(by: .seconds(59))
            #expect(try await world.isAllowed(ada, .deviceRead))
            world.time.advance(by: .seconds(1))
            #expect(try await !world.isAllowed(ada, .deviceRead))
            let lasting = try await world.access.grant(
                role: "viewer", to: info.id.text, tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await world.isAllowed(ada, .deviceRead))
            try await world.access.endGrant(lasting.id, tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await !world.isAllowed(ada, .deviceRead))
            await #expect(throws: Refusal(.invalid, "grant.expired", "")) {
                try await world.access.grant(
                    role: "viewer", to: "ada", expires: world.time.now, tenant: world.acme.id, by: AccessFixture.local)
            }
        }
    }

    @Test("a changed role counts at once for everybody who holds it", arguments: TestDatabase.engines)
    func customRole(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let name = try #require(Name("reader"))
            func put(_ permissions: Set<Permission>) async throws {
                _ = try await world.access.putRole(
                    name, permissions: permissions, tenant: world.acme.id, by: AccessFixture.local)
            }
            try await put([.deviceRead])
            let principal = try await world.principal("reader")
            #expect(try await world.isAllowed(principal, .deviceRead))
            #expect(try await !world.isAllowed(principal, .telemetryRead))
            try await put([.telemetryRead])
            #expect(try await !world.isAllowed(principal, .deviceRead))
            #expect(try await world.isAllowed(principal, .telemetryRead))
            // What counts on the platform only counts nowhere else, whatever a role says.
            try await put([.platformManage, .planManage])
            #expect(try await !world.isAllowed(principal, .platformManage))
            try await world.access.deleteRole("reader", tenant: world.acme.id, by: AccessFixture.local)
            #expect(try await !world.isAllowed(principal, .telemetryRead))
            await #expect(throws: Refusal(.conflict, "role.builtIn", "")) {
                try await world.access.deleteRole("viewer", tenant: world.acme.id, by: AccessFixture.local)
            }
        }
    }

    @Test(
        "denials are recorded in the log of the principal's own tenant, few rows for many",
        arguments: TestDatabase.engines)
    func denials(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let viewer = try await world.principal("viewer")
            for _ in 0..<20 { #expect(try await !world.isAllowed(viewer, .deviceManage)) }
            for _ in 0..<20 { #expect(try await !world.isAllowed(viewer, .deviceRead, of: world.rival)) }
            _ = try? await world.access.admit(viewer, .deviceRead, to: world.rival.slug)
            let entries = try await world.log("access.denied", of: world.acme.id)
            #expect(entries.count == 2)
            #expect(Set(entries.map(\.object.id)) == ["device.manage", "device.read"])
            #expect(entries.allSatisfy { $0.actor.id == viewer.id.text && $0.outcome == .denied })
            #expect(Set(entries.map { $0.details["times"]?.integer }) == [20, 21])
            #expect(try await world.log("access.denied", of: world.rival.id).isEmpty)
        }
    }

    @Test(
        "the operator's own socket may act in a tenant, and the tenant's log says so", arguments: TestDatabase.engines)
    func localAdministrator(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            for permission in Permission.allCases {
                #expect(try await world.isAllowed(AccessFixture.local, permission))
            }
            let entry = try #require(try await world.log("domain.created", of: world.acme.id).first)
            #expect(entry.actor.kind == .system && entry.actor.id == "local" && entry.actor.home == .platform)
            // Nobody else of that kind is let in: a principal is made here only.
            let forged = Principal(
                id: PrincipalID(high: 0, low: 2), kind: .system, tenant: .platform, name: "local", credential: nil,
                address: nil)
            #expect(try await !world.isAllowed(forged, .tenantRead))
            let device = Principal(
                id: PrincipalID(high: 0, low: 3), kind: .device, tenant: world.acme.id, name: "d", credential: nil,
                address: nil)
            #expect(try await !world.isAllowed(device, .deviceRead))
        }
    }
}
