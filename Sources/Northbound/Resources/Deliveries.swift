import Access
import Base
import Delivery
import HTTPTypes
import Storage

/// What a tenant sends out: the queue, the outbox and the dead letters.
extension RouteTable {
    static func deliveries(_ services: NorthboundServices) -> [Route] {
        let delivery = services.delivery
        let all = "/api/v1/tenants/{tenant}/deliveries"
        let one = all + "/{delivery}"
        let filter: [Parameter] = [
            .query("state", .deliveryState, "Only those that have come so far."),
            .query("kind", .messageKind, "Only those sent by this means."),
            .query("outlet", .identifier, "Only those for this webhook."),
        ]
        return [
            Route(
                .get, all, "listDeliveries", "Lists deliveries, the newest first; with state=resting, the outbox.",
                needs: .deliveryRead, query: filter + Parameter.paging, success: .page(.delivery)
            ) { call in
                try await services.authorize(call, .deliveryRead)
                let before = try call.cursor(.deliveries).flatMap { DeliveryID(text: $0) }
                let found = try await delivery.deliveries(
                    of: call.tenant.id, DeliveryFilter(call.query), before: before, limit: call.limit)
                let next = found.count == call.limit ? found.last.map { Cursor.deliveries.text($0.id.text) } : nil
                return .page(found.map(\.json), next: next)
            },
            Route(
                .get, one, "getDelivery", "Shows a delivery, without what it says.", needs: .deliveryRead,
                success: .json(.delivery)
            ) { call in
                try await services.authorize(call, .deliveryRead)
                return .ok(try await delivery.delivery(call.path.identifier("delivery"), of: call.tenant.id).json)
            },
            Route(
                .get, one + "/content", "getDeliveryContent",
                "Shows what a delivery says, and records that. What is confidential is shown only in the outbox; "
                    + "an event takes the right to read the audit log, too.",
                needs: .deliveryManage, success: .json(.any)
            ) { call in
                let info = try await services.deliveryInPath(call)
                return .ok(try await delivery.content(of: info.id, tenant: call.tenant.id, by: call.actor))
            },
            Route(
                .post, one + "/replay", "replayDelivery",
                "Puts a delivery into the queue again; one that waits is tried at once.", needs: .deliveryManage,
                success: .json(.delivery)
            ) { call in
                let info = try await services.deliveryInPath(call)
                return .ok(try await delivery.replay(info.id, tenant: call.tenant.id, by: call.actor).json)
            },
            Route(
                .post, one + "/discard", "discardDelivery", "Gives a delivery up.", needs: .deliveryManage,
                success: .json(.delivery)
            ) { call in
                try await services.authorize(call, .deliveryManage)
                return .ok(
                    try await delivery.discard(
                        call.path.identifier("delivery"), tenant: call.tenant.id, by: call.actor
                    ).json)
            },
            Route(
                .post, "/api/v1/tenants/{tenant}/delivery/replay", "replayDeliveries",
                "Puts dead letters or what rests in the outbox into the queue again, up to 1,000 at once.",
                needs: .deliveryManage,
                body: .json(
                    .named(
                        "DeliveryReplay",
                        .object([
                            .required("state", .choice(["dead", "resting"]), "Which ones."),
                            .optional("kind", .messageKind, "Only those sent by this means."),
                            .optional("outlet", .identifier, "Only those for this webhook."),
                        ]))),
                success: .json(
                    .named("DeliveryCount", .object([.required("count", .count, "How many it were.")])))
            ) { call in
                let filter = try DeliveryFilter(call.body)
                try await services.authorizeDeliveries(call, filter.kind)
                let count = try await delivery.replayAll(filter, tenant: call.tenant.id, by: call.actor)
                return .ok(["count": .integer(Int64(count))])
            },
            Route(
                .get, "/api/v1/tenants/{tenant}/delivery", "getDeliveryOverview",
                "Shows whether mail and SMS would leave, and how the queue is.", needs: .deliveryRead,
                success: .json(.deliveryOverview)
            ) { call in
                try await services.authorize(call, .deliveryRead)
                return .ok(try await delivery.overview(of: call.tenant.id).json)
            },
            Route(
                .post, "/api/v1/tenants/{tenant}/delivery/test", "testDelivery",
                "Sends a test at once, through an outlet or the way that mail or SMS takes, and says how it went.",
                needs: .deliveryManage,
                body: .json(
                    .named(
                        "DeliveryTest",
                        .object([
                            .optional("outlet", .text(.nameOrIdentifier), "The outlet to test."),
                            .optional("kind", .choice(["mail", "sms"]), "Without an outlet: what to send."),
                            .optional("to", .text, "The recipient of a mail or SMS."),
                        ]))),
                success: .json(
                    .named(
                        "DeliveryTestResult",
                        .object([
                            .required("delivered", .boolean, "Whether the receiver has taken it."),
                            .required("result", .text, "What happened, in a few words."),
                        ])))
            ) { call in
                try await services.authorize(call, .deliveryManage)
                let trial = try await delivery.tryOutlet(
                    call.body.textIfAny("outlet"), kind: call.body.textIfAny("kind").flatMap(DeliveryKind.init),
                    to: call.body.textIfAny("to"), tenant: call.tenant.id, by: call.actor)
                return .ok(["delivered": .bool(trial.isDelivered), "result": .string(trial.result)])
            },
        ]
    }
}

