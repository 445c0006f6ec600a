import Access
import Base
import Fleet
import HTTPTypes

/// What is desired at models, domains and devices, and what that comes to for a device.
extension RouteTable {
    static func desired(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let tenant = "/api/v1/tenants/{tenant}"
        return layer(
            services, "\(tenant)/models/{model}/desired", "Model", "all devices of a model", needs: .modelRead
        ) { try .model($0.path.text("model")) }
            + layer(
                services, "\(tenant)/domains/{domain}/desired", "Domain", "all devices in a domain and below",
                needs: .deviceRead
            ) { try .domain($0.path.text("domain")) } + [
                Route(
                    .get, "\(tenant)/devices/{device}/desired/own", "showOwnDesired",
                    "Shows a device's own layer of what it is wanted to be.", needs: .deviceRead,
                    success: .json(.desired)
                ) { call in
                    .ok(try await fleet.layer(at: .device(call.device), in: call.tenant.id, by: call.principal).json)
                },
                Route(
                    .post, "\(tenant)/devices/{device}/desired/preview", "previewDesired",
                    "Shows what would change for a device if its own layer said this; nothing is written.",
                    needs: .deviceControl, body: .json(.desiredMembers), success: .json(.desiredPreview)
                ) { call in
                    .ok(
                        try await fleet.previewLayer(
                            call.body.json, at: .device(call.device), in: call.tenant.id, by: call.principal
                        ).json)
                },
                Route(
                    .get, "\(tenant)/devices/{device}/desired/members", "showDesiredMembers",
                    "Shows what a device is wanted to be, member by member: which layer says it, and whether the device follows.",
                    needs: .deviceRead, success: .json(.desiredView)
                ) { call in
                    .ok(try await fleet.desired(of: call.device, in: call.tenant.id, by: call.principal).json)
                },
            ]
    }

    /// The routes of a layer that many devices share.
    private static func layer(
        _ services: NorthboundServices, _ path: String, _ kind: String, _ whose: String, needs: Permission,
        _ reference: @escaping @Sendable (Call) throws -> LayerReference
    ) -> [Route] {
        let fleet = services.fleet
        return [
            Route(
                .get, path, "show\(kind)Desired",
                "Shows what \(whose) are wanted to be; version 0 when nobody said so.",
                needs: needs, success: .json(.desired)
            ) { call in
                .ok(try await fleet.layer(at: reference(call), in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .put, path, "set\(kind)Desired",
                "Sets what \(whose) are wanted to be; their documents follow in the background. Refused when one of them would no longer fit its model.",
                needs: .deviceControl,
                query: [
                    .query("ifVersion", .count, "Only when this is still the present version; 0 when there is none.")
                ], body: .json(.desiredMembers), success: .json(.desired)
            ) { call in
                .ok(
                    try await fleet.setLayer(
                        call.body.json, at: reference(call),
                        ifVersion: call.query.integerIfAny("ifVersion").map(Int64.init), in: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .post, "\(path)/preview", "preview\(kind)Desired",
                "Shows what would change if \(whose) were wanted to be this; nothing is written.",
                needs: .deviceControl, body: .json(.desiredMembers), success: .json(.desiredPreview)
            ) { call in
                .ok(
                    try await fleet.previewLayer(
                        call.body.json, at: reference(call), in: call.tenant.id, by: call.principal
                    ).json)
            },
        ]
    }
}

extension Shape {
    private static let members = FleetLimits.documentBytes / 4
    private static let pointer = Shape.text(.free(atMost: FleetLimits.documentBytes))

    static let desiredMembers = Shape.named("DocumentMembers", .map(of: .any, atMost: members))

    private static let document: [Member] = [
        .required("version", .count, "Counts the changes."),
        .required("desired", desiredMembers, "What is wanted; a secret is shown as {\"$secret\":\"set\"}."),
        .required("changed", .nullable(.time), "When it last changed."),
    ]

    static let desired = Shape.named("DesiredDocument", .object(document))

    static let setDesired = Shape.named(
        "SetDesiredDocument",
        .object(document + [.required("layer", .count, "Counts the changes of the device's own layer.")]))

    private static let fault = Shape.object([
        .required("place", pointer, "Where, as a JSON pointer."),
        .required("message", .text(.free(atMost: FleetLimits.documentBytes)), "What is wrong there."),
    ])

    static let desiredPreview = Shape.named(
        "DesiredPreview",
        .object([
            .required("devices", .count, "How many devices it reaches."),
            .required("changing", .count, "How many of them would be wanted to be something else."),
            .required("broken", .count, "How many would no longer fit their model; any such refuses the change."),
            .required(
                "examples",
                .array(
                    of: .object([
                        .required("device", .identifier, "The device."),
                        .required("name", .name, "Its name."),
                        .required(
                            "changes",
                            .array(
                                of: .object([
                                    .required("pointer", pointer, "Which member, as a JSON pointer."),
                                    .required("from", .any, "What is there now; null when nothing is."),
                                    .required("to", .any, "What would be there."),
                                ]), atMost: members), "What would change."),
                        .required(
                            "faults", .array(of: fault, atMost: FleetLimits.namedFaults), "What would not fit."),
                    ]), atMost: FleetLimits.previewedDevices), "Some of those that would change."),
        ]))

    private static let layerPlace: [Member] = [
        .required("kind", .choice(["model", "domain", "device"]), "The sort of place."),
        .required("id", .identifier, "Its identifier."),
    ]

    fileprivate static let desiredView = Shape.named(
        "DesiredMembers",
        .object([
            .required("version", .count, "Counts the changes of the document that the device gets."),
            .required("desired", desiredMembers, "That document."),
            .required("changed", .nullable(.time), "When it last changed."),
            .required(
                "drift", .nullable(.count),
                "How many members the device reports otherwise; null when it has said nothing to them."),
            .required(
                "layers", .array(of: .object(layerPlace + [.required("version", .count, "Its version.")]), atMost: 100),
                "What it is merged from, the outermost layer first."),
            .required(
                "members",
                .array(
                    of: .object([
                        .required("pointer", pointer, "Which member, as a JSON pointer."),
                        .required("value", .any, "What is wanted."),
                        .required("source", .nullable(.object(layerPlace)), "Which layer says so."),
                        .required(
                            "standing", .choice(["follows", "differs", "unreported", "secret"]),
                            "Whether the device does as it is wanted."),
                        .required("reported", .any, "What the device says; null when nothing."),
                    ]), atMost: members), "Its members."),
            .required(
                "faults", .array(of: fault, atMost: FleetLimits.namedFaults),
                "Why a newer document was not given out."),
        ]))
}
