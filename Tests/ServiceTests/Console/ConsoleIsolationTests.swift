import Access
import Base
import HTTPTypes
import Storage
import Testing

@testable import Console
@testable import Northbound

/// Walks the whole table of pages as every role, against another tenant and another tenant's things.
@Suite("The console keeps tenants apart")
struct ConsoleIsolationTests {
    private static let roles = Role.builtIn.filter { $0 != .platformAdmin }

    /// What a parameter of a page's address names; the rest are words of the console's own.
    fileprivate static func kind(of parameter: String, at path: String) -> String? {
        switch parameter {
        case "kind", "act", "entry": nil
        case "key": "token"
        case "holder": path.contains("/groups/") ? "group" : "user"
        case "grant": path.contains("/groups/") ? "groupGrant" : "grant"
        case "change": path.contains("/sites/grants/") ? "grantChange" : "change"
        default: parameter
        }
    }

    private static func parameters(_ page: Page) -> [String] {
        page.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            .filter { $0 != "tenant" }
    }

    private static func kinds(_ page: Page) -> [String] {
        parameters(page).compactMap { kind(of: $0, at: page.path) }
    }

    /// What the tenant has beyond what the API knows of.
    private static func things(
        _ world: ConsoleFixture, in slug: String, _ tenant: TenantID, _ mark: String
    ) async throws -> IsolationThings {
        var things = try await IsolationThings.make(world.api, in: slug, mark)
        // Pages name these the other way round.
        things.add("role", things["role", 1], things["role"])
        things.add("directory", things["directory", 1], things["directory"])
        let lent = try await world.api.send(
            .post, "/api/v1/tenants/\(slug)/grants", ["group": .string(things["group"]), "role": "viewer"])
        things.add("groupGrant", try #require(lent.body["id"]?.string, "\(lent.text)"))
        let access = world.api.world.access
        let changes = try await access.grantChanges(tenant: tenant, by: FleetFixture.admin)
        things.add("grantChange", try #require(changes.first).id.text)
        let (run, now) = (BulkRun.ID(now: world.api.world.time.now), world.api.world.time.now)
        try await world.api.world.database.tenant(tenant).write { tx in
            try tx.execute(
                """
                INSERT INTO console_bulk (tenant, id, principal, act, total, done, refused, status, began, changed)
                VALUES ($1, $2, $3, 'suspend', 1, 0, 0, 'stopped', $4, $4)
                """, run, PrincipalID(now: now), now)
        }
        things.add("run", run.text)
        return things
    }

    private struct Walk {
        let world: ConsoleFixture

        func ask(
            _ page: Page, at slug: String, _ texts: [String: String], as role: String
        ) async throws -> (status: Int, words: String) {
            // So that no rate is exceeded.
            world.api.world.time.advance(by: .milliseconds(10))
            let steps = page.path.split(separator: "/").map { step -> String in
                guard step.hasPrefix("{") else { return String(step) }
                let name = String(step.dropFirst().dropLast())
                switch name {
                case "tenant": return slug
                case "kind": return page.path.contains("/outlets/") ? "webhook" : "openid"
                case "act": return "disable"
                case "entry": return "999999"
                default:
                    return ConsoleIsolationTests.kind(of: name, at: page.path).flatMap { texts[$0] }?.percentEncoded
                        ?? "missing"
                }
            }
            let path = "/" + steps.joined(separator: "/")
            let reply =
                page.method == .get
                ? try await world.get(path, as: role)
                : try await world.post(path, [("name", "other"), ("act", "suspend"), ("sure", "1")], as: role)
            var text = reply.text + " " + (reply.headers[.location] ?? "")
            text = text.replacing(/request [0-9A-Za-z_-]+/, with: "request").replacing("/t/\(slug)", with: "/t/…")
            for asked in texts.values {
                text = text.replacing(asked, with: "…").replacing(asked.percentEncoded, with: "…")
            }
            return (reply.status, "\(reply.status) \(text)")
        }
    }

    private static func with(
        _ body: (Walk, [(page: Page, permission: Permission)], _ own: IsolationThings, _ theirs: IsolationThings)
            async throws -> Void
    ) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let fleet = world.api.world
            let own = try await things(world, in: "acme", fleet.acme, "myself")
            let theirs = try await things(world, in: "rival", fleet.rival, "theirs")
            let people = OAuthWorld(api: world.api)
            for role in roles.map(\.name.text) {
                if role == "guest" {
                    let (_, secret) = try await fleet.access.createToken(
                        role: role, expires: fleet.time.now + .seconds(86_400), tenant: fleet.acme,
                        by: FleetFixture.admin)
                    world.admit(try await fleet.access.authenticate(bearer: secret, address: nil), as: "a-guest")
                } else {
                    // Somebody who has just proved themselves: nothing else is asked before the thing is looked for.
                    let person = try await people.person("a-\(role)", role: role)
                    try await people.prove(person)
                    world.admit(person, as: "a-\(role)")
                }
            }
            let table = PageTable(world.console.parts, .of(world.console.parts.signIn), Assets())
            let pages = table.pages.compactMap { page -> (page: Page, permission: Permission)? in
                guard case .permission(let permission) = page.need else { return nil }
                return (page, permission)
            }
            try await body(Walk(world: world), pages, own, theirs)
        }
    }

