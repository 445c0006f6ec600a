import Audit
import Base
import Storage
import Synchronization
import Testing

@testable import Delivery

@Suite("How much waits, how long, and what has room beside it")
struct DeliveryBoundTests {
    private static let mail = OutboundMessage.mail(to: "ada@example.org", subject: "Hello", text: "Hi")
    private static let outage = Outcome.failed("no connection", isOutage: true)

    @Test(
        "a full webhook leaves room for mails, and its stream goes on when it has room", arguments: TestDatabase.engines
    )
    func room(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            let dead = try await fixture.webhook("dead", events: ["device."], by: delivery)
            let alive = try await fixture.webhook("alive", events: ["device."], by: delivery)
            let lane = Lane(tenant: fixture.acme, id: dead.id)
            delivery.depths.add(DeliveryLimits.queuedEvents, to: lane)
            await #expect(throws: Refusal(.limited, "delivery.full", "")) {
                try await fixture.send(.webhook(outlet: dead.id, event: "e", body: [:]), by: delivery)
            }
            try await fixture.send(Self.mail, by: delivery)
            try await fixture.record(0..<3)
            for outlet in [dead, alive] {
                #expect(await delivery.advance(AuditStream(tenant: fixture.acme, outlet: outlet.id)))
            }
            func events(of outlet: Outlet) async throws -> Int {
                try await delivery.deliveries(of: fixture.acme, DeliveryFilter(outlet: outlet.id), limit: 10).count
            }
            let before = [try await events(of: dead), try await events(of: alive)]
            #expect(before == [0, 3])
            try await delivery.countQueues()
            #expect(await delivery.advance(AuditStream(tenant: fixture.acme, outlet: dead.id)))
            let after = try await events(of: dead)
            #expect(after == 3, "nothing is lost meanwhile")
        }
    }

    @Test(
        "what has waited for two days is a dead letter, however often it was tried; a replay begins anew",
        arguments: TestDatabase.engines)
    func overdue(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let hook = try await fixture.webhook("hook", by: delivery)
            fixture.receiver.answer { _ in Self.outage }
            for _ in 0..<40 {
                try await fixture.send(.webhook(outlet: hook.id, event: "e", body: [:]), by: delivery)
            }
            for _ in 0..<5 { try await fixture.round(delivery) }
            try await delivery.endOverdue()
            #expect(try await delivery.overview(of: fixture.acme).waiting == 40)
            fixture.time.advance(by: .seconds(DeliveryLimits.waitingSeconds + 1))
            let late = try await fixture.send(.webhook(outlet: hook.id, event: "e", body: [:]), by: delivery)
            try await delivery.endOverdue()
            let overview = try await delivery.overview(of: fixture.acme)
            #expect(overview.dead == 40 && overview.waiting == 1)
            try await fixture.audit.settle()
            let log = try await fixture.audit.page(
                tenant: fixture.acme, filter: AuditFilter(codePrefix: "delivery.overdue"), reader: .system("test"))
            #expect(log.entries.map { $0.details["count"] } == [40])
            #expect(log.entries.first?.object.id == hook.id.text)
            _ = try await delivery.replayAll(DeliveryFilter(state: .dead), tenant: fixture.acme, by: fixture.admin)
            try await delivery.endOverdue()
            #expect(try await delivery.overview(of: fixture.acme).waiting == 41)
            #expect(try await delivery.delivery(late, of: fixture.acme).state == .waiting)
        }
    }

    @Test("what is of no use any more expires, also where nothing is tried", arguments: TestDatabase.engines)
    func expired(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let id = try await fixture.send(
                .mail(to: "ada@example.org", subject: "Soon", text: "now", expires: fixture.time.now + .seconds(60)),
                by: delivery)
            #expect(try await delivery.delivery(id, of: fixture.acme).state == .resting)
            fixture.time.advance(by: .seconds(60))
            try await delivery.endOverdue()
            #expect(try await delivery.delivery(id, of: fixture.acme).state == .expired)
        }
    }

    @Test("what is being sent at this moment is not replayed", arguments: TestDatabase.engines)
    func underWay(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            let id = try await fixture.send(Self.mail, by: delivery)
            let claims = try await delivery.claim()
            #expect(claims.map(\.id) == [id])
            await #expect(throws: Refusal(.conflict, "delivery.underWay", "")) {
                try await delivery.replay(id, tenant: fixture.acme, by: fixture.admin)
            }
            for claim in claims { await delivery.attempt(claim) }
            #expect(try await delivery.replay(id, tenant: fixture.acme, by: fixture.admin).state == .waiting)
        }
    }

    @Test("receivers that hang keep no event from the queue, and no mail from leaving", arguments: TestDatabase.engines)
    func hanging(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let ended = AsyncStream<Void>.makeStream()
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server) {
                [receiver = fixture.receiver] shipment in
                guard case .request = shipment.form else { return receiver.take(shipment) }
                for await _ in ended.stream {}
                return .failed("timed out", isOutage: true)
            }
            for number in 0..<20 { _ = try await fixture.webhook("dead\(number)", events: ["device."], by: delivery) }
            try await fixture.record(0..<5)
            try await DeliveryQueueTests.run(delivery) {
                try await DeliveryQueueTests.until { try await delivery.overview(of: fixture.acme).waiting == 100 }
                try await fixture.send(Self.mail, by: delivery)
                try await DeliveryQueueTests.until { fixture.receiver.shipments.count == 1 }
                let used = delivery.slots.withLock { $0.used }
                #expect(used <= DeliveryLimits.transfersPerTenant)
                ended.continuation.finish()
            }
        }
    }

    @Test("certificates that nobody can read are refused at once", arguments: TestDatabase.engines)
    func authorities(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            await #expect(throws: Refusal(.invalid, "outlet.settings", "")) {
                _ = try await delivery.createOutlet(
                    OutletDraft(
                        name: #require(Name("hook")), kind: .webhook,
                        settings: ["url": "https://x.example.net/", "ca": "-----BEGIN CERTIFICATE-----\nx"]),
                    tenant: fixture.acme, by: fixture.admin)
            }
        }
    }

    @Test("the lag of a stream to a syslog receiver is told", arguments: TestDatabase.engines)
    func lag(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let outlet = try await fixture.syslog("siem", start: "now", by: delivery)
            let start = fixture.time.now
            try await fixture.record(0..<3)
            try await delivery.countQueues()
            let figure = delivery.figures.figure(.syslog, .waiting)
            #expect(figure.count >= 3)
            #expect(try #require(figure.oldest) <= start)
            #expect(await delivery.advance(AuditStream(tenant: fixture.acme, outlet: outlet.id)))
            try await delivery.countQueues()
            #expect(delivery.figures.figure(.syslog, .waiting).oldest == nil)
        }
    }
}
