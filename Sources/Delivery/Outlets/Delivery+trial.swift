public import Audit
public import Base
import Storage
import Synchronization

/// How a test through an outlet ended.
public struct OutletTrial: Sendable, Hashable {
    /// Whether the receiver has taken the test.
    public var isDelivered: Bool
    /// What happened, in a few words.
    public var result: String
}

extension Delivery {
    /// Sends a test through an outlet at once, beside the queue and without a second attempt, and says how it went.
    ///
    /// Without an outlet, a mail or SMS takes the way that the tenant's deliveries take. Mail and SMS need a recipient.
    public func tryOutlet(
        _ reference: String?, kind: DeliveryKind?, to recipient: String?, tenant: TenantID, by actor: Actor
    ) async throws -> OutletTrial {
        let (lane, kind, way) = try await database.tenant(tenant).read { transaction in
            if let reference {
                let outlet = try self.find(reference, in: transaction)
                let row = try transaction.row(
                    "SELECT \(Outlet.columns), secret FROM outlet WHERE tenant = $1 AND id = $2", outlet.id)
                guard let row else { throw Self.unknownOutlet }
                return (
                    Lane(tenant: tenant, id: outlet.id), outlet.kind,
                    try self.way(row, of: tenant, for: tenant, in: transaction)
                )
            }
            guard let kind, kind == .mail || kind == .sms else {
                throw Refusal(.invalid, "delivery.kind", "Name an outlet, or mail or sms.")
            }
            let lane = kind == .mail ? Lane.mail(tenant) : Lane.sms(tenant)
            guard let way = try self.way(for: lane, kind, in: transaction) else {
                throw Refusal(
                    .conflict, "delivery.noOutlet", "There is no outlet that could send it; set one up first.")
            }
            return (lane, kind, way)
        }
        let now = clock.now
        let shipment = try trialShipment(kind, recipient, along: way, tenant, at: now)
        guard slots.withLock({ $0.beginTrial(lane) }) else {
            throw Refusal(
                .limited, "delivery.busy", "Other deliveries of this tenant are under way; try again in a moment.",
                retryAfter: .seconds(5))
        }
        let outcome = await transport(shipment)
        slots.withLock { $0.endTrial(lane) }
        // What somebody tries by hand, maybe for a recipient that nobody takes, counts against no one else's outlet.
        let isOwn = way.breakers.shared == nil || tenant == .platform
        end(lane, isOwn || outcome.isDelivered ? way.breakers : nil, false, outcome)
        count(kind, outcome)
        try await database.tenant(tenant).write { transaction in
            try self.audit.record(
                AuditEntry(
                    .outletTested, tenant: tenant, actor: actor,
                    object: AuditObject(kind: "outlet", id: reference == nil ? kind.rawValue : lane.id.text),
                    outcome: outcome.isDelivered ? .success : .failed,
                    details: ["result": .string(outcome.words), "to": recipient.map { .string($0) } ?? .null]),
                in: transaction)
        }
        if outcome.isDelivered { wake.signal() }
        return OutletTrial(isDelivered: outcome.isDelivered, result: outcome.words)
    }

    private func trialShipment(
        _ kind: DeliveryKind, _ recipient: String?, along way: Way, _ tenant: TenantID, at now: Timestamp
    ) throws -> Shipment {
        let id = DeliveryID(now: now)
        let text = "This is a test from Tidegate at \(settings.host). If you can read it, it has arrived."
        let message: OutboundMessage
        switch (kind, way.path) {
        case (.mail, _): message = .mail(to: recipient ?? "", subject: "Test from \(settings.host)", text: text)
        case (.sms, _): message = .sms(to: recipient ?? "", text: text)
        case (.webhook, _):
            message = .webhook(outlet: way.outlet, event: "test", body: ["text": .string(text)])
        case (.syslog, .syslog(let host, let port, let authorities)):
            let line = SyslogLine(
                severity: .informational, time: now, host: settings.host, sort: "test",
                parameters: ["tenant": settings.tenantName(tenant)], text: text)
            return Shipment(form: .lines(host: host, port: port, line.bytes), authorities: authorities)
        case (.syslog, _): throw Self.unknownOutlet
        }
        try message.check()
        guard let shipment = Shipment(message.content, id: id, made: now, along: way, at: now) else {
            throw Refusal(.conflict, "outlet.secret", "The outlet's secret is missing or can not be used.")
        }
        return shipment
    }
}
