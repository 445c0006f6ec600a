import Access
import Audit
import Base
import Delivery
import Fleet
import HTTPTypes
import SignIn
import Storage
import Testing

@testable import Console
@testable import Northbound

/// Reports by mail: who gets them, with whose rights, when, and how that ends.
@Suite("The console's reports by mail")
struct ConsoleReportMailTests {
    private static let path = "/t/acme/reports/mails"

    /// Somebody who has come in, and a way out for mail.
    private static func with(
        _ engine: TestDatabase.Engine, _ role: String = "analyst",
        _ body: (ConsoleFixture, Principal) async throws -> Void
    ) async throws {
        try await ConsoleFixture.with(engine) { world in
            let person = try await world.newcomer("ada@example.com", role: role).principal
            _ = try await world.newcomer("vera@example.com", role: "viewer")
            _ = try await world.api.services.delivery.createOutlet(
                OutletDraft(
                    name: #require(Name("mail")), kind: .mail,
                    settings: [
                        "host": "mail.example.net", "port": 587, "security": "starttls", "from": "fleet@example.net",
                    ]), tenant: world.api.world.acme, by: Actor(kind: .user, id: "ada", name: "Ada"))
            try await body(world, person)
        }
    }

    private static func order(
        _ report: String, _ period: String, to address: String = "ada@example.com", as role: String = "admin",
        _ world: ConsoleFixture
    ) async throws -> ConsoleFixture.Reply {
        let form = [("act", "add"), ("report", report), ("period", period), ("recipient", address)]
        return try await world.post(path, form, as: role)
    }

    /// How many reports were mailed.
    private static func mails(_ world: ConsoleFixture) async throws -> Int {
        try await world.api.services.delivery.deliveries(of: world.api.world.acme, limit: 100)
            .count { $0.to == "ada@example.com" && $0.state == .waiting }
    }

    private static func dayLater(_ world: ConsoleFixture, days: Int64 = 1) async throws {
        world.api.world.time.advance(by: .seconds(days * 86_400))
        try await world.parts.sendDueReports()
    }

    @Test("a report is mailed when it is due, once, and then at its next time", arguments: TestDatabase.engines)
    func due(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { world, _ in
            _ = try await world.api.world.register("meter-1") { $0.components = ["system": "=1.2"] }
            let ordered = try await Self.order("versions", "daily", world)
            #expect(ordered.status == 303, "\(ordered.text)")
            #expect(try await world.get(Self.path, as: "admin").text.contains("every day, to ada@example.com"))
            try await world.parts.sendDueReports()
            #expect(try await Self.mails(world) == 0, "nothing is due yet")
            try await Self.dayLater(world)
            try await world.parts.sendDueReports()
            #expect(try await Self.mails(world) == 1)
            try await Self.dayLater(world)
            #expect(try await Self.mails(world) == 2)
            // Days for which the server was away are one mail, not many.
            try await Self.dayLater(world, days: 5)
            try await world.parts.sendDueReports()
            #expect(try await Self.mails(world) == 3)
            let told = try await world.get("/t/acme/audit?type=report.", as: "admin").text
            #expect(told.contains("report.ordered") && told.contains("report.mailed"))
        }
    }

