import Access
import Base
import Storage
import Testing

@testable import Fleet
@testable import Watch

@Suite("What people do with alerts") struct AlertPeopleTests {
    @Test("an alert that somebody takes care of is told to nobody else", arguments: TestDatabase.engines)
    func acknowledge(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let acme = world.world.acme
            try await world.rule(wait: 60)
            try await world.pass(70, calling: ["p-0", "p-1"])
            let alert = try #require(try await world.alerts().first)
            let technician = try await world.world.principal("technician", at: "berlin")
            let seen = try await world.watch.acknowledge(alert.id, note: "on my way", in: acme, by: technician)
            #expect((seen.note, seen.acknowledgedBy) == ("on my way", technician.name))
            #expect(try await world.watch.bell(in: acme, by: technician) == 0)
            try await world.pass(100, calling: ["p-0", "p-1"])
            #expect(try await world.messages().isEmpty)
            // The second one does not take it over.
            let again = try await world.watch.acknowledge(alert.id, in: acme, by: WatchFixture.admin)
            #expect(again.acknowledgedBy == technician.name)
            #expect(
                try await world.world.audited("alert") == [
                    "alert.acknowledged", "alert.acknowledged", "alertRule.created",
                ])
            await #expect(throws: Refusal(.invalid, "alert.note", "")) {
                try await world.watch.acknowledge(
                    alert.id, note: String(repeating: "x", count: 501), in: acme, by: technician)
            }
            try await world.pass(10, calling: ["b-0", "b-1", "b-2", "p-0", "p-1"])
            await #expect(throws: Refusal(.conflict, "alert.closed", "")) {
                try await world.watch.acknowledge(alert.id, in: acme, by: technician)
            }
        }
    }

    @Test(
        "a silenced place is not told of until the silence ends, even after a restart", arguments: TestDatabase.engines)
    func silence(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let (acme, admin, all) = (world.world.acme, WatchFixture.admin, ["b-0", "b-1", "b-2", "p-0", "p-1"])
            try await world.rule(wait: 60)
            try await world.pass(70, calling: ["p-0", "p-1"])
            let alert = try #require(try await world.alerts().first)
            let until = world.world.time.now + .seconds(600)
            _ = try await world.watch.silence(alert.id, until: until, in: acme, by: admin)
            #expect(try await world.watch.bell(in: acme, by: admin) == 0)
            try await world.pass(10, calling: all)
            #expect(try await world.summaries().isEmpty)
            // The same place again: still silent.
            let restarted = try await world.restarted()
            try await restarted.pass(300, calling: ["p-0", "p-1"])
            #expect(try await restarted.summaries() == ["berlin: 3 devices are silent"])
            #expect(try await restarted.watch.bell(in: acme, by: admin) == 0)
            #expect(try await restarted.messages().isEmpty)
            try await restarted.pass(300, calling: ["p-0", "p-1"])
            #expect(try await restarted.messages().count == 1)
            for bad in [restarted.world.time.now, restarted.world.time.now + .seconds(91 * 86_400)] {
                await #expect(throws: Refusal(.invalid, "alert.silence", "")) {
                    let open = try #require(try await restarted.alerts().first)
                    _ = try await restarted.watch.silence(open.id, until: bad, in: acme, by: admin)
                }
            }
        }
    }

    @Test("people of one site see and hear of its alerts alone, other tenants of none", arguments: TestDatabase.engines)
    func isolation(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let (acme, access) = (world.world.acme, world.world.access)
            for (name, place) in [("ada", "berlin"), ("bob", "paris"), ("eve", nil)] {
                _ = try await access.createPrincipal(
                    try #require(Name(name)), kind: .user, tenant: acme, by: WatchFixture.admin)
                _ = try await access.grant(
                    role: "operator", to: name, at: place, tenant: acme, by: WatchFixture.admin)
            }
            try await world.rule(to: [.init(role: "operator")])
            try await world.rule("hall", at: "berlin/hall", to: [.init(mail: "hall@example.com")])
            try await world.pass(80)
            #expect(try await world.summaries() == ["berlin: 3 devices are silent", "paris: 2 devices are silent"])
            #expect(
                Set(try await world.messages()) == [
                    "ada@example.com [acme] berlin: 3 devices are silent",
                    "eve@example.com [acme] berlin: 3 devices are silent",
                    "bob@example.com [acme] paris: 2 devices are silent",
                    "eve@example.com [acme] paris: 2 devices are silent",
                ])
            let local = try await world.world.principal("operator", at: "berlin")
            #expect(try await world.alerts(by: local).map(\.place) == ["berlin"])
            #expect(try await world.watch.bell(in: acme, by: local) == 1)
            let paris = try #require(try await world.alerts().first { $0.place == "paris" })
            await #expect(throws: Watch.unknown) { try await world.watch.alert(paris.id, in: acme, by: local) }
            await #expect(throws: Watch.unknown) {
                try await world.watch.acknowledge(paris.id, in: acme, by: local)
            }
            let berlin = try #require(try await world.alerts().first { $0.place == "berlin" })
            let viewer = try await world.world.principal("viewer")
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.watch.acknowledge(berlin.id, in: acme, by: viewer)
            }
            await #expect(throws: Refusal(.forbidden, "access.forbidden", "")) {
                try await world.rule("mine", at: "berlin", by: local)
            }
            let stranger = try await world.world.principal("admin", of: world.world.rival)
            await #expect(throws: Watch.unknown) { try await world.watch.alert(berlin.id, in: acme, by: stranger) }
            #expect(try await world.alerts(by: stranger).isEmpty)
            #expect(try await world.alerts(by: stranger, in: world.world.rival).isEmpty)
            await #expect(throws: Watch.unknown) {
                try await world.watch.alert(berlin.id, in: world.world.rival, by: stranger)
            }
        }
    }

    @Test("many lost sites at once are one message to each receiver, and one event each to an application")
    func manySites() async throws {
        try await WatchFixture.with(.sqlite, berlin: 1, paris: 1) { world in
            let acme = world.world.acme
            let hook = try await world.application()
            try await world.rule(
                to: [.init(mail: "ops@example.com"), .init(sms: "+4930123456"), .init(webhook: hook)])
            var lines: [String] = []
            for number in 0..<20 {
                try await world.world.domain("site-\(number)")
                lines.append("s-\(number),site-\(number)")
            }
            let list = try world.world.list("name,domain\n" + lines.joined(separator: "\n") + "\n")
            _ = try await world.world.fleet.registerMany(list, in: acme, by: WatchFixture.admin)
            try await world.world.database.tenant(acme).write {
                try $0.execute("UPDATE device SET status = 1, enrolled = created WHERE tenant = $1")
            }
            let restarted = try await world.restarted()
            try await restarted.pass(80)
            #expect(try await restarted.alerts().count == 22)
            let messages = try await restarted.messages()
            #expect(messages.filter { $0.hasPrefix("ops@example.com") } == ["ops@example.com [acme] 22 new alerts"])
            #expect(messages.filter { $0.hasPrefix("+49") }.count == 1)
            #expect(messages.filter { $0.hasPrefix("alert.opened") }.count == 22)
        }
    }

    @Test("rules that make no sense are refused with every fault", arguments: TestDatabase.engines)
    func badRules(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            let acme = world.world.acme
            let receivers: [AlertRuleDraft.Receiver] = [
                .init(), .init(mail: "nobody"), .init(sms: "0123"), .init(webhook: "none"),
                .init(role: "operator", mail: "a@example.com"), .init(mail: "a@example.com\r\nBcc: b@example.com"),
            ]
            for receiver in receivers {
                await #expect(throws: Refusal(.invalid, "alertRule.invalid", "")) {
                    try await world.rule(to: [receiver])
                }
            }
            await #expect(throws: Refusal(.invalid, "alertRule.invalid", "")) { try await world.rule(to: []) }
            await #expect(throws: Refusal(.invalid, "alertRule.invalid", "")) { try await world.rule(wait: -1) }
            await #expect(throws: Refusal(.invalid, "alertRule.invalid", "")) {
                try await world.rule { $0.conditions = [] }
            }
            await #expect(throws: Refusal.self) { try await world.rule(at: "nowhere") }
            let rule = try await world.rule()
            await #expect(throws: Refusal(.conflict, "alertRule.exists", "")) { try await world.rule() }
            var draft = AlertRuleDraft(name: rule.name, domain: "berlin", receivers: [.init(role: "viewer")])
            draft.severity = .critical
            let changed = try await world.watch.changeRule("all", to: draft, in: acme, by: WatchFixture.admin)
            #expect((changed.id, changed.severity, changed.created) == (rule.id, .critical, rule.created))
            try await world.pass(80, calling: ["b-0", "b-1"])
            #expect(try await world.alerts().map(\.severity).sorted() == [.warning, .critical])
            try await world.watch.deleteRule("all", in: acme, by: WatchFixture.admin)
            await #expect(throws: Watch.unknownRule) {
                try await world.watch.deleteRule("all", in: acme, by: WatchFixture.admin)
            }
            #expect(try await world.watch.rules(in: acme, by: WatchFixture.admin).isEmpty)
        }
    }

    @Test(
        "closed alerts go after their time, and everything of a tenant with the tenant", arguments: TestDatabase.engines
    )
    func retention(engine: TestDatabase.Engine) async throws {
        try await WatchFixture.with(engine) { world in
            try await world.rule()
            try await world.pass(70, calling: ["p-0", "p-1"])
            try await world.pass(10, calling: ["b-0", "b-1", "b-2", "p-0", "p-1"])
            try await world.watch.trim()
            #expect(try await world.alerts(open: false).count == 1)
            world.world.time.advance(by: .seconds(WatchLimits.keptDays * 86_400))
            try await world.watch.trim()
            #expect(try await world.alerts(open: nil).isEmpty)
            try await world.watch.purge(world.world.acme)
            for table in WatchSchema.tables {
                let rows = try await world.world.database.platform.read {
                    try $0.acrossTenants.row("SELECT count(*) FROM \(table)")?.int(0)
                }
                #expect(rows == 0, "\(table)")
            }
        }
    }
}
