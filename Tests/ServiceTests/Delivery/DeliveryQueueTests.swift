import Audit
import Base
import Storage
import Synchronization
import Testing

@testable import Delivery

@Suite("The outbound queue")
struct DeliveryQueueTests {
    private static let mail = OutboundMessage.mail(to: "ada@example.org", subject: "Hello", text: "Hi")

    @Test("a message enters with the commit of what causes it, or not at all", arguments: TestDatabase.engines)
    func transactional(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            let acme = fixture.acme
            await #expect(throws: CancellationError.self) {
                try await fixture.database.tenant(acme).write { transaction in
                    try delivery.send(Self.mail, tenant: acme, in: transaction)
                    throw CancellationError()
                }
            }
            #expect(try await fixture.round(delivery) == [])
            let id = try await fixture.send(Self.mail, by: delivery)
            #expect(try await fixture.round(delivery) == [id])
            #expect(try await fixture.round(delivery) == [])
            let info = try await delivery.delivery(id, of: acme)
            #expect(info.state == .delivered && info.attempts == 1 && info.to == "ada@example.org")
            #expect(info.finished != nil && info.due == nil && info.result == "HTTP 200")
        }
    }

    @Test(
        "where nothing can send it, a message rests in the outbox until somebody sends it",
        arguments: TestDatabase.engines)
    func outbox(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            #expect(try await !delivery.can(.mail, for: fixture.acme))
            let id = try await fixture.send(
                .mail(to: "ada@example.org", subject: "Link", text: "secret link", isConfidential: true), by: delivery)
            #expect(try await fixture.round(delivery) == [])
            #expect(try await delivery.overview(of: fixture.acme).resting == 1)
            // Whoever may see the queue must not come into people's accounts by it.
            await #expect(throws: Refusal(.conflict, "delivery.confidential", "")) {
                try await delivery.content(of: id, tenant: fixture.acme, by: fixture.admin)
            }
            await #expect(throws: Refusal(.conflict, "delivery.noOutlet", "")) {
                try await delivery.replay(id, tenant: fixture.acme, by: fixture.admin)
            }
            _ = try await delivery.createOutlet(
                OutletDraft(
                    name: #require(Name("mail")), kind: .mail,
                    settings: ["host": "mail.acme.example", "from": "fleet@acme.example", "user": "u"], secret: "pw"),
                tenant: fixture.acme, by: fixture.admin)
            #expect(try await delivery.can(.mail, for: fixture.acme))
            #expect(try await !delivery.can(.mail, for: fixture.rival), "one tenant's server is its own")
            let outbox = DeliveryFilter(state: .resting)
            #expect(try await delivery.replayAll(outbox, tenant: fixture.rival, by: fixture.admin) == 0)
            #expect(try await delivery.replayAll(outbox, tenant: fixture.acme, by: fixture.admin) == 1)
            #expect(try await fixture.round(delivery) == [id])
            guard case .mail(let server, let to, _) = fixture.receiver.shipments.first?.form else {
                Issue.record("no mail was sent")
                return
            }
            #expect(server.host == "mail.acme.example" && server.password == "pw" && to.text == "ada@example.org")
            // What was confidential is forgotten with its delivery.
            #expect(try await delivery.delivery(id, of: fixture.acme).to == nil)
            await #expect(throws: Refusal(.conflict, "delivery.confidential", "")) {
                try await delivery.content(of: id, tenant: fixture.acme, by: fixture.admin)
            }
            await #expect(throws: Refusal(.conflict, "delivery.forgotten", "")) {
                try await delivery.replay(id, tenant: fixture.acme, by: fixture.admin)
            }
        }
    }

    @Test(
        "a process that ends between sending and noting it sends again, under the same identifier",
        arguments: TestDatabase.engines)
    func crash(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let first = fixture.delivery("one", mailServer: DeliveryFixture.server)
            let id = try await fixture.send(Self.mail, by: first)
            // Claimed, sent, and then the process ends.
            #expect(try await first.claim().map(\.id) == [id])
            let other = fixture.delivery("two", mailServer: DeliveryFixture.server)
            #expect(try await fixture.round(other) == [], "the claim holds against another node")
            fixture.time.advance(by: .seconds(DeliveryLimits.claimSeconds))
            #expect(try await fixture.round(other) == [id], "and runs out by itself")
            #expect(try await other.delivery(id, of: fixture.acme).attempts == 2)

            let next = try await fixture.send(Self.mail, by: first)
            #expect(try await first.claim().map(\.id) == [next])
            let restarted = fixture.delivery("one", mailServer: DeliveryFixture.server)
            try await Self.run(restarted) {
                try await Self.until { try await restarted.delivery(next, of: fixture.acme).state == .delivered }
            }
            #expect(fixture.receiver.shipments.count == 2)
        }
    }

    @Test("an outlet that hangs holds up nobody else", arguments: TestDatabase.engines)
    func fairness(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let ended = AsyncStream<Void>.makeStream()
            let waiting = Mutex(0)
            let delivery = fixture.delivery { [receiver = fixture.receiver] shipment in
                guard case .request(_, "https://dead.example.net/hook", _, _) = shipment.form else {
                    return receiver.take(shipment)
                }
                waiting.withLock { $0 += 1 }
                for await _ in ended.stream {}
                return .failed("timed out", isOutage: true)
            }
            let dead = try await fixture.webhook("dead", by: delivery)
            let alive = try await fixture.webhook("alive", by: delivery)
            let other = try await fixture.webhook("other", of: fixture.rival, by: delivery)
            for _ in 0..<50 {
                try await fixture.send(.webhook(outlet: dead.id, event: "e", body: [:]), by: delivery)
            }
            try await Self.run(delivery) {
                try await Self.until { waiting.withLock { $0 } == DeliveryLimits.transfersPerLane }
                for _ in 0..<20 {
                    try await fixture.send(.webhook(outlet: alive.id, event: "e", body: [:]), by: delivery)
                    try await fixture.send(
                        .webhook(outlet: other.id, event: "e", body: [:]), fixture.rival, by: delivery)
                }
                try await Self.until { fixture.receiver.shipments.count == 40 }
                #expect(waiting.withLock { $0 } == DeliveryLimits.transfersPerLane)
                ended.continuation.finish()
            }
        }
    }

    @Test("an outlet that fails is left alone for a while, and one attempt decides", arguments: TestDatabase.engines)
    func breaker(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let hook = try await fixture.webhook("hook", by: delivery)
            fixture.receiver.answer { _ in .failed("no connection", isOutage: true) }
            for _ in 0..<30 {
                try await fixture.send(.webhook(outlet: hook.id, event: "e", body: [:]), by: delivery)
            }
            for _ in 0..<20 { try await fixture.round(delivery) }
            #expect((5...6).contains(fixture.receiver.shipments.count), "\(fixture.receiver.shipments.count)")
            let health = try #require(try await delivery.health(of: fixture.acme)[hook.id])
            #expect(health.pausedUntil != nil && health.lastFailure == "no connection")
            fixture.time.advance(by: .seconds(60))
            let before = fixture.receiver.shipments.count
            for _ in 0..<5 { try await fixture.round(delivery) }
            #expect(fixture.receiver.shipments.count == before + 1, "one attempt decides")
            fixture.receiver.answer { _ in .delivered("HTTP 204") }
            fixture.time.advance(by: .seconds(300))
            for _ in 0..<40 { try await fixture.round(delivery) }
            #expect(try await delivery.overview(of: fixture.acme).waiting == 0)
            #expect(try await delivery.health(of: fixture.acme)[hook.id] == nil)
        }
    }

    @Test(
        "what is refused, or failed often enough, is a dead letter that a person can send again",
        arguments: TestDatabase.engines)
    func deadLetters(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            fixture.receiver.answer { _ in .refused("SMTP 550") }
            let refused = try await fixture.send(Self.mail, by: delivery)
            try await fixture.round(delivery)
            fixture.time.advance(by: .seconds(1))
            fixture.receiver.answer { _ in .failed("SMTP 451", isOutage: false) }
            let failing = try await fixture.send(Self.mail, by: delivery)
            for _ in 0..<DeliveryLimits.attempts {
                #expect(try await fixture.round(delivery) == [failing])
                #expect(try await fixture.round(delivery) == [], "it waits")
                fixture.time.advance(by: Backoff.longest)
            }
            let dead = try await delivery.deliveries(
                of: fixture.acme, DeliveryFilter(state: .dead, kind: .mail), limit: 10)
            #expect(dead.map(\.id) == [failing, refused] && dead.map(\.attempts) == [DeliveryLimits.attempts, 1])
            #expect(try await delivery.deliveries(of: fixture.rival, limit: 10) == [])
            fixture.receiver.answer { _ in .delivered("SMTP 250") }
            #expect(try await delivery.replay(refused, tenant: fixture.acme, by: fixture.admin).attempts == 0)
            #expect(try await fixture.round(delivery) == [refused])
            #expect(try await delivery.discard(failing, tenant: fixture.acme, by: fixture.admin).state == .discarded)
            await #expect(throws: Refusal(.conflict, "delivery.state", "")) {
                try await delivery.discard(failing, tenant: fixture.acme, by: fixture.admin)
            }
            await #expect(throws: Refusal(.notFound, "delivery.unknown", "")) {
                try await delivery.replay(refused, tenant: fixture.rival, by: fixture.admin)
            }
            try await fixture.audit.settle()
            let log = try await fixture.audit.page(tenant: fixture.acme, reader: .system("test")).entries.map(\.code)
            #expect(log.filter { $0 == "delivery.dead" }.count == 2)
            #expect(log.contains("delivery.replayed") && log.contains("delivery.discarded"))
        }
    }

    @Test("what comes too late is not sent; a full queue is refused; old ones go", arguments: TestDatabase.engines)
    func bounds(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            let late = try await fixture.send(
                .mail(to: "ada@example.org", subject: "Code", text: "1", expires: fixture.time.now + .seconds(100)),
                by: delivery)
            fixture.time.advance(by: .seconds(100))
            try await fixture.round(delivery)
            #expect(try await delivery.delivery(late, of: fixture.acme).state == .expired)
            #expect(fixture.receiver.shipments.isEmpty)

            delivery.depths.add(DeliveryLimits.queued, to: .mail(fixture.acme))
            await #expect(throws: Refusal(.limited, "delivery.full", "")) {
                try await fixture.send(Self.mail, by: delivery)
            }
            try await fixture.send(Self.mail, fixture.rival, by: delivery)
            try await delivery.countQueues()
            try await fixture.send(Self.mail, by: delivery)

            #expect(try await fixture.round(delivery).count == 2)
            try await delivery.trim()
            #expect(try await delivery.deliveries(of: fixture.acme, limit: 10).count == 2)
            fixture.time.advance(by: .seconds(31 * 86_400))
            try await delivery.trim()
            #expect(try await delivery.deliveries(of: fixture.acme, limit: 10).isEmpty)
        }
    }

    @Test("a deleted tenant leaves nothing", arguments: TestDatabase.engines)
    func purge(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            _ = try await fixture.syslog("siem", by: delivery)
            try await fixture.send(Self.mail, by: delivery)
            try await fixture.send(Self.mail, fixture.rival, by: delivery)
            try await delivery.purge(fixture.acme)
            #expect(try await delivery.outlets(of: fixture.acme).isEmpty)
            #expect(try await delivery.deliveries(of: fixture.acme, limit: 10).isEmpty)
            #expect(try await delivery.deliveries(of: fixture.rival, limit: 10).count == 1)
        }
    }

    /// Lets a server process run while `body` does.
    static func run(_ delivery: Delivery, _ body: () async throws -> Void) async throws {
        let service = Task { try await delivery.run() }
        do {
            try await body()
        } catch {
            service.cancel()
            throw error
        }
        service.cancel()
        _ = await service.result
    }

    /// Asks until it holds, at most half a minute.
    static func until(_ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try await !holds() {
            try #require(ContinuousClock.now < deadline, "not within half a minute")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
