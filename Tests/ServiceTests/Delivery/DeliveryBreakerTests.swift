import Audit
import Base
import Storage
import Synchronization
import Testing

@testable import Delivery

@Suite("What one tenant's deliveries do to another's, and what becomes of those that are refused")
struct DeliveryBreakerTests {
    private static let mail = OutboundMessage.mail(to: "ada@example.org", subject: "Hello", text: "Hi")
    private static let silence = Outcome.failed("no connection", isOutage: true)
    private static let complaint = Outcome.failed("SMTP 421", isOutage: true, hasAnswered: true)

    private func gateway(_ fixture: DeliveryFixture, _ tenant: TenantID, by delivery: Delivery) async throws {
        _ = try await delivery.createOutlet(
            OutletDraft(
                name: #require(Name("gateway")), kind: .sms,
                settings: ["url": "https://sms.example.net/", "body": #"{"to":"{to}","text":"{text}"}"#]),
            tenant: tenant, by: fixture.admin)
    }

    private func switchOff(_ fixture: DeliveryFixture, by delivery: Delivery) async throws {
        _ = try await delivery.changeOutlet(
            "gateway", OutletChange(isActive: false), tenant: fixture.acme, by: fixture.admin)
    }

    @Test(
        "a text message that has lost its outlet takes nobody's turn at the mail server",
        arguments: TestDatabase.engines)
    func lostOutlet(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            try await gateway(fixture, fixture.acme, by: delivery)
            fixture.receiver.answer { _ in Self.silence }
            let mail = try await fixture.send(Self.mail, fixture.rival, by: delivery)
            for _ in 0..<Breaker.threshold {
                try await fixture.round(delivery)
                fixture.time.advance(by: .seconds(3600))
            }
            let text = try await fixture.send(.sms(to: "+49301234567", text: "Hello"), by: delivery)
            try await switchOff(fixture, by: delivery)
            fixture.receiver.answer { _ in .delivered("SMTP 250") }
            for _ in 0..<3 { try await fixture.round(delivery) }
            #expect(try await delivery.delivery(text, of: fixture.acme).state == .resting)
            #expect(try await delivery.delivery(mail, of: fixture.rival).state == .delivered)
            let (isCalm, used) = (delivery.breakers.withLock { $0.isEmpty }, delivery.slots.withLock { $0.used })
            #expect(isCalm && used == 0)
        }
    }

    @Test(
        "what a shared mail server says to one tenant holds up no other; when it says nothing, nobody is sent",
        arguments: TestDatabase.engines)
    func shared(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            for (outcome, reaches) in [(Self.complaint, true), (Self.silence, false)] {
                let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
                fixture.receiver.answer { _ in outcome }
                let failing = try await fixture.send(Self.mail, by: delivery)
                for _ in 0..<Breaker.threshold {
                    fixture.time.advance(by: .seconds(1400))
                    #expect(try await fixture.round(delivery) == [failing])
                }
                _ = try await delivery.discard(failing, tenant: fixture.acme, by: fixture.admin)
                fixture.receiver.answer { _ in .delivered("SMTP 250") }
                let own = try await fixture.send(Self.mail, by: delivery)
                let others = try await fixture.send(Self.mail, fixture.rival, by: delivery)
                #expect(try await fixture.round(delivery) == (reaches ? [others] : []))
                fixture.time.advance(by: Breaker.firstPause)
                for _ in 0..<3 { try await fixture.round(delivery) }
                #expect(try await delivery.delivery(own, of: fixture.acme).state == .delivered)
                #expect(try await delivery.delivery(others, of: fixture.rival).state == .delivered)
            }
        }
    }