    @Test("a mail has the report as its recipient sees it, and a link to its page", arguments: TestDatabase.engines)
    func content(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { world, person in
            let fleet = world.api.world
            try await fleet.domain("plant")
            _ = try await fleet.register("meter-1") { $0.components = ["system": "=1.2"] }
            _ = try await fleet.register("meter-2") {
                ($0.domain, $0.components) = ("plant", ["modem": "R7"])
            }
            _ = try await Self.order("versions", "weekly", world)
            let orders = try await fleet.database.tenant(fleet.acme).read { tx in
                try tx.rows("SELECT \(ReportOrder.columns) FROM console_report WHERE tenant = $1").map {
                    try ReportOrder($0)
                }
            }
            let order = try #require(orders.first)
            func made() async throws -> (text: String, file: String) {
                guard
                    case .mail(let message) = try await ReportMailing(console: world.parts).make(order, of: fleet.acme),
                    case .mail("ada@example.com", "Versions of acme", let text, let files) = message.content
                else { throw Refusal(.invalid, "test.step", "there is no such mail") }
                #expect(message.isConfidential && message.expires != nil)
                return (text, String(decoding: try #require(files.first).bytes, as: UTF8.self))
            }
            let whole = try await made()
            #expect(whole.text.contains("/t/acme/reports/versions") && whole.text.contains("every Monday"))
            #expect(whole.file == "component,version,devices\r\nmodem,R7,1\r\nsystem,'=1.2,1\r\n")
            // The same order after their role counts in one domain only.
            let grants = try await fleet.access.grants(
                of: person.id.text, tenant: fleet.acme, by: FleetFixture.admin)
            let grant = try #require(grants.first)
            _ = try await fleet.access.grant(
                role: "analyst", to: person.id.text, at: "plant", tenant: fleet.acme, by: FleetFixture.admin)
            try await fleet.access.endGrant(grant.id, tenant: fleet.acme, by: FleetFixture.admin)
            #expect(try await made().file == "component,version,devices\r\nmodem,R7,1\r\n")
        }
    }

    @Test("who is disabled, or may see a report no longer, is mailed none, and the page says so")
    func lost() async throws {
        try await Self.with(.sqlite, "auditor") { world, person in
            let (fleet, signIn) = (world.api.world, world.api.services.signIn)
            for report in ["access", "versions"] { _ = try await Self.order(report, "daily", world) }
            try await Self.dayLater(world)
            #expect(try await Self.mails(world) == 2)
            _ = try await signIn.setActive(
                false, user: "ada@example.com", tenant: fleet.acme, by: .localAdministrator)
            try await Self.dayLater(world)
            #expect(try await Self.mails(world) == 2)
            #expect(try await world.get(Self.path, as: "admin").text.contains("may not see this report any more"))
            #expect(try await world.get("/t/acme/audit?type=report.", as: "admin").text.contains("report.withheld"))
            _ = try await signIn.setActive(true, user: "ada@example.com", tenant: fleet.acme, by: .localAdministrator)
            let grants = try await fleet.access.grants(
                of: person.id.text, tenant: fleet.acme, by: FleetFixture.admin)
            let grant = try #require(grants.first)
            _ = try await fleet.access.grant(
                role: "analyst", to: person.id.text, tenant: fleet.acme, by: FleetFixture.admin)
            try await fleet.access.endGrant(grant.id, tenant: fleet.acme, by: FleetFixture.admin)
            // An analyst reads reports, and not who may do what.
            try await Self.dayLater(world)
            #expect(try await Self.mails(world) == 3)
        }
    }

    @Test("orders are ended, by whom they are for and by who may order for others")
    func ended() async throws {
        try await Self.with(.sqlite) { world, _ in
            _ = try await Self.order("versions", "daily", world)
            let page = try await world.get(Self.path, as: "admin").text
            let id = try #require(page.firstMatch(of: /name="id" value="([0-9a-f]+)"/)?.1)
            let ended = try await world.post(Self.path, [("act", "remove"), ("id", String(id))], as: "admin")
            #expect(ended.status == 303)
            #expect(try await world.get(Self.path, as: "admin").text.contains("None is ordered yet"))
            try await Self.dayLater(world)
            #expect(try await Self.mails(world) == 0)
            let again = try await world.post(Self.path, [("act", "send"), ("id", String(id))], as: "admin")
            #expect(again.status == 404)
        }
    }

    @Test("without a way out for mail nothing is queued, and the page says why")
    func noMail() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.newcomer("ada@example.com", role: "analyst")
            #expect(try await world.get(Self.path, as: "admin").text.contains("no mail server yet"))
            #expect(try await Self.order("versions", "daily", world).status == 303)
            try await Self.dayLater(world)
            #expect(try await Self.mails(world) == 0)
            let page = try await world.get(Self.path, as: "admin").text
            #expect(page.contains("There is no mail server"))
            let id = try #require(page.firstMatch(of: /name="id" value="([0-9a-f]+)"/)?.1)
            let now = try await world.post(Self.path, [("act", "send"), ("id", String(id))], as: "admin")
            #expect(now.status == 422 && now.text.contains("There is no mail server"))
        }
    }

