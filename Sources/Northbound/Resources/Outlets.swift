import Access
import Audit
import Base
import Delivery
import HTTPTypes
import Storage

/// The outlets of a tenant: where its deliveries leave.
extension RouteTable {
    static func outlets(_ services: NorthboundServices) -> [Route] {
        let delivery = services.delivery
        let all = "/api/v1/tenants/{tenant}/outlets"
        let one = all + "/{outlet}"
        return [
            Route(
                .get, all, "listOutlets", "Lists the outlets by name, with how they do.", needs: .deliveryRead,
                query: Parameter.paging, success: .page(.outlet)
            ) { call in
                try await services.authorize(call, .deliveryRead)
                let health = try await delivery.health(of: call.tenant.id)
                let outlets = try await delivery.outlets(of: call.tenant.id)
                return try call.page(outlets.map { ($0.name.text, $0.json(health[$0.id])) }, .outlets)
            },
            Route(
                .post, all, "createOutlet",
                "Makes an outlet. A webhook's signing secret, when it is made here, is in this answer and nowhere "
                    + "else. Mail and SMS take an owner's rights and a reason, and a second approver where the tenant wants "
                    + "one; what audit entries leave by takes the right to export them.",
                needs: .deliveryManage,
                body: .json(
                    .named(
                        "OutletDraft",
                        .object([
                            .required("name", .name, "The name, unique in the tenant."),
                            .required("kind", .outletKind, "By what means it sends."),
                            .required(
                                "settings", .any, "Where and how; docs/delivery.md has the members of each kind."),
                            .optional(
                                "secret", .text(.free(atMost: DeliveryLimits.secretBytes)),
                                "The password, the gateway's key or the signing secret; never shown again."),
                            .optional("active", .boolean, "Whether it is in use from the start; true when left out."),
                            .reason,
                        ]))), success: .created(.newOutlet)
            ) { call in
                try await services.authorize(call, .deliveryManage)
                let made = try await services.outlets.create(
                    OutletDraft(
                        name: call.body.name("name"), kind: call.body.outletKind("kind"),
                        settings: call.body.value("settings") ?? [:],
                        secret: call.body.textIfAny("secret"), isActive: call.body.boolIfAny("active") ?? true),
                    reason: call.body.textIfAny("reason"), tenant: call.tenant.id, by: call.principal)
                guard case .object(var members) = made.outlet.json(nil) else { return .done }
                members["secret"] = made.secret.map { .string($0) } ?? .null
                return .created(
                    .object(members), at: "/api/v1/tenants/\(call.tenant.slug)/outlets/\(made.outlet.id)")
            },
            Route(
                .get, one, "getOutlet", "Shows an outlet.", needs: .deliveryRead, success: .json(.outlet)
            ) { call in
                try await services.authorize(call, .deliveryRead)
                let outlet = try await delivery.outlet(call.path.text("outlet"), of: call.tenant.id)
                return .ok(outlet.json(try await delivery.health(of: call.tenant.id)[outlet.id]))
            },
            Route(
                .patch, one, "updateOutlet",
                "Changes an outlet and lets it be tried at once. Whatever changes where or how the secret is sent "
                    + "takes it anew.",
                needs: .deliveryManage,
                body: .json(
                    .named(
                        "OutletChange",
                        .object([
                            .optional("name", .name, "The new name."),
                            .optional("settings", .any, "The new settings, whole."),
                            .optional(
                                "secret", .text(.free(atMost: DeliveryLimits.secretBytes)),
                                "The new secret; never shown again."),
                            .optional("active", .boolean, "Whether it is in use."),
                            .reason,
                        ]))), success: .json(.outlet)
            ) { call in
                let outlet = try await services.outlets.change(
                    call.path.text("outlet"),
                    OutletChange(
                        name: call.body.nameIfAny("name"), settings: call.body.value("settings"),
                        secret: call.body.textIfAny("secret"), isActive: call.body.boolIfAny("active")),
                    reason: call.body.textIfAny("reason"), tenant: call.tenant.id, by: call.principal)
                return .ok(outlet.json(try await delivery.health(of: call.tenant.id)[outlet.id]))
            },
            Route(
                .delete, one, "deleteOutlet", "Deletes an outlet; what waited for it alone is given up.",
                needs: .deliveryManage, query: [.reason], success: .nothing
            ) { call in
                try await services.outlets.delete(
                    call.path.text("outlet"), reason: call.query.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .done
            },
        ]
    }
}

extension Call {
    /// The caller as the log of the path's tenant names it.
    var actor: Actor { principal.actor(in: tenant.id) }
}

extension Fields {
    /// By what means something is sent; the shape has checked it.
    func outletKind(_ name: String) throws -> DeliveryKind {
        guard let kind = DeliveryKind(rawValue: try text(name)) else { throw fault(name, "is no kind of outlet") }
        return kind
    }
}

extension Shape {
    static let outletKind = Shape.choice(DeliveryKind.allCases.map(\.rawValue))

    private static let outletMembers: [Member] = [
        .required("id", .identifier, "The identifier."),
        .required("name", .name, "The name."),
        .required("kind", outletKind, "By what means it sends."),
        .required("settings", .any, "Where and how; never a secret."),
        .required("hasSecret", .boolean, "Whether it holds a secret."),
        .required("active", .boolean, "Whether it is in use."),
        .required("created", .time, "When it was created."),
        .required("changed", .time, "When it was last changed."),
        .required("failures", .count, "Failed attempts in a row, as this server process knows."),
        .required("pausedUntil", .nullable(.time), "Nothing is tried before, because too many attempts failed."),
        .required("lastFailure", .nullable(.text), "What the last failure was."),
        .required("position", .nullable(.count), "How many audit entries its stream has passed."),
        .required("sent", .nullable(.time), "When its audit stream last sent something."),
    ]

    static let outlet = Shape.named("Outlet", .object(outletMembers))
    static let newOutlet = Shape.named(
        "NewOutlet",
        .object(
            outletMembers + [
                .required("secret", .nullable(.text), "The signing secret when it was made here; shown once.").shownOnce
            ]
        ))
}

extension Outlet {
    fileprivate func json(_ health: OutletHealth?) -> JSONValue {
        [
            "id": .string(id.text), "name": .string(name.text), "kind": .string(kind.rawValue), "settings": settings,
            "hasSecret": .bool(hasSecret), "active": .bool(isActive), "created": .string(created.rfc3339),
            "changed": .string(changed.rfc3339), "failures": .integer(Int64(health?.failures ?? 0)),
            "pausedUntil": health?.pausedUntil.map { .string($0.rfc3339) } ?? .null,
            "lastFailure": health?.lastFailure.map { .string($0) } ?? .null,
            "position": health?.position.map { .integer($0) } ?? .null,
            "sent": health?.sent.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