    private static func texts(_ things: IsolationThings, _ page: Page, _ spelling: Int = 0) -> [String: String] {
        Dictionary(kinds(page).map { ($0, things[$0, spelling]) }) { first, _ in first }
    }

    @Test("another tenant's pages are the page for what is absent, for every role")
    func otherTenant() async throws {
        try await Self.with { walk, pages, _, theirs in
            for role in Self.roles.map({ "a-\($0.name.text)" }) {
                let reference = try await walk.ask(pages[0].page, at: "nobody", [:], as: role).words
                #expect(reference.hasPrefix("404"))
                for (page, _) in pages {
                    let texts = Self.texts(theirs, page)
                    for slug in ["rival", "nobody"] {
                        let words = try await walk.ask(page, at: slug, texts, as: role).words
                        #expect(words == reference, "\(role) \(page.method) \(page.path) of \(slug)")
                    }
                }
            }
        }
    }

    @Test("what a role may not see is the page for what is absent, whatever is named; what it may see is refused")
    func lacking() async throws {
        try await Self.with { walk, pages, own, theirs in
            for role in Self.roles {
                let name = "a-\(role.name.text)"
                let reference = try await walk.ask(pages[0].page, at: "nobody", [:], as: name).words
                for (page, permission) in pages where !role.permissions.contains(permission) {
                    let mayKnow = role.permissions.contains(permission.revealing) && !permission.isPlatformOnly
                    let absent = try await walk.ask(page, at: "acme", Self.texts(theirs.absent, page), as: name)
                    #expect(absent.status == (mayKnow ? 403 : 404), "\(name) \(page.method) \(page.path)")
                    #expect(mayKnow || absent.words == reference, "\(name) \(page.method) \(page.path)")
                    for things in [own, theirs] {
                        let words = try await walk.ask(page, at: "acme", Self.texts(things, page), as: name).words
                        #expect(words == absent.words, "\(name) \(page.method) \(page.path)")
                    }
                }
            }
        }
    }

    @Test("another tenant's things under one's own address are the page for what is absent, for every role")
    func ownAddress() async throws {
        try await Self.with { walk, pages, own, theirs in
            let absent = theirs.absent
            var tried = 0
            for role in Self.roles {
                for (page, permission) in pages where role.permissions.contains(permission) {
                    let kinds = Self.kinds(page)
                    if kinds.isEmpty { continue }
                    // Each parameter by itself among one's own, and all together.
                    for varied in Set(kinds.map { [$0] } + [kinds]) {
                        for spelling in 0..<(varied.map(theirs.count).max() ?? 1) {
                            var (named, nothing) = (Self.texts(own, page), Self.texts(own, page))
                            for kind in varied {
                                (named[kind], nothing[kind]) = (theirs[kind, spelling], absent[kind, spelling])
                            }
                            let name = "a-\(role.name.text)"
                            let expected = try await walk.ask(page, at: "acme", nothing, as: name)
                            let reply = try await walk.ask(page, at: "acme", named, as: name)
                            let what = "\(name) \(page.method) \(page.path) \(varied) \(named)"
                            tried += 1
                            #expect(expected.status == 404, "\(what): \(expected.words.prefix(20))")
                            #expect(reply.words == expected.words, "\(what)")
                        }
                    }
                }
            }
            #expect(tried > 300)
        }
    }

    @Test("one's own things are there for the owner, so that the walks name them rightly")
    func own() async throws {
        try await Self.with { walk, pages, own, _ in
            for (page, _) in pages where page.method == .get && !Self.kinds(page).isEmpty {
                let reply = try await walk.ask(page, at: "acme", Self.texts(own, page), as: "a-owner")
                #expect(reply.status == 200, "\(page.path): \(reply.status)")
            }
        }
    }
}