    @Test("what is due is found by its time, without reading all orders", arguments: TestDatabase.engines)
    func found(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { world, _ in
            let fleet = world.api.world
            let indexes = try await fleet.database.platform.read { tx in
                try tx.acrossTenants.rows(
                    engine == .sqlite
                        ? "SELECT sql FROM sqlite_master WHERE name = 'console_report_next'"
                        : """
                        SELECT indexdef FROM pg_indexes
                        WHERE schemaname = current_schema() AND indexname = 'console_report_next'
                        """
                ).map { try $0.text(0) }
            }
            #expect(indexes.count == 1 && indexes.allSatisfy { $0.contains("(next)") }, "\(indexes)")
        }
    }

    @Test(
        "wrong orders are refused in a sentence, and what was chosen stays",
        arguments: [
            ("versions", "hourly", "ada@example.com", "how often"),
            ("all", "daily", "ada@example.com", "Choose a report"),
            ("versions", "daily", "nobody@example.com", "Nobody who may see"),
            ("versions", "daily", "vera@example.com", "may not see this report"),
            ("versions", "daily", "invited@example.com", "can not sign in"),
            ("access", "daily", "ada@example.com", "may not see this report"),
            ("versions", "daily", "", "Nobody who may see"),
            ("versions", "daily", String(repeating: "x", count: 5000) + "@example.com", "Nobody who may see"),
        ])
    func wrong(report: String, period: String, address: String, words: String) async throws {
        try await Self.with(.sqlite) { world, _ in
            _ = try await world.api.services.signIn.invite(
                "invited@example.com", role: "analyst", tenant: world.api.world.acme, by: .localAdministrator)
            let reply = try await Self.order(report, period, to: address, world)
            #expect(reply.status == 422 && reply.text.contains(words), "\(reply.text.suffix(1500))")
            #expect(try await world.get(Self.path, as: "admin").text.contains("None is ordered yet"))
        }
    }

    @Test("others' orders are not for whoever may not order for others, and a foreign one is as absent")
    func strangers() async throws {
        try await Self.with(.sqlite) { world, _ in
            _ = try await Self.order("versions", "daily", world)
            let page = try await world.get(Self.path, as: "admin").text
            let id = try #require(page.firstMatch(of: /name="id" value="([0-9a-f]+)"/)?.1)
            for act in ["remove", "send"] {
                let foreign = try await world.post(
                    "/t/rival/reports/mails", [("act", act), ("id", String(id))], as: "rival")
                #expect(foreign.status == 404)
            }
            #expect(try await world.get(Self.path, as: "viewer").status == 404)
            #expect(try await world.get(Self.path, as: "rival").status == 404)
            #expect(try await Self.order("versions", "daily", as: "viewer", world).status == 404)
            let unsigned = try await world.post(
                Self.path, [("act", "remove"), ("id", String(id))], as: "admin", token: "x")
            #expect(unsigned.status == 403)
            #expect(try await world.get(Self.path, as: "admin").text.contains("ada@example.com"))
        }
    }

    @Test("who is here by a share orders nothing, for it would outlive the share")
    func shared() async throws {
        try await Self.with(.sqlite) { world, _ in
            let fleet = world.api.world
            for rival in try await fleet.access.principals(tenant: fleet.rival, by: FleetFixture.admin) {
                let share = try await fleet.access.offerShare(
                    role: "admin", to: #require(TenantSlug("rival")), holder: rival.id.text,
                    ends: fleet.time.now + .seconds(86_400), tenant: fleet.acme, by: FleetFixture.admin)
                fleet.time.advance(by: .milliseconds(1))
                _ = try await fleet.access.acceptShare(share.id, tenant: fleet.rival, by: FleetFixture.admin)
            }
            #expect(try await world.get(Self.path, as: "rival").status == 200)
            #expect(try await Self.order("versions", "daily", as: "rival", world).status == 403)
        }
    }