    @Test("tests by hand count against nobody else's outlet", arguments: TestDatabase.engines)
    func trials(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery(mailServer: DeliveryFixture.server)
            try await gateway(fixture, .platform, by: delivery)
            fixture.receiver.answer { _ in Self.silence }
            for _ in 0..<2 * Breaker.threshold {
                for (kind, to) in [(DeliveryKind.mail, "x@nodots"), (.sms, "+49301234567")] {
                    let trial = try await delivery.tryOutlet(
                        nil, kind: kind, to: to, tenant: fixture.acme, by: fixture.admin)
                    #expect(!trial.isDelivered)
                }
            }
            let isCalm = delivery.breakers.withLock { $0.isEmpty }
            #expect(isCalm)
            for _ in 0..<Breaker.threshold {
                _ = try await delivery.tryOutlet(
                    "gateway", kind: nil, to: "+49301234567", tenant: .platform, by: fixture.admin)
            }
            let gateway = try await delivery.outlet("gateway", of: .platform)
            #expect(
                try await delivery.health(of: .platform)[gateway.id]?.pausedUntil != nil, "it is the platform's own")
        }
    }

    @Test("a message that the receiver refuses is given up after a few attempts", arguments: TestDatabase.engines)
    func refused(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let hook = try await fixture.webhook("hook", by: delivery)
            fixture.receiver.answer { _ in Outcome(status: 422) }
            let id = try await fixture.send(.webhook(outlet: hook.id, event: "e", body: [:]), by: delivery)
            for _ in 0..<DeliveryLimits.attempts {
                try await fixture.round(delivery)
                fixture.time.advance(by: .seconds(1400))
            }
            let info = try await delivery.delivery(id, of: fixture.acme)
            #expect(info.state == .dead && info.attempts == DeliveryLimits.refusedAttempts)
            let isCalm = delivery.breakers.withLock { $0.isEmpty }
            #expect(isCalm, "it is no outage")
        }
    }

    @Test("a code that loses its outlet expires and is forgotten; it never rests", arguments: TestDatabase.engines)
    func confidential(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            try await gateway(fixture, fixture.acme, by: delivery)
            let code = OutboundMessage.sms(
                to: "+49301234567", text: "YZAS5S is your code", isConfidential: true,
                expires: fixture.time.now + .seconds(100))
            let first = try await fixture.send(code, by: delivery)
            try await switchOff(fixture, by: delivery)
            let second = try await fixture.send(code, by: delivery)
            try await fixture.round(delivery)
            for id in [first, second] {
                let info = try await delivery.delivery(id, of: fixture.acme)
                #expect(info.state == .expired && info.to == nil && info.finished != nil)
                await #expect(throws: Refusal.self) {
                    try await delivery.content(of: id, tenant: fixture.acme, by: fixture.admin)
                }
                await #expect(throws: Refusal(.conflict, "delivery.forgotten", "")) {
                    try await delivery.replay(id, tenant: fixture.acme, by: fixture.admin)
                }
            }
            #expect(fixture.receiver.shipments.isEmpty)
            #expect(try await delivery.overview(of: fixture.acme).resting == 0)
        }
    }

    @Test(
        "the log tells what of an outlet changed, and neither addresses nor header fields",
        arguments: TestDatabase.engines)
    func changes(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let settings: JSONValue = [
                "url": "https://hooks.example.net/T/B/t0ken", "events": ["device."],
            ]
            _ = try await delivery.createOutlet(
                OutletDraft(name: #require(Name("hook")), kind: .webhook, settings: settings), tenant: fixture.acme,
                by: fixture.admin)
            _ = try await delivery.changeOutlet(
                "hook",
                OutletChange(settings: ["url": "https://hooks.example.net/T/B/t0ken", "events": ["device.", "user."]]),
                tenant: fixture.acme, by: fixture.admin)
            try await gateway(fixture, fixture.acme, by: delivery)
            _ = try await delivery.changeOutlet(
                "gateway",
                OutletChange(
                    settings: ["url": "https://sms.example.net/", "headers": ["Authorization": "Basic t0ken"]]),
                tenant: fixture.acme, by: fixture.admin)
            try await fixture.audit.settle()
            let log = try await fixture.audit.page(
                tenant: fixture.acme, filter: AuditFilter(codePrefix: "outlet."), reader: .system("test")
            ).entries
            #expect(log.count == 4 && !log.contains { $0.details.canonical.contains("t0ken") })
            let hook = log.filter { $0.details["name"] == "hook" }.map(\.details)
            #expect(hook.allSatisfy { $0["host"] == "hooks.example.net" && $0["kind"] == "webhook" })
            #expect(hook.contains { $0["changed"] == ["settings.events"] })
            #expect(hook.contains { $0["events"] == ["device.", "user."] })
            #expect(log.contains { $0.details["changed"] == ["settings.body", "settings.headers"] })
        }
    }
}