extension NorthboundServices {
    fileprivate func authorizeDeliveries(_ call: Call, _ kind: DeliveryKind?) async throws {
        try await database.tenant(call.tenant.id).read { transaction in
            try access.authorizeDeliveries(call.principal, kind, of: call.tenant.id, in: transaction)
        }
    }

    /// The delivery in the path, for a caller who may read it or send it again.
    fileprivate func deliveryInPath(_ call: Call) async throws -> DeliveryInfo {
        try await authorize(call, .deliveryManage)
        let info = try await delivery.delivery(call.path.identifier("delivery"), of: call.tenant.id)
        try await authorizeDeliveries(call, info.kind)
        return info
    }
}

extension DeliveryFilter {
    fileprivate init(_ fields: Fields) throws {
        self.init(
            state: fields.textIfAny("state").flatMap(DeliveryState.init),
            kind: fields.textIfAny("kind").flatMap(DeliveryKind.init), outlet: try fields.identifierIfAny("outlet"))
    }
}

extension Shape {
    fileprivate static let deliveryState = Shape.choice(DeliveryState.allCases.map(\.rawValue))
    fileprivate static let messageKind = Shape.choice(["mail", "sms", "webhook"])

    static let delivery = Shape.named(
        "Delivery",
        .object([
            .required("id", .identifier, "The identifier; receivers see it, again when something arrives twice."),
            .required("kind", messageKind, "By what means it is sent."),
            .required("state", deliveryState, "How far it has come."),
            .required("outlet", .nullable(.identifier), "The outlet of a webhook."),
            .required("event", .nullable(.text), "The event of a webhook."),
            .required("to", .nullable(.text), "The recipient of a mail or SMS, until it is forgotten."),
            .required("attempts", .count, "How often it was tried."),
            .required("result", .nullable(.text), "How the last attempt ended."),
            .required("due", .nullable(.time), "When it is tried next, while it waits."),
            .required("confidential", .boolean, "Whether what it says is shown only in the outbox."),
            .required("created", .time, "When it was made."),
            .required("expires", .nullable(.time), "From when it is of no use any more."),
            .required("finished", .nullable(.time), "When it came to its end."),
        ]))

    static let deliveryOverview = Shape.named(
        "DeliveryOverview",
        .object([
            .required("mail", .boolean, "Whether mails would leave, or only rest in the outbox."),
            .required("sms", .boolean, "Whether text messages would leave, or only rest in the outbox."),
            .required("waiting", .count, "How many wait."),
            .required("resting", .count, "How many rest in the outbox."),
            .required("dead", .count, "How many are dead letters."),
            .required("oldestWaiting", .nullable(.time), "When the oldest that waits was made."),
        ]))
}

extension DeliveryInfo {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "kind": .string(kind.rawValue), "state": .string(state.rawValue),
            "outlet": outlet.map { .string($0.text) } ?? .null, "event": event.map { .string($0) } ?? .null,
            "to": to.map { .string($0) } ?? .null, "attempts": .integer(Int64(attempts)),
            "result": result.map { .string($0) } ?? .null, "due": due.map { .string($0.rfc3339) } ?? .null,
            "confidential": .bool(isConfidential), "created": .string(created.rfc3339),
            "expires": expires.map { .string($0.rfc3339) } ?? .null,
            "finished": finished.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}

extension DeliveryOverview {
    fileprivate var json: JSONValue {
        [
            "mail": .bool(canMail), "sms": .bool(canSMS), "waiting": .integer(Int64(waiting)),
            "resting": .integer(Int64(resting)), "dead": .integer(Int64(dead)),
            "oldestWaiting": oldestWaiting.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
