import Access
import Base
import Logging
import Storage
import Testing
import Trust

@testable import Delivery
@testable import Fleet
@testable import Operations
@testable import Watch

/// Alerts over a fleet with two sites, berlin and paris, whose devices call every ten seconds, with a clock that the
/// test moves.
struct WatchFixture: Sendable {
    static let admin = Principal.localAdministrator

    let work: OperationsFixture
    let delivery: Delivery
    let watch: Watch
    var world: FleetFixture { work.world }

    static func with(
        _ engine: TestDatabase.Engine, berlin: Int = 3, paris: Int = 2,
        _ body: (WatchFixture) async throws -> Void
    ) async throws {
        try await OperationsFixture.with(engine) { work in
            let world = work.world
            try await world.database.migrate([DeliverySchema.part, WatchSchema.part])
            try await world.domain("berlin")
            try await world.domain("paris")
            try await world.domain("hall", below: "berlin")
            let lines =
                (0..<berlin).map { "b-\($0),berlin" } + (0..<paris).map { "p-\($0),paris" }
            let list = try world.list("name,domain\n" + lines.joined(separator: "\n") + "\n")
            _ = try await world.fleet.registerMany(list, in: world.acme, by: Self.admin)
            // What enrolling does to the devices, without their keys.
            try await world.database.tenant(world.acme).write {
                try $0.execute("UPDATE device SET status = 1, enrolled = created WHERE tenant = $1")
            }
            try await world.fleet.setHeartbeat(.every(10), in: world.acme, by: Self.admin)
            let fixture = try WatchFixture(try await work.restarted())
            // The first turn gives everybody a whole new time.
            try await fixture.pass(1)
            try await body(fixture)
        }
    }

    private init(_ work: OperationsFixture) throws {
        self.work = work
        let world = work.world
        delivery = Delivery(
            database: world.database, keyRing: world.ring, audit: world.audit,
            settings: DeliverySettings(mailServer: DeliveryFixture.server, host: "fleet.example.com", node: "one"),
            metrics: Metrics(), clock: world.time.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            transport: { _ in .delivered("HTTP 200") })
        watch = Watch(
            database: world.database, access: world.access, audit: world.audit, delivery: delivery,
            fleet: world.fleet, operations: work.operations,
            certificates: DeviceCertificates(issuing: world.issuing, clock: world.time.clock), bus: world.bus,
            clock: world.time.clock,
            addresses: { principals, tenant, transaction in
                let names = try world.access.names(of: principals, in: transaction.scoped(to: tenant))
                return names.mapValues { "\($0)@example.com" }
            },
            place: { "https://fleet.example.com" })
        watch.start()
    }

    /// The same database after a restart: everything in memory is made anew.
    func restarted() async throws -> WatchFixture { try WatchFixture(try await work.restarted()) }

    /// Lets time pass, with turns of heartbeats, alerts and tasks.
    func pass(_ seconds: Int64) async throws {
        var left = seconds
        while left > 0 {
            let step = min(left, 5)
            world.time.advance(by: .seconds(step))
            try await world.fleet.heartbeats.turn()
            try await watch.turn()
            left -= step
        }
    }

    /// These devices call.
    func call(_ names: String...) async throws {
        for name in names {
            world.fleet.heartbeats.called(try await device(name), at: world.time.now)
        }
    }

    /// Lets time pass while these devices go on calling.
    func pass(_ seconds: Int64, calling names: [String]) async throws {
        var ids: [DeviceID] = []
        for name in names { ids.append(try await device(name)) }
        for _ in 0..<(seconds / 5) {
            for id in ids { world.fleet.heartbeats.called(id, at: world.time.now) }
            try await pass(5)
        }
    }

    func device(_ name: String) async throws -> DeviceID {
        try await world.fleet.show(name, in: world.acme, by: Self.admin).device.id
    }

    func alerts(
        open: Bool? = true, by principal: Principal = Self.admin, in tenant: TenantID? = nil
    ) async throws -> [Alert] {
        try await watch.alerts(
            AlertFilter(isOpen: open), limit: 1000, in: tenant ?? world.acme, by: principal
        ).items
    }

    /// The name of a webhook.
    func application() async throws -> String {
        let draft = OutletDraft(
            name: try #require(Name("app")), kind: .webhook, settings: ["url": "https://app.example.net/hook"])
        let acme = world.acme
        return try await delivery.createOutlet(draft, tenant: acme, by: Self.admin.actor(in: acme)).outlet.name.text
    }

    /// What the open alerts say, in alphabetical order.
    func summaries() async throws -> [String] { try await alerts().map(\.summary).sorted() }

    @discardableResult
    func rule(
        _ name: String = "all", at domain: String? = nil, wait: Int64 = 0,
        to receivers: [AlertRuleDraft.Receiver] = [.init(mail: "ops@example.com")],
        _ change: (inout AlertRuleDraft) -> Void = { _ in }, by principal: Principal = Self.admin
    ) async throws -> AlertRule {
        var draft = AlertRuleDraft(name: try #require(Name(name)), domain: domain, receivers: receivers)
        draft.wait = wait
        change(&draft)
        return try await watch.createRule(draft, in: world.acme, by: principal)
    }

    /// The subjects of the mails, and the texts of the text messages, in the order in which they were made.
    func messages() async throws -> [String] {
        try await contents().map { content in
            "\(content["to"]?.string ?? content["event"]?.string ?? "?") \(content["subject"]?.string ?? content["text"]?.string ?? "")"
        }
    }

    /// What the messages bring, in the order in which they were made.
    func contents() async throws -> [JSONValue] {
        let actor = Self.admin.actor(in: world.acme)
        var contents: [JSONValue] = []
        for info in try await delivery.deliveries(of: world.acme, limit: 1000).reversed() {
            contents.append(try await delivery.content(of: info.id, tenant: world.acme, by: actor))
        }
        return contents
    }
}