    @Test(
        "reports go at six in the organisation's time zone, also after it is changed", arguments: TestDatabase.engines)
    func zones(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine, "auditor") { world, _ in
            let fleet = world.api.world
            let six = "They go at 06:00"
            #expect(try await world.get(Self.path, as: "admin").text.contains("\(six) UTC, as the organisation"))
            _ = try await Self.order("access", "daily", world)
            func next() async throws -> Timestamp? {
                try await fleet.database.tenant(fleet.acme).read { tx in
                    try tx.row("SELECT next FROM console_report WHERE tenant = $1").map { try $0.timestamp(0) }
                }
            }
            func move(to zone: String) async throws {
                _ = try await fleet.access.changeTenant(
                    #require(TenantSlug("acme")), timeZone: zone, by: .localAdministrator)
            }
            #expect(try await next() == ReportPeriod.daily.next(after: fleet.time.now, in: nil))
            for zone in ["Asia/Tokyo", "America/New_York", "Europe/Berlin"] {
                try await move(to: zone)
                #expect(try await next() == ReportPeriod.daily.next(after: fleet.time.now, in: TimeZoneName(zone)))
                #expect(try await world.get(Self.path, as: "admin").text.contains("time zone, \(zone)."))
            }
            // A name or plan that changes is no new zone, and what is due stays due.
            let due = try #require(try await next())
            fleet.time.advance(by: due - fleet.time.now + .seconds(1))
            try await move(to: "Asia/Tokyo")
            #expect(try await next() == due)
            try await world.parts.sendDueReports()
            #expect(try await Self.mails(world) == 1)
            #expect(try await next() == ReportPeriod.daily.next(after: fleet.time.now, in: TimeZoneName("Asia/Tokyo")))
            let order = try #require(
                try await fleet.database.tenant(fleet.acme).read { tx in
                    try tx.row("SELECT \(ReportOrder.columns) FROM console_report WHERE tenant = $1").map {
                        try ReportOrder($0)
                    }
                })
            guard
                case .mail(let message) = try await ReportMailing(console: world.parts).make(order, of: fleet.acme),
                case .mail(_, _, let text, let files) = message.content
            else { throw Refusal(.invalid, "test.step", "there is no such mail") }
            #expect(
                text.contains("every day at 06:00 (Asia/Tokyo)") && text.contains("times are in the time zone Asia/"))
            let file = String(decoding: try #require(files.first).bytes, as: UTF8.self)
            #expect(file.contains("last sign-in (Asia/Tokyo)") && file.contains("until (Asia/Tokyo)"))
            #expect(file.contains("+09:00") && !file.contains("00Z"), "\(file)")
            // What programs fetch stays in UTC.
            let exported = try await world.get("/t/acme/reports/access.csv", as: "admin").text
            #expect(exported.contains("last sign-in,") && !exported.contains("+09:00"))
        }
    }

    @Test(
        "a period's next time is six in the morning of its day, by clocks that are set forward and back",
        arguments: [
            (ReportPeriod.daily, nil, "2026-11-21T05:59:59Z", "2026-11-21T06:00:00Z"),
            (.daily, nil, "2026-11-21T06:00:00Z", "2026-11-22T06:00:00Z"),
            (.weekly, nil, "2026-11-21T12:00:00Z", "2026-11-23T06:00:00Z"),
            (.weekly, nil, "2026-11-23T06:00:00Z", "2026-11-30T06:00:00Z"),
            (.monthly, nil, "2026-12-31T23:00:00Z", "2027-01-01T06:00:00Z"),
            (.monthly, nil, "2028-02-01T07:00:00Z", "2028-03-01T06:00:00Z"),
            (.daily, "Europe/Berlin", "2026-03-28T04:59:59Z", "2026-03-28T05:00:00Z"),
            (.daily, "Europe/Berlin", "2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"),
            (.daily, "Europe/Berlin", "2026-10-24T04:00:00Z", "2026-10-25T05:00:00Z"),
            (.weekly, "Europe/Berlin", "2026-03-23T05:00:00Z", "2026-03-30T04:00:00Z"),
            (.daily, "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T19:00:00Z"),
            (.weekly, "Asia/Tokyo", "2026-11-21T12:00:00Z", "2026-11-22T21:00:00Z"),
            (.monthly, "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T11:00:00Z"),
            (.monthly, "Pacific/Kiritimati", "2026-12-31T15:59:59Z", "2026-12-31T16:00:00Z"),
            (.monthly, "Pacific/Kiritimati", "2026-12-31T16:00:00Z", "2027-01-31T16:00:00Z"),
        ])
    func next(period: ReportPeriod, zone: String?, now: String, next: String) throws {
        let now = try #require(Timestamp(rfc3339: now))
        let found = try zone.map { try #require(TimeZoneName($0)) }
        #expect(period.next(after: now, in: found).rfc3339 == next)
    }
}
