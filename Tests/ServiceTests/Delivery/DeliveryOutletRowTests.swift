import Audit
import Base
import Storage
import Testing

@testable import Delivery

@Suite("Outlets and the audit streams that leave by them")
struct DeliveryOutletRowTests {
    @Test("a secret goes in and never comes out, and goes to no other address", arguments: TestDatabase.engines)
    func secrets(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let made = try await delivery.createOutlet(
                OutletDraft(
                    name: #require(Name("gateway")), kind: .sms,
                    settings: [
                        "url": "https://sms.example.net/send", "body": #"{"to":"{to}","text":"{text}"}"#,
                        "headers": ["Authorization": "Bearer {secret}"],
                    ], secret: "s3cret"), tenant: fixture.acme, by: fixture.admin)
            #expect(made.outlet.hasSecret && !made.outlet.settings.canonical.contains("s3cret") && made.secret == nil)
            let elsewhere: JSONValue = ["url": "https://evil.example.net/", "body": "{}"]
            await #expect(throws: Refusal(.invalid, "outlet.secret", "")) {
                try await delivery.changeOutlet(
                    "gateway", OutletChange(settings: elsewhere), tenant: fixture.acme, by: fixture.admin)
            }
            let same: JSONValue = [
                "url": "https://sms.example.net/v2", "body": #"{"n":"{to}","m":"{text}"}"#,
                "headers": ["X-Key": "{secret}"],
            ]
            await #expect(throws: Refusal(.invalid, "outlet.secret", "")) {
                try await delivery.changeOutlet(
                    "gateway", OutletChange(settings: same), tenant: fixture.acme, by: fixture.admin)
            }
            _ = try await delivery.changeOutlet(
                "gateway", OutletChange(settings: same, secret: "s3cret"), tenant: fixture.acme, by: fixture.admin)
            try await fixture.send(.sms(to: "+49301234567", text: "a \"quoted\" word"), by: delivery)
            try await fixture.round(delivery)
            let shipment = try #require(fixture.receiver.shipments.first)
            #expect(
                shipment.form
                    == .request(
                        method: "POST", address: "https://sms.example.net/v2",
                        headers: ["Content-Type: application/json", "X-Key: s3cret"],
                        body: Array(#"{"n":"+49301234567","m":"a \"quoted\" word"}"#.utf8)))
            try await fixture.audit.settle()
            let log = try await fixture.audit.page(tenant: fixture.acme, reader: .system("test")).entries
            #expect(log.contains { $0.code == "outlet.created" })
            #expect(!log.contains { $0.details.canonical.contains("s3cret") })
        }
    }

    @Test("one tenant's outlets are nothing to another", arguments: TestDatabase.engines)
    func isolation(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let hook = try await fixture.webhook("hook", by: delivery)
            let unknown = Refusal(.notFound, "outlet.unknown", "")
            await #expect(throws: unknown) { try await delivery.outlet(hook.id.text, of: fixture.rival) }
            await #expect(throws: unknown) {
                try await delivery.deleteOutlet("hook", tenant: fixture.rival, by: fixture.admin)
            }
            await #expect(throws: unknown) {
                try await fixture.send(
                    .webhook(outlet: hook.id, event: "e", body: [:]), fixture.rival, by: delivery)
            }
            await #expect(throws: Refusal(.conflict, "outlet.exists", "")) {
                try await fixture.webhook("hook", by: delivery)
            }
            await #expect(throws: Refusal(.invalid, "outlet.private", "")) {
                _ = try await delivery.createOutlet(
                    OutletDraft(
                        name: #require(Name("inside")), kind: .webhook, settings: ["url": "https://169.254.169.254/"]),
                    tenant: fixture.acme, by: fixture.admin)
            }
            let waiting = try await fixture.send(.webhook(outlet: hook.id, event: "e", body: [:]), by: delivery)
            try await delivery.deleteOutlet("hook", tenant: fixture.acme, by: fixture.admin)
            #expect(try await delivery.delivery(waiting, of: fixture.acme).state == .discarded)
        }
    }

    @Test("a webhook is signed anew at each attempt and keeps its identifier", arguments: TestDatabase.engines)
    func webhook(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let made = try await delivery.createOutlet(
                OutletDraft(
                    name: #require(Name("hook")), kind: .webhook, settings: ["url": "https://app.example.net/hook"]),
                tenant: fixture.acme, by: fixture.admin)
            let signer = try #require(made.secret.flatMap { WebhookSignature(secret: $0) })
            fixture.receiver.answer { _ in .failed("HTTP 503", isOutage: true) }
            let id = try await fixture.send(
                .webhook(outlet: made.outlet.id, event: "device.registered", body: ["n": 1]), by: delivery)
            try await fixture.round(delivery)
            fixture.time.advance(by: .seconds(10))
            try await fixture.round(delivery)
            let requests = fixture.receiver.shipments.compactMap { shipment -> (headers: [String], body: [UInt8])? in
                guard case .request(_, _, let headers, let body) = shipment.form else { return nil }
                return (headers, body)
            }
            try #require(requests.count == 2)
            #expect(requests[0].body == requests[1].body && requests[0].headers != requests[1].headers)
            let now = fixture.time.now.seconds
            #expect(requests[1].headers.contains("webhook-id: \(id)"))
            #expect(requests[1].headers.contains("webhook-timestamp: \(now)"))
            #expect(
                requests[1].headers.contains(
                    "webhook-signature: \(signer.sign(id: id.text, timestamp: now, body: requests[1].body))"))
        }
    }

    @Test(
        "an audit stream sends every entry once, in order, over failures and restarts", arguments: TestDatabase.engines)
    func stream(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let first = fixture.delivery("one")
            try await fixture.record(0..<5)
            let outlet = try await fixture.syslog("siem", by: first)
            let stream = AuditStream(tenant: fixture.acme, outlet: outlet.id)
            try await fixture.record(5..<8)
            #expect(await first.advance(stream))
            fixture.receiver.answer { _ in .failed("no connection", isOutage: true) }
            try await fixture.record(8..<12)
            let received = fixture.receivedIndexes
            #expect(await !first.advance(stream))
            #expect(try await first.health(of: fixture.acme)[outlet.id]?.lastFailure == "no connection")
            fixture.receiver.answer { _ in .delivered("sent") }
            let second = fixture.delivery("two")
            let failed = fixture.receivedIndexes.count
            #expect(await second.advance(stream))
            #expect(await first.advance(stream), "and there is nothing left for the first one")
            let all = received + fixture.receivedIndexes.dropFirst(failed)
            #expect(all == Array(0..<all.count) && all.count >= 13, "\(all)")
            let text = fixture.receiver.shipments.compactMap { shipment -> String? in
                guard case .lines(_, _, let bytes) = shipment.form else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            }.joined()
            #expect(text.contains(" checkpoint [tidegate@32473 tenant=\"\(fixture.acme)\" size=\""))
            #expect(try await second.health(of: fixture.acme)[outlet.id]?.position == Int64(all.count))
        }
    }

    @Test(
        "a webhook gets each event that it wants once, and none about the queue itself", arguments: TestDatabase.engines
    )
    func events(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            try await fixture.record(0..<3)
            let hook = try await fixture.webhook("hook", events: ["device.", "delivery."], by: delivery)
            try await fixture.record(3..<6)
            try await fixture.record(0..<1, code: "domain.created")
            try await fixture.record(0..<1, code: "delivery.dead")
            let stream = AuditStream(tenant: fixture.acme, outlet: hook.id)
            #expect(await delivery.advance(stream))
            #expect(await fixture.delivery("two").advance(stream))
            let queued = try await delivery.deliveries(of: fixture.acme, limit: 100)
            #expect(queued.compactMap(\.event) == Array(repeating: "device.registered", count: 3))
        }
    }

    @Test("what retention took before it was sent is told", arguments: TestDatabase.engines)
    func skipped(engine: TestDatabase.Engine) async throws {
        try await DeliveryFixture.with(engine) { fixture in
            let delivery = fixture.delivery()
            let outlet = try await fixture.syslog("siem", by: delivery)
            for start in stride(from: 0, to: 600, by: 200) { try await fixture.record(start..<start + 200) }
            let dropped = try await fixture.audit.trim(fixture.acme, olderThan: fixture.time.now)
            #expect(dropped > 0)
            try await fixture.audit.settle()
            #expect(await delivery.advance(AuditStream(tenant: fixture.acme, outlet: outlet.id)))
            #expect(fixture.receivedIndexes.first == Int(dropped))
            try await fixture.audit.settle()
            let log = try await fixture.audit.page(
                tenant: fixture.acme, filter: AuditFilter(codePrefix: "outlet.skipped"), reader: .system("test"))
            #expect(log.entries.map(\.details) == [["from": 0, "to": .integer(dropped)]])
        }
    }
}
